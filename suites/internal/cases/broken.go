package cases

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/halfopen/halfopen/harness"
)

var brokenCases = []Case{
	{
		Name:    "broken-anywhere",
		Claim:   "A connection may break anywhere: each request has its own answer, whole, or an error, and nothing is left.",
		Verdict: "exactly one outcome, and nothing left behind",
		Source:  "RFC 9112 section 9.5; RFC 9113 section 5.4.1",
		Bounds:  harness.Bounds{Schedules: 250},
		Body: func(e *Env) {
			bodies := e.keepBodies()
			e.Serve(nil)
			e.Get("r1", "/").Await()
			e.Get("r2", "/")
			e.Post("r3", "/echo", "ok")
			e.Rest()
			e.Get("r4", "/").Await()
			for _, name := range []string{"r1", "r2", "r3", "r4"} {
				if b := bodies.of(name); b.err == io.EOF && string(b.content) != "ok" {
					e.Errorf("%s: got body %q, want %q", name, b.content, "ok")
				}
			}
		},
	},
	{
		Name:      "broken-dial",
		Claim:     "A dial that fails, or whose connection ends at once, fails one request at most, and the others go on.",
		Verdict:   "no request is stuck at the limit",
		Issues:    []string{"golang/go#10886", "golang/go#52459"},
		Source:    "net/http: Transport.MaxConnsPerHost",
		Protocols: HTTP1,
		Settings:  harness.Settings{MaxConnsPerHost: 1},
		Bounds: harness.Bounds{Effects: []string{"refuse", "no-host", "timeout", "close-at-once", "reset-at-once"},
			Schedules: 200},
		Body: func(e *Env) {
			e.Serve(nil)
			requests := []*harness.Request{e.Get("r1", "/"), e.Get("r2", "/"), e.Get("r3", "/")}
			e.Rest()
			failed := 0
			for _, r := range requests {
				if r.Err() != nil {
					failed++
				}
			}
			if failed > 1 {
				e.Errorf("got %d requests that failed, want 1 at most: one dial did", failed)
			}
		},
	},
	{
		Name:      "broken-restart",
		Claim:     "A server that crashed without a word and is back does not know the connection any more: a GET is sent again, a POST is not.",
		Verdict:   "replayable requests are sent again, others at most once",
		Issues:    []string{"golang/go#4677"},
		Source:    "RFC 9110 section 9.2.2; RFC 9293 section 3.5.1",
		Protocols: HTTP1,
		Body: func(e *Env) {
			e.Serve(nil)
			for _, method := range []string{"GET", "POST"} {
				e.wantOK("before-" + method)
				e.Net.Crash("api.test")
				e.Net.Restart("api.test")
				r := e.Do(method, method, "/", "")
				r.Await()
				switch {
				case method == "GET":
					e.WantAnswered(r)
				case r.Err() == nil && r.Conn() == nil:
					e.Errorf("POST: got no answer and no error")
				}
			}
		},
	},
	{
		Name:      "broken-answers",
		Claim:     "Whatever a server answers to one request, the next one gets its own answer.",
		Verdict:   "the answer belongs to the request",
		Issues:    []string{"golang/go#26161", "redis/go-redis#1113"},
		Source:    "RFC 9112 section 6.3",
		Protocols: HTTP1,
		Body: func(e *Env) {
			for i, a := range harness.Answers() {
				host := fmt.Sprintf("h%d.test", i+1)
				e.Peer(e.Addr(host))
				ctx, cancel := context.WithTimeout(e.Context(), time.Second)
				req, _ := http.NewRequestWithContext(ctx, "GET", e.URLOf(host, "/"), nil)
				r := e.Start(a.Name, e.Transport, req)
				r.Conn().Misbehave(a.Name)
				e.Advance(time.Second)
				if r.Response() != nil {
					r.Read()
					r.CloseBody()
				}
				cancel()
				next := e.T.Get("after-"+a.Name, e.Transport, e.URLOf(host, "/"))
				next.Conn().Respond(http.StatusOK, "its own")
				next.WantStatus(http.StatusOK)
				next.WantBody("its own", "that is what the server answered to it")
			}
		},
	},
	{
		Name:      "broken-silence",
		Claim:     "A connection whose peer has fallen silent delays the requests that are on it, and no others.",
		Verdict:   "a request that times out leaves no connection for the next",
		Issues:    []string{"redis/go-redis#1113"},
		Source:    "net/http: Transport.ResponseHeaderTimeout",
		Protocols: HTTP1,
		Settings:  harness.Settings{ResponseHeaderTimeout: 5 * time.Second},
		Bounds:    harness.Bounds{Delays: 1, Effects: []string{"stall", "lose"}, Schedules: 150},
		Body: func(e *Env) {
			e.Serve(nil)
			e.Get("r1", "/status/204").Await()
			r2 := e.Get("r2", "/status/204")
			r2.Await()
			// Whatever was lost, the transport knows it by now.
			failed := r2.Err() != nil
			opened := e.Net.Opened()
			r3 := e.Get("r3", "/status/204")
			r3.Await()
			if failed && e.Net.Opened() == opened {
				e.Errorf("r3: got the connection on which r2 timed out")
			}
		},
	},
}
