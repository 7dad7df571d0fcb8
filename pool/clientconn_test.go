package pool

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"testing"
	"testing/synctest"
)

// A connection of NewClientConn has the transport's settings, is new each time, and is
// none of the pool's: no book has it, no limit counts it, and CloseIdleConnections leaves
// it open.
func TestNewClientConn(t *testing.T) {
	cert := certServer(t)
	for _, row := range []struct{ scheme, address, proxy, want string }{
		{"http", "api.test:80", "", "HTTP/1.1 /path"},
		{"https", "api.test:443", "", "HTTP/2.0 /path"},
		{"http", "api.test:80", "proxy.test:80", "HTTP/1.1 http://api.test/path"},
	} {
		synctest.Test(t, func(t *testing.T) {
			h := func(w http.ResponseWriter, r *http.Request) { fmt.Fprintf(w, "%s %s", r.Proto, r.RequestURI) }
			tr := h2Bubble(t, cert, nil, h)
			if row.scheme == "http" {
				mem, l := memory(cmp.Or(row.proxy, row.address))
				srv := &http.Server{Handler: http.HandlerFunc(h)}
				go srv.Serve(l)
				defer srv.Close()
				tr.DialContext = mem.DialContext
			}
			if row.proxy != "" {
				tr.Proxy = http.ProxyURL(&url.URL{Scheme: "http", Host: row.proxy})
			}
			tr.MaxConnsPerHost = 1
			for range 2 {
				cc, err := tr.NewClientConn(t.Context(), row.scheme, row.address)
				if err != nil {
					t.Fatal(err)
				}
				defer cc.Close()
				if _, got := fetch(t, cc, "http://api.test/path"); got != row.want {
					t.Errorf("got %q, want %q", got, row.want)
				}
				tr.CloseIdleConnections()
				synctest.Wait()
				if err := cc.Err(); err != nil || len(tr.Ledger()) != 0 || tr.Stats().Dials != 0 {
					t.Errorf("%s: got %v and\n%s%s, want it open and in no book", row.scheme, err, tr.Ledger(), tr.Stats())
				}
			}
		})
	}
}

// standard has each setting that the two transports share, and nothing that net/http
// changes is shared.
func TestStandard(t *testing.T) {
	tr := new(Transport)
	v := reflect.ValueOf(tr).Elem()
	theirs := reflect.TypeFor[http.Transport]()
	for i := range theirs.NumField() {
		if f := theirs.Field(i); f.IsExported() {
			fill(t, f.Name, v.FieldByName(f.Name), i+1)
		}
	}
	std := reflect.ValueOf(tr.standard()).Elem()
	for i := range theirs.NumField() {
		f := theirs.Field(i)
		if !f.IsExported() {
			continue
		}
		ours, got := v.FieldByName(f.Name), std.Field(i)
		switch {
		case got.IsZero():
			t.Errorf("%s: not copied", f.Name)
		case f.Name == "TLSClientConfig" || f.Name == "TLSNextProto":
			if ours.Pointer() == got.Pointer() {
				t.Errorf("%s: shared, and net/http changes it", f.Name)
			}
		case f.Type.Comparable() && ours.Interface() != got.Interface():
			t.Errorf("%s: got %v, want %v", f.Name, got, ours)
		}
	}
}
