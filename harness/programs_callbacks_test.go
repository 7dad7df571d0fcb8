package harness_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/halfopen/halfopen/faultnet"
	"github.com/halfopen/halfopen/harness"
)

// callbacks is programs whose handlers, and whose requests' bodies, misbehave: code that
// runs in goroutines of net/http's.
var callbacks = []program{
	{does: "a request body panics as it is read", run: posting(panicking{read: true}), want: "r1: reading its request body: panic: read"},
	{does: "a request body panics as it is closed", run: posting(panicking{close: true}), want: "r1: closing its request body: panic: close"},
	{does: "a request body ends its goroutine", run: posting(panicking{goexit: true}), want: "r1: reading its request body called runtime.Goexit"},
	{does: "a request body gives nothing, without end", run: posting(idleBody{}), want: "r1: its request body gives neither bytes nor an end, 100 times in a row"},
	{does: "a request body says that it read more than it could", run: posting(boastful{}), want: "r1: its request body says that it read "},
	{does: "a request body never ends", run: posting(endlessBody{}), want: "endless: "},
	{does: "a request body waits for nothing", run: posting(waitingBody{}), want: "stuck: nothing moved"},
	{does: "a request body waits outside", run: posting(outsideBody{}), want: "outside: a goroutine waits for a channel"},
	{does: "a request body is shorter than it says", run: once(func(t *harness.T) {
		t.Serve("api.test:80", nil)
		req := sending(io.NopCloser(strings.NewReader("x")))
		req.ContentLength = 10
		t.Start("r1", t.Net.Transport(), req).WantStatus(200)
	}), want: "ContentLength=10 with Body length 1"},
	{does: "a handler panics", run: getting(func(http.ResponseWriter, *http.Request) { panic("mine") }), want: "a handler: panic: mine\n    harness_test."},
	{does: "a handler panics with nil", run: getting(func(http.ResponseWriter, *http.Request) { panic(any(nil)) }), want: "panic called with nil argument"},
	{does: "a handler aborts its response", run: once(func(t *harness.T) {
		t.Serve("api.test:80", http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
		t.Get("r1", t.Net.Transport(), apiURL).WantErr(io.EOF)
	}), want: "program: held\n"},
	{does: "a handler ends its goroutine", run: getting(func(http.ResponseWriter, *http.Request) { runtime.Goexit() }), want: "a handler called runtime.Goexit"},
	{does: "a handler waits for nothing", run: getting(func(http.ResponseWriter, *http.Request) { select {} }), want: "r1: got pending, want a response"},
	{does: "a handler computes without end", run: getting(func(http.ResponseWriter, *http.Request) {
		for spinning.Load() {
		}
	}), want: "endless: a goroutine runs on and on"},
	{does: "a handler sleeps for two days", run: getting(func(http.ResponseWriter, *http.Request) {
		time.Sleep(48 * time.Hour) // virtual
	}), want: "r1: got pending, want a response"},
	{does: "a handler answers without end", run: getting(func(w http.ResponseWriter, _ *http.Request) {
		for spinning.Load() {
			if _, err := w.Write(make([]byte, 1<<16)); err != nil {
				return
			}
		}
	}), want: "r1: "},
	{does: "a handler sends a status of zero", run: getting(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(0) }), want: "a handler: panic: invalid WriteHeader code 0"},
	{does: "a handler sends less than it says", run: getting(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "10")
		io.WriteString(w, "x")
	}), want: "unexpected EOF"},
	{does: "a handler takes the connection and drops it", run: once(func(t *harness.T) {
		t.Serve("api.test:80", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.(http.Hijacker).Hijack() }))
		t.Get("r1", t.Net.Transport(), apiURL)
	}), want: "r1: GET http://api.test/ never returned"},
	{does: "a handler answers after its end", run: getting(func(w http.ResponseWriter, _ *http.Request) {
		go func() {
			time.Sleep(time.Second) // virtual
			io.WriteString(w, "late")
		}()
	}), want: "program: held\n"},
	{does: "a handler uses a verb", run: once(func(t *harness.T) {
		t.Serve("api.test:80", http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Settle() }))
		t.Get("r1", t.Net.Transport(), apiURL).Finish()
	}), want: "r1: got pending, want a response"},
	{does: "a handler fails the test", run: once(func(t *harness.T) {
		t.Serve("api.test:80", http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Fatal("seen") }))
		t.Get("r1", t.Net.Transport(), apiURL).Finish()
	}), want: "seen  (programs_callbacks_test.go:"},
	{does: "a handler takes the connection and panics", run: once(func(t *harness.T) {
		t.Serve("api.test:80", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.(http.Hijacker).Hijack()
			panic("mine")
		}))
		t.Get("r1", t.Net.Transport(), apiURL)
	}), want: "a handler: panic: mine"},
	{does: "a handler calls itself over the network", run: once(func(t *harness.T) {
		tr := t.Net.Transport()
		t.Serve("api.test:80", http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
			again, _ := http.NewRequestWithContext(req.Context(), "GET", apiURL, nil)
			if resp, err := tr.RoundTrip(again); err == nil {
				resp.Body.Close()
			}
		}))
		t.Get("r1", tr, apiURL).Await()
	}), want: "endless: 5000 events, and more to come"},
	{does: "ConnContext panics", run: serving(func(s *http.Server) {
		s.ConnContext = func(context.Context, net.Conn) context.Context { panic("mine") }
	}), want: "a server's ConnContext: panic: mine"},
	{does: "ConnState panics", run: serving(func(s *http.Server) {
		s.ConnState = func(net.Conn, http.ConnState) { panic("mine") }
	}), want: "a server's ConnState: panic: mine"},
	{does: "BaseContext panics", run: serving(func(s *http.Server) {
		s.BaseContext = func(net.Listener) context.Context { panic("mine") }
	}), want: "a server's BaseContext: panic: mine"},
	{does: "a rule of the network panics", run: once(func(t *harness.T) {
		t.Net.Raw().Install(func(*faultnet.Event) faultnet.Verdict { panic("mine") })
		t.Serve("api.test:80", nil)
		t.Get("r1", t.Net.Transport(), apiURL).Finish()
	}), want: "panic: mine"},
}

// serving returns a test of a server that is set so.
func serving(set func(*http.Server)) func(*testing.T) string {
	return once(func(t *harness.T) {
		s := t.NewUnstartedServer(nil)
		set(s.Config)
		s.Start()
		t.Get("r1", s.Client().Transport, s.URL).Await()
	})
}

// These are bodies that fail in other ways than panicking does.
type (
	idleBody    struct{ io.Closer }
	boastful    struct{ io.Closer }
	endlessBody struct{ io.Closer }
	waitingBody struct{ io.Closer }
	outsideBody struct{ io.Closer }
)

func (idleBody) Read([]byte) (int, error)      { return 0, nil }
func (boastful) Read(p []byte) (int, error)    { return len(p) + 1, nil }
func (endlessBody) Read(p []byte) (int, error) { return len(p), nil }
func (waitingBody) Read([]byte) (int, error)   { select {} }
func (outsideBody) Read([]byte) (int, error)   { <-neverOutside; return 0, io.EOF }

// neverOutside is a channel of no bubble's.
var neverOutside = make(chan bool)

func (idleBody) Close() error    { return nil }
func (boastful) Close() error    { return nil }
func (endlessBody) Close() error { return nil }
func (waitingBody) Close() error { return nil }
func (outsideBody) Close() error { return nil }
