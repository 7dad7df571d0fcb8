package harness_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/halfopen/halfopen/harness"
)

// mini is a small HTTP/1 transport with a pool that is right, and that can be
// given one of the classic mistakes: bug is its name in the table of
// defects_test.go.
type mini struct {
	dial func(ctx context.Context, network, addr string) (net.Conn, error)
	bug  string

	MaxConnsPerHost int

	mu      sync.Mutex
	idle    []*miniConn
	waiters []*miniWaiter
	open    int // dialing, in use and idle
	closes  int // calls of CloseIdleConnections
}

type miniConn struct {
	net.Conn
	br     *bufio.Reader
	reused int
	closes int
}

// again is the same connection for another request, which is the mistake; that
// both have a reader of their own keeps it from being a data race too.
func (c *miniConn) again() *miniConn {
	return &miniConn{Conn: c.Conn, br: bufio.NewReader(c.Conn), reused: c.reused + 1, closes: c.closes}
}

type miniWaiter struct {
	addr    string
	ready   chan *miniConn // closed without a value when the dial failed
	err     error
	served  bool
	dialing bool
}

func newMini(t *harness.T, bug string, limit int) *mini {
	return &mini{dial: t.Net.DialContext, bug: bug, MaxConnsPerHost: limit}
}

func (m *mini) RoundTrip(req *http.Request) (*http.Response, error) {
	for {
		c, err := m.get(req.Context(), net.JoinHostPort(req.URL.Hostname(), "80"))
		if err != nil {
			return nil, err
		}
		again := c.reused > 0 && req.Method == "GET" || m.bug == "posts again" && c.reused == 3
		resp, err := m.exchange(c, req)
		if err == nil || req.Context().Err() != nil || !again {
			return resp, err
		}
		if req.GetBody != nil {
			req.Body, _ = req.GetBody()
		}
	}
}

// get waits for an idle connection or a dial, whichever is first.
func (m *mini) get(ctx context.Context, addr string) (*miniConn, error) {
	m.mu.Lock()
	if n := len(m.idle); n > 0 {
		c := m.idle[n-1]
		m.idle = m.idle[:n-1]
		if m.bug == "idle twice" && c.reused == 0 {
			m.idle = append(m.idle, c.again())
		}
		c.reused++
		m.mu.Unlock()
		return c, nil
	}
	w := &miniWaiter{addr: addr, ready: make(chan *miniConn, 1)}
	m.waiters = append(m.waiters, w)
	m.next()
	m.mu.Unlock()
	select {
	case c, ok := <-w.ready:
		if !ok {
			return nil, w.err
		}
		return c, nil
	case <-ctx.Done():
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.leave(w)
	if m.bug == "goroutine waits on" {
		go func() {
			if c := <-w.ready; c != nil {
				m.put(c)
			}
		}()
		return nil, ctx.Err()
	}
	select {
	case c := <-w.ready:
		if c != nil {
			m.putLocked(c)
		}
	default:
	}
	return nil, ctx.Err()
}

func (m *mini) leave(w *miniWaiter) {
	m.waiters = slices.DeleteFunc(m.waiters, func(v *miniWaiter) bool { return v == w })
}

// next starts a dial for the first waiter without one, if the limit allows.
func (m *mini) next() {
	for _, w := range m.waiters {
		if m.MaxConnsPerHost > 0 && m.open >= m.MaxConnsPerHost && m.bug != "over the limit" {
			return
		}
		if m.bug == "over the limit" && m.MaxConnsPerHost > 0 && m.open > m.MaxConnsPerHost {
			return
		}
		if !w.dialing {
			w.dialing = true
			m.open++
			go m.dialFor(w, m.closes)
		}
	}
}

func (m *mini) dialFor(w *miniWaiter, closes int) {
	nc, err := m.dial(context.Background(), "tcp", w.addr)
	m.mu.Lock()
	defer m.mu.Unlock()
	waits := slices.Contains(m.waiters, w)
	if err != nil {
		if waits || m.bug != "slot of the cancelled" {
			m.open--
		}
		if waits {
			w.err = err
			m.leave(w)
			close(w.ready)
		}
		if m.bug != "nobody is next" {
			m.next()
		}
		return
	}
	c := &miniConn{Conn: nc, br: bufio.NewReader(nc), closes: closes}
	switch {
	case waits:
		m.serve(w, c)
	case m.bug == "orphan forgotten" && !w.served:
		m.open--
	case m.bug == "closed and forgotten" && closes != m.closes:
	default:
		m.putLocked(c)
	}
}

func (m *mini) serve(w *miniWaiter, c *miniConn) {
	w.served = true
	m.leave(w)
	w.ready <- c
}

func (m *mini) put(c *miniConn) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.putLocked(c)
}

func (m *mini) putLocked(c *miniConn) {
	for _, w := range m.waiters {
		if m.bug == "dialing is served" && w.dialing {
			continue
		}
		c.reused++
		m.serve(w, c)
		return
	}
	m.idle = append(m.idle, c)
}

func (m *mini) drop(c *miniConn) {
	c.Close()
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.bug != "slot of the broken" {
		m.open--
	}
	m.next()
}

// exchange sends the request and receives the head of its response.
func (m *mini) exchange(c *miniConn, req *http.Request) (*http.Response, error) {
	ctx := req.Context()
	stop := func() bool { return true }
	switch m.bug {
	case "cancel is not heard":
	case "late answer stays":
		stop = context.AfterFunc(ctx, func() { c.SetReadDeadline(time.Unix(1, 0)) })
	default:
		stop = context.AfterFunc(ctx, func() { c.Close() })
	}
	err := req.Write(c)
	var resp *http.Response
	if err == nil {
		resp, err = http.ReadResponse(c.br, req)
	}
	if err != nil {
		if !stop() && m.bug == "late answer stays" {
			c.SetReadDeadline(time.Time{})
			m.put(c)
			return nil, ctx.Err()
		}
		if m.bug != "broken and open" || ctx.Err() != nil {
			m.drop(c)
		}
		if ctx.Err() != nil {
			if m.bug == "neither" {
				return nil, nil
			}
			return nil, ctx.Err()
		}
		return nil, err
	}
	resp.Body = &miniBody{ReadCloser: resp.Body, m: m, c: c, stop: stop}
	if resp.ContentLength == 0 {
		resp.Body.Close()
		resp.Body = http.NoBody
	}
	return resp, nil
}

// miniBody gives the connection back when it was read to its end.
type miniBody struct {
	io.ReadCloser
	m    *mini
	c    *miniConn
	stop func() bool
	over bool
}

func (b *miniBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil {
		b.end(err == io.EOF)
	}
	return n, err
}

func (b *miniBody) Close() error {
	b.end(false)
	return nil
}

func (b *miniBody) end(whole bool) {
	if b.over {
		return
	}
	b.over = true
	switch {
	case b.stop() && whole:
		b.m.put(b.c)
		if b.m.bug == "put back twice" {
			b.m.put(b.c.again())
		}
	default:
		b.m.drop(b.c)
	}
}

func (m *mini) CloseIdleConnections() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closes++
	for _, c := range m.idle {
		c.Close()
		if m.bug != "idle closed and counted" {
			m.open--
		}
	}
	m.idle = nil
	m.next()
}
