package cases

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptrace"
	"time"

	"github.com/halfopen/halfopen/faultnet"
	"github.com/halfopen/halfopen/harness"
)

var limitCases = []Case{
	{
		Name:     "limit-never-exceeded",
		Claim:    "Connections and dials of a host are never more than MaxConnsPerHost, whatever fails, ends or is cancelled.",
		Verdict:  "limits never exceeded",
		Issues:   []string{"golang/go#29889", "golang/go#32336"},
		Source:   maxConnsPerHost,
		Settings: harness.Settings{MaxConnsPerHost: 2},
		Bounds:   harness.Bounds{Schedules: 200, Effects: []string{"refuse"}},
		Body: func(e *Env) {
			e.Serve(nil)
			e.MayCloseIdle()
			last := "/close"
			if e.Protocol != HTTP1 {
				last = "/" // a connection that is going away is close-response-before-post's
			}
			e.Get("r1", "/").MayCancel()
			e.Get("r2", last).MayCancel()
			e.Get("r3", "/")
			e.Get("r4", "/")
		},
	},
	{
		Name:     "limit-all-served",
		Claim:    "At a limit of 1 all requests are served by one connection.",
		Verdict:  noneStuck + "; limits never exceeded",
		Issues:   []string{"golang/go#32336", "golang/go#34941"},
		Source:   maxConnsPerHost,
		Settings: oneConnPerHost,
		Bounds:   noFaults,
		Body: func(e *Env) {
			e.Serve(nil)
			e.WantAnswered(e.Get("r1", "/"), e.Get("r2", "/"), e.Get("r3", "/"), e.Get("r4", "/"))
			e.WantOpened(1, "that is the limit, and nothing broke it")
		},
	},
	{
		Name:     "limit-slot-after-cancel",
		Claim:    "A request that gives up at the limit, in line or with a dial under way, does not keep the others from being served.",
		Verdict:  noneStuck,
		Issues:   []string{"golang/go#65705", "gomodule/redigo#520"},
		Source:   maxConnsPerHost,
		Settings: oneConnPerHost,
		Bounds:   noFaults,
		Body: func(e *Env) {
			e.Serve(nil)
			e.Get("r1", "/").MayCancel()
			e.Get("r2", "/").MayCancel()
			e.WantAnswered(e.Get("r3", "/"))
		},
	},
	{
		Name:     "limit-slot-after-failed-dial",
		Claim:    "A dial that fails at the limit fails one request and lets the next one dial.",
		Verdict:  noneStuck,
		Issues:   []string{"golang/go#10886", "golang/go#65705"},
		Source:   maxConnsPerHost,
		Settings: oneConnPerHost,
		Bounds:   harness.Bounds{Schedules: 200, Effects: []string{"refuse", "timeout", "no-host"}},
		Body: func(e *Env) {
			e.Serve(nil)
			e.wantFailedAtMost(1, e.Get("r1", "/"), e.Get("r2", "/").MayCancel(), e.Get("r3", "/"))
		},
	},
	{
		Name:     "limit-slot-after-break",
		Claim:    "A connection that breaks at the limit gives its place to the next request.",
		Verdict:  noneStuck + "; limits never exceeded",
		Issues:   []string{"golang/go#29889", "gomodule/redigo#520"},
		Source:   maxConnsPerHost,
		Settings: oneConnPerHost,
		Bounds:   harness.Bounds{Schedules: 200, Effects: []string{"reset", "cut"}},
		Body: func(e *Env) {
			e.Serve(nil)
			e.Get("r1", "/").Await()
			e.Get("r2", "/")
			e.Get("r3", "/")
		},
	},
	{
		Name:     "limit-slot-after-close",
		Claim:    "An idle connection that CloseIdleConnections closes gives its place to the next request.",
		Verdict:  noneStuck + "; limits never exceeded",
		Issues:   []string{"golang/go#32336"},
		Source:   maxConnsPerHost,
		Settings: oneConnPerHost,
		Bounds:   noFaults,
		Body: func(e *Env) {
			e.Serve(nil)
			e.MayCloseIdle()
			r1 := e.Get("r1", "/")
			r1.Await()
			e.WantAnswered(r1, e.Get("r2", "/"), e.Get("r3", "/"))
		},
	},
	{
		Name:     "limit-slot-after-idle-timeout",
		Claim:    "A connection that was idle for too long gives its place to the next request, also if both come at one time.",
		Verdict:  noneStuck + "; limits never exceeded",
		Issues:   []string{"golang/go#25621"},
		Source:   maxConnsPerHost,
		Settings: harness.Settings{MaxConnsPerHost: 1, IdleConnTimeout: 10 * time.Second},
		Bounds:   noFaults,
		Body: func(e *Env) {
			e.Serve(nil)
			e.MayPass(10 * time.Second)
			r1 := e.Get("r1", "/")
			r1.Await()
			e.WantAnswered(r1, e.Get("r2", "/"), e.Get("r3", "/"))
		},
	},
	{
		Name:     "limit-slot-after-idle",
		Claim:    "A connection that was idle for longer than IdleConnTimeout holds up no request that comes then, and has no place any more.",
		Verdict:  noneStuck + "; limits never exceeded",
		Issues:   []string{"golang/go#25621"},
		Source:   maxConnsPerHost + "; " + "Transport.IdleConnTimeout",
		Settings: harness.Settings{MaxConnsPerHost: 1, IdleConnTimeout: 10 * time.Second},
		Body: func(e *Env) {
			e.Serve(nil)
			for i := range 4 {
				e.wantOK(fmt.Sprintf("r%d", i+1))
				e.Advance(15 * time.Second)
			}
			e.WantOpened(4, "each was idle for 15 seconds")
		},
	},
	{
		Name:      "limit-places-of-shared",
		Claim:     "Two requests may have dialed where one connection of HTTP/2 is enough for both. When it ends both dials give their places back: the next server, which has HTTP/1 alone, may have two connections.",
		Verdict:   noneStuck + "; limits never exceeded",
		Issues:    []string{"golang/go#32336", "golang/go#34941"},
		Source:    maxConnsPerHost,
		Protocols: H2,
		Settings:  harness.Settings{MaxConnsPerHost: 2},
		Body: func(e *Env) {
			for i := range 3 {
				e.Serve(nil)
				e.Net.Hold("dial")
				r1, r2 := e.getBounded(fmt.Sprintf("a%d", i+1), "/"), e.getBounded(fmt.Sprintf("b%d", i+1), "/")
				e.Net.Release("dial")
				e.WantAnswered(r1, r2)
				e.Net.Kill(e.Addr("api.test"))
				e.WantConns(0, "the server is gone")
			}
			e.ServeTLSAs(e.Addr("api.test"), "h1")
			r1, r2 := e.getBounded("r1", "/hang"), e.getBounded("r2", "/")
			r2.WantBody("ok", "MaxConnsPerHost is 2, and r1 has the only other connection")
			r1.Cancel()
		},
	},
	{
		Name:      "limit-slot-after-last-response",
		Claim:     "A connection whose server said that the response was its last gives its place to the next request.",
		Verdict:   noneStuck + "; limits never exceeded",
		Issues:    []string{"golang/go#29889"},
		Source:    "RFC 9112 section 9.6",
		Protocols: HTTP1,
		Settings:  oneConnPerHost,
		Bounds:    noFaults,
		Body: func(e *Env) {
			e.Serve(nil)
			e.WantAnswered(e.Get("r1", "/close"), e.Get("r2", "/close"), e.Get("r3", "/close"))
			e.WantOpened(3, "each response was the last on its connection")
		},
	},
	{
		Name:     "limit-slot-after-unread-body",
		Claim:    "A body that is closed before its end holds up no request that waits at the limit.",
		Verdict:  noneStuck + "; limits never exceeded",
		Source:   maxConnsPerHost,
		Settings: oneConnPerHost,
		Bounds:   harness.Bounds{Faults: harness.None, Schedules: 100},
		Body: func(e *Env) {
			e.Serve(nil)
			r1, r2 := e.Get("r1", "/"), e.Get("r2", "/")
			resp, err := e.Client(e.Transport).Get(e.URL("/bytes/100000"))
			if err != nil {
				e.Fatal(err)
			}
			resp.Body.Close()
			e.WantAnswered(r1, r2)
		},
	},
	{
		Name:      "limit-retried",
		Claim:     "A request that is sent again after its idle connection broke finds a place at the limit.",
		Verdict:   noneStuck + "; one outcome per request",
		Issues:    []string{"golang/go#4677"},
		Source:    maxConnsPerHost,
		Protocols: HTTP1,
		Settings:  oneConnPerHost,
		Bounds:    harness.Bounds{Schedules: 200, Effects: []string{"reset"}},
		Body: func(e *Env) {
			e.Serve(nil)
			r1 := e.Get("r1", "/")
			r1.Await()
			e.wantFailedAtMost(1, r1, e.Get("r2", "/"), e.Get("r3", "/"))
		},
	},
	{
		Name:      "limit-at-callbacks",
		Claim:     "However long the callbacks of a request's trace take, and whatever happens meanwhile, the other requests are served at the limit.",
		Verdict:   noneStuck + "; limits never exceeded",
		Issues:    []string{"golang/go#10511"},
		Source:    "net/http/httptrace: ClientTrace",
		Protocols: HTTP1,
		Settings:  oneConnPerHost,
		Bounds:    noFaults,
		Body: func(e *Env) {
			e.Gates("GotConn", "PutIdleConn")
			e.Serve(nil)
			e.Get("r1", "/").MayCancel()
			e.Get("r2", "/").MayCancel()
			e.WantAnswered(e.Get("r3", "/"))
		},
	},
	{
		Name:     "limit-hosts-apart",
		Claim:    "A host at its limit holds up no request to another host.",
		Verdict:  noneStuck,
		Source:   maxConnsPerHost,
		Settings: oneConnPerHost,
		Body: func(e *Env) {
			e.ServeHost("api.test", nil)
			e.ServeHost("other.test", nil)
			r1 := e.Get("r1", "/hang")
			r2 := e.T.Get("r2", e.Transport, e.URLOf("other.test", "/"))
			r2.WantStatus(http.StatusOK, "its host has no other request")
			r2.Finish()
			r1.WantPending()
			r1.Cancel()
			e.wantFailed(r1, "it was cancelled")
		},
	},
	{
		Name:     "limit-idle",
		Claim:    "When all is over no more than MaxIdleConns connections are kept, of all hosts together.",
		Verdict:  "limits never exceeded",
		Source:   "net/http: Transport.MaxIdleConns",
		Settings: harness.Settings{MaxIdleConns: 1},
		Bounds:   noFaults,
		Body: func(e *Env) {
			e.ServeHost("api.test", nil)
			e.ServeHost("other.test", nil)
			r1, r2 := e.Get("r1", "/"), e.T.Get("r2", e.Transport, e.URLOf("other.test", "/"))
			r3 := e.Get("r3", "/")
			e.WantAnswered(r1, r2, r3)
			e.WantMostOpen(1, "MaxIdleConns is 1")
		},
	},
	{
		Name:     "limit-idle-per-host",
		Claim:    "When all is over no more than MaxIdleConnsPerHost connections of a host are kept.",
		Verdict:  "limits never exceeded",
		Source:   "net/http: Transport.MaxIdleConnsPerHost",
		Settings: harness.Settings{MaxIdleConnsPerHost: 1},
		Bounds:   noFaults,
		Body: func(e *Env) {
			e.Serve(nil)
			e.WantAnswered(e.Get("r1", "/"), e.Get("r2", "/"), e.Get("r3", "/"))
			e.WantMostOpen(1, "MaxIdleConnsPerHost is 1")
		},
	},
	{
		Name:     "limit-bodyless-when-full",
		Claim:    "A response without a body is delivered although there is no room for its connection among the idle ones.",
		Verdict:  "one outcome per request; limits never exceeded",
		Issues:   []string{"golang/go#13633", "golang/go#13825"},
		Source:   "net/http: Transport.MaxIdleConnsPerHost",
		Settings: harness.Settings{MaxIdleConnsPerHost: 1},
		Bounds:   noFaults,
		Body: func(e *Env) {
			e.Serve(nil)
			e.WantAnswered(e.Do("r1", "HEAD", "/bytes/10", ""), e.Do("r2", "GET", "/status/204", ""), e.Do("r3", "GET", "/bytes/0", ""))
			e.WantMostOpen(1, "MaxIdleConnsPerHost is 1")
		},
	},
	{
		Name:     "limit-keep-alives-off",
		Claim:    "With DisableKeepAlives each request has a connection of its own, and none is kept.",
		Verdict:  "each connection carries one request",
		Source:   "net/http: Transport.DisableKeepAlives",
		Settings: harness.Settings{DisableKeepAlives: true},
		Bounds:   harness.Bounds{Delays: 1, Faults: harness.None, Schedules: 60},
		Body: func(e *Env) {
			e.Serve(nil)
			r1 := e.Get("r1", "/")
			r1.Await()
			e.WantAnswered(r1, e.Get("r2", "/"), e.Get("r3", "/bytes/0"))
			e.WantOpened(3, "DisableKeepAlives is set")
			e.WantMostOpen(0, "DisableKeepAlives is set")
		},
	},
	{
		Name:      "limit-dials-after-cancel",
		Protocols: OverTCP,
		Claim:     "The number of dials that hang does not grow with requests that give up waiting for them.",
		Verdict:   "dials in flight are bounded",
		Issues:    []string{"golang/go#76784"},
		Source:    "net/http: Transport (by caching connections and reusing them)",
		Body: func(e *Env) {
			e.Serve(nil)
			e.Net.Hold("dial")
			const requests, most = 40, 10
			for i := range requests {
				r := e.Get(fmt.Sprintf("r%d", i+1), "/")
				r.Cancel()
				e.wantFailed(r, "it was cancelled")
			}
			dials := 0
			for _, ev := range e.Net.Pending() {
				if ev.Kind == faultnet.Dial {
					dials++
				}
			}
			if dials > most {
				e.Errorf("got %d dials in flight after %d requests that all gave up, want %d at most", dials, requests, most)
			}
			e.Rest()
		},
	},
}

// getBounded starts a GET that fails the case, and is cancelled, when it asks for a connection
// again and again.
func (e *Env) getBounded(name, path string) *harness.Request {
	const most = 100
	ctx, cancel := context.WithCancel(e.Context())
	e.Cleanup(cancel)
	asked := 0
	trace := &httptrace.ClientTrace{GetConn: func(string) {
		if asked++; asked == most {
			e.Errorf("%s: got it asking for a connection %d times, want it served or failed", name, most)
			cancel()
		}
	}}
	req, err := http.NewRequestWithContext(httptrace.WithClientTrace(ctx, trace), "GET", e.URL(path), nil)
	if err != nil {
		e.Fatal(err)
	}
	return e.Start(name, e.Transport, req)
}
