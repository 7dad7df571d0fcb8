package harness

import (
	"net"
	"net/http/httptrace"
	"time"

	"github.com/halfopen/halfopen/faultnet"
)

// hooks has what a transport tells about a request by the hooks of package httptrace. A
// transport that calls none tells nothing. census.mu guards it.
type hooks struct {
	asked  int   // the place of its first GetConn among those of all requests; 0 if there was none
	asking int   // calls of GetConn without their GotConn
	dialed int   // how many dials had begun when it was called last
	conn   *Conn // what GotConn gave last, if it is known
	got    []*Conn
	mixed  bool // two attempts at a time: which of them a hook is about is not known
	wrote  bool // the last attempt was written: WroteRequest has said so
	writes int  // calls of WroteRequest
}

// hookCall is a call of a hook, which the oracles look at when it is quiet.
type hookCall struct {
	r    *Request
	conn *Conn
	hook string
	info httptrace.GotConnInfo // of GotConn
	err  error                 // of PutIdleConn

	// How things were when the hook was called.
	used  bool      // another request had been sent on the connection
	heard time.Time // when bytes arrived on it last
	cut   bool      // a part of the response had not arrived
}

// traced returns the trace of a request. The transport calls its functions.
func (r *Request) traced() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{GetConn: r.getConn, GotConn: r.gotConn, PutIdleConn: r.putIdleConn, WroteRequest: r.wroteRequest}
}

func (r *Request) getConn(string) {
	r.c.mu.Lock()
	defer r.c.mu.Unlock()
	h := &r.hooks
	h.mixed = h.mixed || h.asking > 0
	h.asking++
	h.dialed = len(r.c.dialed)
	r.change()
	h.wrote = false
	if h.asked == 0 {
		r.c.asked++
		h.asked = r.c.asked
	}
}

func (r *Request) gotConn(info httptrace.GotConnInfo) {
	conn := r.c.connOf(info.Conn)
	r.c.mu.Lock()
	defer r.c.mu.Unlock()
	h := &r.hooks
	h.asking = max(0, h.asking-1)
	r.change()
	if h.conn = conn; conn == nil {
		return
	}
	h.got, conn.via = append(h.got, conn), r.via
	w := &conn.wire
	r.c.told = append(r.c.told, hookCall{r: r, conn: conn, hook: "GotConn", info: info,
		used: w.first != nil && w.first != r, heard: w.heard})
}

func (r *Request) putIdleConn(err error) {
	r.c.mu.Lock()
	defer r.c.mu.Unlock()
	conn := r.hooks.conn
	if conn == nil || r.hooks.mixed {
		return
	}
	w := &conn.wire
	r.c.told = append(r.c.told, hookCall{r: r, conn: conn, hook: "PutIdleConn", err: err,
		cut: w.plain && w.last == r && w.response.partial()})
}

func (r *Request) wroteRequest(info httptrace.WroteRequestInfo) {
	r.c.mu.Lock()
	defer r.c.mu.Unlock()
	r.hooks.writes++
	r.hooks.wrote = info.Err == nil
	if conn := r.hooks.conn; conn != nil && !r.hooks.mixed && info.Err == nil {
		r.c.told = append(r.c.told, hookCall{r: r, conn: conn, hook: "WroteRequest"})
	}
}

// connOf returns the handle of the connection that a transport calls its own: what a dial
// returned, or TLS around it. It returns nil for one that others have wrapped.
func (c *census) connOf(conn net.Conn) *Conn {
	for range 4 {
		if end, ok := conn.(*faultnet.Conn); ok {
			return c.conn(end)
		}
		inner, ok := conn.(interface{ NetConn() net.Conn })
		if !ok {
			return nil
		}
		conn = inner.NetConn()
	}
	return nil
}
