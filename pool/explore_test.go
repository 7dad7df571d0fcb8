package pool_test

import (
	"compress/gzip"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/halfopen/halfopen/harness"
	"github.com/halfopen/halfopen/pool"
)

type scenario struct {
	name string
	body func(*harness.T)
}

// scenarios returns the scenarios in which the pool is explored, the largest last.
func scenarios(t *testing.T) []scenario {
	basic := []scenario{
		{"two", func(t *harness.T) {
			tr := transport(t, &pool.Transport{})
			t.Serve(api, nil)
			t.Get("r1", tr, url1).MayCancel()
			t.Get("r2", tr, url1)
		}},
		{"limit 1", func(t *harness.T) {
			tr := transport(t, &pool.Transport{MaxConnsPerHost: 1})
			t.Serve(api, nil)
			t.Get("r1", tr, url1).MayCancel()
			t.Get("r2", tr, url1).MayCancel()
			t.MayCloseIdle(tr)
		}},
		{"reuse", func(t *harness.T) {
			tr := transport(t, &pool.Transport{})
			t.Serve(api, nil)
			t.MayCloseIdle(tr)
			t.Get("r1", tr, url1).MayCancel().Await()
			t.Get("r2", tr, url1).MayCancel()
			t.Get("r3", tr, url1)
		}},
		{"posts", func(t *harness.T) {
			tr := transport(t, &pool.Transport{})
			t.Serve(api, nil)
			for _, n := range []string{"r1", "r2", "r3"} {
				t.Post(n, tr, url1+"echo", n).MayCancel().Await()
			}
		}},
	}
	return slices.Concat(basic, gated(), messages(), drained(), routes(t), large())
}

// large returns scenarios of which ten minutes do not show every schedule.
func large() []scenario {
	return []scenario{
		{"limit 2, one idle", func(t *harness.T) {
			tr := transport(t, &pool.Transport{MaxConnsPerHost: 2, MaxIdleConnsPerHost: 1})
			t.Serve(api, nil)
			t.MayCloseIdle(tr)
			t.Get("r1", tr, url1).MayCancel()
			t.Get("r2", tr, url1+"close").MayCancel()
			t.Get("r3", tr, url1+"bytes/10")
		}},
		{"two hosts, one idle", func(t *harness.T) {
			tr := transport(t, &pool.Transport{MaxIdleConns: 1, MaxOrphanDialsPerHost: -1})
			t.Serve(api, nil)
			t.Serve("other.test:80", nil)
			t.MayCloseIdle(tr)
			t.Get("r1", tr, url1).MayCancel()
			t.Get("r2", tr, "http://other.test/").MayCancel()
			t.Get("r3", tr, url1)
		}},
		{"large bodies", func(t *harness.T) {
			tr := transport(t, &pool.Transport{})
			t.Serve(api, nil)
			t.Get("r1", tr, url1+"bytes/200000").MayCancel()
			t.Post("r2", tr, url1+"echo", strings.Repeat("x", 200000)).MayCancel()
		}},
	}
}

const (
	api  = "api.test:80"
	url1 = "http://api.test/"
)

// gated returns scenarios in which the transport is parked in its callbacks.
func gated() []scenario {
	return []scenario{
		{"gates, limit 1", func(t *harness.T) {
			t.Gates("PutIdleConn", "GotConn", "WroteRequest")
			tr := transport(t, &pool.Transport{MaxConnsPerHost: 1})
			t.Serve(api, nil)
			t.Get("r1", tr, url1).MayCancel()
			t.Get("r2", tr, url1).MayCancel()
		}},
		{"gates, bodies", func(t *harness.T) {
			t.Gates("PutIdleConn", "GotConn", "BodyRead", "BodyClose", "WroteRequest")
			tr := transport(t, &pool.Transport{})
			t.Serve(api, nil)
			t.Post("r1", tr, url1+"echo", "one").MayCancel().Await()
			t.Post("r2", tr, url1+"echo", "two").MayCancel()
		}},
		{"gates, connection", func(t *harness.T) {
			t.Gates("Write", "Close", "GetBody", "Proxy")
			tr := transport(t, &pool.Transport{MaxConnsPerHost: 1})
			t.Serve(api, nil)
			t.MayCloseIdle(apart{tr})
			t.Post("r1", tr, url1+"echo", "one").MayCancel().Await()
			t.Get("r2", tr, url1+"close").MayCancel()
			t.Get("r3", tr, url1)
		}},
		// golang/go#68653: net/http takes the stray bytes for the answer to r2.
		{"gates, HEAD with a body", func(t *harness.T) {
			t.Gates("PutIdleConn")
			tr := transport(t, &pool.Transport{})
			t.Serve(api, http.HandlerFunc(strayBody))
			head, _ := http.NewRequest("HEAD", url1, nil)
			t.Start("r1", tr, head)
			t.Get("r2", tr, url1).MayCancel()
		}},
	}
}

// apart closes idle connections in a goroutine of its own: the gate at Close
// parks the goroutine that closes them, and the test's own has to open the gate.
type apart struct{ *pool.Transport }

func (a apart) CloseIdleConnections() { go a.Transport.CloseIdleConnections() }

// strayBody answers HEAD with a body, which RFC 9110 section 9.3.2 forbids: one
// that looks like the response to another request.
func strayBody(w http.ResponseWriter, r *http.Request) {
	if r.Method != "HEAD" {
		io.WriteString(w, "ok")
		return
	}
	c, _, _ := w.(http.Hijacker).Hijack()
	io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\nHTTP/1.1 200 OK\r\n"+
		harness.RequestHeader+": stray\r\nContent-Length: 0\r\n\r\n")
	io.Copy(io.Discard, c)
	c.Close()
}

// messages returns scenarios about what requests and responses look like.
func messages() []scenario {
	expect := func(url, body string) *http.Request {
		req, _ := http.NewRequest("POST", url, strings.NewReader(body))
		req.Header.Set("Expect", "100-continue")
		return req
	}
	return []scenario{
		{"HEAD and no content", func(t *harness.T) {
			tr := transport(t, &pool.Transport{})
			t.Serve(api, nil)
			head, _ := http.NewRequest("HEAD", url1+"bytes/10", nil)
			t.Start("r1", tr, head).MayCancel()
			t.Get("r2", tr, url1+"status/204")
			t.Get("r3", tr, url1)
		}},
		{"Expect", func(t *harness.T) {
			tr := transport(t, &pool.Transport{ExpectContinueTimeout: time.Second})
			t.Serve(api, nil)
			t.Start("r1", tr, expect(url1+"echo", "one")).MayCancel()
			t.Start("r2", tr, expect(url1+"echo", "two")).MayCancel()
		}},
		{"Expect, early response", func(t *harness.T) {
			tr := transport(t, &pool.Transport{ExpectContinueTimeout: time.Second})
			t.MayPass(time.Second)
			t.Serve(api, nil)
			t.Start("r1", tr, expect(url1+"status/413", "x")).MayCancel().Await()
			t.Get("r2", tr, url1)
		}},
		{"early response", func(t *harness.T) {
			tr := transport(t, &pool.Transport{})
			t.Serve(api, nil)
			t.Post("r1", tr, url1+"status/413", strings.Repeat("x", 300<<10)).MayCancel().Await()
			t.Get("r2", tr, url1)
		}},
		{"gzip", func(t *harness.T) {
			tr := transport(t, &pool.Transport{})
			t.Serve(api, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Encoding", "gzip")
				z := gzip.NewWriter(w)
				io.WriteString(z, "ok")
				z.Close()
			}))
			t.Get("r1", tr, url1).MayCancel()
			t.Get("r2", tr, url1)
		}},
		{"timeouts", func(t *harness.T) {
			tr := transport(t, &pool.Transport{IdleConnTimeout: 90 * time.Second, ResponseHeaderTimeout: 5 * time.Second})
			t.MayPass(90 * time.Second)
			t.MayPass(5 * time.Second)
			t.Serve(api, nil)
			t.Get("r1", tr, url1).MayCancel().Await()
			t.Get("r2", tr, url1)
		}},
	}
}

// drained returns scenarios in which a body is closed when a part of it is there.
func drained() []scenario {
	var all []scenario
	for _, path := range []string{"half", "late", "bytes/100000"} {
		all = append(all, scenario{"drain of " + path, func(t *harness.T) {
			tr := transport(t, &pool.Transport{MaxConnsPerHost: 1, IdleConnTimeout: 90 * time.Second})
			t.Serve(api, http.HandlerFunc(inParts))
			t.MayPass(pool.DrainTime)
			t.MayCloseIdle(tr)
			t.Get("r1", tr, url1).MayCancel()
			t.AtQuiet(func() {
				st := tr.Stats()
				t.Sometimes("a request waits for what is drained", st.Draining > 0 && st.InLine > 0)
			})
			if resp, err := t.Client(tr).Get(url1 + path); err == nil {
				resp.Body.Close()
			}
			t.Get("r2", tr, url1)
		}})
	}
	return all
}

// inParts sends half of a body, and the rest never or late.
func inParts(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/half" && r.URL.Path != "/late" {
		harness.Pages(w, r)
		return
	}
	io.WriteString(w, "half")
	w.(http.Flusher).Flush()
	if r.URL.Path == "/half" {
		<-r.Context().Done()
		return
	}
	time.Sleep(10 * time.Millisecond) // virtual
	io.WriteString(w, "rest")
}

// routes returns scenarios with proxies and TLS.
func routes(t *testing.T) []scenario {
	cert, roots := certificate(t)
	config := &tls.Config{Certificates: []tls.Certificate{cert}}
	through := http.ProxyURL(&url.URL{Scheme: "http", Host: "proxy.test:3128"})
	return []scenario{
		{"HTTP proxy", func(t *harness.T) {
			tr := transport(t, &pool.Transport{Proxy: through})
			t.Serve("proxy.test:3128", nil)
			t.MayCloseIdle(tr)
			t.Get("r1", tr, url1).MayCancel()
			t.Get("r2", tr, "http://other.test/")
		}},
		{"CONNECT", func(t *harness.T) {
			tr := audited(t, &pool.Transport{Proxy: through, TLSClientConfig: &tls.Config{RootCAs: roots}}, "example.com:443")
			t.Serve("proxy.test:3128", tunnel(t))
			t.ServeTLS("example.com:443", nil, config)
			t.Get("r1", tr, "https://example.com/").MayCancel()
			t.Get("r2", tr, "https://example.com/")
		}},
		{"HTTP/2", func(t *harness.T) {
			tr := audited(t, &pool.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: true}, "none")
			c := config.Clone()
			c.NextProtos = []string{"h2"}
			t.ServeTLS("example.com:443", nil, c)
			t.Get("r1", tr, "https://example.com/").MayCancel()
			t.Get("r2", tr, "https://example.com/bytes/1000")
		}},
	}
}

// tunnel returns a proxy that connects.
func tunnel(t *harness.T) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		to, err := t.Net.DialContext(r.Context(), "tcp", r.Host)
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		from, _, _ := w.(http.Hijacker).Hijack()
		io.WriteString(from, "HTTP/1.1 200 OK\r\n\r\n")
		pipe := func(a, b net.Conn) { io.Copy(a, b); a.Close(); b.Close() }
		go pipe(from, to)
		go pipe(to, from)
	})
}

// certificate returns httptest's, valid in the year 2000 of a bubble, for
// example.com.
func certificate(t *testing.T) (tls.Certificate, *x509.CertPool) {
	s := httptest.NewUnstartedServer(nil)
	s.StartTLS()
	defer s.Close()
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	return s.TLS.Certificates[0], roots
}
