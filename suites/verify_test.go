package suites_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/halfopen/halfopen/pool"
	"github.com/halfopen/halfopen/suites"
)

// keeper keeps the error of goleak's instead of failing.
type keeper struct{ text string }

func (k *keeper) Error(args ...any) { k.text += fmt.Sprint(args...) }

// Over real connections: what is idle in a pool is not leaked, and what is in use
// is, whatever the transport.
func TestVerifyNone(t *testing.T) {
	mine := goleak.IgnoreCurrent()
	for _, tt := range []struct {
		name  string
		http2 bool
		pool  interface {
			http.RoundTripper
			CloseIdleConnections()
		}
	}{
		{"net/http", false, new(http.Transport)},
		{"net/http h2", true, new(http.Transport)},
		{"pool", false, new(pool.Transport)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if io.WriteString(w, "ok"); r.URL.Path == "/open" {
					http.NewResponseController(w).Flush()
					<-r.Context().Done()
				}
			}))
			rt := tt.pool
			if srv.EnableHTTP2 = tt.http2; tt.http2 {
				srv.StartTLS()
				rt = srv.Client().Transport.(*http.Transport)
			} else {
				srv.Start()
			}
			client := &http.Client{Transport: rt}
			get := func(path string) *http.Response {
				resp, err := client.Get(srv.URL + path)
				if err != nil {
					t.Fatal(err)
				}
				return resp
			}
			resp := get("/")
			io.Copy(io.Discard, resp.Body)
			resp.Body.Close()

			leaked := get("/open") // and its body is not closed
			var k keeper
			suites.VerifyNone(&k, suites.Pooled{client}, mine)
			want := "1 connection in use after the idle ones were closed: a response body was never closed, or its request goes on\n"
			if !strings.HasPrefix(k.text, want) {
				t.Errorf("got %q, want it to begin with %q", k.text, want)
			}
			leaked.Body.Close()
			srv.Close()
			suites.VerifyNone(t, suites.Pooled{client}, mine)
		})
	}
}
