package faultnet

import (
	"syscall"
)

// Clog keeps everything that is sent to this end from arriving, until Unclog:
// the network in this one direction stands still, and neither end notices.
func (c *Conn) Clog() { c.setClog(true) }

// Unclog ends a Clog: what waited arrives, in its order.
func (c *Conn) Unclog() { c.setClog(false) }

func (c *Conn) setClog(on bool) {
	c.link.mu.Lock()
	defer c.link.unlock()
	c.clog(on)
	c.link.advance()
}

// clog stops or resumes what is on its way to c. It is called with the link's
// mutex held; what waits is posted by the advance that follows.
func (c *Conn) clog(on bool) {
	c.in.clogged = on
	if on {
		c.link.mark("clog")
		c.link.withdraw(c)
		c.in.marking, c.in.marks = false, nil
	}
}

// mark notes a fault that is done to the connection. The mutex is held.
func (l *link) mark(fault string) {
	if l.fault == "" {
		l.fault = fault
	}
}

// Break gives this end an error from below, as a kernel does that gives a
// connection up: ETIMEDOUT when keep-alive probes or segments were never
// answered, EHOSTUNREACH when the network says so. The next call, or the one
// that is blocked, returns it. The peer notices only ECONNRESET and EPIPE, which reset it
// as well.
func (c *Conn) Break(errno syscall.Errno) {
	c.link.mu.Lock()
	defer c.link.unlock()
	c.breakWith(errno)
	c.link.advance()
}

func (c *Conn) breakWith(errno syscall.Errno) {
	c.link.mark("break")
	if c.dead || c.closed {
		return
	}
	c.report()
	c.pending = errno
	c.dead = true
	if errno == syscall.ECONNRESET || errno == syscall.EPIPE {
		peer := c.Peer()
		peer.in.reset = flightArrived
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

// Vanish makes the network between both ends disappear without a word:
// nothing that is on its way, or is sent from now on, ever arrives.
func (c *Conn) Vanish() { c.link.vanish() }

// lose withdraws what is on its way, and lets nothing arrive any more. It is called
// with the mutex held.
func (l *link) lose() {
	l.lost = true
	l.mark("vanish")
	for side := range l.end {
		l.withdraw(&l.end[side])
	}
	l.abandon()
}
