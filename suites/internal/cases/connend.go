package cases

import (
	"io"
	"net/http"
	"time"

	"golang.org/x/net/http2"

	"github.com/halfopen/halfopen/harness"
)

// connEndCases are about the end of a connection: by Close, by its server, or by a body that
// was closed too early.
var connEndCases = []Case{
	{
		Name:    "conn-close-interrupts",
		Claim:   "Close ends at once what is under way on the connection: requests that wait for an answer or for room, and bodies that are read.",
		Verdict: "requests end at once",
		Source:  "net/http: ClientConn.Close",
		Body: func(e *Env) {
			e.serveRoom(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/half" {
					io.WriteString(w, "half")
					w.(http.Flusher).Flush()
				}
				<-r.Context().Done()
			}))
			tr := e.Transport
			c := e.onConn()
			under := append(e.fill(), e.Get("w", "/"))
			c.Close()
			e.Settle()
			for _, r := range under {
				e.wantFailed(r, "its connection was closed")
			}
			e.WantConns(0, "it was closed")

			e.Transport = tr
			c = e.onConn()
			bodies := e.keepBodies()
			r := e.Get("r", "/half")
			r.Read()
			c.Close()
			e.Settle()
			if b := bodies.of("r"); b.err == nil || b.err == io.EOF {
				e.Errorf("r: got %v from its body, want an error: its connection was closed", b.err)
			}
			e.WantConns(0, "it was closed")
		},
	},
	{
		Name:    "conn-close-body-blocks",
		Claim:   "Close ends a request whose body blocks, and the body is closed.",
		Verdict: "requests end at once",
		Issues:  []string{"golang/go#78555"},
		Source:  "net/http: ClientConn.Close",
		Body: func(e *Env) {
			c := e.conn(nil)
			body := &blockedBody{countedBody: newBody(nil), until: make(chan struct{})}
			e.Cleanup(body.unblock) // whatever the connection does
			r1 := e.Start("r1", c, upload(e.Context(), e.URL("/echo"), body))
			r1.WantPending()
			c.Close()
			e.Settle()
			e.wantFailed(r1, "its connection was closed")
			body.wantClosed(e, "r1")
		},
	},
	{
		Name:    "conn-close-anywhere",
		Claim:   "A connection may be closed at any point: each request has its own answer, whole, or an error, and nothing is left.",
		Verdict: "exactly one outcome, and nothing left behind",
		Source:  "net/http: ClientConn.Close",
		Bounds:  harness.Bounds{Faults: harness.None, Schedules: 120},
		Body: func(e *Env) {
			c := e.conn(slowAnswers(time.Second))
			bodies := e.keepBodies()
			e.MayCall("close", func() {
				c.Close()
				if c.Err() == nil {
					e.Errorf("Err: got nil, want an error: the connection was closed")
				}
			})
			e.Get("r1", "/").MayCancel()
			e.Post("r2", "/", "two")
			e.Rest()
			bodies.wantWhole(e, "begin end")
		},
	},
	{
		Name:    "conn-closed-refuses",
		Claim:   "A connection that was closed says so by Err, has no room, and takes neither reservations nor requests.",
		Verdict: "each request has its outcome",
		Source:  "net/http: ClientConn.Err, ClientConn.Available, ClientConn.Reserve",
		Body: func(e *Env) {
			c := e.conn(nil)
			e.wantOK("r1")
			if err := c.Err(); err != nil {
				e.Errorf("Err: got %v, want nil: the connection is usable", err)
			}
			c.Close()
			e.Settle()
			e.wantEnded(c, "it was closed")
			e.WantConns(0, "it was closed")
			r2 := e.Get("r2", "/")
			e.wantFailed(r2, "the connection was closed")
			r2.WantSent(0, "the connection was closed")
		},
	},
	{
		Name:    "conn-closed-unused",
		Claim:   "A connection that was closed before its first request has no room.",
		Verdict: "the counts add up",
		Source:  "net/http: ClientConn.Available",
		Body: func(e *Env) {
			c := e.conn(nil)
			c.Close()
			e.Settle()
			e.wantEnded(c, "it was closed")
		},
	},
	{
		Name:    "conn-closed-reserved",
		Claim:   "Nothing is in flight on a connection that was closed, though a reservation was not given back.",
		Verdict: "the counts add up",
		Source:  "net/http: ClientConn.InFlight",
		Body: func(e *Env) {
			c := e.conn(nil)
			e.wantOK("r1")
			e.mustReserve(c)
			c.Close()
			e.Settle()
			e.wantCounts(c, 0, 0, "it was closed")
			c.Release() // which may come late
			e.wantCounts(c, 0, 0, "it was closed")
		},
	},
	{
		Name:    "conn-server-ends",
		Claim:   "A server's end may come at any point: each request has its own answer, whole, or an error, and a connection that is closed says so by Err.",
		Verdict: "exactly one outcome, and nothing left behind",
		Source:  "net/http: ClientConn.Err; RFC 9112 section 9.5; RFC 9113 section 5.4.1",
		Bounds:  harness.Bounds{Effects: []string{"reset", "cut"}, Schedules: 150},
		Body: func(e *Env) {
			e.serveRoom(slowAnswers(time.Second))
			c, _ := e.tryConn()
			if c == nil {
				return
			}
			bodies := e.keepBodies()
			end := e.T.Conn("c1").Client()
			e.AtQuiet(func() {
				if end.IsClosed() && c.Err() == nil {
					e.Errorf("Err: got nil, want an error: %s is closed", end.ID())
				}
			})
			e.Get("r1", "/").Await()
			e.Get("r2", "/")
			e.Post("r3", "/", "three")
			e.Rest()
			bodies.wantWhole(e, "begin end")
		},
	},
	{
		Name:    "conn-idle-server-close-seen",
		Claim:   "A connection that its server closes while no request is on it says so by Err, before any request has to find out, and its hook is called.",
		Verdict: "nothing stays open that the other end has closed",
		Issues:  []string{"golang/go#15461"},
		Source:  "net/http: ClientConn.Err, ClientConn.SetStateHook",
		Body: func(e *Env) {
			c := e.conn(nil)
			e.wantOK("r1")
			hook, n := countHook(c)
			e.Net.Kill(e.Addr("api.test"))
			e.Settle()
			e.wantEnded(c, "the server has ended")
			hook.wantCalled(e, n, "Err began to return an error")
			e.WantConns(0, "the server has ended")
		},
	},
	{
		Name:      "conn-goaway",
		Claim:     "After a GOAWAY what the server still processes is answered, what it does not fails, and the connection takes nothing more.",
		Verdict:   "each request has its outcome",
		Issues:    []string{"golang/go#18083"},
		Source:    "RFC 9113 section 6.8; net/http: ClientConn.Available, ClientConn.Reserve",
		Protocols: H2 | H2C,
		Body: func(e *Env) {
			c, p := e.connOfStreams(10)
			r1, r2 := e.Get("r1", "/"), e.Get("r2", "/")
			p.WriteGoAway(p.ids["r1"], http2.ErrCodeNo, nil)
			e.Settle()
			e.wantFailed(r2, "the server does not process it")
			if n := c.Available(); n != 0 {
				e.Errorf("Available: got %d, want 0: the server takes no more", n)
			}
			if c.Reserve() == nil {
				e.Errorf("Reserve: got a reservation: the server takes no more")
			}
			e.wantFailed(e.Get("r3", "/"), "the server takes no more")
			e.answers(p, "r1")
			r1.WantBody("ok", "the server had taken it")
		},
	},
	{
		Name:      "conn-goaway-waiter",
		Claim:     "A request that waits for room when a GOAWAY comes does not wait for ever: it fails, at the latest when those before it are over.",
		Verdict:   "no request is stuck",
		Issues:    []string{"golang/go#39752"},
		Source:    "net/http: ClientConn.RoundTrip; RFC 9113 section 6.8",
		Protocols: H2 | H2C,
		Body: func(e *Env) {
			_, p := e.connOfStreams(1)
			r1, w := e.Get("r1", "/"), e.Get("w", "/")
			w.WantPending("there is room for one")
			p.WriteGoAway(p.ids["r1"], http2.ErrCodeNo, nil)
			e.answers(p, "r1")
			r1.WantBody("ok", "the server had taken it")
			e.wantFailed(w, "there will be no room again")
		},
	},
	{
		Name:    "conn-body-closed-early",
		Claim:   "A response body that is closed before its end leaves a connection that is closed, or one that has room again and gives the next request its own answer; until either is so there is no room.",
		Verdict: "the answer belongs to the request",
		Issues:  []string{"golang/go#77370"},
		Source:  "net/http: Response.Body; ClientConn.Available",
		Body: func(e *Env) {
			rest := make(chan struct{})
			e.serveRoom(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != "/half" {
					harness.Pages(w, r)
					return
				}
				w.Header().Set("Content-Length", "8")
				io.WriteString(w, "half")
				w.(http.Flusher).Flush()
				select {
				case <-rest:
					io.WriteString(w, "rest")
				case <-r.Context().Done():
				case <-e.Context().Done():
				}
			}))
			tr := e.Transport
			for _, name := range []string{"never", "later"} { // when the rest of the body comes
				e.Transport = tr
				c := e.onConn()
				bodies := e.keepBodies()
				r := e.Get(name, "/half")
				r.WantStatus(http.StatusOK)
				r.CloseBody()
				if n := c.Available(); e.Protocol == HTTP1 && c.Err() == nil && n > 0 {
					e.Errorf("Available: got %d, want 0: %s has half its answer, and the other half is next", n, name)
				}
				if name == "later" {
					close(rest)
					e.Settle()
				}
				e.Advance(time.Minute)
				if c.Err() != nil {
					e.wantCounts(c, 0, 0, "the connection was closed for what was left of the body")
					continue
				}
				e.wantCounts(c, 0, e.room(), "the body was closed a minute ago, and the connection was not")
				next := e.Post("after-"+name, "/echo", "its own")
				e.WantAnswered(next)
				if got := bodies.of("after-" + name); string(got.content) != "its own" {
					e.Errorf("after-%s: got body %.20q, want %q", name, got.content, "its own")
				}
			}
		},
	},
}

// wantWhole expects that each of the bodies that ended without an error is whole.
func (k *keeper) wantWhole(e *Env, whole string) {
	for _, r := range e.Requests() {
		if b := k.of(r.Name()); b.err == io.EOF && string(b.content) != whole {
			e.Errorf("%s: got body %q as if it were whole, want %q", r.Name(), b.content, whole)
		}
	}
}

// wantEnded expects of a connection that is closed that it says so and has no
// room.
func (e *Env) wantEnded(c ClientConn, why string) {
	if c.Err() == nil {
		e.Errorf("Err: got nil, want an error: %s", why)
	}
	if n := c.Available(); n != 0 {
		e.Errorf("Available: got %d, want 0: %s", n, why)
	}
	if c.Reserve() == nil {
		e.Errorf("Reserve: got a reservation, want an error: %s", why)
	}
}
