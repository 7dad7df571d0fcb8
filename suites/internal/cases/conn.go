package cases

import (
	"context"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/halfopen/halfopen/harness"
)

// The cases of the group Conn ask a transport for single connections: see
// [ClientConn]. The cases of its state are in connstate.go.
//
// None of them sets Transport.MaxConnsPerHost, of which the documentation of
// Transport.NewClientConn says that the new connection does not count against
// it. In net/http 1.26 and 1.27 it is not counted when it is made, and is counted
// off when it is closed: persistConn.closeLocked calls Transport.decConnsPerHost
// for every connection of HTTP/1. If the transport has others to that host, one of
// theirs is counted off, and there may be one more than the limit from then on. If
// it has none, decConnsPerHost panics ("connCount underflow"), often in the
// connection's own read loop: that ends the process. Over HTTP/2 nothing is counted.
var connCases = []Case{
	{
		Name:      "conn-separate",
		Protocols: OverTCP,
		Claim:     "A connection from NewClientConn is a new one though another is idle, runs no request of the transport, and CloseIdleConnections leaves it alone.",
		Verdict:   "which connection a request runs on",
		Source:    "net/http: Transport.NewClientConn",
		Body: func(e *Env) {
			h := newHolding()
			e.serveRoom(h)
			e.Cleanup(h.release)
			tr := e.Transport
			r1 := e.wantOK("r1")
			c := e.onConn()
			e.WantOpened(2, "NewClientConn makes a connection, though one is idle")
			r2 := e.wantOK("r2")
			if r2.Conn() == r1.Conn() {
				e.Errorf("r2: got it sent on %s, which is the transport's", r2.Conn())
			}
			r3 := e.T.Get("r3", tr, e.URL("/"))
			r3.Finish()
			if r3.Conn() != r1.Conn() {
				e.Errorf("r3: got it sent on %s, want it on the transport's own", r3.Conn())
			}
			closeIdle := tr.(interface{ CloseIdleConnections() }).CloseIdleConnections
			closeIdle()
			e.Settle()
			r4 := e.Get("r4", "/held")
			closeIdle()
			h.release()
			e.WantAnswered(r4)
			if err := c.Err(); err != nil {
				e.Errorf("Err: got %v, want nil: the transport's idle connections were closed, and not this one", err)
			}
			e.WantOpened(2, "there are one of the transport's and one from NewClientConn")
		},
	},
	{
		Name:    "conn-any-url",
		Claim:   "A request is sent on the connection, whatever its URL says.",
		Verdict: "which connection a request runs on",
		Source:  "net/http: ClientConn.RoundTrip",
		Body: func(e *Env) {
			c := e.conn(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.Host) }))
			r1 := e.T.Get("r1", c, e.URLOf("other.test", "/"))
			r1.WantStatus(http.StatusOK)
			r1.WantBody("other.test")
			e.WantOpened(1, "the URL has no part in it")
		},
	},
	{
		Name:    "conn-dial-cancelled",
		Claim:   "A NewClientConn whose context ends while it dials returns at once, and leaves nothing open.",
		Verdict: "nothing left behind",
		Source:  "net/http: Transport.NewClientConn; context: Context.Done",
		Body: func(e *Env) {
			dial := e.connMaker()
			e.serveRoom(nil)
			e.Net.Hold("dial")
			ctx, cancel := context.WithCancel(e.Context())
			defer cancel()
			var err error
			done := make(chan struct{})
			go func() {
				defer close(done)
				var c ClientConn
				if c, err = dial(ctx); err == nil {
					c.Close()
				}
			}()
			e.Net.WantDial()
			cancel()
			e.Settle()
			select {
			case <-done:
				if err == nil {
					e.Errorf("NewClientConn: got a connection that was never dialed")
				}
			default:
				e.Errorf("NewClientConn: got it still dialing, and its context has ended")
			}
			e.Net.Release("dial")
			e.WantConns(0, "the dial was given up")
		},
	},
	{
		Name:    "conn-limit-waits",
		Claim:   "Requests that are more than the connection has room for wait, and are answered; the server never sees more at once.",
		Verdict: "each request is answered",
		Source:  "net/http: ClientConn.RoundTrip; RFC 9113 section 5.1.2",
		Bounds:  harness.Bounds{Faults: harness.None, Schedules: 80},
		Body: func(e *Env) {
			running, all := 0, 0
			turn := make(chan struct{}, 1)
			e.conn(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				turn <- struct{}{}
				if running++; running > e.room() {
					e.Errorf("the connection has room for %d requests, and got %d", e.room(), running)
				}
				all++ // no two end at one instant: their order would be chance
				d := time.Second + time.Duration(all)
				<-turn
				time.Sleep(d)
				turn <- struct{}{}
				running--
				<-turn
				harness.Pages(w, r)
			}))
			e.Get("r0", "/").Await() // and the server's settings are known
			e.WantAnswered(e.Get("r1", "/"), e.Post("r2", "/echo", "two"), e.Get("r3", "/bytes/10"), e.Get("r4", "/"))
			e.WantOpened(1, "all are on the one connection")
		},
	},
	{
		Name:      "conn-limit-raised",
		Claim:     "A request that waits for room is sent when the server allows more.",
		Verdict:   "no request waits while there is room",
		Source:    "net/http: ClientConn.RoundTrip; RFC 9113 section 6.5.2",
		Protocols: H2 | H2C,
		Body: func(e *Env) {
			c, p := e.connOfStreams(1)
			r1, w := e.Get("r1", "/"), e.Get("w", "/")
			w.WantPending("there is room for one")
			p.WriteSettings(maxStreams(2))
			e.Settle()
			if p.ids["w"] == 0 {
				e.Errorf("w: not sent, and Available is %d: the server allows two", c.Available())
			}
			e.answers(p, "r1")
			e.answers(p, "w")
			r1.WantBody("ok")
			w.WantBody("ok")
		},
	},
	{
		Name:    "conn-waiter-cancelled",
		Claim:   "A request that waits for room on its connection, and is cancelled or meets its deadline, ends at once; it is not sent, and the others are answered.",
		Verdict: "cancelled requests end at once",
		Source:  "net/http: Request.Context; ClientConn.RoundTrip",
		Body: func(e *Env) {
			c, h := e.connThatHolds()
			full := e.fill()
			w1 := e.Get("w1", "/")
			ctx, cancel := context.WithTimeout(e.Context(), 5*time.Second)
			defer cancel()
			req, _ := http.NewRequestWithContext(ctx, "GET", e.URL("/"), nil)
			w2 := e.Start("w2", c, req)
			w3 := e.Get("w3", "/")
			for _, w := range []*harness.Request{w1, w2, w3} {
				w.WantPending("the connection has no room")
			}
			w1.Cancel()
			w1.WantErr(context.Canceled, "it waited, and was cancelled")
			e.Advance(5 * time.Second)
			w2.WantErr(context.DeadlineExceeded, "it waited, and its deadline has passed")
			h.release()
			e.finish(full)
			w3.Finish()
			w1.WantSent(0, "it never had its turn")
			w2.WantSent(0, "it never had its turn")
			e.wantCounts(c, 0, e.room(), "all requests are over")
		},
	},
	{
		Name:    "conn-turn-not-lost",
		Claim:   "Whichever requests are cancelled, and when, those that wait behind them are sent, as long as the connection lives.",
		Verdict: "no request is stuck",
		Source:  "net/http: ClientConn.RoundTrip",
		Bounds:  harness.Bounds{Faults: harness.None, Schedules: 150},
		Body: func(e *Env) {
			c := e.conn(nil)
			e.Get("r0", "/").Await()
			e.Get("r1", "/").MayCancel()
			e.Post("r2", "/echo", "two").MayCancel()
			r3 := e.Get("r3", "/bytes/10")
			r4 := e.Get("r4", "/")
			e.Rest()
			if c.Err() == nil {
				e.WantAnswered(r3, r4)
			}
		},
	},
	{
		Name:    "conn-body-closed-once",
		Claim:   "The body of a request that is sent on a connection is closed exactly once, however both end.",
		Verdict: "each body is closed exactly once",
		Issues:  []string{"golang/go#49621"},
		Source:  "net/http: RoundTripper; ClientConn.RoundTrip",
		Bounds:  harness.Bounds{Schedules: 60},
		Body: func(e *Env) {
			e.serveRoom(nil)
			c, _ := e.tryConn()
			if c == nil {
				return
			}
			body := newBody(strings.NewReader("two"))
			e.Start("r1", c, upload(e.Context(), e.URL("/echo"), body)).MayCancel()
			e.Rest()
			body.wantClosed(e, "r1")
		},
	},
	{
		Name:    "conn-body-unsent",
		Claim:   "The body of a request that is never sent is closed, and once: the request was cancelled while it waited for room, or its connection closed before its turn.",
		Verdict: "each body is closed exactly once",
		Issues:  []string{"golang/go#35015"},
		Source:  "net/http: RoundTripper; ClientConn.RoundTrip",
		Body: func(e *Env) {
			c, _ := e.connThatHolds()
			e.fill()
			b1, b2, b3 := newBody(strings.NewReader("1")), newBody(strings.NewReader("2")), newBody(strings.NewReader("3"))
			w1 := e.Start("w1", c, upload(e.Context(), e.URL("/echo"), b1))
			w1.Cancel()
			w2 := e.Start("w2", c, upload(e.Context(), e.URL("/echo"), b2))
			c.Close()
			e.Settle()
			w3 := e.Start("w3", c, upload(e.Context(), e.URL("/echo"), b3))
			for _, w := range []*harness.Request{w1, w2, w3} {
				e.wantFailed(w, "it was not sent")
			}
			b1.wantClosed(e, "w1")
			b2.wantClosed(e, "w2")
			b3.wantClosed(e, "w3")
		},
	},
	{
		Name:    "conn-body-invalid-request",
		Claim:   "A request that cannot be sent is an error, and its body is closed once.",
		Verdict: "each body is closed exactly once",
		Issues:  []string{"golang/go#35015"},
		Source:  "net/http: RoundTripper; ClientConn.RoundTrip",
		Body: func(e *Env) {
			c := e.conn(nil)
			for _, bad := range []struct {
				name  string
				spoil func(*http.Request)
			}{
				{"field-name", func(r *http.Request) { r.Header["a b"] = []string{"x"} }},
				{"method", func(r *http.Request) { r.Method = "G T" }},
				{"host", func(r *http.Request) { r.URL.Host = "" }},
			} {
				body := newBody(strings.NewReader("x"))
				req := upload(e.Context(), e.URL("/echo"), body)
				bad.spoil(req)
				e.wantFailed(e.Start(bad.name, c, req), "it cannot be sent")
				body.wantClosed(e, bad.name)
			}
		},
	},
}
