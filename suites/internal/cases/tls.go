package cases

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"time"

	"github.com/halfopen/halfopen/faultnet"
	"github.com/halfopen/halfopen/harness"
)

// overTLS is the protocols of a transport that can be given an https URL.
const overTLS = HTTP1 | H2

var tlsCases = []Case{
	{
		Name:      "tls-refused",
		Claim:     "A server whose certificate or whose version of TLS is not acceptable gets no request, and no connection is kept.",
		Verdict:   "it is an error, and nothing is left behind",
		Source:    "RFC 9110 section 4.3.4; RFC 8446 section 4.4.2.4",
		Protocols: overTLS,
		Secure:    true,
		Body: func(e *Env) {
			for _, mode := range []string{"expired", "unknown", "wrong-host", "old"} {
				e.ServeTLSAs(mode+".test:443", mode)
				r := e.T.Get(mode, e.Transport, "https://"+mode+".test/")
				if r.Err() == nil {
					e.Errorf("a server in the mode %s: got no error", mode)
				}
				r.WantSent(0, "the server is not known")
				e.WantConns(0, "it is of no use")
			}
		},
	},
	{
		Name:      "tls-breaks",
		Claim:     "A handshake may break at each of its flights: the request fails or is answered, the next one too, and nothing is left.",
		Verdict:   "nothing is left behind",
		Source:    "RFC 8446 section 6.2",
		Protocols: overTLS,
		Secure:    true,
		Bounds:    harness.Bounds{Delays: harness.None, Schedules: 160, Strategy: "exhaustive", Effects: []string{"refuse", "reset", "cut", "corrupt:all"}},
		Body: func(e *Env) {
			e.ServeTLSAs("api.test:443")
			e.T.Get("r1", e.Transport, "https://api.test/").Await()
			e.T.Get("r2", e.Transport, "https://api.test/").Await()
		},
	},
	{
		Name:      "tls-timeout",
		Claim:     "A handshake that stops at any of its flights fails the request with a timeout after TLSHandshakeTimeout, and the connection is closed.",
		Verdict:   "the error is a timeout, and nothing is left behind",
		Source:    "net/http: Transport.TLSHandshakeTimeout",
		Protocols: overTLS,
		Secure:    true,
		Settings:  harness.Settings{TLSHandshakeTimeout: 10 * time.Second},
		Body: func(e *Env) {
			e.ServeTLSAs("api.test:443", "tls1.2") // whose handshake has a second flight of the server
			for i, flight := range []string{"client->server data as stall", "server->client data as stall",
				"client->server data as stall nth 2", "server->client data as stall nth 2"} {
				pattern, _, _ := strings.Cut(flight, " as ")
				fault := e.Net.Fault("* "+pattern, faultnet.Stall(0), faultnet.Nth(1+i/2))
				r := e.T.Get(flight, e.Transport, "https://api.test/")
				e.Advance(10*time.Second - 1)
				r.WantPending("there is time left")
				e.Advance(1)
				var timeout net.Error
				if err := r.Err(); !errors.As(err, &timeout) || !timeout.Timeout() {
					e.Errorf("%s: got %v after TLSHandshakeTimeout, want a timeout", flight, err)
				}
				e.WantConns(0, "its handshake will not end")
				fault.Lift()
			}
			e.T.Get("r", e.Transport, "https://api.test/").WantBody("ok")
		},
	},
	{
		Name:      "tls-cancelled",
		Claim:     "A request that is cancelled during the handshake ends at once, and its connection serves another one or is closed.",
		Verdict:   "cancelled requests end at once",
		Issues:    []string{"golang/go#59017"},
		Source:    "net/http: Request.Context",
		Protocols: overTLS,
		Secure:    true,
		Bounds:    harness.Bounds{Faults: harness.None, Schedules: 80},
		Body: func(e *Env) {
			e.ServeTLSAs("api.test:443")
			r1 := e.T.Get("r1", e.Transport, "https://api.test/").MayCancel()
			r2 := e.T.Get("r2", e.Transport, "https://api.test/")
			e.Rest()
			e.wantErrIn(r1, context.Canceled)
			e.WantAnswered(r2)
			e.WantMostOpen(2, "each dialed once")
		},
	},
	{
		Name:      "tls-alpn-changes",
		Claim:     "Each connection speaks what ALPN chose for it, whatever another one to the same host speaks.",
		Verdict:   "each request is answered",
		Issues:    []string{"golang/go#32441"},
		Source:    "RFC 7301 section 3.2",
		Protocols: overTLS,
		Secure:    true,
		Bounds:    harness.Bounds{Faults: harness.None, Delays: 1, Schedules: 60},
		Body: func(e *Env) {
			e.ServeTLSAs("api.test:443", "flip")
			r1 := e.T.Get("r1", e.Transport, "https://api.test/")
			r2 := e.T.Post("r2", e.Transport, "https://api.test/echo", "whole")
			e.WantAnswered(r1, r2)
			e.CloseIdle()
			r3 := e.T.Post("r3", e.Transport, "https://api.test/echo", "whole")
			e.WantAnswered(r3)
			e.CloseIdle()
			r4 := e.T.Post("r4", e.Transport, "https://api.test/echo", "whole")
			e.WantAnswered(r4)
			r2.WantBody("whole")
			r3.WantBody("whole")
			r4.WantBody("whole")
		},
	},
	{
		Name:      "tls-incomplete-close",
		Claim:     "A server that closes without close_notify has sent what its framing says is whole, and nothing else.",
		Verdict:   "a body that ends without an error is whole",
		Source:    "RFC 9112 section 9.8",
		Protocols: HTTP1,
		Secure:    true,
		Body: func(e *Env) {
			e.ServeTLSAs("api.test:443", "h1", "no-close-notify")
			e.T.Get("r1", e.Transport, "https://api.test/answer/close").WantBody("ok")
			for _, short := range []string{"length-too-long", "no-last-chunk"} {
				r := e.T.Get(short, e.Transport, "https://api.test/answer/"+short)
				r.WantBrokenBody(io.ErrUnexpectedEOF, "it may have been cut off")
			}
			e.WantConns(0, "none can be used again")
		},
	},
	{
		Name:      "tls-dialtls-any-conn",
		Claim:     "What DialTLSContext returns need not be a *tls.Conn: if it has the method ConnectionState, it speaks what that says was negotiated.",
		Verdict:   "each request is answered",
		Issues:    []string{"golang/go#74674"},
		Source:    "net/http: Transport.DialTLSContext (the returned net.Conn should be a *tls.Conn or implement the same ConnectionState method), since Go 1.27",
		Protocols: H2,
		Secure:    true,
		Body: func(e *Env) {
			if _, std := e.Transport.(*http.Transport); std && strings.Contains(runtime.Version(), "go1.26") {
				e.NotApplicable("net/http promises it since Go 1.27")
			}
			if !e.setField("DialTLSContext", e.dialTLS) {
				e.NotApplicable("the transport has no DialTLSContext")
			}
			e.ServeTLSAs("api.test:443", "h2")
			e.ServeTLSAs("old.test:443", "h1")
			r1, r2 := e.Get("r1", "/"), e.Post("r2", "/echo", "ok")
			r3 := e.T.Get("r3", e.Transport, "https://old.test/")
			for _, r := range []*harness.Request{r1, r2, r3} {
				r.WantStatus(http.StatusOK)
				want := 2
				if r == r3 {
					want = 1
				}
				if resp := r.Response(); resp.ProtoMajor != want || resp.TLS == nil {
					e.Errorf("%s: got an answer in %s, its state of TLS %v, want HTTP/%d over TLS", r.Name(), resp.Proto, resp.TLS != nil, want)
				}
				r.WantBody("ok")
			}
			e.CloseIdle()
			e.WantConns(0, "all are idle")
		},
	},
	{
		Name:      "tls-close-notify",
		Claim:     "An idle connection that the server has said goodbye on takes no more requests, not even a POST.",
		Verdict:   "broken connections are not handed out",
		Issues:    []string{"golang/go#15461", "golang/go#19943"},
		Source:    "RFC 8446 section 6.1",
		Protocols: overTLS,
		Secure:    true,
		Body: func(e *Env) {
			e.ServeTLSAs("api.test:443", "h1")
			e.Net.KeepAlive("api.test:443", time.Minute)
			r1 := e.T.Get("r1", e.Transport, "https://api.test/")
			r1.WantBody("ok")
			e.Advance(time.Minute)
			r1.Conn().WantClosed("it will carry nothing more")
			r2 := e.T.Post("r2", e.Transport, "https://api.test/echo", "whole")
			r2.WantBody("whole")
		},
	},
}

// dialedTLS is a connection over TLS that is no *tls.Conn: as a library makes it that
// does TLS in a way of its own.
type dialedTLS struct {
	net.Conn
	tls *tls.Conn
}

// ConnectionState returns that of the *tls.Conn.
func (c *dialedTLS) ConnectionState() tls.ConnectionState { return c.tls.ConnectionState() }

// dialTLS dials and does a handshake that offers both protocols.
func (e *Env) dialTLS(ctx context.Context, network, addr string) (net.Conn, error) {
	c, err := e.Net.DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	host, _, _ := net.SplitHostPort(addr)
	tc := tls.Client(c, &tls.Config{RootCAs: harness.TrustedRoots(), ServerName: host, NextProtos: []string{"h2", "http/1.1"}})
	if err := tc.HandshakeContext(ctx); err != nil {
		c.Close()
		return nil, err
	}
	return &dialedTLS{tc, tc}, nil
}
