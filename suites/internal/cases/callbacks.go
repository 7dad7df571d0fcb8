package cases

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"strings"

	"github.com/halfopen/halfopen/harness"
)

// callbackCases are about what happens while a callback of the caller's runs, or in it.
var callbackCases = []Case{
	{
		Name:    "cancel-at-callbacks",
		Claim:   "A request may be cancelled while any of its hooks runs: it ends with the cancellation or was answered, and the others are answered.",
		Verdict: "cancelled requests end at once; " + leftBehind,
		Issues:  []string{"golang/go#10511", "golang/go#29889"},
		Source:  "net/http: Request.Context; net/http/httptrace: ClientTrace",
		Bounds:  harness.Bounds{Faults: harness.None, Schedules: 200},
		Body: func(e *Env) {
			gates := []string{"GotConn"}
			if e.Protocol == HTTP1 { // over HTTP/2 the others may hold up a connection that others share
				gates = append(gates, "GetConn", "GotFirstResponseByte", "WroteRequest")
			}
			e.Gates(gates...)
			e.Serve(nil)
			r1 := e.Get("r1", "/bytes/100").MayCancel()
			r2 := e.Post("r2", "/echo", "two").MayCancel()
			e.Rest()
			e.wantErrIn(r1, context.Canceled)
			e.wantErrIn(r2, context.Canceled)
			e.WantAnswered(e.Get("r3", "/"))
		},
	},
	{
		Name:     "cancel-in-callback",
		Claim:    "A request may be cancelled by its own hooks, at the limit too: it ends, its place is free, and the next is answered.",
		Verdict:  noneStuck + "; limits never exceeded",
		Issues:   []string{"golang/go#65705", "golang/go#10511"},
		Source:   "net/http: Request.Context; " + maxConnsPerHost,
		Hooks:    true,
		Settings: oneConnPerHost,
		Body: func(e *Env) {
			e.Serve(nil)
			for i := range 12 {
				for _, hook := range []string{"GetConn", "GotConn", "WroteHeaders", "WroteRequest", "GotFirstResponseByte"} {
					ctx, cancel := context.WithCancel(e.Context())
					name := fmt.Sprintf("%s%d", hook, i+1)
					trace := new(httptrace.ClientTrace)
					switch hook {
					case "GetConn":
						trace.GetConn = func(string) { cancel() }
					case "GotConn":
						trace.GotConn = func(httptrace.GotConnInfo) { cancel() }
					case "WroteHeaders":
						trace.WroteHeaders = cancel
					case "WroteRequest":
						trace.WroteRequest = func(httptrace.WroteRequestInfo) { cancel() }
					default:
						trace.GotFirstResponseByte = cancel
					}
					req, _ := http.NewRequestWithContext(httptrace.WithClientTrace(ctx, trace), "GET", e.URL("/bytes/10"), nil)
					r := e.Start(name, e.Transport, req)
					r.Await()
					if r.Response() != nil {
						r.CloseBody()
					} else {
						e.wantErrIn(r, context.Canceled)
					}
					cancel()
				}
				e.wantOK(fmt.Sprintf("r%d", i+1))
				if i%2 == 0 {
					e.CloseIdle() // the next one dials
				}
			}
		},
	},
	{
		Name:      "cancel-bodyless",
		Claim:     "A request may be cancelled while the connection is put back on which its answer, which has no body, has come: it ends once, nothing stays, and the next is answered.",
		Verdict:   noneStuck + "; " + leftBehind,
		Issues:    []string{"golang/go#10511", "golang/go#29889"},
		Source:    "net/http: Request.Context; net/http/httptrace: ClientTrace.PutIdleConn",
		Protocols: HTTP1,
		Settings:  oneConnPerHost,
		Body: func(e *Env) {
			e.Gates("PutIdleConn")
			e.Serve(nil)
			for i, ask := range []struct{ method, path string }{{"HEAD", "/bytes/10"}, {"GET", "/status/204"}, {"GET", "/bytes/0"}, {"POST", "/status/304"}} {
				name := fmt.Sprintf("r%d", i+1)
				release := e.Net.Raw().Hold("gate " + name + " PutIdleConn") // if the transport keeps its connection at all
				r := e.Do(name, ask.method, ask.path, "")
				r.Cancel()
				release()
				e.Settle()
				if r.Response() != nil {
					r.CloseBody()
				}
				e.wantErrIn(r, context.Canceled)
				e.wantOK("after-" + name)
			}
		},
	},
	{
		Name:    "cancel-beside-failure",
		Claim:   "A dial that fails as its request is cancelled, by the dialer even, fails with the cancellation: that came first.",
		Verdict: "the error is the context's",
		Issues:  []string{"golang/go#16049", "golang/go#19231"},
		Source:  "net/http: Request.Context; Transport.DialContext",
		Body: func(e *Env) {
			var cancel context.CancelFunc
			dial := func(context.Context, string, string) (net.Conn, error) {
				cancel()
				return nil, errors.New("the dialer's own")
			}
			if !e.setField("DialContext", dial) {
				e.NotApplicable("the transport has no DialContext")
			}
			for i := range 20 {
				ctx, stop := context.WithCancel(e.Context())
				cancel = stop
				req, _ := http.NewRequestWithContext(ctx, "GET", e.URL("/"), nil)
				r := e.Start(fmt.Sprintf("r%d", i+1), e.Transport, req)
				r.WantErr(context.Canceled)
				stop()
			}
		},
	},
	{
		Name:      "retry-at-callback",
		Claim:     "A GET whose connection ends between being chosen and being used is sent on another one. Another request may fail then, and its body is closed.",
		Verdict:   "what was not sent is sent; each body is closed exactly once",
		Issues:    []string{"golang/go#49621", "golang/go#30938"},
		Source:    retryDoc + "; RoundTripper (must always close the body, including on errors)",
		Hooks:     true,
		Protocols: HTTP1,
		Body: func(e *Env) {
			e.Gates("GotConn")
			for i, kind := range []string{"GET", "GET with a body", "POST that can be had again", "POST with a stream"} {
				host := fmt.Sprintf("h%d.test", i+1)
				name := fmt.Sprintf("r%d", i+1)
				c1, url := e.usedConn(host)
				body := newBody(strings.NewReader("whole"))
				req := upload(e.Context(), url, body)
				req.Method, _, _ = strings.Cut(kind, " ")
				req.ContentLength = 5
				copies := []*countedBody{body}
				switch kind {
				case "GET":
					req.Body, req.ContentLength, copies = nil, 0, nil
				case "POST with a stream":
				default:
					req.GetBody = func() (io.ReadCloser, error) {
						copies = append(copies, newBody(strings.NewReader("whole")))
						return copies[len(copies)-1], nil
					}
				}
				gate := "gate " + name + " GotConn"
				e.Net.Hold(gate)
				r := e.Start(name, e.Transport, req)
				c1.Fin()
				e.Net.Release(gate)
				c2 := r.Conn()
				switch {
				case c2 != nil && c2 != c1:
					if got := arrived(c2); kind != "GET" && !strings.Contains(got, "whole") {
						e.Errorf("%s: got %q sent on another connection, want the whole request", kind, got)
					}
					c2.Respond(http.StatusNoContent, "")
					r.WantStatus(http.StatusNoContent)
				case req.Method == "GET":
					e.Errorf("%s: got it not sent on another connection (%v)", kind, r.Err())
				default:
					e.wantFailed(r, "its connection has ended")
				}
				for j, b := range copies {
					b.wantClosed(e, fmt.Sprintf("%s, copy %d", kind, j+1))
				}
			}
		},
	},
	{
		Name:      "idle-end-with-data",
		Claim:     "A connection whose end comes in one Read with the last of a response takes no other request.",
		Verdict:   "a broken connection is not handed out",
		Source:    "io: Reader (may return the (non-nil) error from the same call); RFC 9112 section 9.5",
		Protocols: HTTP1,
		Body: func(e *Env) {
			dial := func(ctx context.Context, network, addr string) (net.Conn, error) {
				c, err := e.Net.DialContext(ctx, network, addr)
				if err != nil {
					return nil, err
				}
				return &endsWithData{Conn: c}, nil
			}
			if !e.setField("DialContext", dial) {
				e.NotApplicable("the transport has no DialContext")
			}
			e.Gates("PutIdleConn")
			e.Peer(e.Addr("api.test"))
			r1 := e.Get("r1", "/")
			c1 := r1.Conn()
			release := e.Net.Raw().Hold("gate r1 PutIdleConn") // if the transport keeps c1 at all
			arrived(c1)
			c1.Send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-Last: 1\r\n\r\n")
			r2 := e.Post("r2", "/", "x")
			if r2.Conn() == c1 {
				e.Errorf("r2: got %s, whose end the transport has read", c1)
			}
			release()
			e.Settle()
			r1.Finish()
			if c := r2.Conn(); c != nil && c != c1 {
				c.Respond(http.StatusOK, "ok")
				r2.WantBody("ok")
			}
		},
	},
}

// endsWithData is a connection whose end comes with the last of what it carries: its Read
// says so as soon as it has read the last field of a header, X-Last.
type endsWithData struct {
	net.Conn
	ended bool
}

// Read reads.
func (c *endsWithData) Read(p []byte) (int, error) {
	if c.ended {
		return 0, io.EOF
	}
	n, err := c.Conn.Read(p)
	if c.ended = strings.Contains(string(p[:n]), "X-Last"); c.ended {
		err = io.EOF
	}
	return n, err
}
