package faultnet

import (
	"io"
	"syscall"
)

// ask returns the verdict of the rules on a call that begins, and records it.
func (n *Net) ask(e *Event) Verdict {
	v := n.decide(e, false, true)
	if v.IsPass() {
		return v
	}
	n.log(e, v.name)
	if e.From != nil && !v.row().lawful {
		e.From.link.mu.Lock()
		e.From.link.mark(v.name)
		e.From.link.mu.Unlock()
	}
	return v
}

// ruledRead reads on a network whose rules are asked about calls.
func (c *Conn) ruledRead(b []byte) (int, error) {
	if c.IsClosed() || len(b) == 0 {
		return c.readNow(b)
	}
	e := &Event{Kind: Read, From: c, net: c.link.net}
	v := c.link.net.ask(e)
	if read := v.row().read; read != nil {
		return read(c, e, v, b)
	}
	return c.readNow(b)
}

// ruledWrite writes on a network whose rules are asked about calls.
func (c *Conn) ruledWrite(b []byte) (int, error) {
	if c.IsClosed() {
		return c.writeNow(b)
	}
	e := &Event{Kind: Write, From: c, net: c.link.net}
	v := c.link.net.ask(e)
	if write := v.row().write; write != nil {
		return write(c, e, v, b)
	}
	return c.writeNow(b)
}

// ruledClose closes the end on a network whose rules are asked about calls. It
// does so whatever they say, as the kernel does.
func (c *Conn) ruledClose() error {
	if c.IsClosed() {
		return c.closeNow()
	}
	e := &Event{Kind: Close, From: c, net: c.link.net}
	v := c.link.net.ask(e)
	if shut := v.row().close; shut != nil {
		return shut(c, e, v)
	}
	return c.closeNow()
}

// fail returns errno from a call, and ends the connection if that errno does.
func (c *Conn) fail(op string, errno syscall.Errno) (int, error) {
	if endsConn(errno) {
		c.Break(errno)
		c.link.mu.Lock()
		c.takePending()
		c.link.mu.Unlock()
	}
	return 0, c.sysError(op, errno)
}

func (c *Conn) closeFails(_ *Event, v Verdict) error {
	c.closeNow()
	return c.sysError("close", v.errno)
}

func (c *Conn) closeLater(_ *Event, v Verdict) error {
	c.link.clock.Sleep(v.d)
	return c.closeNow()
}

// readWithEnd reads, and returns io.EOF together with the last bytes.
func (c *Conn) readWithEnd(_ *Event, _ Verdict, b []byte) (int, error) {
	n, err := c.readNow(b)
	c.link.mu.Lock()
	defer c.link.mu.Unlock()
	if err == nil && c.in.arrived == 0 && c.in.fin == flightArrived {
		err = io.EOF
	}
	return n, err
}

// writeShort writes the first bytes and resets the connection.
func (c *Conn) writeShort(_ *Event, v Verdict, b []byte) (int, error) {
	n, err := c.writeNow(b[:min(len(b), v.bytes)])
	if err == nil && n < len(b) {
		_, err = c.fail("write", syscall.ECONNRESET)
	}
	return n, err
}

func (c *Conn) writeInPieces(_ *Event, v Verdict, b []byte) (n int, err error) {
	for {
		k, err := c.writeNow(b[n:min(len(b), n+v.bytes)])
		n += k
		if err != nil || n == len(b) {
			return n, err
		}
	}
}

func (c *Conn) readBlocked(e *Event, _ Verdict, b []byte) (int, error) {
	c.block(&c.stuckRead, e)
	return c.readNow(b)
}

func (c *Conn) writeBlocked(e *Event, _ Verdict, b []byte) (int, error) {
	c.block(&c.stuckWrite, e)
	return c.writeNow(b)
}

func (c *Conn) closeBlocked(e *Event, _ Verdict) error {
	c.block(&c.stuckClose, e)
	c.link.mu.Lock()
	for c.stuckClose != nil {
		c.waitWrite()
	}
	c.link.unlock()
	return c.closeNow()
}

// block notes that a call waits for the rule that blocks it to be lifted.
func (c *Conn) block(stuck **Event, e *Event) {
	c.link.mu.Lock()
	*stuck = e
	c.link.unlock()
	c.link.net.unblock() // the rule may have been lifted in between
}

// unblock lets the calls go on that no rule blocks any more.
func (n *Net) unblock() {
	for _, c := range n.Conns() {
		for _, end := range [...]*Conn{c, c.Peer()} {
			for _, stuck := range [...]**Event{&end.stuckRead, &end.stuckWrite, &end.stuckClose} {
				c.link.mu.Lock()
				e := *stuck
				c.link.mu.Unlock()
				if e == nil || n.Verdict(e).row().blocks {
					continue
				}
				c.link.mu.Lock()
				*stuck = nil
				end.canRead.Broadcast()
				end.canWrite.Broadcast()
				c.link.unlock()
			}
		}
	}
	n.mu.Lock()
	listeners := append(n.listenersWith(func(*listener) bool { return true }), n.faults.outside...)
	n.mu.Unlock()
	for _, l := range listeners {
		l.mu.Lock()
		l.ready.Broadcast()
		l.mu.Unlock()
	}
}
