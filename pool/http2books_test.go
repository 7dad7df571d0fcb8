package pool_test

import (
	"fmt"
	"io"
	"net/http"
	"testing"

	"github.com/halfopen/halfopen/harness"
	"github.com/halfopen/halfopen/pool"
)

// ALPN chooses HTTP/2, one connection serves all, and the ledger says so. Without
// ForceAttemptHTTP2 a dialer or a TLS configuration means HTTP/1.
func TestHTTP2(t *testing.T) {
	for _, force := range []bool{true, false} {
		harness.Test(t, func(t *harness.T) {
			tr := overTLS(t, &pool.Transport{ForceAttemptHTTP2: force})
			t.ServeTLS("api.test:443", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				b, _ := io.ReadAll(r.Body)
				fmt.Fprintf(w, "%s %s", r.Proto, b)
			}), nil)
			want, proto := "HTTP/1.1 x", "http/1.1"
			if force {
				want, proto = "HTTP/2.0 x", "h2"
			}
			for i := range 3 {
				r := t.Post(fmt.Sprint("r", i), tr, "https://api.test/", "x")
				r.WantBody(want)
				if r.Response().TLS == nil || r.Reused() != (i > 0) {
					t.Errorf("request %d: got TLS %v, reused %v", i+1, r.Response().TLS != nil, r.Reused())
				}
			}
			if st := tr.Stats(); st.Dials != 1 || st.Reuses != 2 {
				t.Errorf("stats: got\n%s", st)
			}
			if l := tr.Ledger(); len(l) != 1 || l[0].Proto != proto {
				t.Errorf("ledger: got\n%s, want %s", l, proto)
			}
		})
	}
}

// Request.Close ends the connection after the request (golang/go#49375).
func TestHTTP2RequestClose(t *testing.T) {
	harness.Test(t, func(t *harness.T) {
		tr := overTLS(t, &pool.Transport{ForceAttemptHTTP2: true})
		t.ServeTLS("api.test:443", nil, nil)
		req, _ := http.NewRequest("GET", "https://api.test/", nil)
		req.Close = true
		t.Start("r1", tr, req).WantBody("ok")
		t.Conn("c1").WantClosed()
		t.Get("r2", tr, "https://api.test/").WantBody("ok")
		if n := tr.Stats().Dials; n != 2 {
			t.Errorf("dials: got %d, want 2", n)
		}
	})
}
