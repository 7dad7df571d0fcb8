package faultnet

import (
	"cmp"
	"math"
	"syscall"
)

// arriveAs has e arrive at c as the verdict says. It is called with the link's
// mutex held, as arrive is.
func (c *Conn) arriveAs(e *Event, v Verdict) {
	row := v.row()
	switch {
	case v.IsPass():
		c.arriveUpTo(e.Kind, e.limit)
	case e.Kind != Data:
	case row.change != nil:
		c.arriveChanged(e, v)
	case v.bytes > 0:
		c.arriveUpTo(Data, min(v.bytes, cmp.Or(e.limit, v.bytes)))
	}
	if row.then != nil {
		row.then(c)
	}
}

// arriveUpTo is arrive, but brings at most limit bytes; 0 is all.
func (c *Conn) arriveUpTo(kind Kind, limit int) {
	before := c.in.arrived
	c.arrive(kind)
	if kind == Data && limit > 0 && c.in.arrived-before > limit {
		c.in.arrived = before + limit
	}
}

// arriveChanged has what the verdict makes of the bytes of e arrive at c.
func (c *Conn) arriveChanged(e *Event, v Verdict) {
	in := &c.in
	was := e.bytes()
	behind := make([]byte, in.buf.n-in.arrived-len(was))
	in.buf.peek(behind, in.arrived+len(was), in.buf.n)
	in.buf.truncate(in.arrived)
	b := v.effect.change(v, was)
	in.buf.push(b)
	in.buf.push(behind)
	c.arriveUpTo(Data, len(b))
}

// cutOff ends the direction to c with a FIN here. Who sent the rest can send
// no more.
func (c *Conn) cutOff() {
	if c.dead || c.closed {
		return
	}
	c.in.buf.truncate(c.in.arrived)
	c.in.fin = arrived
	c.in.reset = unsent
	c.Peer().writeShut = true
	c.canRead.Broadcast()
	c.Peer().canWrite.Broadcast()
}

// stall stops what is on its way to c.
func (c *Conn) stall() { c.clog(true) }

// lose is Vanish with the link's mutex held.
func (c *Conn) lose() { c.link.lose() }

// resetByPeer is the end of a connection that its server's kernel resets at once.
func (c *Conn) resetByPeer() {
	c.link.mu.Lock()
	c.breakBoth()
	c.link.unlock()
	c.Peer().closeNow()
}

// lose is vanish with the link's mutex held.
func (l *link) lose() {
	l.lost = true
	for side := range l.end {
		l.withdraw(&l.end[side])
	}
	l.abandon()
}

// clog stops or resumes what is on its way to c. It is called with the link's
// mutex held; what waits is posted by the advance that follows.
func (c *Conn) clog(on bool) {
	c.in.clogged = on
	if on {
		c.link.withdraw(c)
		c.in.marking, c.in.marks = false, nil
	}
}

// Clog keeps everything that is sent to this end from arriving, until Unclog:
// the network in this one direction stands still, and neither end is told.
func (c *Conn) Clog() { c.setClog(true) }

// Unclog ends a Clog: what waited arrives, in its order.
func (c *Conn) Unclog() { c.setClog(false) }

func (c *Conn) setClog(on bool) {
	c.link.mu.Lock()
	defer c.link.unlock()
	c.clog(on)
	c.link.advance()
}

// Break gives this end an error from below, as a kernel does that gives a
// connection up: ETIMEDOUT when keep-alive probes or segments were never
// answered, EHOSTUNREACH when the network says so. The next call, or the one
// that is blocked, returns it. The peer is not told, unless errno is ECONNRESET
// or EPIPE: then it was reset as well.
func (c *Conn) Break(errno syscall.Errno) {
	c.link.mu.Lock()
	defer c.link.unlock()
	c.breakWith(errno)
	c.link.advance()
}

func (c *Conn) breakWith(errno syscall.Errno) {
	if c.dead || c.closed {
		return
	}
	c.report()
	c.pending = errno
	c.dead = true
	if errno == syscall.ECONNRESET || errno == syscall.EPIPE {
		peer := c.Peer()
		peer.in.reset = arrived
		peer.takeReset()
		c.canRead.Broadcast()
		c.canWrite.Broadcast()
		return
	}
	c.link.lose()
	c.dropFlight()
	c.Peer().dropFlight()
	c.canRead.Broadcast()
	c.canWrite.Broadcast()
}

// endAt has the event end at that byte of the stream at the latest: what follows
// is an event of its own. It reports whether the byte is not past.
func (e *Event) endAt(b int64) bool {
	to := e.From.Peer()
	to.link.mu.Lock()
	defer to.link.mu.Unlock()
	before := b - to.in.taken - int64(to.in.arrived)
	if before > 0 && (e.limit == 0 || before < int64(e.limit)) {
		e.limit = int(min(before, math.MaxInt))
	}
	return before > 0
}

// Offset is how many bytes have arrived in the direction of an event before it.
func (e *Event) Offset() int64 {
	if e.Kind&arriving == 0 {
		return 0
	}
	to := e.From.Peer()
	to.link.mu.Lock()
	defer to.link.mu.Unlock()
	return to.in.taken + int64(to.in.arrived)
}
