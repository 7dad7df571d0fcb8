package harness_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/halfopen/halfopen/harness"
)

// transports is programs whose transports, and the bodies that these return, misbehave.
var transports = []program{
	{does: "a round trip panics", run: over(func(*http.Request) (*http.Response, error) { panic("mine") }), want: "r1: panic: mine"},
	{does: "a round trip ends its goroutine", run: over(func(*http.Request) (*http.Response, error) { runtime.Goexit(); return nil, nil }), want: "r1 called runtime.Goexit"},
	{does: "a round trip returns nothing", run: over(func(*http.Request) (*http.Response, error) { return nil, nil }), want: "r1: RoundTrip returned neither a response nor an error"},
	{does: "a round trip returns both", run: over(func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 200, Body: http.NoBody}, io.EOF
	}), want: "r1: RoundTrip returned a response and an error: EOF"},
	{does: "a response is empty", run: once(func(t *harness.T) {
		t.Get("r1", roundTripper(func(*http.Request) (*http.Response, error) { return new(http.Response), nil }), apiURL).Finish()
	}), want: "program: held\n"},
	{does: "a round trip waits for nothing", run: over(func(*http.Request) (*http.Response, error) { select {} }), want: "stuck: nothing moved"},
	{does: "a round trip computes without end", run: over(func(*http.Request) (*http.Response, error) {
		for spinning.Load() {
		}
		return nil, nil
	}), want: "endless: a goroutine runs on and on"},
	{does: "a transport is nil", run: once(func(t *harness.T) { t.Get("r1", nil, apiURL).Await() }), want: "r1: the transport is nil"},
	{does: "a transport is a nil pointer", run: once(func(t *harness.T) { t.Get("r1", (*http.Transport)(nil), apiURL).Await() }), want: "r1: panic: "},
	{does: "a transport cannot be compared", run: once(func(t *harness.T) {
		t.Serve("api.test:80", nil)
		tr := t.Net.Transport()
		t.Get("r1", incomparable{tr, nil}, apiURL).Finish()
		t.Get("r2", incomparable{tr, nil}, apiURL).Finish()
		tr.CloseIdleConnections()
	}), want: "program: held\n"},
	{does: "a response body panics as it is read", run: answered(panicking{read: true}), want: "r1: reading its response body: panic: read\n    harness_test.panicking.Read"},
	{does: "a response body panics as it is closed", run: once(func(t *harness.T) {
		t.Get("r1", answering(panicking{close: true}), apiURL).CloseBody()
	}), want: "r1: closing its response body: panic: close\n    harness_test.panicking.Close"},
	{does: "a response body ends its goroutine", run: answered(panicking{goexit: true}), want: "r1: got a call of the body did not return while reading the body, want its end"},
	{does: "a response body gives nothing, without end", run: answered(idleBody{}), want: "r1: got multiple Read calls return no data or error while reading the body"},
	{does: "a response body says that it read more than it could", run: answered(boastful{}), want: "r1: reading its response body: panic: runtime error: slice bounds out of range"},
	{does: "a response body never ends", run: answered(endlessBody{}), want: "r1: got more than 1048576 bytes, with no end, while reading the body"},
	{does: "a response body waits for nothing", run: answered(waitingBody{}), want: "r1: got its body still open after 0 bytes"},
	{does: "a response body waits outside", run: answered(outsideBody{}), want: "outside: a goroutine waits for a channel"},
	{does: "two responses have one body", run: once(func(t *harness.T) {
		rt := answering(io.NopCloser(strings.NewReader("x")))
		t.Get("r1", rt, apiURL).Finish()
		t.Get("r2", rt, apiURL).WantBody("x")
	}), want: `r2: got body ""`},
	{does: "CloseIdleConnections panics", run: once(func(t *harness.T) { t.Get("r1", closingIdle{func() { panic("mine") }}, apiURL) }), want: "panic: mine"},
	{does: "CloseIdleConnections ends its goroutine", run: once(func(t *harness.T) { t.Get("r1", closingIdle{runtime.Goexit}, apiURL) }), want: "runtime.Goexit"},
	{does: "CloseIdleConnections waits for nothing", run: once(func(t *harness.T) { t.Get("r1", closingIdle{func() { select {} }}, apiURL) }), want: "stuck: nothing moved"},
	{does: "a trace hook panics", run: once(func(t *harness.T) {
		t.Serve("api.test:80", nil)
		t.Start("r1", t.Net.Transport(), traced(&httptrace.ClientTrace{WroteHeaders: func() { panic("mine") }})).Finish()
	}), want: "r1: its trace hook WroteHeaders: panic: mine"},
	{does: "a trace hook ends its goroutine", run: once(func(t *harness.T) {
		t.Serve("api.test:80", nil)
		t.Start("r1", t.Net.Transport(), traced(&httptrace.ClientTrace{WroteHeaders: runtime.Goexit})).Await()
	}), want: "r1: its trace hook WroteHeaders called runtime.Goexit"},
	{does: "a Proxy function panics", run: once(func(t *harness.T) {
		tr := t.Net.Transport()
		tr.Proxy = func(*http.Request) (*url.URL, error) { panic("mine") }
		t.Get("r1", tr, apiURL).Await()
	}), want: "r1: panic: mine"},
	{does: "a dialer returns nothing", run: dialing(func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("none today") }), want: "none today"},
	{does: "a dialer waits for nothing", run: dialing(func(context.Context, string, string) (net.Conn, error) { select {} }), want: "stuck: nothing moved"},
	{does: "a dialer returns a connection that gives nothing", run: dialing(func(context.Context, string, string) (net.Conn, error) { return idleConn{}, nil }), want: "multiple Read calls return no data or error, want status 200"},
	{does: "a dialer returns a pipe to itself", run: dialing(func(context.Context, string, string) (net.Conn, error) {
		a, b := net.Pipe()
		go io.Copy(b, b)
		return a, nil
	}), want: "r1: "},
	{does: "a connection is dialed and left", run: once(func(t *harness.T) {
		t.Peer("api.test:80")
		t.Net.DialContext(t.Context(), "tcp", "api.test:80")
	}), want: "c1 to api.test:80: still open"},
	{does: "a connection is read by two goroutines and closed by a third", run: once(func(t *harness.T) {
		t.Peer("api.test:80")
		c, _ := t.Net.DialContext(t.Context(), "tcp", "api.test:80")
		for range 2 {
			go io.Copy(io.Discard, c)
		}
		t.Settle()
		go c.Close()
	}), want: "program: held\n"},
	{does: "a client is redirected without end", run: once(func(t *harness.T) {
		t.Serve("api.test:80", http.RedirectHandler("/", http.StatusFound))
		client := t.Client(t.Net.Transport())
		client.CheckRedirect = func(*http.Request, []*http.Request) error { return nil }
		if resp, err := client.Get(apiURL); err == nil {
			resp.Body.Close()
		}
	}), want: "endless: "},
	{does: "a client tries again without a wait", run: once(func(t *harness.T) {
		tr := t.Net.Transport()
		t.Get("r1", roundTripper(func(req *http.Request) (*http.Response, error) {
			for spinning.Load() {
				if resp, err := tr.RoundTrip(req); err == nil {
					return resp, nil
				}
			}
			return nil, errors.ErrUnsupported
		}), apiURL).Await()
	}), want: "endless: "},
	{does: "four hundred clients go at once", run: once(func(t *harness.T) {
		t.Serve("api.test:80", nil)
		client := t.Client(t.Net.Transport())
		failed := make(chan error)
		for range 400 {
			go func() {
				resp, err := client.Get(apiURL)
				if err == nil {
					_, err = io.Copy(io.Discard, resp.Body)
					resp.Body.Close()
				}
				failed <- err
			}()
		}
		for range 400 {
			if err := <-failed; err != nil {
				t.Error(err)
			}
		}
	}), want: "program: held\n"},
	{does: "four hundred bodies are never closed", run: once(func(t *harness.T) {
		t.Serve("api.test:80", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "x") }))
		client := t.Client(t.Net.Transport())
		for range 400 {
			client.Get(apiURL)
		}
	}), want: " more failures"},
	{does: "a retry loop waits a nanosecond", run: once(func(t *harness.T) {
		tr := t.Net.Transport()
		t.Get("r1", roundTripper(func(req *http.Request) (*http.Response, error) {
			for spinning.Load() {
				if resp, err := tr.RoundTrip(req); err == nil {
					return resp, nil
				}
				time.Sleep(time.Nanosecond) // virtual
			}
			return nil, errors.ErrUnsupported
		}), apiURL).Await()
	}), want: "endless: "},
}

// incomparable is a transport of a type that cannot be compared.
type incomparable struct {
	rt   http.RoundTripper
	tags []string
}

func (x incomparable) RoundTrip(req *http.Request) (*http.Response, error) {
	return x.rt.RoundTrip(req)
}

// closingIdle is a transport that calls f to close its idle connections.
type closingIdle struct{ f func() }

func (closingIdle) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, errors.ErrUnsupported
}
func (c closingIdle) CloseIdleConnections() { c.f() }

// dialing returns a test with a request over net/http, which dials so.
func dialing(dial func(context.Context, string, string) (net.Conn, error)) func(*testing.T) string {
	return once(func(t *harness.T) {
		tr := &http.Transport{DialContext: dial}
		defer tr.CloseIdleConnections()
		r := t.Get("r1", tr, apiURL)
		r.Await()
		r.WantStatus(200)
	})
}

// idleConn is a connection that gives nothing, at once.
type idleConn struct{}

func (idleConn) Read([]byte) (int, error)         { return 0, nil }
func (idleConn) Write(p []byte) (int, error)      { return len(p), nil }
func (idleConn) Close() error                     { return nil }
func (idleConn) LocalAddr() net.Addr              { return nil }
func (idleConn) RemoteAddr() net.Addr             { return nil }
func (idleConn) SetDeadline(time.Time) error      { return nil }
func (idleConn) SetReadDeadline(time.Time) error  { return nil }
func (idleConn) SetWriteDeadline(time.Time) error { return nil }
