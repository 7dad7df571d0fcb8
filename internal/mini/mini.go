// Package mini is a small HTTP/1 transport with a pool that is right, and that
// can be given one of the classic mistakes of pools: what is tested on it is
// whether they are found. Its goal is that each mistake is one line.
package mini

import (
	"bufio"
	"context"
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

	MaxIdleConns        int
	MaxIdleConnsPerHost int
	IdleConnTimeout     time.Duration
	DisableKeepAlives   bool

	ExpectContinueTimeout time.Duration

	// Drain has what is left of a body that was closed before its end read, for up to
	// 50 ms and 256 KiB, so that its connection serves again. Without it the
	// connection is closed.
	Drain bool

	// Bug is the name of the mistake: see the uses of it below.
	Bug string

	mu      sync.Mutex
	idle    []*conn
	waiters []*waiter
	open    map[string]int // dialing, in use and idle, by host
	closes  int            // calls of CloseIdleConnections
}

type conn struct {
	net.Conn
	host   string
	br     *bufio.Reader
	reused int
	closes int
	timer  *time.Timer // of IdleConnTimeout
}

// again is the same connection for another request, which is the mistake; that
// both have a reader of their own keeps it from being a data race too.
func (c *conn) again() *conn {
	return &conn{Conn: c.Conn, host: c.host, br: bufio.NewReader(c.Conn), reused: c.reused + 1, closes: c.closes}
}

type waiter struct {
	addr    string
	host    string
	ready   chan *conn // closed without a value when the dial failed
	err     error
	served  bool
	dialing bool
}

func (m *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := req.Context().Err(); err != nil && m.Bug != "over and sent" {
		return nil, err
	}
	for {
		c, err := m.get(req.Context(), net.JoinHostPort(req.URL.Hostname(), "80"))
		if err != nil {
			return nil, err
		}
		again := c.reused > 0 && req.Method == "GET" && m.Bug != "never again" || m.Bug == "posts again" && c.reused == 3
		again = again || m.Bug == "anything again" && c.reused > 0
		again = again && (req.Body == nil || req.GetBody != nil || m.Bug == "stream again")
		resp, err := m.exchange(c, req)
		if err == nil || req.Context().Err() != nil || !again {
			return resp, err
		}
		if req.GetBody != nil && m.Bug != "rest again" {
			req.Body, _ = req.GetBody()
		}
	}
}

// get waits for an idle connection or a dial, whichever is first.
func (m *Transport) get(ctx context.Context, addr string) (*conn, error) {
	m.mu.Lock()
	host := m.host(addr)
	if c := m.takeIdle(host); c != nil {
		if m.Bug == "idle twice" && c.reused == 0 {
			m.idle = append(m.idle, c.again())
		}
		c.reused++
		m.mu.Unlock()
		return c, nil
	}
	w := &waiter{addr: addr, host: host, ready: make(chan *conn, 1)}
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
	if m.Bug != "gone and in line" {
		m.leave(w)
	}
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

// host is what connections are told apart by.
func (m *Transport) host(addr string) string {
	if m.Bug == "one for all hosts" {
		return ""
	}
	return addr
}

// takeIdle takes the newest idle connection of the host, or returns nil.
func (m *Transport) takeIdle(host string) *conn {
	for i := range m.idle {
		if m.Bug != "oldest first" {
			i = len(m.idle) - 1 - i
		}
		if c := m.idle[i]; c.host == host {
			m.idle = slices.Delete(m.idle, i, i+1)
			if c.timer != nil && m.Bug != "timer of the taken" {
				c.timer.Stop()
			}
			return c
		}
	}
	return nil
}

func (m *Transport) leave(w *waiter) {
	m.waiters = slices.DeleteFunc(m.waiters, func(v *waiter) bool { return v == w })
}

// next starts a dial for the first waiter without one, if the limit allows.
func (m *Transport) next() {
	for i := range m.waiters {
		if m.Bug == "last dials first" {
			i = len(m.waiters) - 1 - i
		}
		w := m.waiters[i]
		if m.MaxConnsPerHost > 0 && m.open[w.host] >= m.MaxConnsPerHost && m.Bug != "over the limit" {
			continue
		}
		if m.Bug == "over the limit" && m.MaxConnsPerHost > 0 && m.open[w.host] > m.MaxConnsPerHost {
			continue
		}
		if !w.dialing {
			w.dialing = true
			m.count(w.host, 1)
			go m.dialFor(w, m.closes)
		}
	}
}

func (m *Transport) count(host string, n int) {
	if m.open == nil {
		m.open = make(map[string]int)
	}
	m.open[host] += n
}

func (m *Transport) dialFor(w *waiter, closes int) {
	nc, err := m.DialContext(context.Background(), "tcp", w.addr)
	m.mu.Lock()
	defer m.mu.Unlock()
	waits := slices.Contains(m.waiters, w)
	if err != nil {
		if waits || m.Bug != "slot of the cancelled" {
			m.count(w.host, -1)
		}
		if waits && m.Bug != "failure not told" {
			w.err = err
			m.leave(w)
			close(w.ready)
		}
		if m.Bug != "nobody is next" {
			m.next()
		}
		return
	}
	c := &conn{Conn: nc, host: w.host, br: bufio.NewReader(nc), closes: closes}
	switch {
	case waits:
		m.serve(w, c)
	case m.Bug == "orphan forgotten" && !w.served:
		m.count(w.host, -1)
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
	for i := range m.waiters {
		if m.Bug == "last come first served" {
			i = len(m.waiters) - 1 - i
		}
		w := m.waiters[i]
		if w.host != c.host || m.Bug == "dialing is served" && w.dialing {
			continue
		}
		c.reused++
		m.serve(w, c)
		return
	}
	m.keep(c)
}

// keep makes c idle, as far as the limits allow.
func (m *Transport) keep(c *conn) {
	most := m.MaxIdleConnsPerHost
	if m.DisableKeepAlives || most > 0 && m.idleOf(c.host) >= most {
		m.dropLocked(c)
		return
	}
	m.idle = append(m.idle, c)
	if m.MaxIdleConns > 0 && len(m.idle) > m.MaxIdleConns {
		least := 0 // recently used
		if m.Bug == "newest goes" {
			least = len(m.idle) - 1
		}
		old := m.idle[least]
		if m.Bug != "closed and kept" {
			m.idle = slices.Delete(m.idle, least, least+1)
		}
		m.dropLocked(old)
	}
	if m.IdleConnTimeout > 0 && (c.timer == nil || m.Bug != "timer of the first") {
		c.timer = time.AfterFunc(m.IdleConnTimeout, func() { m.expire(c) })
	}
}

func (m *Transport) idleOf(host string) (n int) {
	for _, c := range m.idle {
		if c.host == host {
			n++
		}
	}
	return n
}

func (m *Transport) expire(c *conn) {
	m.mu.Lock()
	defer m.mu.Unlock()
	i := slices.Index(m.idle, c)
	switch {
	case i >= 0:
		m.idle = slices.Delete(m.idle, i, i+1)
		if m.Bug == "slot of the expired" {
			m.count(c.host, 1)
		}
		m.dropLocked(c)
	case m.Bug == "timer of the taken":
		c.Close()
	}
}

func (m *Transport) drop(c *conn) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.dropLocked(c)
}

func (m *Transport) dropLocked(c *conn) {
	c.Close()
	if m.Bug != "slot of the broken" {
		m.count(c.host, -1)
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
	resp, err := m.talk(c, req)
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
	fit := !resp.Close && !req.Close || m.Bug == "close not heeded"
	switch m.Bug {
	case "unknown length costs":
		fit = fit && resp.ContentLength >= 0
	case "large body costs":
		fit = fit && resp.ContentLength < 64<<10
	case "no body costs":
		fit = fit && resp.ContentLength != 0 && req.Method != "HEAD"
	case "error costs":
		fit = fit && resp.StatusCode < 400
	}
	if m.Bug == "cancel reaches too far" {
		stop = func() bool { return true }
	}
	b := &body{ReadCloser: resp.Body, m: m, c: c, stop: stop, fit: fit, turn: make(chan struct{}, 1)}
	if m.Drain && m.Bug != "trailer of the drained" {
		b.from, resp = resp, callers(resp)
		b.to = resp
	}
	resp.Body = b
	if resp.ContentLength == 0 || req.Method == "HEAD" {
		b.end(true)
		resp.Body = http.NoBody
	} else if m.Bug == "pooled with its body" {
		m.put(c.again())
	}
	return resp, nil
}

func (m *Transport) CloseIdleConnections() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closes++
	for _, c := range m.idle {
		c.Close()
		if m.Bug != "idle closed and counted" {
			m.count(c.host, -1)
		}
	}
	m.idle = nil
	m.next()
}
