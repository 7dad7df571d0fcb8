package cases

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"runtime"
	"time"
	"weak"

	"github.com/halfopen/halfopen/harness"
)

// forgottenCases are about what stays reachable when a request or a connection is over.
var forgottenCases = []Case{
	{
		Name:     "leak-context",
		Claim:    "Of a request that is over, whether it was served at once, waited in line or gave up there, nothing is reachable that its context holds.",
		Verdict:  leftBehind,
		Issues:   []string{"golang/go#50798", "golang/go#33849", "golang/go#33850"},
		Source:   "net/http: Request.Context",
		Settings: oneConnPerHost,
		Body: func(e *Env) {
			e.Serve(nil)
			served := make([]held, 0, 3)
			begin := func() (cancel func(), done chan struct{}) {
				h, cancel, done := e.heavy(e.URL("/"))
				served = append(served, h)
				return cancel, done
			}
			_, done := begin()
			<-done
			r1 := e.Get("r1", "/bytes/100000")
			_, done = begin()
			cancel, gone := begin()
			e.Settle()
			cancel()
			<-gone
			r1.Finish()
			<-done
			wantForgotten(e, "contexts", served, 0)
		},
	},
	{
		Name:    "leak-failed",
		Claim:   "Of a request that failed, whatever the reason, nothing is reachable that its context holds, and no goroutine waits for its end.",
		Verdict: leftBehind,
		Issues:  []string{"golang/go#50798"},
		Source:  "net/http: Request.Context; Request.Cancel",
		Settings: harness.Settings{
			ResponseHeaderTimeout: 10 * time.Second,
		},
		Body: func(e *Env) {
			e.Serve(nil)
			var over []held
			fail := func(url string, spoil func(req *http.Request, cancel func())) {
				large := new([1 << 16]byte)
				over = append(over, weak.Make(large))
				ctx, cancel := context.WithCancel(context.WithValue(context.Background(), heldKey{}, large))
				req, _ := http.NewRequestWithContext(ctx, "GET", url, nil)
				//lint:ignore SA1019 Request.Cancel is part of what net/http promises, deprecated or not.
				req.Cancel = make(chan struct{})
				c := e.call(func() error {
					resp, err := e.Transport.RoundTrip(req)
					if err == nil {
						resp.Body.Close()
					}
					return err
				})
				spoil(req, cancel)
				e.Settle()
				if !c.returned() || c.err == nil {
					e.Errorf("%s: got %v, want an error", url, c.err)
				}
				runtime.KeepAlive(cancel) // the caller may forget to call it
			}
			nothing := func(*http.Request, func()) {}
			fail(e.URLOf("nowhere.test", "/"), nothing)
			fail(e.URL("/hang"), func(_ *http.Request, cancel func()) { cancel() })
			fail(e.URL("/hang"), func(*http.Request, func()) { e.Advance(10 * time.Second) })
			fail("own://api.test/", nothing)
			fail(e.URL("/hang"), func(*http.Request, func()) { e.Net.OpenConns()[0].Reset() })
			e.wantOK("r1")
			wantForgotten(e, "contexts", over, 0)
		},
	},
	{
		Name:      "leak-dials",
		Claim:     "What dials for requests that are over is forgotten, but for the last one at most: what their contexts hold is not reachable.",
		Verdict:   leftBehind,
		Issues:    []string{"golang/go#50798"},
		Source:    "net/http: Request.Context; Transport.DialContext",
		Protocols: HTTP1,
		Body: func(e *Env) {
			e.Serve(nil)
			var over []held
			for range 8 {
				h, _, done := e.heavy(e.URL("/"))
				over = append(over, h)
				<-done
				e.CloseIdle() // the next one dials
			}
			wantForgotten(e, "contexts", over, 1)
		},
	},
	{
		Name:      "leak-behind-dial",
		Protocols: OverTCP,
		Claim:     "A dial that hangs keeps what belongs to its own request, and nothing of requests that began after it and are over, be they answered or cancelled.",
		Verdict:   leftBehind,
		Issues:    []string{"golang/go#50798"},
		Source:    "net/http: Request.Context; Transport.DialContext",
		Body: func(e *Env) {
			e.Serve(nil)
			e.ServeHost("slow.test", nil)
			slow, quick := "dial * "+e.Addr("slow.test"), "dial * "+e.Addr("api.test")
			e.Net.Hold(slow)
			r1 := e.T.Get("r1", e.Transport, e.URLOf("slow.test", "/"))
			var answered, cancelled []held
			for range 8 {
				h, _, done := e.heavy(e.URL("/"))
				answered = append(answered, h)
				<-done
				e.CloseIdle() // the next one dials

				e.Net.Hold(quick)
				h, cancel, done := e.heavy(e.URL("/"))
				cancelled = append(cancelled, h)
				e.Settle()
				cancel()
				<-done
				e.Net.Release(quick)
				e.CloseIdle()
			}
			wantForgotten(e, "contexts of requests that were answered", answered, 1)
			wantForgotten(e, "contexts of requests that were cancelled", cancelled, 1)
			e.Net.Release(slow)
			e.WantAnswered(r1)
		},
	},
	{
		Name:      "leak-waiters",
		Claim:     "However many requests wait in line, one after the other, for a connection that stays open: nothing of them is reachable that their contexts hold, but for the last one at most.",
		Verdict:   leftBehind,
		Issues:    []string{"golang/go#50798"},
		Source:    "net/http: Request.Context; Transport.MaxConnsPerHost",
		Protocols: HTTP1,
		Settings:  oneConnPerHost,
		Body: func(e *Env) {
			e.Serve(nil)
			var answered, cancelled []held
			for i := range 8 {
				r := e.Get(fmt.Sprintf("r%d", i+1), "/bytes/100000")
				r.Await()
				r.WantStatus(http.StatusOK)
				h, cancel, gone := e.heavy(e.URL("/"))
				cancelled = append(cancelled, h)
				e.Settle()
				cancel()
				<-gone
				h, _, done := e.heavy(e.URL("/"))
				answered = append(answered, h)
				e.Settle()
				r.Finish()
				<-done
			}
			e.WantOpened(1, "that is the limit, and nothing broke it")
			wantForgotten(e, "contexts of requests that were answered", answered, 1)
			wantForgotten(e, "contexts of requests that were cancelled", cancelled, 1)
		},
	},
	{
		Name:      "leak-proxy-urls",
		Claim:     "What Proxy returned for a request is forgotten when the request is over and its connection closed, but for the last one at most.",
		Verdict:   leftBehind,
		Source:    proxyField + " (returns a proxy for a given Request)",
		Protocols: HTTP1,
		Settings:  throughProxy,
		Body: func(e *Env) {
			var chosen []weak.Pointer[url.URL]
			choose := func(*http.Request) (*url.URL, error) {
				u := &url.URL{Scheme: "http", Host: proxyAddr}
				chosen = append(chosen, weak.Make(u))
				return u, nil
			}
			if !e.setField("Proxy", choose) {
				e.NotApplicable("the transport has no Proxy")
			}
			e.T.Serve(proxyAddr, nil)
			for _, path := range []string{"/", "/close"} { // its connection is idle for a while, or never
				for range 8 {
					_, _, done := e.heavy(e.URL(path))
					<-done
					e.CloseIdle() // the next one dials
				}
				wantForgotten(e, "proxy URLs", chosen, 1)
			}
		},
	},
	{
		Name:      "leak-conns",
		Claim:     "Of hosts that get no more requests nothing is reachable of the connections that they had, once these are closed, but for the last one at most. Their idle timers hold none.",
		Verdict:   leftBehind,
		Source:    "net/http: Transport.DialContext; Transport.IdleConnTimeout",
		Protocols: HTTP1,
		Settings:  harness.Settings{IdleConnTimeout: time.Hour},
		Body: func(e *Env) {
			var dialed []weak.Pointer[heavyConn]
			dial := func(ctx context.Context, network, addr string) (net.Conn, error) {
				c, err := e.Net.DialContext(ctx, network, addr)
				if err != nil {
					return nil, err
				}
				h := &heavyConn{Conn: c}
				dialed = append(dialed, weak.Make(h))
				return h, nil
			}
			if !e.setField("DialContext", dial) {
				e.NotApplicable("the transport has no DialContext")
			}
			for i := range 8 {
				host := fmt.Sprintf("h%d.test", i+1)
				e.ServeHost(host, nil)
				for _, path := range []string{"/", "/", "/close"} { // it is new, used again, and ends
					_, _, done := e.heavy(e.URLOf(host, path))
					<-done
				}
			}
			e.WantConns(0, "the answer of each was its last")
			wantForgotten(e, "connections", dialed, 1)
		},
	},
}

// heavyConn is a connection that something large belongs to.
type heavyConn struct {
	net.Conn
	_ [1 << 16]byte
}

// held is something large that a request's context holds.
type held = weak.Pointer[[1 << 16]byte]

type heldKey struct{}

// heavy starts a GET whose context holds something large. The harness does
// not know the request: it would hold the context too.
func (e *Env) heavy(url string) (h held, cancel func(), done chan struct{}) {
	large := new([1 << 16]byte)
	ctx, cancel := context.WithCancel(context.WithValue(context.Background(), heldKey{}, large))
	req, err := http.NewRequestWithContext(ctx, "GET", url, nil)
	if err != nil {
		e.Fatal(err)
	}
	done = make(chan struct{})
	go func() {
		defer close(done)
		if resp, err := e.Transport.RoundTrip(req); err == nil {
			io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
		}
	}()
	return weak.Make(large), cancel, done
}

// wantForgotten expects that no more than so many of the values are reachable. A goroutine that
// the collector interrupts anywhere but at a call has its whole stack scanned, with what it uses
// no more: a value counts only if several collections in a row leave it.
func wantForgotten[T any](e *Env, what string, over []weak.Pointer[T], most int) {
	n := len(over)
	for look := 0; n > most && look < 5; look++ {
		runtime.GC()
		n = 0
		for _, v := range over {
			if v.Value() != nil {
				n++
			}
		}
	}
	if n > most {
		e.Errorf("got %d of %d %s still reachable, want %d at most: they are over", n, len(over), what, most)
	}
}
