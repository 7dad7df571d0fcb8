package cases

import (
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/halfopen/halfopen/harness"
)

// keepingCases are about which connections are kept, for how long, and for which requests.
var keepingCases = []Case{
	{
		Name:      "idle-default-per-host",
		Claim:     "Without MaxIdleConnsPerHost two idle connections of a host are kept, and two are enough for two requests at a time.",
		Verdict:   "limits never exceeded; " + noDialWhileIdle,
		Source:    "net/http: Transport.MaxIdleConnsPerHost (if zero, DefaultMaxIdleConnsPerHost is used)",
		Protocols: HTTP1,
		Knows:     harness.Settings{MaxIdleConnsPerHost: 1},
		Body: func(e *Env) {
			e.Serve(nil)
			var requests []*harness.Request
			for i := range 5 {
				requests = append(requests, e.Get(fmt.Sprintf("r%d", i+1), "/"))
			}
			for _, r := range requests {
				r.Finish()
			}
			e.WantConns(http.DefaultMaxIdleConnsPerHost, "MaxIdleConnsPerHost is not set")
			r6, r7 := e.Get("r6", "/"), e.Get("r7", "/")
			e.WantAnswered(r6, r7)
			e.WantOpened(5, "both idle ones were used")
		},
	},
	{
		Name:      "idle-many-per-host",
		Claim:     "MaxIdleConnsPerHost may be more than the default: as many idle connections are kept, and all are used again.",
		Verdict:   noDialWhileIdle,
		Source:    "net/http: Transport.MaxIdleConnsPerHost",
		Protocols: HTTP1,
		Settings:  harness.Settings{MaxIdleConnsPerHost: 4},
		Body: func(e *Env) {
			e.Serve(nil)
			for _, round := range []string{"a", "b"} {
				var requests []*harness.Request
				for i := range 4 {
					requests = append(requests, e.Get(fmt.Sprintf("%s%d", round, i+1), "/"))
				}
				for _, r := range requests {
					r.Finish()
				}
				e.WantConns(4, "MaxIdleConnsPerHost is 4")
			}
			e.WantOpened(4, "each was idle when the second four began")
		},
	},
	{
		Name:      "idle-limit-of-all",
		Claim:     "MaxIdleConns is for all hosts together: the connection used least recently goes first, whatever its host, and one in use is none of them.",
		Verdict:   "which connections stay",
		Source:    maxIdleConns,
		Protocols: HTTP1,
		Settings:  harness.Settings{MaxIdleConns: 3},
		Body: func(e *Env) {
			for _, host := range []string{"a.test", "b.test", "c.test"} {
				e.ServeHost(host, nil)
			}
			get := func(name, host string) *harness.Request { return e.T.Get(name, e.Transport, e.URLOf(host, "/")) }
			a1, a2, b1, busy := get("a1", "a.test"), get("a2", "a.test"), get("b1", "b.test"), get("busy", "c.test")
			a1.Finish()
			a2.Finish()
			b1.Finish()
			e.WantConns(4, "three are idle, and one is in use")
			c1 := get("c1", "c.test")
			c1.Finish()
			a1.Conn().WantClosed("it was used least recently")
			a2.Conn().WantOpen("it was used after that")
			a3 := get("a3", "a.test")
			a3.WantDone(a2.Conn(), "it is idle")
			a3.Finish()
			busy.Finish()
			b1.Conn().WantClosed("it was used least recently")
			e.WantConns(3, "MaxIdleConns is 3")
			if e.Net.Opened() != 5 {
				e.Errorf("got %d connections opened, want 5", e.Net.Opened())
			}
		},
	},
	{
		Name:      "idle-evicted-forgotten",
		Claim:     "Of many connections that have to make room none comes back and none is lost: each request is answered, on a connection that is open.",
		Verdict:   "a broken connection is not handed out; nothing left behind",
		Source:    maxIdleConns,
		Protocols: HTTP1,
		Settings:  harness.Settings{MaxIdleConns: 2, IdleConnTimeout: time.Minute},
		Body: func(e *Env) {
			for round := range 3 {
				for i := range 5 {
					host := fmt.Sprintf("h%d.test", i+1)
					if round == 0 {
						e.ServeHost(host, nil)
					}
					r := e.T.Post(fmt.Sprintf("r%d.%d", round+1, i+1), e.Transport, e.URLOf(host, "/echo"), host)
					r.WantBody(host)
					e.WantMostOpen(2, "MaxIdleConns is 2")
					e.Advance(time.Second)
				}
			}
			e.Advance(time.Minute - 2*time.Second)
			e.WantConns(1, "one was idle for a second less")
			e.Advance(2 * time.Second)
			e.WantConns(0, "their time is over")
		},
	},
	{
		Name:      "idle-timeout-each",
		Claim:     "Each idle connection has its own time: one that was used in between has all of it again, and the others do not.",
		Verdict:   "nothing stays open beyond its time, and nothing is closed before",
		Source:    idleConnTimeout,
		Protocols: HTTP1,
		Settings:  harness.Settings{IdleConnTimeout: 90 * time.Second},
		Body: func(e *Env) {
			e.Serve(nil)
			r1, r2 := e.Get("r1", "/"), e.Get("r2", "/")
			c1, c2 := r1.Conn(), r2.Conn()
			r1.Finish()
			e.Advance(30 * time.Second)
			r2.Finish()
			e.Advance(50 * time.Second)
			r3 := e.Get("r3", "/")
			used, other, left := c2, c1, 10*time.Second
			if r3.Conn() == c1 { // either may be chosen
				used, other, left = c1, c2, 40*time.Second
			}
			r3.WantDone(used, "it is idle")
			e.Advance(left - 1)
			other.WantOpen("it was idle for a moment less than 90 seconds")
			e.Advance(1)
			other.WantClosed("it was idle for 90 seconds")
			r3.Finish()
			e.Advance(90*time.Second - 1)
			used.WantOpen("it was idle for a moment less than 90 seconds")
			e.Advance(1)
			used.WantClosed("its time is over")
		},
	},
	{
		Name:      "idle-timeout-unused",
		Claim:     "A connection whose dial ends when its request has another one is idle from then on, and has IdleConnTimeout too.",
		Verdict:   "nothing stays open beyond its time",
		Source:    idleConnTimeout,
		Protocols: HTTP1,
		Settings:  harness.Settings{IdleConnTimeout: 90 * time.Second},
		Body: func(e *Env) {
			e.Serve(nil)
			e.Net.Hold("dial")
			r1 := e.Get("r1", "/")
			e.Net.WantDial().Open()
			r2 := e.Get("r2", "/")
			d2 := e.Net.WantDial()
			r1.Finish()
			r2.Finish()
			e.Advance(time.Minute)
			c2 := d2.Open()
			e.Net.Release("dial")
			e.Advance(90*time.Second - 1)
			c2.WantOpen("it was dialed less than 90 seconds ago")
			e.Advance(1)
			e.WantConns(0, "their time is over")
		},
	},
	{
		Name:      "idle-server-close-in-use",
		Claim:     "A server that announces nothing and closes behind its answer, before that has been read, takes the connection out of the pool: the next request, a POST, has another one.",
		Verdict:   "a broken connection is not handed out",
		Issues:    []string{"golang/go#15461"},
		Source:    "RFC 9112 section 9.5",
		Protocols: HTTP1,
		Body: func(e *Env) {
			for i, answer := range []string{"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", "HTTP/1.1 204 No Content\r\n\r\n"} {
				host := fmt.Sprintf("h%d.test", i+1)
				e.Peer(e.Addr(host))
				r := e.T.Get(host, e.Transport, e.URLOf(host, "/"))
				c := r.Conn()
				e.Net.Hold(c.ID() + " server->client data")
				c.Send(answer)
				c.Fin()
				e.Net.Release(c.ID() + " server->client data")
				r.Finish()
				next := e.T.Post("after "+host, e.Transport, e.URLOf(host, "/"), "x")
				if next.Conn() == c || next.Conn() == nil {
					e.Fatalf("%s: got it sent on %v, which the server had closed (%v)", next.Name(), next.Conn(), next.Err())
				}
				next.Conn().Respond(http.StatusOK, "ok")
				next.WantBody("ok")
				c.WantClosed("the server has closed it")
			}
		},
	},
	{
		Name:      "limit-apart",
		Claim:     "MaxConnsPerHost is for each scheme, host and port by itself: one that is at its limit holds up no other.",
		Verdict:   noneStuck,
		Source:    maxConnsPerHost,
		Protocols: HTTP1,
		Secure:    true,
		Settings:  oneConnPerHost,
		Body: func(e *Env) {
			e.Serve(nil)
			e.T.Serve("api.test:8080", nil)
			e.ServeTLSAs("api.test:443", "h1")
			r1 := e.Get("r1", "/hang")
			for i, url := range []string{"http://api.test:8080/", "https://api.test/", "http://api.test:8080/", "https://api.test/"} {
				r := e.T.Get(fmt.Sprintf("other%d", i+1), e.Transport, url)
				r.WantBody("ok", "it is another server")
			}
			r1.WantPending()
			r1.Cancel()
			e.WantOpened(3, "one for each")
		},
	},
	{
		Name:      "limit-late-places",
		Claim:     "Connections that end in whatever way give their places back once, not twice and not never: after many of them the limit is what it was.",
		Verdict:   "limits never exceeded; " + noneStuck,
		Issues:    []string{"golang/go#29889", "golang/go#32336"},
		Source:    maxConnsPerHost,
		Protocols: HTTP1,
		Settings:  harness.Settings{MaxConnsPerHost: 2, IdleConnTimeout: time.Minute},
		Body: func(e *Env) {
			e.Serve(nil)
			ends := []func(name string){
				func(name string) { e.Get(name, "/close").Finish() },
				func(name string) {
					r := e.Get(name, "/hang")
					r.Cancel()
				},
				func(name string) {
					r := e.Get(name, "/hang")
					r.Conn().Reset()
				},
				func(name string) {
					e.Get(name, "/").Finish()
					e.CloseIdle()
				},
				func(name string) {
					e.Get(name, "/").Finish()
					e.Advance(2 * time.Minute)
				},
				func(name string) {
					e.Net.Hold("dial")
					r := e.Get(name, "/")
					e.Net.WantDial().Refuse()
					e.wantFailed(r, "its dial was refused")
					e.Net.Release("dial")
				},
				func(name string) {
					e.Get(name, "/").Finish()
					e.Net.OpenConns()[0].Fin()
				},
				func(name string) {
					r := e.Get(name, "/bytes/1000000")
					r.WantStatus(http.StatusOK)
					r.CloseBody()
					e.Advance(drainTime)
				},
			}
			for i, end := range ends {
				end(fmt.Sprintf("end%d", i+1))
				e.CloseIdle()
				e.WantConns(0, "all have ended")
				// Two have a place now, and a third has none.
				a, b, c := e.Get(fmt.Sprintf("a%d", i+1), "/hang"), e.Get(fmt.Sprintf("b%d", i+1), "/hang"), e.Get(fmt.Sprintf("c%d", i+1), "/")
				e.WantConns(2, "MaxConnsPerHost is 2")
				a.Cancel()
				c.WantBody("ok", "the place of the first is free")
				b.Cancel()
				e.CloseIdle()
			}
		},
	},
	{
		Name:      "limit-keep-alives-off-said",
		Claim:     "With DisableKeepAlives a server learns that its connection is to be closed, and it is, although the server would keep it.",
		Verdict:   "each connection carries one request",
		Source:    "net/http: Transport.DisableKeepAlives; RFC 9112 section 9.6",
		Protocols: HTTP1,
		Settings:  harness.Settings{DisableKeepAlives: true},
		Body: func(e *Env) {
			e.Peer(e.Addr("api.test"))
			for i, answer := range []string{"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", "HTTP/1.1 204 No Content\r\n\r\n", "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok"} {
				r := e.Get(fmt.Sprintf("r%d", i+1), "/")
				c := r.Conn()
				c.WantRequest("GET / HTTP/1.1\r\n")
				c.Send(answer)
				r.Finish()
				c.WantClosed("DisableKeepAlives is set")
			}
			e.WantOpened(3, "one for each request")
			r4 := e.Get("r4", "/")
			wantLine(e, r4.Conn(), "Connection: close")
			r4.Conn().Send("HTTP/1.1 204 No Content\r\n\r\n")
			r4.WantStatus(http.StatusNoContent)
		},
	},
	{
		Name:      "close-in-use-kept",
		Claim:     "A connection that is in use as CloseIdleConnections is called serves its request to the end. One that is dialed after the call is kept, as before it.",
		Verdict:   "one outcome per request; " + noDialWhileIdle,
		Source:    closeIdle,
		Protocols: HTTP1,
		Body: func(e *Env) {
			e.Serve(nil)
			r1 := e.Get("r1", "/bytes/100000")
			r1.WantStatus(http.StatusOK)
			e.CloseIdle()
			r2 := e.Get("r2", "/")
			r2.Finish()
			r1.Finish()
			opened := e.Net.Opened()
			for i := range 3 {
				e.wantOK(fmt.Sprintf("r%d", i+3))
			}
			e.WantOpened(opened, "that of r2 at least is idle")
			e.CloseIdle()
			e.WantConns(0, "all are idle")
		},
	},
	{
		Name:      "close-waiting-dials",
		Claim:     "CloseIdleConnections leaves dials alone that requests wait for, be they many, and ends those that no request waits for, be there one among them.",
		Verdict:   "one outcome per request; nothing left behind",
		Issues:    []string{"golang/go#59017"},
		Source:    closeIdle,
		Protocols: HTTP1,
		Body: func(e *Env) {
			e.Serve(nil)
			e.Net.Hold("dial")
			r1, r2, r3 := e.Get("r1", "/"), e.Get("r2", "/"), e.Get("r3", "/")
			r2.Cancel()
			e.CloseIdle()
			e.Net.Release("dial")
			e.WantAnswered(r1, r3)
			e.CloseIdle()
			e.WantConns(0, "no request waits for any")
		},
	},
	{
		Name:    "close-clone",
		Claim:   "A clone of a transport has its settings and its own connections: what is closed in one is open in the other.",
		Verdict: "which connections stay",
		Source:  "net/http: Transport.Clone (a deep copy of t's exported fields)",
		Body: func(e *Env) {
			clone := cloneOf(e.Transport)
			if clone == nil {
				e.NotApplicable("the transport has no Clone")
			}
			e.Serve(nil)
			other := e.Client(clone)
			r1 := e.Get("r1", "/bytes/100000")
			r1.WantStatus(http.StatusOK)
			e.wantPage(other)
			r1.Finish()
			e.WantConns(2, "each has its own")
			e.CloseIdle()
			e.WantConns(1, "that of the clone is not the transport's")
			e.wantPage(other)
			e.WantOpened(2, "the clone's was idle")
		},
	},
}

// wantPage gets a page with a client, and expects that it comes.
func (e *Env) wantPage(c *http.Client) {
	resp, err := c.Get(e.URL("/"))
	if err != nil {
		e.Fatal(err)
	}
	defer resp.Body.Close()
	if b, err := io.ReadAll(resp.Body); string(b) != "ok" || err != nil {
		e.Errorf("got the page %q, %v, want %q", b, err, "ok")
	}
}
