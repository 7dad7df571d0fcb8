package cases

import (
	"context"
	"net/http"
	"sync"

	"golang.org/x/net/http2"

	"github.com/halfopen/halfopen/harness"
)

func init() { harness.HelperFile() }

// ClientConn is one connection to a server, in the hands of its user: what
// [http.ClientConn] is. The cases of the group conn ask a transport for
// connections, if it has one of these methods:
//
//	NewClientConn(ctx context.Context, scheme, address string) (*http.ClientConn, error)
//	NewClientConn(ctx context.Context, scheme, address string) (suites.ClientConn, error)
//
// The first is that of [http.Transport]; the second is for connections that are
// not net/http's. A transport with neither makes these cases not applicable.
//
// The methods promise what those of the same name of http.ClientConn promise.
// SetStateHook differs in one thing: its hook has no argument.
type ClientConn interface {
	http.RoundTripper
	Reserve() error
	Release()
	Available() int
	InFlight() int
	Err() error
	Close() error
	SetStateHook(hook func())
}

// stdConn is an http.ClientConn as a ClientConn.
type stdConn struct{ *http.ClientConn }

func (c stdConn) SetStateHook(hook func()) {
	if hook == nil {
		c.ClientConn.SetStateHook(nil)
		return
	}
	c.ClientConn.SetStateHook(func(*http.ClientConn) { hook() })
}

// connMaker returns a function that makes a connection to api.test. It ends a case as not
// applicable if the transport makes none.
func (e *Env) connMaker() func(context.Context) (ClientConn, error) {
	scheme, addr := "http", e.Addr("api.test")
	if e.Protocol == H2 {
		scheme = "https"
	}
	switch tr := e.Transport.(type) {
	case interface {
		NewClientConn(ctx context.Context, scheme, address string) (*http.ClientConn, error)
	}:
		return func(ctx context.Context) (ClientConn, error) {
			c, err := tr.NewClientConn(ctx, scheme, addr)
			return stdConn{c}, err
		}
	case interface {
		NewClientConn(ctx context.Context, scheme, address string) (ClientConn, error)
	}:
		return func(ctx context.Context) (ClientConn, error) { return tr.NewClientConn(ctx, scheme, addr) }
	}
	e.NotApplicable("it makes no single connections: it has no NewClientConn")
	panic("unreachable")
}

// tryConn makes a connection to api.test and has the requests of the case run on it from then
// on. It is closed when the case ends.
func (e *Env) tryConn() (ClientConn, error) {
	c, err := e.connMaker()(e.Context())
	if err != nil {
		return nil, err
	}
	e.Transport = c
	e.Allow("cause", "Close ends what is on the only connection, and so does the cancellation of a request of HTTP/1")
	e.Cleanup(func() { c.Close() })
	return c, nil
}

// onConn is tryConn where nothing may fail.
func (e *Env) onConn() ClientConn {
	c, err := e.tryConn()
	if err != nil {
		e.Fatalf("NewClientConn: got error %v, want a connection", err)
	}
	e.Settle() // a server of HTTP/2 says now how many requests it takes
	return c
}

// conn runs a server with room for few requests, and makes a connection to it: see
// serveRoom and onConn.
func (e *Env) conn(h http.Handler) ClientConn {
	e.serveRoom(h)
	return e.onConn()
}

// connThatHolds makes a connection whose server keeps answers back until the case ends.
func (e *Env) connThatHolds() (ClientConn, *holding) {
	h := newHolding()
	e.Cleanup(h.release)
	return e.conn(h), h
}

// connOfStreams makes a connection to a server of HTTP/2 that allows so many streams.
func (e *Env) connOfStreams(most uint32) (ClientConn, *roomPeer) {
	p := e.serveStreams(most)
	return e.onConn(), p
}

// room returns how many requests at once a connection to serveRoom's server has
// room for.
func (e *Env) room() int {
	if e.Protocol == HTTP1 {
		return 1
	}
	return 2
}

// serveRoom runs the server api.test, which lets a connection of HTTP/2 have so
// many requests at once as room says.
func (e *Env) serveRoom(h http.Handler) {
	e.serveAPI(h).HTTP2 = &http.HTTP2Config{MaxConcurrentStreams: e.room()}
}

// holding is a handler that keeps back its answers to requests for /held until
// its release is called. All else is answered as by [harness.Pages].
type holding struct {
	released chan struct{}
	once     sync.Once
}

func newHolding() *holding { return &holding{released: make(chan struct{})} }

func (h *holding) release() { h.once.Do(func() { close(h.released) }) }

func (h *holding) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/held" {
		select {
		case <-h.released:
		case <-r.Context().Done():
			return
		}
	}
	harness.Pages(w, r)
}

// fill starts as many requests for /held as the connection has room for.
func (e *Env) fill() (requests []*harness.Request) {
	for _, name := range []string{"f1", "f2"}[:e.room()] {
		requests = append(requests, e.Get(name, "/held"))
	}
	return requests
}

// finish reads the answers of the requests, which have room then for others.
func (e *Env) finish(requests []*harness.Request) {
	e.Settle()
	for _, r := range requests {
		r.Finish()
	}
}

// wantCounts expects the numbers that the connection reports.
func (e *Env) wantCounts(c ClientConn, inFlight, available int, why string) {
	if n := c.InFlight(); n != inFlight {
		e.Errorf("InFlight: got %d, want %d: %s", n, inFlight, why)
	}
	if n := c.Available(); n != available {
		e.Errorf("Available: got %d, want %d: %s", n, available, why)
	}
}

// mustReserve reserves a place on the connection.
func (e *Env) mustReserve(c ClientConn) {
	if err := c.Reserve(); err != nil {
		e.Fatalf("Reserve: got %v, want a reservation: there is room", err)
	}
}

// hookCount is a state hook that counts its calls. It may be made to block.
type hookCount struct {
	mu      sync.Mutex
	calls   int
	running int
	most    int           // that ran at once
	block   chan struct{} // what the calls wait for; nil means nothing
}

// countHook sets a hook that counts, and returns how often it was called at once.
func countHook(c ClientConn) (hook *hookCount, calls int) {
	hook = &hookCount{}
	c.SetStateHook(hook.call)
	return hook, hook.count()
}

func (h *hookCount) call() {
	h.mu.Lock()
	h.calls++
	h.running++
	h.most = max(h.most, h.running)
	h.mu.Unlock()
	if h.block != nil {
		<-h.block
	}
	h.mu.Lock()
	h.running--
	h.mu.Unlock()
}

func (h *hookCount) count() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.calls
}

// wantCalled expects that the hook was called since it had so many calls.
func (h *hookCount) wantCalled(e *Env, since int, why string) {
	if h.count() == since {
		e.Errorf("the state hook was not called: %s", why)
	}
}

func (h *hookCount) wantOneAtATime(e *Env) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.most > 1 {
		e.Errorf("got %d calls of the state hook at a time, want 1 at most", h.most)
	}
}

// wantHook sets a hook, and expects from then on, at every quiet point, that it
// was called if there is more room, less in flight or an error since the last one,
// and never twice at a time.
func (e *Env) wantHook(c ClientConn) {
	hook := &hookCount{}
	c.SetStateHook(hook.call)
	calls, available, inFlight, failed := hook.count(), c.Available(), c.InFlight(), c.Err() != nil
	e.AtQuiet(func() {
		a, n, f := c.Available(), c.InFlight(), c.Err() != nil
		if (a > available || n < inFlight || f && !failed) && hook.count() == calls {
			e.Errorf("the state hook was not called: available %d, now %d; in flight %d, now %d; failed %t, now %t",
				available, a, inFlight, n, failed, f)
		}
		hook.wantOneAtATime(e)
		calls, available, inFlight, failed = hook.count(), a, n, f
	})
}

// roomPeer is a server of HTTP/2 that answers when the case says so, and lets a
// connection have as many requests as the case says.
type roomPeer struct {
	*framePeer
	ids map[string]uint32 // of the streams, by the names of the requests
}

// serveStreams runs the server api.test as a roomPeer. What it returns has its
// connection once there is one.
func (e *Env) serveStreams(most uint32) *roomPeer {
	p := &roomPeer{ids: make(map[string]uint32)}
	e.serveFrames(func(fp *framePeer, f http2.Frame) bool {
		p.framePeer = fp
		if h, ok := f.(*http2.MetaHeadersFrame); ok {
			p.ids[requestName(h)] = h.StreamID
		}
		return true
	}, maxStreams(most))
	return p
}

// maxStreams returns the setting that allows a connection n requests at once.
func maxStreams(n uint32) http2.Setting {
	return http2.Setting{ID: http2.SettingMaxConcurrentStreams, Val: n}
}

// answers answers the request, and lets that arrive.
func (e *Env) answers(p *roomPeer, name string) {
	p.answer(p.ids[name], "ok")
	e.Settle()
}
