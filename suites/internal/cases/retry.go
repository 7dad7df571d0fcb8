package cases

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"

	"github.com/halfopen/halfopen/faultnet"
	"github.com/halfopen/halfopen/harness"
)

var retryCases = []Case{
	{
		Name:      "retry-idempotent",
		Claim:     "A request that may be sent again is, whole, when the reused connection that it was sent on ends without an answer.",
		Verdict:   "replayable requests are sent again",
		Issues:    []string{"golang/go#4677", "golang/go#18241", "golang/go#15723", "golang/go#19943", "golang/go#22158"},
		Source:    "RFC 9110 section 9.2.2; net/http: Transport",
		Protocols: HTTP1,
		Body: func(e *Env) {
			for i, kind := range []struct{ method, key, body string }{
				{"GET", "", ""},
				{"HEAD", "", ""},
				{"OPTIONS", "", ""},
				{"TRACE", "", ""},
				{"GET", "", "body"},
				{"POST", "Idempotency-Key", ""},
				{"POST", "Idempotency-Key", "body"},
				{"PATCH", "X-Idempotency-Key", "body"},
			} {
				for _, end := range []string{"fin", "rst"} {
					name := fmt.Sprintf("%s%d", end, i+1)
					c1, url := e.usedConn(name + ".test")
					e.Net.Hold(c1.ID() + " server " + end)
					if end == "rst" {
						c1.Reset()
					} else {
						c1.Fin()
					}
					req, _ := http.NewRequest(kind.method, url, strings.NewReader(kind.body))
					if kind.body == "" {
						req.Body, req.GetBody = nil, nil
					}
					if kind.key != "" {
						req.Header.Set(kind.key, "k")
					}
					r := e.Start(name, e.Transport, req)
					e.Net.Release(c1.ID() + " server " + end)
					c2 := r.Conn()
					if c2 == nil || c2 == c1 {
						e.Errorf("%s with %s and body %q: got it not sent again after a %s (%v)", kind.method, kind.key, kind.body, end, r.Err())
						continue
					}
					got := arrived(c2)
					if !strings.HasPrefix(got, kind.method+" / HTTP/1.1\r\n") || !strings.HasSuffix(got, "\r\n\r\n"+kind.body) {
						e.Errorf("%s with body %q: got %q sent again", kind.method, kind.body, got)
					}
					c2.Respond(http.StatusNoContent, "")
					r.WantStatus(http.StatusNoContent)
				}
			}
		},
	},
	{
		Name:    "retry-post-once",
		Claim:   "A request that may have been carried out and is not idempotent reaches a server once at most, wherever its connection breaks.",
		Verdict: "non-idempotent requests are sent at most once",
		Issues:  []string{"golang/go#18239", "golang/go#4677"},
		Source:  "RFC 9110 section 9.2.2",
		Bounds:  harness.Bounds{Effects: []string{"reset", "cut"}, Schedules: 250},
		Body: func(e *Env) {
			e.Serve(nil)
			for _, name := range []string{"r1", "r2", "r3", "r4"} {
				e.Post(name, "/echo", name).Await()
			}
		},
	},
	{
		Name:      "retry-unsent",
		Claim:     "A POST whose connection ends before a byte of it is written is sent on another one, whole, and reaches a server once.",
		Verdict:   "what was not sent is sent",
		Issues:    []string{"golang/go#25366", "golang/go#30938", "golang/go#18239"},
		Source:    "RFC 9112 section 9.3.1; net/http: Transport",
		Protocols: HTTP1,
		Body: func(e *Env) {
			e.Gates("Write")
			for _, end := range []string{"fin", "rst"} {
				c1, url := e.usedConn(end + ".test")
				write := "gate " + c1.ID() + " Write"
				e.Net.Hold(write)
				r := e.T.Post(end, e.Transport, url, "whole")
				e.Net.WantHeld(write, "the connection was idle")
				if end == "fin" {
					c1.Fin()
				} else {
					c1.Reset()
				}
				e.Net.Release(write)
				c2 := r.Conn()
				if c2 == nil || c2 == c1 {
					e.Errorf("got a POST not sent again after a %s, of which nothing was written (%v)", end, r.Err())
					continue
				}
				if got := arrived(c2); !strings.HasSuffix(got, "\r\n\r\nwhole") {
					e.Errorf("got %q on the other connection, want the whole request", got)
				}
				c2.Respond(http.StatusNoContent, "")
				r.WantStatus(http.StatusNoContent)
				r.WantSent(1)
			}
		},
	},
	{
		Name:    "retry-whole-body",
		Claim:   "A body that is sent again is sent from its beginning.",
		Verdict: "each server that gets the end of a body has got all of it",
		Issues:  []string{"golang/go#18241"},
		Source:  "net/http: Request.GetBody",
		Bounds:  harness.Bounds{Delays: 1, Effects: []string{"reset", "cut"}, Schedules: 100},
		Body: func(e *Env) {
			e.serveWholeBodies(20_000)
			e.Get("r1", "/").Await()
			req := upload(e.Context(), e.URL("/"), newBody(zeros(20_000)))
			req.GetBody = func() (io.ReadCloser, error) { return newBody(zeros(20_000)), nil }
			req.Method = "GET" // with a body: it may be sent again
			e.Start("r2", e.Transport, req).Await()
		},
	},
	{
		Name:    "retry-stream",
		Claim:   "A body that cannot be had again is not sent again, not even to a request that may be: no server gets the rest of it for all of it.",
		Verdict: "each server that gets the end of a body has got all of it",
		Issues:  []string{"golang/go#18241", "golang/go#15723"},
		Source:  "net/http: Request.GetBody",
		Bounds:  harness.Bounds{Delays: 1, Effects: []string{"reset", "cut"}, Schedules: 100},
		Body: func(e *Env) {
			e.serveWholeBodies(20_000)
			e.Get("r1", "/").Await()
			body := newBody(zeros(20_000))
			req := upload(e.Context(), e.URL("/"), body)
			req.Method = "GET"
			e.Start("r2", e.Transport, req).Await()
			body.wantClosed(e, "r2")
		},
	},
	{
		Name:      "retry-bounded",
		Protocols: OverTCP,
		Claim:     "A server that ends each connection before it answers is given up after a few.",
		Verdict:   "an error after a bounded number of dials",
		Issues:    []string{"golang/go#52459"},
		Source:    "RFC 9110 section 9.2.2",
		Body: func(e *Env) {
			const most = 10
			seen := new(atomic.Int32)
			e.Serve(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
				seen.Add(1)
				panic(http.ErrAbortHandler)
			}))
			r1 := e.Get("r1", "/")
			r1.Await()
			e.Net.Fault("dial", faultnet.CloseAtOnce, faultnet.Always())
			r2 := e.T.Get("r2", e.Transport, e.URLOf("other.test", "/"))
			e.ServeHost("other.test", nil)
			r2.Await()
			for _, r := range []*harness.Request{r1, r2} {
				if r.Err() == nil {
					e.Errorf("%s: got an answer from a server that gives none", r.Name())
				}
			}
			if n := max(int(seen.Load()), e.Net.Opened()); n > most {
				e.Errorf("got %d connections or requests for two requests that failed, want %d at most", n, most)
			}
		},
	},
}

// serveWholeBodies runs a server that expects every body that ends to be so
// long, or not to be there.
func (e *Env) serveWholeBodies(size int) {
	e.Serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		withBody := r.Header.Get(harness.RequestHeader) != "r1"
		if b, err := io.ReadAll(r.Body); err == nil && withBody && len(b) != size {
			e.Errorf("the server got a body that ends after %d bytes of %d as if it were whole", len(b), size)
		}
	}))
}
