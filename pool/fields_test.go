package pool

import (
	"go/ast"
	"go/parser"
	"go/token"
	"net/http"
	"path/filepath"
	"reflect"
	"testing"
)

// promises names, for each exported field and method of http.Transport, the
// file that keeps it and the test that shows it.
var promises = map[string][2]string{
	"Proxy":                  {"route.go", "TestHTTPProxy"},
	"OnProxyConnectResponse": {"dial.go", "TestConnectErrors"},
	"DialContext":            {"dial.go", "TestOrphanDial"},
	"Dial":                   {"dial.go", "TestDialTLSContext"},
	"DialTLSContext":         {"dial.go", "TestDialTLSContext"},
	"DialTLS":                {"dial.go", "TestDialTLSContext"},
	"TLSClientConfig":        {"dial.go", "TestTLS"},
	"TLSHandshakeTimeout":    {"dial.go", "TestTLSHandshakeTimeout"},
	"DisableKeepAlives":      {"writeloop.go", "TestDisableKeepAlives"},
	"DisableCompression":     {"writeloop.go", "TestGzip"},
	"MaxIdleConns":           {"idle.go", "TestIdleLimits"},
	"MaxIdleConnsPerHost":    {"putidle.go", "TestIdleLimits"},
	"MaxConnsPerHost":        {"dialqueue.go", "TestLimit"},
	"IdleConnTimeout":        {"idle.go", "TestIdleTimeout"},
	"ResponseHeaderTimeout":  {"writeloop.go", "TestResponseHeaderTimeout"},
	"ExpectContinueTimeout":  {"expect.go", "TestExpectContinue"},
	"TLSNextProto":           {"http2.go", "TestTLSNextProto"},
	"ProxyConnectHeader":     {"dial.go", "TestHTTPProxy"},
	"GetProxyConnectHeader":  {"dial.go", "TestConnectErrors"},
	"MaxResponseHeaderBytes": {"readloop.go", "TestInformationalLimits"},
	"WriteBufferSize":        {"buffers.go", "TestBufferSizes"},
	"ReadBufferSize":         {"buffers.go", "TestBufferSizes"},
	"ForceAttemptHTTP2":      {"http2.go", "TestHTTP2"},
	"HTTP2":                  {"http2carry.go", "TestHTTP2Strict"},
	"Protocols":              {"http2.go", "TestUnencryptedHTTP2"},

	"RoundTrip()":            {"roundtrip.go", "TestReuse"},
	"CloseIdleConnections()": {"transport.go", "TestCloseIdleConnections"},
	"RegisterProtocol()":     {"transport.go", "TestRegisterProtocol"},
	"Clone()":                {"transport.go", "TestClone"},
}

// notPromised is what the pool does without, and why.
var notPromised = map[string]string{
	"CancelRequest()": "deprecated, and dear: it needs a map of all requests under a lock; contexts and Request.Cancel do it",
	"NewClientConn()": "a connection outside of any pool; http.Transport makes them",
}

// Everything that http.Transport has, the pool has or names with a reason.
func TestPromises(t *testing.T) {
	tests := testNames(t)
	ours, theirs := reflect.TypeFor[Transport](), reflect.TypeFor[http.Transport]()
	check := func(name string, have bool) {
		t.Helper()
		promise, promised := promises[name]
		switch {
		case notPromised[name] != "" && !have && !promised:
		case !promised || !have:
			t.Errorf("http.Transport has %s: got promised=%v, have=%v", name, promised, have)
		case !tests[promise[1]]:
			t.Errorf("%s: there is no test %s", name, promise[1])
		}
		if promised {
			if files, _ := filepath.Glob(promise[0]); len(files) != 1 {
				t.Errorf("%s: there is no file %s", name, promise[0])
			}
		}
	}
	for i := range theirs.NumField() {
		f := theirs.Field(i)
		if f.IsExported() {
			mine, ok := ours.FieldByName(f.Name)
			check(f.Name, ok && mine.Type == f.Type)
		}
	}
	pt, po := reflect.PointerTo(theirs), reflect.PointerTo(ours)
	for i := range pt.NumMethod() {
		m := pt.Method(i)
		mine, ok := po.MethodByName(m.Name)
		check(m.Name+"()", ok && mine.Type.NumIn() == m.Type.NumIn())
	}
}

func testNames(t *testing.T) map[string]bool {
	names := map[string]bool{}
	files, _ := filepath.Glob("*_test.go")
	for _, name := range files {
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok {
				names[fn.Name.Name] = true
			}
		}
	}
	return names
}

// Clone copies each setting, and deeply what can be changed.
func TestClone(t *testing.T) {
	tr := &Transport{}
	v := reflect.ValueOf(tr).Elem()
	for i := range v.NumField() {
		f := v.Field(i)
		if !v.Type().Field(i).IsExported() {
			continue
		}
		switch f.Kind() {
		case reflect.Bool:
			f.SetBool(true)
		case reflect.Int, reflect.Int64:
			f.SetInt(int64(i + 1))
		case reflect.Func:
			f.Set(reflect.MakeFunc(f.Type(), func([]reflect.Value) []reflect.Value { panic("not called") }))
		case reflect.Map:
			f.Set(reflect.MakeMap(f.Type()))
		case reflect.Pointer:
			f.Set(reflect.New(f.Type().Elem()))
		case reflect.Interface:
			f.Set(reflect.ValueOf(fast{}))
		default:
			t.Fatalf("%s: a kind that this test does not know", v.Type().Field(i).Name)
		}
	}
	c := reflect.ValueOf(tr.Clone()).Elem()
	for i := range v.NumField() {
		name, f, g := v.Type().Field(i).Name, v.Field(i), c.Field(i)
		if !v.Type().Field(i).IsExported() {
			continue
		}
		if g.IsZero() {
			t.Errorf("%s: not copied", name)
			continue
		}
		switch f.Kind() {
		case reflect.Pointer, reflect.Map:
			if f.Pointer() == g.Pointer() {
				t.Errorf("%s: shared with the clone", name)
			}
		case reflect.Func:
		default:
			if f.Interface() != g.Interface() {
				t.Errorf("%s: got %v, want %v", name, g, f)
			}
		}
	}
}

// Buffers have the size that was asked for, also when they come from a pool.
func TestBufferSizes(t *testing.T) {
	for range 2 {
		for _, size := range []int{0, 16, 1 << 10, 64 << 10} {
			run(t, &Transport{ReadBufferSize: size, WriteBufferSize: size}, func(s *script) {
				r1 := s.get("r1")
				c1 := s.wantDial().open()
				c1.wantRequest()
				want := size
				if size == 0 {
					want = 4 << 10
				}
				for _, h := range s.tr.hosts {
					pc := h.conns.front()
					if pc.br.Size() != want || pc.bw.Size() != want {
						t.Errorf("buffers: got %d and %d, want %d", pc.br.Size(), pc.bw.Size(), want)
					}
				}
				c1.send(okBody)
				r1.wantDone("hello")
			})
		}
	}
}
