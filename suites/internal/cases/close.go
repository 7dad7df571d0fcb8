package cases

import (
	"net/http"

	"github.com/halfopen/halfopen/harness"
)

var closeCases = []Case{
	{
		Name:    "close-all-idle",
		Claim:   "CloseIdleConnections closes every idle connection, of every host.",
		Verdict: "nothing stays open",
		Source:  closeIdle,
		Body: func(e *Env) {
			hosts := []string{"api.test", "b.test", "c.test"}
			for _, host := range hosts {
				e.ServeHost(host, nil)
			}
			var requests []*harness.Request
			for i, host := range append(hosts, hosts...) {
				requests = append(requests, e.T.Get("r"+string(rune('1'+i)), e.Transport, e.URLOf(host, "/")))
			}
			for _, r := range requests {
				r.Finish()
			}
			e.CloseIdle()
			e.WantConns(0, "all were idle")
		},
	},
	{
		Name:    "close-not-in-use",
		Claim:   "CloseIdleConnections interrupts no request: none that dials, is being sent, waits for its answer or reads it.",
		Verdict: "one outcome per request",
		Source:  closeIdle,
		Bounds:  noFaults,
		Body: func(e *Env) {
			e.Serve(nil)
			e.MayCloseIdle()
			e.MayCloseIdle()
			e.WantAnswered(e.Post("r1", "/echo", "one"), e.Get("r2", "/bytes/9000"), e.Do("r3", "HEAD", "/", ""))
		},
	},
	{
		Name:    "close-or-use",
		Claim:   "An idle connection that CloseIdleConnections closes as a request comes is either used or closed, never both.",
		Verdict: "a broken connection is not handed out",
		Source:  closeIdle,
		Bounds:  noFaults,
		Body: func(e *Env) {
			e.Serve(nil)
			e.MayCloseIdle()
			r1 := e.Post("r1", "/echo", "one")
			r1.Await()
			r2 := e.Post("r2", "/echo", "two")
			r2.Await()
			e.WantAnswered(r1, r2, e.Post("r3", "/echo", "three"))
		},
	},
	{
		Name:    "close-and-go-on",
		Claim:   "After CloseIdleConnections a transport works as before: it dials, and it keeps what it has dialed.",
		Verdict: noDialWhileIdle,
		Source:  closeIdle,
		Body: func(e *Env) {
			e.Serve(nil)
			e.CloseIdle()
			for i := range 3 {
				for _, name := range []string{"a", "b"} {
					r := e.Get(name+string(rune('1'+i)), "/")
					r.WantStatus(http.StatusOK)
					r.Finish()
				}
				e.WantOpened(i+1, "one for both requests since the last call")
				e.CloseIdle()
				e.WantConns(0)
			}
		},
	},
	{
		Name:    "close-late-dial",
		Claim:   "A dial that ends after CloseIdleConnections, and after its request was served by another connection or gave up, leaves nothing open for ever.",
		Verdict: "nothing left behind",
		Issues:  []string{"golang/go#8483"},
		Source:  closeIdle,
		Bounds:  harness.Bounds{Delays: 3, Schedules: 150, Effects: []string{"deaf"}},
		Body: func(e *Env) {
			e.Serve(nil)
			e.MayCloseIdle()
			e.Get("r1", "/").MayCancel()
			e.Get("r2", "/").MayCancel()
		},
	},
	{
		Name:      "close-orphaned-dials",
		Claim:     "CloseIdleConnections cancels the dials that no request waits for, or closes the connections that they open.",
		Verdict:   "nothing stays open",
		Issues:    []string{"golang/go#8483", "golang/go#59017"},
		Source:    closeIdle,
		Protocols: HTTP1,
		Body: func(e *Env) {
			e.Serve(nil)
			e.Net.Hold("dial")
			r1 := e.Get("r1", "/")
			e.Net.WantDial().Open()
			r2 := e.Get("r2", "/")
			r1.Finish()
			r2.Finish()
			e.CloseIdle()
			e.Net.Release("dial")
			e.WantConns(0, "no request waits for it, and it was to be closed")
		},
	},
	{
		Name:      "close-going-away",
		Protocols: OverTCP,
		Claim:     "A connection whose server has said that it takes no more requests, and that has none, is closed by CloseIdleConnections at the latest.",
		Verdict:   "nothing stays open",
		Issues:    []string{"golang/go#39752"},
		Source:    closeIdle,
		Body: func(e *Env) {
			e.Serve(nil)
			r1 := e.Get("r1", "/")
			r2 := e.Get("r2", "/close")
			r1.Finish()
			r2.Finish()
			e.CloseIdle()
			e.WantConns(0, "no request is on any")
		},
	},
	{
		Name:      "close-response-before-post",
		Protocols: OverTCP,
		Claim:     "If a server says with a response that it takes no more requests, every request is answered, whether it may be sent again or not.",
		Verdict:   "one outcome per request",
		Issues:    []string{"golang/go#18083", "golang/go#39752"},
		Source:    "RFC 9112 section 9.6, RFC 9113 section 6.8",
		Bounds:    noFaults,
		Body: func(e *Env) {
			e.Serve(nil)
			r1 := e.Get("r1", "/close")
			r1.Await()
			e.WantAnswered(r1, e.Post("r2", "/echo", "two"), e.Post("r3", "/echo", "three"))
		},
	},
	{
		Name:      "close-request",
		Protocols: OverTCP,
		Claim:     "A request with Close set is the last on its connection, which is closed when the answer was read.",
		Verdict:   "which connection a request runs on",
		Issues:    []string{"golang/go#49375"},
		Source:    "net/http: Request.Close",
		Bounds:    harness.Bounds{Delays: 1, Faults: harness.None, Schedules: 60},
		Body: func(e *Env) {
			e.Serve(nil)
			r1 := e.Get("r1", "/")
			r1.Await()
			req, _ := http.NewRequest("GET", e.URL("/"), nil)
			req.Close = true
			r2 := e.Start("r2", e.Transport, req)
			r2.Await()
			r3 := e.Get("r3", "/")
			e.WantAnswered(r1, r2, r3)
			if r3.Conn() == r2.Conn() {
				e.Errorf("r3: got it sent on %s, which was to be closed behind r2", r3.Conn())
			}
			e.WantMostOpen(1, "that of r3")
		},
	},
	{
		Name:      "close-request-header",
		Claim:     "A request that says Connection: close is the last on its connection, whatever the server says.",
		Verdict:   "which connection a request runs on",
		Source:    "RFC 9112 section 9.6",
		Protocols: HTTP1,
		Body: func(e *Env) {
			e.Peer("api.test:80")
			r1 := e.Do("r1", "GET", "/", "", "Connection: close")
			c1 := e.Conn("c1")
			c1.Respond(http.StatusOK, "ok")
			r1.Finish()
			c1.WantClosed("the client said that it would close it")
		},
	},
	{
		Name:      "close-response-header",
		Claim:     "A response that says Connection: close is the last on its connection, which the client closes although the server does not.",
		Verdict:   "which connection a request runs on",
		Source:    "RFC 9112 section 9.6",
		Protocols: HTTP1,
		Bounds:    harness.Bounds{Delays: 1, Faults: harness.None, Schedules: 60},
		Body: func(e *Env) {
			e.Serve(nil)
			r1 := e.Get("r1", "/answer/close-ignored")
			r1.Await()
			r2 := e.Get("r2", "/answer/close-ignored")
			r2.Await()
			r3 := e.Get("r3", "/")
			e.WantAnswered(r1, r2, r3)
			e.WantOpened(3, "the server said twice that it would take no more")
			e.WantMostOpen(1, "that of r3")
		},
	},
}
