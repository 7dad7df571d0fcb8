package cases_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/halfopen/halfopen/harness"
	"github.com/halfopen/halfopen/suites"
)

// brokenConns is mistakes of single connections.
var brokenConns = []breakage{
	// How it is made.
	{"a connection is closed with the idle ones", 0, conns(closedIfIdle), []string{"conn-separate"}},
	{"a URL says where a request goes", 0, conns(urlsFollowed), []string{"conn-any-url"}},
	{"NewClientConn has no context", 0, timelessConns, []string{"conn-dial-cancelled"}},

	// Room.
	{"there is no waiting for room", 0, conns(neverWaits), []string{"conn-limit-waits", "conn-reserved-sent"}},
	{"a request that waits for room waits for ever", suites.H2C, h2c(conns(waitsForEver)), []string{"conn-limit-raised", "conn-goaway-waiter", "conn-limit-waits"}},
	{"a request that waits for room hears no cancellation", 0, conns(queue(false)), []string{"conn-waiter-cancelled"}},
	{"a request that was cancelled keeps its turn", 0, conns(queue(true)), []string{"conn-turn-not-lost"}},
	{"a reservation is none", 0, conns(reservesNothing), []string{"conn-adds-up", "conn-reserve", "conn-reserved-sent"}},
	{"a request is in flight for ever", 0, conns(inFlightForEver), []string{"conn-adds-up"}},
	{"a request that fails gives two reservations back", suites.H2C, h2c(conns(releasesTwice)), []string{"conn-reservation-kept"}},

	// Bodies of requests.
	{"a body that was not read is not closed", suites.H2C, h2c(conns(unreadUnclosed)), []string{"conn-body-unsent", "conn-body-invalid-request"}},
	{"a body is closed once more", 0, conns(closedTwice), []string{"conn-body-closed-once"}},

	// Ends.
	{"Close waits for requests", suites.H2C, h2c(conns(closesLater)), []string{"conn-close-interrupts", "conn-close-body-blocks"}},
	{"a body that was cut is at its end", 0, conns(endsAnyhow), []string{"conn-close-anywhere", "conn-server-ends"}},
	{"Err is always nil", 0, conns(noErr),
		[]string{"conn-close-anywhere", "conn-server-ends", "conn-closed-refuses", "conn-closed-unused", "conn-idle-server-close-seen"}},
	{"there is always room", 0, conns(alwaysRoom), []string{"conn-adds-up", "conn-closed-unused", "conn-closed-refuses", "conn-body-closed-early"}},
	{"a response body that is closed is left as it is", 0, conns(bodiesLeft), []string{"conn-body-closed-early"}},
	{"there is room after a GOAWAY", suites.H2C, h2c(conns(alwaysRoom)), []string{"conn-goaway"}},
	{"what was reserved is in flight for ever", 0, conns(reservedForEver), []string{"conn-closed-reserved"}},

	// The state hook.
	{"the hook is never called", 0, conns(hookForgotten),
		[]string{"conn-hook-called", "conn-hook-no-body", "conn-hook-replaced", "conn-hook-one-at-a-time", "conn-hook-set-late", "conn-idle-server-close-seen"}},
	{"the hook hears of requests alone", suites.H2C, h2c(conns(hookOfRequests)), []string{"conn-hook-limit-raised"}},
	{"the hook is called beside itself", 0, conns(hookBesideItself), []string{"conn-hook-one-at-a-time"}},
	{"SetStateHook calls the hook itself", 0, conns(hookAtOnce), []string{"conn-hook-set-late"}},
	{"a hook that was replaced is called too", 0, conns(hooksAdded), []string{"conn-hook-replaced"}},
}

// conns is net/http's transport whose single connections have a mistake.
func conns(mistake func(*badConn)) harness.Maker {
	return func(t *harness.T, s harness.Settings) (http.RoundTripper, error) {
		rt, err := harness.NetHTTP(t, s)
		return &badConns{Transport: rt.(*http.Transport), t: t, mistake: mistake}, err
	}
}

type badConns struct {
	*http.Transport
	t       *harness.T
	mistake func(*badConn)
	idle    []*http.ClientConn // what CloseIdleConnections closes too
}

func (b *badConns) NewClientConn(ctx context.Context, scheme, address string) (suites.ClientConn, error) {
	c, err := b.Transport.NewClientConn(ctx, scheme, address)
	if err != nil {
		return nil, err
	}
	b.t.Cleanup(func() { c.Close() }) // whatever its own Close does
	bad := &badConn{transport: b, conn: c, roundTrip: c.RoundTrip, reserve: c.Reserve, release: c.Release,
		available: c.Available, inFlight: c.InFlight, err: c.Err, close: c.Close,
		setStateHook: func(hook func()) {
			if hook == nil {
				c.SetStateHook(nil)
				return
			}
			c.SetStateHook(func(*http.ClientConn) { hook() })
		}}
	b.mistake(bad)
	return bad, nil
}

func (b *badConns) CloseIdleConnections() {
	b.Transport.CloseIdleConnections()
	for _, c := range b.idle {
		c.Close()
	}
}

// badConn is a connection whose methods a mistake may replace.
type badConn struct {
	transport           *badConns
	conn                *http.ClientConn
	roundTrip           func(*http.Request) (*http.Response, error)
	reserve, err, close func() error
	release             func()
	available, inFlight func() int
	setStateHook        func(func())
}

func (c *badConn) RoundTrip(req *http.Request) (*http.Response, error) { return c.roundTrip(req) }
func (c *badConn) Reserve() error                                      { return c.reserve() }
func (c *badConn) Release()                                            { c.release() }
func (c *badConn) Available() int                                      { return c.available() }
func (c *badConn) InFlight() int                                       { return c.inFlight() }
func (c *badConn) Err() error                                          { return c.err() }
func (c *badConn) Close() error                                        { return c.close() }
func (c *badConn) SetStateHook(hook func())                            { c.setStateHook(hook) }

func asTheyAre(*badConn) {}

func closedIfIdle(c *badConn) { c.transport.idle = append(c.transport.idle, c.conn) }

func urlsFollowed(c *badConn) {
	c.roundTrip = func(req *http.Request) (*http.Response, error) {
		if req.URL.Hostname() != "api.test" {
			return c.transport.RoundTrip(req)
		}
		return c.conn.RoundTrip(req)
	}
}

// timelessConns makes connections without heed to the context.
func timelessConns(t *harness.T, s harness.Settings) (http.RoundTripper, error) {
	rt, err := conns(asTheyAre)(t, s)
	tr := rt.(*badConns).Transport
	dial := tr.DialContext
	tr.DialContext = func(_ context.Context, network, addr string) (net.Conn, error) {
		return dial(context.Background(), network, addr)
	}
	return rt, err
}

func neverWaits(c *badConn) {
	c.roundTrip = func(req *http.Request) (*http.Response, error) {
		if c.conn.Available() == 0 && c.conn.Err() == nil {
			return nil, errors.New("there is no room")
		}
		return c.conn.RoundTrip(req)
	}
}

func waitsForEver(c *badConn) {
	c.roundTrip = func(req *http.Request) (*http.Response, error) {
		if c.conn.Available() == 0 {
			<-req.Context().Done()
			return nil, req.Context().Err()
		}
		return c.conn.RoundTrip(req)
	}
}

// queue has requests wait for one another before they come to the connection.
// One that is cancelled while it waits either does not hear of it, or ends and keeps
// its turn when that comes.
func queue(heard bool) func(*badConn) {
	return func(c *badConn) {
		turn := make(chan struct{}, 1)
		c.roundTrip = func(req *http.Request) (*http.Response, error) {
			cancelled := req.Context().Done()
			if !heard {
				cancelled = nil
			}
			select {
			case turn <- struct{}{}:
			case <-cancelled:
				go func() {
					select {
					case turn <- struct{}{}:
					case <-c.transport.t.Context().Done(): // the case is over
					}
				}()
				return nil, req.Context().Err()
			}
			defer func() { <-turn }()
			return c.conn.RoundTrip(req)
		}
	}
}

func reservesNothing(c *badConn) {
	c.reserve = func() error { return nil }
	c.release = func() {}
}

func inFlightForEver(c *badConn) {
	var sent atomic.Int32
	c.roundTrip = func(req *http.Request) (*http.Response, error) {
		sent.Add(1)
		return c.conn.RoundTrip(req)
	}
	c.inFlight = func() int { return int(sent.Load()) }
}

func releasesTwice(c *badConn) {
	c.roundTrip = func(req *http.Request) (*http.Response, error) {
		resp, err := c.conn.RoundTrip(req)
		if err != nil {
			c.conn.Release()
		}
		return resp, err
	}
}

// readBody is a body whose Close does something only if it was read.
type readBody struct {
	io.ReadCloser
	read bool
}

func (b *readBody) Read(p []byte) (int, error) {
	b.read = true
	return b.ReadCloser.Read(p)
}

func (b *readBody) Close() error {
	if !b.read {
		return nil
	}
	return b.ReadCloser.Close()
}

func unreadUnclosed(c *badConn) {
	c.roundTrip = func(req *http.Request) (*http.Response, error) {
		if req.Body != nil {
			req = req.WithContext(req.Context())
			req.Body = &readBody{ReadCloser: req.Body}
		}
		return c.conn.RoundTrip(req)
	}
}

func closedTwice(c *badConn) {
	c.roundTrip = func(req *http.Request) (*http.Response, error) {
		if req.Body != nil {
			defer req.Body.Close()
		}
		return c.conn.RoundTrip(req)
	}
}

func closesLater(c *badConn) {
	c.close = func() error {
		if c.conn.InFlight() > 0 {
			return nil
		}
		return c.conn.Close()
	}
}

func endsAnyhow(c *badConn) {
	c.roundTrip = func(req *http.Request) (*http.Response, error) {
		resp, err := c.conn.RoundTrip(req)
		if err == nil {
			resp.Body = endedBody{resp.Body}
		}
		return resp, err
	}
}

// endedBody is a body that ends where it fails.
type endedBody struct{ io.ReadCloser }

func (b endedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil {
		err = io.EOF
	}
	return n, err
}

func bodiesLeft(c *badConn) {
	c.roundTrip = func(req *http.Request) (*http.Response, error) {
		resp, err := c.conn.RoundTrip(req)
		if err == nil {
			resp.Body = io.NopCloser(resp.Body)
		}
		return resp, err
	}
}

func noErr(c *badConn) { c.err = func() error { return nil } }

func alwaysRoom(c *badConn) { c.available = func() int { return 1 } }

func reservedForEver(c *badConn) {
	reserved := 0
	c.reserve = func() error {
		err := c.conn.Reserve()
		if err == nil {
			reserved++
		}
		return err
	}
	c.inFlight = func() int { return max(reserved, c.conn.InFlight()) }
}

func hookForgotten(c *badConn) { c.setStateHook = func(func()) {} }

func hookOfRequests(c *badConn) {
	c.setStateHook = func(hook func()) {
		inFlight := c.conn.InFlight()
		c.conn.SetStateHook(func(*http.ClientConn) {
			if n := c.conn.InFlight(); n != inFlight {
				inFlight = n
				hook()
			}
		})
	}
}

func hookBesideItself(c *badConn) {
	c.setStateHook = func(hook func()) {
		c.conn.SetStateHook(func(*http.ClientConn) { go hook() })
	}
}

func hookAtOnce(c *badConn) {
	c.setStateHook = func(hook func()) {
		hook()
		c.conn.SetStateHook(func(*http.ClientConn) { hook() })
	}
}

func hooksAdded(c *badConn) {
	var mu sync.Mutex
	var hooks []func()
	c.setStateHook = func(hook func()) {
		mu.Lock()
		defer mu.Unlock()
		if hook != nil {
			hooks = append(hooks, hook)
		}
		all := slices.Clone(hooks)
		c.conn.SetStateHook(func(*http.ClientConn) {
			for _, h := range all {
				h()
			}
		})
	}
}
