// Package mini provides a small HTTP/1 transport with a pool. It makes no mistakes,
// but can be given one of the classic mistakes of pools: tests check that halfopen
// finds it. The goal of the package is that each mistake is one line.
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

// Transport is an [http.RoundTripper]. A Transport of which only DialContext is set
// makes no mistakes.
type Transport struct {
	DialContext     func(ctx context.Context, network, addr string) (net.Conn, error)
	MaxConnsPerHost int

	MaxIdleConns        int
	MaxIdleConnsPerHost int
	IdleConnTimeout     time.Duration
	DisableKeepAlives   bool

	ExpectContinueTimeout time.Duration

	// Drain makes the transport read the rest of a body that was closed before its
	// end, for up to 50 ms and 256 KiB, so that the connection can serve another
	// request. Without Drain it closes the connection.
	Drain bool

	// Bug names the mistake. The code below compares it with each name.
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
	timer  *time.Timer // for IdleConnTimeout
}

// secondUse returns the same connection for another request: that is a mistake. Each
// of the two has a reader of its own, so that the mistake is not a data race too.
func (c *conn) secondUse() *conn {
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

// RoundTrip sends req on an idle connection or on a new one. It sends a GET again
// if a connection that has served before fails.
func (m *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := req.Context().Err(); err != nil && m.Bug != "sent after cancel" {
		return nil, err
	}
	for {
		c, err := m.get(req.Context(), net.JoinHostPort(req.URL.Hostname(), "80"))
		if err != nil {
			return nil, err
		}
		retry := c.reused > 0 && req.Method == "GET" && m.Bug != "never retried" || m.Bug == "POST retried" && c.reused == 3
		retry = retry || m.Bug == "everything retried" && c.reused > 0
		retry = retry && (req.Body == nil || req.GetBody != nil || m.Bug == "stream retried")
		resp, err := m.exchange(c, req)
		if err == nil || req.Context().Err() != nil || !retry {
			return resp, err
		}
		if req.GetBody != nil && m.Bug != "rest of body retried" {
			req.Body, _ = req.GetBody()
		}
	}
}

// get returns an idle connection. If there is none, it waits for a dial or for a
// connection that another request puts back, whichever comes first.
func (m *Transport) get(ctx context.Context, addr string) (*conn, error) {
	m.mu.Lock()
	host := m.host(addr)
	if c := m.takeIdle(host); c != nil {
		if m.Bug == "idle conn used twice" && c.reused == 0 {
			m.idle = append(m.idle, c.secondUse())
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
	if m.Bug != "cancelled waiter stays" {
		m.leave(w)
	}
	if m.Bug == "goroutine left waiting" {
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

// host returns the key of the connections that can serve addr.
func (m *Transport) host(addr string) string {
	if m.Bug == "one pool for all hosts" {
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
			if c.timer != nil && m.Bug != "idle timer not stopped" {
				c.timer.Stop()
			}
			return c
		}
	}
	return nil
}

// leave removes w from the waiters.
func (m *Transport) leave(w *waiter) {
	m.waiters = slices.DeleteFunc(m.waiters, func(v *waiter) bool { return v == w })
}

// next starts a dial for the first waiter without one, if the limit allows.
func (m *Transport) next() {
	for i := range m.waiters {
		if m.Bug == "last waiter dials first" {
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
		if waits || m.Bug != "slot lost after cancel" {
			m.count(w.host, -1)
		}
		if waits && m.Bug != "dial error not reported" {
			w.err = err
			m.leave(w)
			close(w.ready)
		}
		if m.Bug != "no dial after failure" {
			m.next()
		}
		return
	}
	c := &conn{Conn: nc, host: w.host, br: bufio.NewReader(nc), closes: closes}
	switch {
	case waits:
		m.serve(w, c)
	case m.Bug == "unused dial leaked" && !w.served:
		m.count(w.host, -1)
	case m.Bug == "leaked after close-idle" && closes != m.closes:
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
		if m.Bug == "last waiter served first" {
			i = len(m.waiters) - 1 - i
		}
		w := m.waiters[i]
		if w.host != c.host || m.Bug == "dialing waiter skipped" && w.dialing {
			continue
		}
		c.reused++
		m.serve(w, c)
		return
	}
	m.keep(c)
}

// keep makes c idle. It closes c, or the connection that was idle longest, if there
// are more idle connections than the limits allow.
func (m *Transport) keep(c *conn) {
	most := m.MaxIdleConnsPerHost
	if m.DisableKeepAlives || most > 0 && m.idleOf(c.host) >= most {
		m.dropLocked(c)
		return
	}
	m.idle = append(m.idle, c)
	if m.MaxIdleConns > 0 && len(m.idle) > m.MaxIdleConns {
		least := 0 // recently used
		if m.Bug == "newest evicted" {
			least = len(m.idle) - 1
		}
		old := m.idle[least]
		if m.Bug != "closed conn stays idle" {
			m.idle = slices.Delete(m.idle, least, least+1)
		}
		m.dropLocked(old)
	}
	if m.IdleConnTimeout > 0 && (c.timer == nil || m.Bug != "idle timer set once") {
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
		if m.Bug == "slot lost after expiry" {
			m.count(c.host, 1)
		}
		m.dropLocked(c)
	case m.Bug == "idle timer not stopped":
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
	if m.Bug != "slot lost after error" {
		m.count(c.host, -1)
	}
	m.next()
}

// exchange sends the request and receives the head of its response.
func (m *Transport) exchange(c *conn, req *http.Request) (*http.Response, error) {
	ctx := req.Context()
	stop := func() bool { return true }
	switch m.Bug {
	case "cancel ignored":
	case "pooled after cancel":
		stop = context.AfterFunc(ctx, func() { c.SetReadDeadline(time.Unix(1, 0)) })
	default:
		stop = context.AfterFunc(ctx, func() { c.Close() })
	}
	resp, err := m.talk(c, req)
	if err != nil {
		if !stop() && m.Bug == "pooled after cancel" {
			c.SetReadDeadline(time.Time{})
			m.put(c)
			return nil, ctx.Err()
		}
		if m.Bug != "broken conn left open" || ctx.Err() != nil {
			m.drop(c)
		}
		if ctx.Err() != nil {
			if m.Bug == "no response and no error" {
				return nil, nil
			}
			return nil, ctx.Err()
		}
		return nil, err
	}
	fit := !resp.Close && !req.Close || m.Bug == "close ignored"
	switch m.Bug {
	case "unknown length closes":
		fit = fit && resp.ContentLength >= 0
	case "large body closes":
		fit = fit && resp.ContentLength < 64<<10
	case "no body closes":
		fit = fit && resp.ContentLength != 0 && req.Method != "HEAD"
	case "error status closes":
		fit = fit && resp.StatusCode < 400
	}
	if m.Bug == "cancel closes pooled conn" {
		stop = func() bool { return true }
	}
	b := &body{ReadCloser: resp.Body, m: m, c: c, stop: stop, fit: fit, turn: make(chan struct{}, 1)}
	if m.Drain && m.Bug != "drain writes trailer" {
		b.from, resp = resp, forCaller(resp)
		b.to = resp
	}
	resp.Body = b
	if resp.ContentLength == 0 || req.Method == "HEAD" {
		b.end(true)
		resp.Body = http.NoBody
	} else if m.Bug == "pooled before body end" {
		m.put(c.secondUse())
	}
	return resp, nil
}

// CloseIdleConnections closes the connections that are idle now.
func (m *Transport) CloseIdleConnections() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closes++
	for _, c := range m.idle {
		c.Close()
		if m.Bug != "slot lost after close-idle" {
			m.count(c.host, -1)
		}
	}
	m.idle = nil
	m.next()
}
