package harness

import (
	"time"

	"github.com/halfopen/halfopen/faultnet"
)

// checkHooks compares what a transport has told by hooks since the last quiet point with
// what happened on the wire.
func (o *oracles) checkHooks(pending []*faultnet.Event, parked bool) {
	c := o.census
	c.mu.Lock()
	all := c.told
	c.told, o.told = o.told[:0], all
	c.mu.Unlock()
	defer clear(all)
	for _, h := range all {
		switch h.hook {
		case "GotConn":
			o.checkGotConn(h)
		case "PutIdleConn":
			o.checkPutIdleConn(h, parked)
		case "WroteRequest":
			if !parked { // net/http calls the hook before it hands the bytes to the connection
				o.checkWroteRequest(h, pending)
			}
		}
	}
}

// checkGotConn checks what GotConnInfo says. A connection that was idle at the last quiet
// point was in a pool: all goroutines were blocked, and no request was on it.
func (o *oracles) checkGotConn(h hookCall) {
	r, id, info := h.r, h.conn.ID(), h.info
	idle := !info.WasIdle && h.conn.wire.plain && h.conn.ready != nil && h.conn.used
	o.setReady(h.conn, nil) // until it is seen to be again
	o.conns = append(o.conns, h.conn.client)
	switch {
	case h.used && !info.Reused:
		o.t.violate(oracleTrace, &r.Op, "%s: GotConn says that %s is new, and another request was sent on it before", r.name, id)
	case h.used && idle:
		o.t.violate(oracleTrace, &r.Op, "%s: GotConn says that %s was not idle, and it was", r.name, id)
	case h.used && info.WasIdle && h.conn.wire.plain && info.IdleTime > time.Since(h.heard):
		o.t.violate(oracleTrace, &r.Op, "%s: GotConn says that %s was idle for %s, and bytes arrived on it %s ago", r.name, id, info.IdleTime, time.Since(h.heard))
	case !info.WasIdle && info.IdleTime != 0:
		o.t.violate(oracleTrace, &r.Op, "%s: GotConn says that %s was idle for %s, and that it was not idle", r.name, id, info.IdleTime)
	}
}

// checkPutIdleConn checks what PutIdleConn says about a connection that a request is done with.
func (o *oracles) checkPutIdleConn(h hookCall, parked bool) {
	r, id := h.r, h.conn.ID()
	switch {
	case h.err == nil && h.cut:
		o.t.violate(oracleTrace, &r.Op, "%s: PutIdleConn says that %s is idle, and its response has not come to its end", r.name, id)
	case h.err != nil && !parked && h.conn.User() == r && !h.conn.client.IsClosed() && !r.upgraded():
		o.t.violate(oracleTrace, &r.Op, "%s: PutIdleConn says that %s did not become idle (%v), and it is open", r.name, id, h.err)
	}
}

// checkWroteRequest checks that a request is on the wire of which WroteRequest says that it
// was written. What a fault or the end of the connection has taken is not missed.
func (o *oracles) checkWroteRequest(h hookCall, pending []*faultnet.Event) {
	r, c := h.r, h.conn
	if c.client.Fault() != "" || c.client.Ended() != 0 || !c.client.IsIdle() || c.wire.seen && !c.wire.plain {
		return
	}
	if n := r.Conn(); n != c && !r.onItsWay(pending) {
		o.t.violate(oracleTrace, &r.Op, "%s: WroteRequest says that it was written, and %s has brought nothing of it", r.name, c.ID())
	}
}

// checkWrites checks, at the end, that the hook was called for a request that was answered. A
// body may still be on its way then.
func (r *Request) checkWrites() {
	r.c.mu.Lock()
	silent := !r.upload && r.hooks.asked > 0 && r.hooks.conn != nil && r.hooks.writes == 0 && r.returned && r.err == nil && r.resp != nil
	r.c.mu.Unlock()
	if silent {
		r.t.violate(oracleTrace, &r.Op, "%s: answered, and WroteRequest was never called", r.name)
	}
}
