// Package mini is a small HTTP/1 transport with a pool that is right, and that
// can be given one of the classic mistakes of pools: what is tested on it is
// whether they are found. Its goal is that each mistake is one line.
package mini

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"
)

// Transport is an [http.RoundTripper]. Its zero value with a DialContext has no
// mistake.
type Transport struct {
	DialContext     func(ctx context.Context, network, addr string) (net.Conn, error)
	MaxConnsPerHost int
	// Bug is the name of the mistake: see the uses of it below.
	Bug string

	mu      sync.Mutex
	idle    []*conn
	waiters []*waiter
	open    int // dialing, in use and idle
	closes  int // calls of CloseIdleConnections
}

type conn struct {
	net.Conn
	br     *bufio.Reader
	reused int
	closes int
}

// again is the same connection for another request, which is the mistake; that
// both have a reader of their own keeps it from being a data race too.
func (c *conn) again() *conn {
	return &conn{Conn: c.Conn, br: bufio.NewReader(c.Conn), reused: c.reused + 1, closes: c.closes}
}

type waiter struct {
	addr    string
	ready   chan *conn // closed without a value when the dial failed
	err     error
	served  bool
	dialing bool
}

func (m *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	for {
		c, err := m.get(req.Context(), net.JoinHostPort(req.URL.Hostname(), "80"))
		if err != nil {
			return nil, err
		}
		again := c.reused > 0 && req.Method == "GET" || m.Bug == "posts again" && c.reused == 3
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
func (m *Transport) get(ctx context.Context, addr string) (*conn, error) {
	m.mu.Lock()
	if n := len(m.idle); n > 0 {
		c := m.idle[n-1]
		m.idle = m.idle[:n-1]
		if m.Bug == "idle twice" && c.reused == 0 {
			m.idle = append(m.idle, c.again())
		}
		c.reused++
		m.mu.Unlock()
		return c, nil
	}
	w := &waiter{addr: addr, ready: make(chan *conn, 1)}
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
	if m.Bug == "goroutine waits on" {
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

func (m *Transport) leave(w *waiter) {
	m.waiters = slices.DeleteFunc(m.waiters, func(v *waiter) bool { return v == w })
}

// next starts a dial for the first waiter without one, if the limit allows.
func (m *Transport) next() {
	for _, w := range m.waiters {
		if m.MaxConnsPerHost > 0 && m.open >= m.MaxConnsPerHost && m.Bug != "over the limit" {
			return
		}
		if m.Bug == "over the limit" && m.MaxConnsPerHost > 0 && m.open > m.MaxConnsPerHost {
			return
		}
		if !w.dialing {
			w.dialing = true
			m.open++
			go m.dialFor(w, m.closes)
		}
	}
}

func (m *Transport) dialFor(w *waiter, closes int) {
	nc, err := m.DialContext(context.Background(), "tcp", w.addr)
	m.mu.Lock()
	defer m.mu.Unlock()
	waits := slices.Contains(m.waiters, w)
	if err != nil {
		if waits || m.Bug != "slot of the cancelled" {
			m.open--
		}
		if waits {
			w.err = err
			m.leave(w)
			close(w.ready)
		}
		if m.Bug != "nobody is next" {
			m.next()
		}
		return
	}
	c := &conn{Conn: nc, br: bufio.NewReader(nc), closes: closes}
	switch {
	case waits:
		m.serve(w, c)
	case m.Bug == "orphan forgotten" && !w.served:
		m.open--
	case m.Bug == "closed and forgotten" && closes != m.closes:
	default:
		m.putLocked(c)
	}
}

func (m *Transport) serve(w *waiter, c *conn) {
	w.served = true
	m.leave(w)
	w.ready <- c
}

func (m *Transport) put(c *conn) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.putLocked(c)
}

func (m *Transport) putLocked(c *conn) {
	for _, w := range m.waiters {
		if m.Bug == "dialing is served" && w.dialing {
			continue
		}
		c.reused++
		m.serve(w, c)
		return
	}
	m.idle = append(m.idle, c)
}

func (m *Transport) drop(c *conn) {
	c.Close()
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.Bug != "slot of the broken" {
		m.open--
	}
	m.next()
}

// exchange sends the request and receives the head of its response.
func (m *Transport) exchange(c *conn, req *http.Request) (*http.Response, error) {
	ctx := req.Context()
	stop := func() bool { return true }
	switch m.Bug {
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
		if !stop() && m.Bug == "late answer stays" {
			c.SetReadDeadline(time.Time{})
			m.put(c)
			return nil, ctx.Err()
		}
		if m.Bug != "broken and open" || ctx.Err() != nil {
			m.drop(c)
		}
		if ctx.Err() != nil {
			if m.Bug == "neither" {
				return nil, nil
			}
			return nil, ctx.Err()
		}
		return nil, err
	}
	resp.Body = &body{ReadCloser: resp.Body, m: m, c: c, stop: stop}
	if resp.ContentLength == 0 {
		resp.Body.Close()
		resp.Body = http.NoBody
	}
	return resp, nil
}

// body gives the connection back when it was read to its end.
type body struct {
	io.ReadCloser
	m    *Transport
	c    *conn
	stop func() bool
	over bool
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil {
		b.end(err == io.EOF)
	}
	return n, err
}

func (b *body) Close() error {
	b.end(false)
	return nil
}

func (b *body) end(whole bool) {
	if b.over {
		return
	}
	b.over = true
	switch {
	case b.stop() && whole:
		b.m.put(b.c)
		if b.m.Bug == "put back twice" {
			b.m.put(b.c.again())
		}
	default:
		b.m.drop(b.c)
	}
}

func (m *Transport) CloseIdleConnections() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closes++
	for _, c := range m.idle {
		c.Close()
		if m.Bug != "idle closed and counted" {
			m.open--
		}
	}
	m.idle = nil
	m.next()
}
