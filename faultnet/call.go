package faultnet

import (
	"io"
	"net"
	"os"
	"slices"
	"syscall"
)

// ask is what the rules say of a call that begins. What they do is recorded as
// an event's outcome is.
func (n *Net) ask(e *Event) Verdict {
	v := n.decide(e, faultPriority, true)
	if !v.IsPass() {
		n.log(e, v.name)
	}
	return v
}

// ruledRead is Read where rules are asked about calls.
func (c *Conn) ruledRead(b []byte) (int, error) {
	if c.IsClosed() || len(b) == 0 {
		return c.readNow(b)
	}
	e := &Event{Kind: Read, From: c, net: c.link.net}
	v := c.link.net.ask(e)
	switch v.effect {
	case failing:
		return c.fail("read", v.errno)
	case expire:
		return 0, c.opError("read", os.ErrDeadlineExceeded)
	case zero:
		return 0, nil
	case chunk:
		return c.readNow(b[:min(len(b), v.bytes)])
	case block:
		c.block(&c.stuckRead, e)
	case dataEOF:
		k, err := c.readNow(b)
		if err == nil && c.atEnd() {
			err = io.EOF
		}
		return k, err
	}
	return c.readNow(b)
}

// atEnd reports whether a Read would find nothing but the peer's FIN.
func (c *Conn) atEnd() bool {
	c.link.mu.Lock()
	defer c.link.mu.Unlock()
	return c.in.arrived == 0 && c.in.fin == arrived
}

// fail is a call that returns errno; one that ends the connection ends it.
func (c *Conn) fail(op string, errno syscall.Errno) (int, error) {
	if ends(errno) {
		c.Break(errno)
		c.link.mu.Lock()
		c.takePending()
		c.link.mu.Unlock()
	}
	return 0, c.sysError(op, errno)
}

// ruledWrite is Write where rules are asked about calls.
func (c *Conn) ruledWrite(b []byte) (n int, err error) {
	if c.IsClosed() {
		return c.writeNow(b)
	}
	e := &Event{Kind: Write, From: c, net: c.link.net}
	v := c.link.net.ask(e)
	switch v.effect {
	case failing:
		return c.fail("write", v.errno)
	case expire:
		return 0, c.opError("write", os.ErrDeadlineExceeded)
	case chunk:
		return inPieces(c.writeNow, b, v.bytes)
	case short:
		if n, err = c.writeNow(b[:min(len(b), v.bytes)]); err == nil && n < len(b) {
			_, err = c.fail("write", syscall.ECONNRESET)
		}
		return n, err
	case block:
		c.block(&c.stuckWrite, e)
	}
	return c.writeNow(b)
}

// inPieces writes b in pieces of that size.
func inPieces(write func([]byte) (int, error), b []byte, size int) (n int, err error) {
	for {
		k, err := write(b[n:min(len(b), n+size)])
		n += k
		if err != nil || n == len(b) {
			return n, err
		}
	}
}

// ruledClose is Close where rules are asked about calls. The end is closed
// whatever they say, as it is by the kernel.
func (c *Conn) ruledClose() error {
	if c.IsClosed() {
		return c.closeNow()
	}
	e := &Event{Kind: Close, From: c, net: c.link.net}
	v := c.link.net.ask(e)
	switch v.effect {
	case delay:
		c.link.clock.Sleep(v.d)
	case failing:
		c.closeNow()
		return c.sysError("close", v.errno)
	case twice:
		c.closeNow()
	case block:
		c.block(&c.stuckClose, e)
		c.link.mu.Lock()
		for c.stuckClose != nil {
			c.waitWrite()
		}
		c.link.unlock()
	}
	return c.closeNow()
}

// block notes that a call waits for the rule that blocks it to be lifted.
func (c *Conn) block(stuck **Event, e *Event) {
	c.link.mu.Lock()
	*stuck = e
	c.link.mu.Unlock()
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
				if e == nil || n.Verdict(e).effect == block {
					continue
				}
				c.link.mu.Lock()
				*stuck = nil
				end.canRead.Broadcast()
				end.canWrite.Broadcast()
				c.link.mu.Unlock()
			}
		}
	}
	n.mu.Lock()
	listeners := slices.Clone(n.disturbed.outside)
	for _, l := range n.listeners {
		listeners = append(listeners, l)
	}
	n.mu.Unlock()
	for _, l := range listeners {
		l.mu.Lock()
		l.ready.Broadcast()
		l.mu.Unlock()
	}
}

// ruledNext takes the first of the backlog as the rules want it; ok is false if
// there is none after all. It is called with the mutex held.
func (l *listener) ruledNext() (c net.Conn, err error, ok bool) {
	head := l.backlog[l.first]
	e := &Event{Kind: Accept, Addr: l.address, net: l.net}
	if l.stuck != nil {
		e = l.stuck // the same call, asked about again
	}
	l.mu.Unlock()
	v := l.net.decide(e, faultPriority, true)
	if l.stuck == nil && !v.IsPass() {
		l.net.log(e, v.name)
	}
	if v.effect == delay {
		l.net.clock().Sleep(v.d)
	}
	l.mu.Lock()
	l.stuck = nil
	if l.closed || l.first >= len(l.backlog) || l.backlog[l.first] != head {
		return nil, nil, false
	}
	switch v.effect {
	case failing:
		return nil, l.opError("accept", os.NewSyscallError("accept4", v.errno)), true
	case block:
		l.stuck = e
		l.ready.Wait()
		return nil, nil, false
	case closeFirst, resetFirst:
		c := l.next()
		l.mu.Unlock()
		if v.effect == resetFirst {
			c.SetLinger(0)
		}
		c.closeNow()
		l.mu.Lock()
		return nil, nil, false
	}
	return l.next().outside(), nil, true
}
