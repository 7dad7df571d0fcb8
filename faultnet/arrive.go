package faultnet

import (
	"cmp"
)

// arriveAs lets e arrive at c as the verdict says. It is called with the link's
// mutex held, as arrive is.
func (c *Conn) arriveAs(e *Event, v Verdict) {
	row := v.row()
	if !v.IsPass() && !row.lawful {
		c.link.mark(v.name)
	}
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

// arriveUpTo calls arrive, but brings at most limit bytes; 0 stands for all.
func (c *Conn) arriveUpTo(kind Kind, limit int) {
	before := c.in.arrived
	c.arrive(kind)
	if kind == Data && limit > 0 && c.in.arrived-before > limit {
		c.in.arrived = before + limit
	}
}

// arriveChanged replaces the bytes of e by those that the verdict makes of them, and
// lets these arrive at c.
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

// arrive makes the head of the queue to c arrive there.
func (c *Conn) arrive(kind Kind) {
	in := &c.in
	switch kind {
	case Data:
		switch {
		case c.dead:
			c.discard() // a reset is on its way
			return
		case c.closed:
			c.sendReset() // no program takes the bytes: RFC 9293 section 3.10.7.1
			return
		case c.readShut && c.writeShut:
			// RFC 1122 section 4.2.2.13 has the peer reset; Linux does it to both.
			c.report()
			c.sendReset()
			c.canRead.Broadcast()
			c.canWrite.Broadcast()
			return
		}
		in.fill()
	case FIN:
		in.fin = flightArrived
	case RST:
		in.reset = flightArrived
		c.takeReset()
	}
	c.canRead.Broadcast()
}

// cutOff ends the direction to c with a FIN here. The sender of the rest can send
// no more.
func (c *Conn) cutOff() {
	if c.dead || c.closed {
		return
	}
	c.in.buf.truncate(c.in.arrived)
	c.in.fin = flightArrived
	c.in.reset = flightUnsent
	c.Peer().writeShut = true
	c.canRead.Broadcast()
	c.Peer().canWrite.Broadcast()
}

// stall stops what is on its way to c.
func (c *Conn) stall() { c.clog(true) }

// lose cuts both directions, as Vanish does. It is called with the mutex held.
func (c *Conn) lose() { c.link.lose() }

// breakBoth resets both ends at once: c is one of them.
func (c *Conn) breakBoth() {
	c.link.mark("reset")
	for _, end := range []*Conn{c, c.Peer()} {
		end.in.reset = flightArrived
		end.takeReset()
	}
}

// resetByPeer resets the connection and closes the server's end.
func (c *Conn) resetByPeer() {
	c.link.mu.Lock()
	c.breakBoth()
	c.link.unlock()
	c.Peer().closeNow()
}
