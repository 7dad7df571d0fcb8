package main

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/halfopen/halfopen/clock"
	"github.com/halfopen/halfopen/faultnet"
	"github.com/halfopen/halfopen/internal/leaky"
)

// leakPage returns docs/leak.md.
func leakPage(t *testing.T) string {
	t.Helper()
	page, err := os.ReadFile("../../docs/leak.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(page)
}

// The commands of docs/leak.md do what the page shows, one after the other in one folder.
func TestLeakPage(t *testing.T) {
	page := leakPage(t)
	recordings, err := filepath.Abs("../../testdata/recordings")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	t.Chdir(dir)
	if err := os.CopyFS("testdata/recordings", os.DirFS(recordings)); err != nil {
		t.Fatal(err)
	}
	ran, script := 0, ""
	for _, block := range regexp.MustCompile("(?s)```console\n(.*?)```").FindAllStringSubmatch(page, -1) {
		for _, part := range strings.Split(block[1], "$ ")[1:] {
			command, shown, _ := strings.Cut(part, "\n")
			args, ok := strings.CutPrefix(command, "halfopen ")
			if !ok {
				continue // curl and tcpdump
			}
			if strings.HasSuffix(args, "fixed.txtar") { // the page says how it is made
				script, _ := os.ReadFile("leak.txtar")
				os.WriteFile("fixed.txtar", regexp.MustCompile(`(?m)^forget .*\n`).ReplaceAll(script, nil), 0o666)
			}
			ran++
			_, out, errs := halfopen(strings.Fields(args)...)
			if errs != "" {
				t.Errorf("%s: %s", command, errs)
			}
			wantInOrder(t, command, out, shown)
			if text, err := os.ReadFile("leak.txtar"); err == nil && script == "" {
				script = string(text)
			}
		}
	}
	if ran < 9 {
		t.Errorf("got %d commands, want 9", ran)
	}
	blocks := regexp.MustCompile("(?s)```txtar\n(.*?)```").FindAllStringSubmatch(page, -1)
	if len(blocks) != 2 {
		t.Errorf("got %d parts of the script, want 2", len(blocks))
	}
	for _, block := range blocks {
		wantInOrder(t, "the script", script, block[1])
	}
}

// wantInOrder checks that these lines are in a text, in their order; a line of dots stands for some.
func wantInOrder(t *testing.T, of, text, lines string) {
	t.Helper()
	rest := text
	for line := range strings.Lines(lines) {
		line = strings.TrimSpace(line)
		if line == "..." || line == "" {
			continue
		}
		_, after, ok := strings.Cut(rest, line)
		if !ok {
			t.Errorf("%s: got:\n%s\nwant the line: %s", of, text, line)
			return
		}
		rest = after
	}
}

// The code of docs/leak.md: its recorder compiles, and its test of the service fails as the page says.
func TestLeakPageCode(t *testing.T) {
	page := leakPage(t)
	m := newUserModule(t, "prices.test/leaky")
	for _, name := range []string{"leaky.go", "backend.go"} {
		text, err := os.ReadFile("../../internal/leaky/" + name)
		if err != nil {
			t.Fatal(err)
		}
		m.write(name, string(text))
	}
	var recorder strings.Builder
	recorder.WriteString("package leaky\n\nimport (\n\t\"net/http\"\n\n\t\"github.com/halfopen/halfopen/faultnet\"\n)\n\n")
	for _, block := range regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(page, -1) {
		if !strings.HasPrefix(block[1], "package") {
			recorder.WriteString(block[1] + "\n")
		}
	}
	m.write("recorder.go", recorder.String())
	files := goFiles(page)
	if len(files) != 1 {
		t.Fatalf("got %d files, want the test", len(files))
	}
	m.write(files[0].name, files[0].text)
	out, err := m.test()
	if err == nil {
		t.Fatalf("the test passed, and must find the leak:\n%s", out)
	}
	wantShown(t, out, page, "names the line:")
}

// The service leaks on real sockets; the script of its trace fails because of that, and so does each
// exploration of it. Nothing is said of the requests that were in order.
func TestLeakOnRealSockets(t *testing.T) {
	backend := httptest.NewServer(leaky.Backend())
	defer backend.Close()
	c := clock.NewVirtual(time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC))
	rec := &faultnet.Recorder{Clock: c, Payload: 512}
	wrote := make(chan struct{}, 100)
	dial := rec.WrapDialer(nil)
	bodies := &bodyKeeper{Transport: &http.Transport{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := dial(ctx, network, address)
		return &writtenConn{c, wrote}, err
	}}}
	defer bodies.close()
	client := &http.Client{Transport: bodies}
	service := httptest.NewServer(&leaky.Service{Client: client, Backend: backend.URL})
	defer service.Close()
	for _, path := range []string{"/prices/apple", "/prices/pear", "/total?items=plum,pear", "/prices/apple"} {
		resp, err := service.Client().Get(service.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		io.ReadAll(resp.Body)
		resp.Body.Close()
		c.Advance(100 * time.Millisecond)
	}
	for range bodies.bodies { // each request was sent in one write, and these have returned
		<-wrote
	}
	client.CloseIdleConnections()
	c.Advance(2 * time.Second)
	dir := t.TempDir()
	trace, script := filepath.Join(dir, "live.trace"), filepath.Join(dir, "live.txtar")
	f, err := os.Create(trace)
	if err == nil {
		_, err = rec.WriteTo(f)
		f.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	if code, out, errs := halfopen("import", "-o", script, trace); code != held || out+errs != "" {
		t.Fatalf("got exit code %d\n%s%s", code, out, errs)
	}
	text, _ := os.ReadFile(script)
	if got := regexp.MustCompile(`(?m)^forget r\d$`).FindAllString(string(text), -1); !slices.Equal(got, []string{"forget r2", "forget r4"}) ||
		!strings.Contains(string(text), "GET /price/pear answered 503: 2 of 2\n") {
		t.Errorf("got %q in:\n%s", got, text)
	}
	for _, command := range []string{"run", "explore"} {
		code, out, errs := halfopen(command, script)
		if code != failed || errs != "" || strings.Count(out, "response body of GET http://"+backend.Listener.Addr().String()+"/status/503/16 never closed") < 2 {
			t.Errorf("%s: got exit code %d\n%s%s", command, code, out, errs)
		}
	}
}

// writtenConn says when a write has returned.
type writtenConn struct {
	net.Conn
	wrote chan struct{}
}

// Write implements [net.Conn].
func (c *writtenConn) Write(b []byte) (int, error) {
	defer func() { c.wrote <- struct{}{} }()
	return c.Conn.Write(b)
}

// bodyKeeper keeps the bodies of responses, so that a test can close in the end what the service has left.
type bodyKeeper struct {
	*http.Transport
	bodies []io.Closer
}

// RoundTrip implements [http.RoundTripper].
func (k *bodyKeeper) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := k.Transport.RoundTrip(req)
	if err == nil {
		k.bodies = append(k.bodies, resp.Body) // one request comes after the other
	}
	return resp, err
}

func (k *bodyKeeper) close() {
	for _, b := range k.bodies {
		b.Close()
	}
	k.CloseIdleConnections()
}

// The samples of the service show the same leak: its trace, its capture, and its goroutines in both
// forms.
func TestLeakSamples(t *testing.T) {
	const folder = "../../testdata/recordings/"
	for _, name := range []string{"leaky.trace", "leaky.pcap"} {
		code, out, errs := halfopen("import", folder+name)
		if code != held || errs != "" || strings.Count(out, "\nforget ") != 3 || !strings.Contains(out, "GET /price/pear answered 503: 3 of 3\n") {
			t.Errorf("%s: got exit code %d\n%s%s", name, code, out, errs)
		}
		for _, command := range []string{"run", "explore"} {
			if code, found, errs := fed(out, command, "-"); code != failed || errs != "" || strings.Count(found, "never closed") < 3 {
				t.Errorf("%s: %s: got exit code %d\n%s%s", name, command, code, found, errs)
			}
		}
		if _, again, _ := halfopen("import", folder+name); again != out {
			t.Errorf("%s: got another script the second time:\n%s", name, again)
		}
	}
	for _, name := range []string{"leaky.goroutines.txt", "leaky.goroutines1.txt"} {
		code, out, errs := halfopen("diagnose", folder+name)
		if code != held || errs != "" || !strings.Contains(out, "\n3 x response body neither closed nor read to its end\n") {
			t.Errorf("%s: got exit code %d\n%s%s", name, code, out, errs)
		}
	}
}

// A recording may come from standard input, and be cut to some addresses.
func TestImportInput(t *testing.T) {
	trace, err := os.ReadFile("../../testdata/recordings/leaky.trace")
	if err != nil {
		t.Fatal(err)
	}
	address := regexp.MustCompile(`dial tcp (\S+)`).FindStringSubmatch(string(trace))[1]
	code, out, errs := fed(string(trace), "import", "-address", address, "-requests", "3", "-transport", "MaxConnsPerHost=2", "-")
	if code != held || errs != "" || strings.Count(out, "\nget r") != 3 || !strings.Contains(out, "\ntransport MaxConnsPerHost=2\n") {
		t.Errorf("got exit code %d\n%s%s", code, out, errs)
	}
	if code, _, errs := fed(string(trace), "import", "-address", "x:1", "-"); code != mistake || !strings.Contains(errs, "-: no request to x:1; there are connections to: "+address) {
		t.Errorf("got exit code %d, %s", code, errs)
	}
	profile, _ := os.ReadFile("../../testdata/recordings/leaky.goroutines.txt")
	if code, out, errs := fed(string(profile), "diagnose", "-"); code != held || errs != "" || !strings.Contains(out, "3 x ") {
		t.Errorf("got exit code %d\n%s%s", code, out, errs)
	}
}
