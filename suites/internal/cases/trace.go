package cases

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/halfopen/halfopen/harness"
)

// traceDoc is where package httptrace says what a hook learns.
const traceDoc = "net/http/httptrace: "

// traceCases are about what the hooks of package httptrace learn.
var traceCases = []Case{
	{
		Name:      "trace-got-conn",
		Claim:     "GotConn says whether a connection has served before, and whether and how long it was idle.",
		Verdict:   "what a hook learns is true",
		Source:    traceDoc + "GotConnInfo.Reused; GotConnInfo.WasIdle; GotConnInfo.IdleTime",
		Hooks:     true,
		Protocols: HTTP1,
		Settings:  oneConnPerHost,
		Body: func(e *Env) {
			e.Serve(nil)
			want := func(name string, reused, wasIdle bool, idle time.Duration) *harness.Request {
				r, told := e.traced(name, "GET", "/", nil)
				e.Cleanup(func() {
					if got := told.conn; got.Reused != reused || got.WasIdle != wasIdle || got.IdleTime != idle {
						e.Errorf("%s: got reused %v, was idle %v for %v, want %v, %v for %v",
							name, got.Reused, got.WasIdle, got.IdleTime, reused, wasIdle, idle)
					}
				})
				return r
			}
			r1 := want("r1", false, false, 0)
			r2 := want("r2", true, false, 0) // it waits for r1's
			r1.Finish()
			r2.Finish()
			e.Advance(7 * time.Second)
			want("r3", true, true, 7*time.Second).Finish()
			e.CloseIdle()
			want("r4", false, false, 0).Finish()
		},
	},
	{
		Name:      "trace-got-unused-conn",
		Claim:     "A connection that no request has used yet is not reused, though it was idle.",
		Verdict:   "what a hook learns is true",
		Source:    traceDoc + "GotConnInfo.Reused (whether this connection has been previously used for another HTTP request)",
		Hooks:     true,
		Protocols: HTTP1,
		Body: func(e *Env) {
			e.Serve(nil)
			e.Net.Hold("dial")
			r1 := e.Get("r1", "/")
			c1 := e.Net.WantDial().Open()
			r2 := e.Get("r2", "/")
			d2 := e.Net.WantDial()
			r1.Finish()
			r2.WantDone(c1, "it was first to be free")
			c2 := d2.Open()
			e.Net.Release("dial")
			e.Advance(5 * time.Second)
			r3, told := e.traced("r3", "GET", "/", nil)
			r3.WantDone(c2, "c1 is in use")
			if c := told.conn; c.Reused || !c.WasIdle || c.IdleTime != 5*time.Second {
				e.Errorf("r3: got reused %v, was idle %v for %v, want a connection that was not used before, idle for 5s", c.Reused, c.WasIdle, c.IdleTime)
			}
			r2.Finish()
			r3.Finish()
		},
	},
	{
		Name:      "trace-put-idle",
		Claim:     "PutIdleConn says that a connection went back, or why it did not, before the body's Close returns; and it is not called where connections are not kept at all.",
		Verdict:   "what a hook learns is true",
		Source:    traceDoc + "ClientTrace.PutIdleConn",
		Hooks:     true,
		Protocols: HTTP1,
		Settings:  harness.Settings{MaxIdleConnsPerHost: 1},
		Body: func(e *Env) {
			e.Serve(nil)
			for i, path := range []string{"/", "/status/204", "/close", "/answer/close-ignored"} {
				name := fmt.Sprintf("r%d", i+1)
				r, told := e.traced(name, "GET", path, nil)
				r.Finish()
				kept := slices.Contains(e.Net.IdleConns(), r.Conn())
				switch n := len(told.put); {
				case kept && (n != 1 || told.put[0] != nil):
					e.Errorf("%s: got PutIdleConn called with %v, want it called once, without an error: %s is idle", name, told.put, r.Conn())
				case !kept && n > 0 && told.put[0] == nil:
					e.Errorf("%s: got PutIdleConn called without an error, and %s is not idle", name, r.Conn())
				}
			}
			r1, told1 := e.traced("many1", "GET", "/", nil)
			r2, told2 := e.traced("many2", "GET", "/", nil)
			r1.Finish()
			r2.Finish()
			if !slices.Equal(told1.put, []error{nil}) {
				e.Errorf("many1: got PutIdleConn called with %v, want it called without an error", told1.put)
			}
			if len(told2.put) != 1 || told2.put[0] == nil {
				e.Errorf("many2: got PutIdleConn called with %v, want an error: there is room for one", told2.put)
			}
		},
	},
	{
		Name:     "trace-keep-alives-off",
		Claim:    "PutIdleConn is not called if DisableKeepAlives is set.",
		Verdict:  "what a hook learns is true",
		Source:   traceDoc + "ClientTrace.PutIdleConn (not called if connection reuse is disabled via Transport.DisableKeepAlives)",
		Hooks:    true,
		Settings: harness.Settings{DisableKeepAlives: true},
		Body: func(e *Env) {
			e.Serve(nil)
			for _, path := range []string{"/", "/status/204", "/bytes/9000"} {
				r, told := e.traced(path, "GET", path, nil)
				r.Finish()
				if len(told.put) > 0 {
					e.Errorf("%s: got PutIdleConn called with %v, want it not called", path, told.put)
				}
			}
		},
	},
	{
		Name:      "trace-order",
		Claim:     "The hooks of a request are called in the order of its life, each once: a connection is wanted, got, written to, heard of, and put back.",
		Verdict:   "what a hook learns is true",
		Source:    traceDoc + "ClientTrace (its hooks)",
		Hooks:     true,
		Protocols: HTTP1,
		Body: func(e *Env) {
			e.Serve(nil)
			for _, r := range []struct{ name, method, body string }{{"r1", "GET", ""}, {"r2", "POST", "ok"}, {"r3", "HEAD", ""}} {
				var body io.ReadCloser
				if r.body != "" {
					body = newBody(strings.NewReader(r.body))
				}
				req, told := e.traced(r.name, r.method, "/", body)
				req.Finish()
				const want = "GetConn api.test:80, GotConn, WroteHeaders, WroteRequest <nil>, GotFirstResponseByte, PutIdleConn"
				if got := strings.Join(told.called, ", "); got != want {
					e.Errorf("%s: got the hooks called in the order %s, want %s", r.name, got, want)
				}
			}
		},
	},
	{
		Name:      "trace-first-byte",
		Claim:     "GotFirstResponseByte is called when the first byte of the answer comes, and not before it, nor when its header is whole.",
		Verdict:   "what a hook learns is true",
		Source:    traceDoc + "ClientTrace.GotFirstResponseByte (when the first byte of the response headers is available)",
		Hooks:     true,
		Protocols: HTTP1,
		Body: func(e *Env) {
			e.Peer(e.Addr("api.test"))
			r, told := e.traced("r1", "GET", "/", nil)
			c := r.Conn()
			want := func(called bool, when string) {
				e.Settle()
				if got := slices.Contains(told.called, "GotFirstResponseByte"); got != called {
					e.Errorf("got GotFirstResponseByte called: %v, want %v: %s", got, called, when)
				}
			}
			want(false, "no byte has come")
			c.Send("H")
			want(true, "a byte has come")
			c.Send("TTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
			r.WantBody("ok")
		},
	},
	{
		Name:    "trace-body-fails",
		Claim:   "WroteRequest is called with the error of a body that fails.",
		Verdict: "what a hook learns is true",
		Source:  traceDoc + "ClientTrace.WroteRequest; WroteRequestInfo.Err",
		Hooks:   true,
		Body: func(e *Env) {
			e.Serve(nil)
			errOwn := errors.New("the caller's own")
			r, told := e.traced("r1", "POST", "/echo", newBody(io.MultiReader(strings.NewReader("begin"), failingReader{errOwn})))
			r.WantErr(errOwn)
			if len(told.wrote) != 1 || told.wrote[0] == nil || !strings.Contains(told.wrote[0].Error(), errOwn.Error()) {
				e.Errorf("got WroteRequest called with %v, want it called once with the body's error", told.wrote)
			}
		},
	},
	{
		Name:    "trace-no-conn",
		Claim:   "GotConn is not called for a request that gets no connection: its error says why.",
		Verdict: "what a hook learns is true",
		Source:  traceDoc + "ClientTrace.GotConn (there is no hook for failure to obtain a connection; use the error from RoundTrip)",
		Hooks:   true,
		Body: func(e *Env) {
			r, told := e.traced("r1", "GET", "/", nil) // no server is there
			e.wantFailed(r, "no server is there")
			if slices.Contains(told.called, "GotConn") {
				e.Errorf("r1: got GotConn called, and there is no connection")
			}
		},
	},
	{
		Name:    "trace-hints",
		Claim:   "Got1xxResponse is called with each informational response, in their order. Its error is the request's.",
		Verdict: "what a hook learns is true",
		Source:  traceDoc + "ClientTrace.Got1xxResponse",
		Hooks:   true,
		Body: func(e *Env) {
			e.Serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Link", "</a>")
				w.WriteHeader(http.StatusEarlyHints)
				w.WriteHeader(http.StatusProcessing)
				io.WriteString(w, "ok")
			}))
			r1, told := e.traced("r1", "GET", "/", nil)
			r1.WantBody("ok")
			if !slices.Equal(told.hints, []int{http.StatusEarlyHints, http.StatusProcessing}) {
				e.Errorf("r1: got Got1xxResponse called with %v, want 103 and 102", told.hints)
			}
			errOwn := errors.New("the caller's own")
			req, _ := http.NewRequest("GET", e.URL("/"), nil)
			trace := &httptrace.ClientTrace{Got1xxResponse: func(int, textproto.MIMEHeader) error { return errOwn }}
			r2 := e.Start("r2", e.Transport, req.WithContext(httptrace.WithClientTrace(req.Context(), trace)))
			if err := r2.Err(); err == nil || !strings.Contains(err.Error(), errOwn.Error()) {
				e.Errorf("r2: got %v, want the error of Got1xxResponse", err)
			}
			r3, _ := e.traced("r3", "GET", "/", nil)
			r3.WantBody("ok")
		},
	},
	{
		Name:      "trace-continue",
		Claim:     "Wait100Continue is called when a body waits for a 100, and Got100Continue when that has come.",
		Verdict:   "what a hook learns is true",
		Source:    traceDoc + "ClientTrace.Wait100Continue; ClientTrace.Got100Continue",
		Hooks:     true,
		Protocols: HTTP1,
		Settings:  harness.Settings{ExpectContinueTimeout: patience},
		Body: func(e *Env) {
			e.Peer(e.Addr("api.test"))
			trace, told := newTold()
			req := expecting(httptrace.WithClientTrace(e.Context(), trace), e.URL("/"), newBody(strings.NewReader("payload")))
			r1 := e.Start("r1", e.Transport, req)
			if last := told.called[len(told.called)-1]; last != "Wait100Continue" {
				e.Errorf("r1: got %s called last, want Wait100Continue: the body waits", last)
			}
			c1 := r1.Conn()
			c1.Send("HTTP/1.1 100 Continue\r\n\r\n")
			if !slices.Contains(told.called, "Got100Continue") || !slices.Contains(told.called, "WroteRequest <nil>") {
				e.Errorf("r1: got %v called, want Got100Continue and WroteRequest among them: the 100 has come", told.called)
			}
			c1.Respond(http.StatusOK, "ok")
			r1.WantBody("ok")
		},
	},
	{
		Name:      "trace-handshake",
		Claim:     "TLSHandshakeStart and TLSHandshakeDone are called around a handshake, the latter with its error if it failed.",
		Verdict:   "what a hook learns is true",
		Source:    traceDoc + "ClientTrace.TLSHandshakeStart; ClientTrace.TLSHandshakeDone",
		Hooks:     true,
		Protocols: overTLS,
		Secure:    true,
		Body: func(e *Env) {
			e.ServeTLSAs("api.test:443")
			e.ServeTLSAs("expired.test:443", "expired")
			for _, host := range []string{"api.test", "expired.test"} {
				trace, told := newTold()
				req, _ := http.NewRequestWithContext(httptrace.WithClientTrace(e.Context(), trace), "GET", "https://"+host+"/", nil)
				r := e.Start(host, e.Transport, req)
				hooks := slices.DeleteFunc(told.called, func(s string) bool { return !strings.HasPrefix(s, "TLS") })
				got := strings.Join(hooks, ", ")
				why, done := strings.CutPrefix(got, "TLSHandshakeStart, TLSHandshakeDone ")
				switch err := r.Err(); {
				case r.Response() != nil:
					if r.Finish(); why != "<nil>" {
						e.Errorf("%s: got %s, want TLSHandshakeStart, TLSHandshakeDone <nil>", host, got)
					}
				case !done || err == nil || !strings.Contains(err.Error(), why): // which may say more
					e.Errorf("%s: got %s, want TLSHandshakeStart, TLSHandshakeDone %v", host, got, err)
				}
			}
		},
	},
	{
		Name:      "trace-handshake-timeout",
		Claim:     "TLSHandshakeDone is called when the handshake is over, and not before all of it has returned, although TLSHandshakeTimeout has passed.",
		Verdict:   "what a hook learns is true",
		Source:    traceDoc + "ClientTrace.TLSHandshakeDone (called after the TLS handshake with either the successful handshake's connection state, or a non-nil error)",
		Protocols: overTLS,
		Secure:    true,
		Settings:  harness.Settings{TLSHandshakeTimeout: 10 * time.Second},
		Body: func(e *Env) {
			e.ServeTLSAs("api.test:443")
			trace, told := newTold()
			start := trace.TLSHandshakeStart
			trace.TLSHandshakeStart = func() {
				time.Sleep(time.Minute) // virtual
				start()
			}
			req, _ := http.NewRequestWithContext(httptrace.WithClientTrace(e.Context(), trace), "GET", "https://api.test/", nil)
			r := e.Start("r1", e.Transport, req)
			e.Advance(time.Hour) // a transport may try again
			if r.Err() == nil {
				r.Finish() // its time begins with the handshake's first byte, for example
			}
			hooks := slices.DeleteFunc(told.called, func(s string) bool { return !strings.HasPrefix(s, "TLS") })
			for i, hook := range hooks {
				if want := []string{"TLSHandshakeStart", "TLSHandshakeDone"}[i%2]; !strings.HasPrefix(hook, want) {
					e.Errorf("got the hooks called in the order %q, want TLSHandshakeStart and TLSHandshakeDone in turn: each handshake ends with its Done", hooks)
					break
				}
			}
			if len(hooks) == 0 {
				e.Error("got neither TLSHandshakeStart nor TLSHandshakeDone called, and there was a handshake")
			}
		},
	},
}

// CallsHooks reports whether the transport calls hooks for a page. One that gets no page may
// call them, for all that is known.
func CallsHooks(e *Env) bool {
	e.Serve(nil)
	r, told := e.traced("r1", "GET", "/", nil)
	if r.Response() == nil {
		return true
	}
	r.Finish()
	return len(told.called) > 0
}

// hooksHeard keeps what the hooks of a request learn.
type hooksHeard struct {
	mu     sync.Mutex
	called []string
	conn   httptrace.GotConnInfo
	put    []error
	wrote  []error
	hints  []int
}

func (t *hooksHeard) call(what string, do func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.called = append(t.called, what)
	do()
}

// newTold returns hooks that remember what they learn.
func newTold() (*httptrace.ClientTrace, *hooksHeard) {
	t := new(hooksHeard)
	just := func(what string) func() { return func() { t.call(what, func() {}) } }
	return &httptrace.ClientTrace{
		GetConn:              func(addr string) { t.call("GetConn "+addr, func() {}) },
		GotConn:              func(info httptrace.GotConnInfo) { t.call("GotConn", func() { t.conn = info }) },
		PutIdleConn:          func(err error) { t.call("PutIdleConn", func() { t.put = append(t.put, err) }) },
		GotFirstResponseByte: just("GotFirstResponseByte"),
		Got100Continue:       just("Got100Continue"),
		Wait100Continue:      just("Wait100Continue"),
		WroteHeaders:         just("WroteHeaders"),
		TLSHandshakeStart:    just("TLSHandshakeStart"),
		TLSHandshakeDone:     func(_ tls.ConnectionState, err error) { t.call(fmt.Sprint("TLSHandshakeDone ", err), func() {}) },
		Got1xxResponse: func(code int, _ textproto.MIMEHeader) error {
			t.call(fmt.Sprint("Got1xxResponse ", code), func() { t.hints = append(t.hints, code) })
			return nil
		},
		WroteRequest: func(info httptrace.WroteRequestInfo) {
			t.call(fmt.Sprint("WroteRequest ", info.Err), func() { t.wrote = append(t.wrote, info.Err) })
		},
	}, t
}

// traced starts a request to a page of api.test whose hooks remember what they learn. A
// body that is not nil has an unknown length.
func (e *Env) traced(name, method, path string, body io.ReadCloser) (*harness.Request, *hooksHeard) {
	trace, told := newTold()
	req, err := http.NewRequestWithContext(httptrace.WithClientTrace(e.Context(), trace), method, e.URL(path), nil)
	if err != nil {
		e.Fatal(err)
	}
	if body != nil {
		req.Body, req.ContentLength = body, -1
	}
	return e.Start(name, e.Transport, req), told
}
