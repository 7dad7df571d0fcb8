package pool

import (
	"crypto/tls"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
)

// BenchmarkHTTP2Line measures twenty requests at once to a server that speaks HTTP/2,
// over one connection at a time that serves one request each: each of them waits for
// the end of the one before.
func BenchmarkHTTP2Line(b *testing.B) {
	srv := http2Server(b)
	for _, subject := range benchSubjects {
		b.Run(subject, func(b *testing.B) { http2Line(b, subject, srv) })
	}
}

func http2Server(t testing.TB) *httptest.Server {
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.Proto) }))
	srv.Config.ErrorLog = quiet
	srv.EnableHTTP2 = true
	srv.StartTLS()
	t.Cleanup(srv.Close)
	return srv
}

func http2Line(b *testing.B, subject string, srv *httptest.Server) {
	conf := &tls.Config{RootCAs: closer{srv}.roots()}
	var rt http.RoundTripper = &http.Transport{TLSClientConfig: conf, ForceAttemptHTTP2: true, DisableKeepAlives: true, MaxConnsPerHost: 1}
	if subject == "pool" {
		rt = &Transport{TLSClientConfig: conf, ForceAttemptHTTP2: true, DisableKeepAlives: true, MaxConnsPerHost: 1}
	}
	b.ReportAllocs()
	for b.Loop() {
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				req, _ := http.NewRequest("GET", srv.URL, nil)
				once(b, rt, req)
			})
		}
		wg.Wait()
	}
}
