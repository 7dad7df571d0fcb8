package harness_test

import (
	"compress/gzip"
	"crypto/tls"
	"flag"
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/halfopen/halfopen/harness"
)

// scenarios has the tests in which net/http is explored.
func scenarios(t *testing.T) map[string]func(*harness.T) {
	all := connScenarios()
	maps.Copy(all, messageScenarios())
	maps.Copy(all, earlyScenarios())
	maps.Copy(all, routeScenarios(t))
	return all
}

// connScenarios has requests that share, wait for and give back connections.
func connScenarios() map[string]func(*harness.T) {
	return map[string]func(*harness.T){
		"two":   twoGets,
		"limit": limitOne,
		"reuse": func(t *harness.T) {
			tr := t.Net.Transport()
			t.Serve("api.test:80", nil)
			t.MayCloseIdle(tr)
			t.Get("r1", tr, "http://api.test/").MayCancel().Await()
			t.Get("r2", tr, "http://api.test/").MayCancel()
			t.Get("r3", tr, "http://api.test/")
		},
		"limit, reuse": func(t *harness.T) {
			tr := t.Net.Transport()
			tr.MaxConnsPerHost = 2
			tr.MaxIdleConnsPerHost = 1
			t.Serve("api.test:80", nil)
			t.MayCloseIdle(tr)
			t.Get("r1", tr, "http://api.test/").MayCancel()
			t.Get("r2", tr, "http://api.test/close").MayCancel()
			t.Get("r3", tr, "http://api.test/bytes/10")
		},
		"gates": func(t *harness.T) {
			t.Gates("PutIdleConn", "GotConn", "WroteRequest")
			tr := t.Net.Transport()
			tr.MaxConnsPerHost = 1
			t.Serve("api.test:80", nil)
			t.Get("r1", tr, "http://api.test/").MayCancel()
			t.Get("r2", tr, "http://api.test/").MayCancel()
		},
		"gates, bodies": func(t *harness.T) {
			t.Gates("PutIdleConn", "GotConn", "BodyRead", "BodyClose", "WroteRequest")
			tr := t.Net.Transport()
			t.Serve("api.test:80", nil)
			t.Post("r1", tr, "http://api.test/echo", "one").MayCancel().Await()
			t.Post("r2", tr, "http://api.test/echo", "two").MayCancel()
		},
	}
}

// messageScenarios has requests and responses of each form.
func messageScenarios() map[string]func(*harness.T) {
	return map[string]func(*harness.T){
		"posts": func(t *harness.T) {
			tr := t.Net.Transport()
			t.Serve("api.test:80", nil)
			for _, n := range []string{"r1", "r2", "r3"} {
				t.Post(n, tr, "http://api.test/echo", n).MayCancel().Await()
			}
		},
		"large": func(t *harness.T) {
			tr := t.Net.Transport()
			t.Serve("api.test:80", nil)
			t.Get("r1", tr, "http://api.test/bytes/200000").MayCancel()
			t.Post("r2", tr, "http://api.test/echo", strings.Repeat("x", 200000)).MayCancel()
		},
		"HEAD": func(t *harness.T) {
			tr := t.Net.Transport()
			t.Serve("api.test:80", nil)
			head, _ := http.NewRequest("HEAD", "http://api.test/bytes/10", nil)
			t.Start("r1", tr, head).MayCancel()
			t.Get("r2", tr, "http://api.test/status/204")
			t.Get("r3", tr, "http://api.test/")
		},
		"HEAD with a body": func(t *harness.T) {
			tr := t.Net.Transport()
			t.Serve("api.test:80", http.HandlerFunc(answersHeadWithBody))
			head, _ := http.NewRequest("HEAD", "http://api.test/", nil)
			t.Start("r1", tr, head)
			t.Get("r2", tr, "http://api.test/").MayCancel()
		},
	}
}

// earlyScenarios has bodies that wait for an answer, and answers that do not wait for them.
func earlyScenarios() map[string]func(*harness.T) {
	return map[string]func(*harness.T){
		"Expect": func(t *harness.T) {
			tr := t.Net.Transport()
			tr.ExpectContinueTimeout = 1e9
			t.Serve("api.test:80", nil)
			for _, n := range []string{"r1", "r2"} {
				req, _ := http.NewRequest("POST", "http://api.test/echo", strings.NewReader(n))
				req.Header.Set("Expect", "100-continue")
				t.Start(n, tr, req).MayCancel()
			}
		},
		"Expect, early": func(t *harness.T) {
			tr := t.Net.Transport()
			tr.ExpectContinueTimeout = 1e9
			t.MayPass(1e9)
			t.Serve("api.test:80", nil)
			req, _ := http.NewRequest("POST", "http://api.test/status/413", strings.NewReader("x"))
			req.Header.Set("Expect", "100-continue")
			t.Start("r1", tr, req).MayCancel().Await()
			t.Get("r2", tr, "http://api.test/")
		},
		"early": func(t *harness.T) {
			tr := t.Net.Transport()
			t.Serve("api.test:80", nil)
			t.Post("r1", tr, "http://api.test/status/413", strings.Repeat("x", 300<<10)).MayCancel().Await()
			t.Get("r2", tr, "http://api.test/")
		},
		"gzip": func(t *harness.T) {
			tr := t.Net.Transport()
			t.Serve("api.test:80", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Encoding", "gzip")
				z := gzip.NewWriter(w)
				io.WriteString(z, "ok")
				z.Close()
			}))
			t.Get("r1", tr, "http://api.test/").MayCancel()
			t.Get("r2", tr, "http://api.test/")
		},
	}
}

// routeScenarios has proxies, tunnels and timeouts.
func routeScenarios(t *testing.T) map[string]func(*harness.T) {
	cert, roots := certificate(t)
	return map[string]func(*harness.T){
		"proxy": func(t *harness.T) {
			tr := t.Net.Transport()
			tr.Proxy = http.ProxyURL(&url.URL{Scheme: "http", Host: "proxy.test:3128"})
			t.Serve("proxy.test:3128", nil)
			t.Get("r1", tr, "http://api.test/").MayCancel()
			t.Get("r2", tr, "http://other.test/")
			t.MayCloseIdle(tr)
		},
		"CONNECT": func(t *harness.T) {
			tr := t.Net.Transport()
			tr.Proxy = http.ProxyURL(&url.URL{Scheme: "http", Host: "proxy.test:3128"})
			tr.TLSClientConfig = &tls.Config{RootCAs: roots}
			t.Serve("proxy.test:3128", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				to, err := t.Net.DialContext(r.Context(), "tcp", r.Host)
				if err != nil {
					w.WriteHeader(502)
					return
				}
				from, _, _ := w.(http.Hijacker).Hijack()
				io.WriteString(from, "HTTP/1.1 200 OK\r\n\r\n")
				pipe := func(a, b net.Conn) { io.Copy(a, b); a.Close(); b.Close() }
				go pipe(from, to)
				go pipe(to, from)
			}))
			t.ServeTLS("example.com:443", nil, &tls.Config{Certificates: []tls.Certificate{cert}})
			t.Get("r1", tr, "https://example.com/").MayCancel()
			t.Get("r2", tr, "https://example.com/")
		},
		"timeouts": func(t *harness.T) {
			tr := t.Net.Transport()
			tr.IdleConnTimeout = 90e9
			tr.ResponseHeaderTimeout = 5e9
			t.MayPass(90e9)
			t.MayPass(5e9)
			t.Serve("api.test:80", nil)
			t.Get("r1", tr, "http://api.test/").MayCancel().Await()
			t.Get("r2", tr, "http://api.test/")
		},
	}
}

// findings has the failures that exploring net/http shows, by scenario: each is a quirk with
// its script in testdata/quirks. A scenario that is not here shows nothing.
var findings = map[string][]string{
	// golang/go#68653, see testdata/quirks/head-with-body.txtar.
	"HEAD with a body": {"r1: context canceled, and it was not cancelled", "r2: got the response to stray"},
	// See testdata/quirks/cancelled-by-another.txtar.
	"HEAD": {"r2: context canceled, and it was not cancelled", "r3: context canceled, and it was not cancelled"},
}

// explored is how many schedules of each scenario TestNetHTTP runs.
var explored = flag.Int("explored", 400, "how many schedules of each scenario TestNetHTTP runs")

// What exploration finds in net/http of this release is what is known, no more
// and no less.
func TestNetHTTP(t *testing.T) {
	// net/http logs bytes that belong to no response.
	log.SetOutput(io.Discard)
	defer log.SetOutput(os.Stderr)
	all := scenarios(t)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		x, err := harness.ExploreReport(name, harness.Bounds{KeepGoing: true, Schedules: *explored}, nil, all[name])
		if err != nil {
			t.Fatal(err)
		}
		head, _, _ := strings.Cut(x.String(), "\n")
		t.Logf("%s: %s", name, head)
		var got []string
		for _, f := range x.Findings {
			if f.Report.Failures[0].Kind == "uncontrolled" {
				// -race shuffles what is inside a step: said, and no finding.
				t.Logf("%s: %s", name, f.Report.Failures[0])
				continue
			}
			got = append(got, f.Report.Failures[0].Text)
		}
		if !slices.Equal(got, findings[name]) {
			t.Errorf("%s: got findings %q, want %q\n%s", name, got, findings[name], x)
		}
	}
}

// Every quirk is still there: its script says what net/http does, and not what
// it should do.
func TestQuirks(t *testing.T) {
	log.SetOutput(io.Discard)
	defer log.SetOutput(os.Stderr)
	harness.Scripts(t, "../testdata/quirks/*.txtar", nil)
}
