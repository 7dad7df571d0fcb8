package faultnet

import (
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// Side tells the two ends of a connection apart.
type Side uint8

const (
	Client Side = iota // the end that dialed
	Server             // the end that was accepted
)

// String returns "client" or "server".
func (s Side) String() string {
	if s == Client {
		return "client"
	}
	return "server"
}

// Conn is one end of a connection. It implements [net.Conn] with the methods
// of [net.TCPConn] that HTTP code looks for, and answers each call as Linux
// would: end of file, a reset and a deadline differ, to the error value.
type Conn struct {
	link    *link
	side    Side
	network string                    // what its end dialed or listened on: "tcp", "tcp4" or "tcp6"
	addrs   atomic.Pointer[addresses] // once they were asked for

	// All below is guarded by link.mu.
	in            inbound
	sending       int // the send buffer: bytes written and not arrived
	canRead       sync.Cond
	canWrite      sync.Cond
	reading       bool // a Read is in progress: reads take turns
	writing       bool // a Write is in progress: writes take turns
	waitingReads  int
	waitingWrites int
	readDeadline  deadline
	writeDeadline deadline
	closed        bool          // Close was called
	closes        int           // how often it was
	late          int           // calls of Write that began after it
	readShut      bool          // CloseRead was called
	writeShut     bool          // a FIN was sent
	dead          bool          // reset by either end: nothing travels any more
	lingerZero    bool          // Close resets
	pending       syscall.Errno // what the next call reports, once
	pendingFor    direction     // which call that is, when one was blocked
	stuckRead     *Event        // the call that a rule blocks
	stuckWrite    *Event
	stuckClose    *Event
}

// ID returns the connection's name on its network, "c1" for the first that opened.
// Both ends share it.
func (c *Conn) ID() string { return c.link.name() }

// Number returns the number in ID.
func (c *Conn) Number() int { return c.link.number }

// Side says which end this is.
func (c *Conn) Side() Side { return c.side }

// Peer returns the other end.
func (c *Conn) Peer() *Conn { return &c.link.end[1-c.side] }

// Owner returns the owner of the dial that opened the connection: see [WithOwner].
func (c *Conn) Owner() string { return c.link.owner }

// Address returns the "host:port" that the client asked for.
func (c *Conn) Address() string { return c.link.address }

// LocalAddr returns a [*net.TCPAddr], unless the connection is wrapped.
func (c *Conn) LocalAddr() net.Addr { return c.addresses().local }

// RemoteAddr returns a [*net.TCPAddr], unless the connection is wrapped.
func (c *Conn) RemoteAddr() net.Addr { return c.addresses().remote }

// Read reads what has arrived. After the peer's FIN it returns [io.EOF], after
// a reset ECONNRESET once and io.EOF from then on; bytes that arrived before
// either are read first, as on Linux.
func (c *Conn) Read(b []byte) (int, error) {
	if c.link.net.calls.Load() {
		return c.ruledRead(b)
	}
	return c.readNow(b)
}

// readNow reads without asking rules. It sleeps itself, and not in a function that
// it calls: a goroutine that wakes pays for each frame that it returns through.
func (c *Conn) readNow(b []byte) (int, error) {
	l := c.link
	l.mu.Lock()
	for c.reading && !c.closed {
		c.waitRead()
	}
	c.reading = true
	n, ok, err := c.tryRead(b)
	for !ok {
		if c.stuckRead == nil {
			c.in.dst = b
		}
		if len(l.posted) > 0 {
			l.post()
			l.mu.Lock()
		} else {
			c.waitingReads++
			c.canRead.Wait()
			c.waitingReads--
		}
		n, c.in.dst, c.in.handed = c.in.handed, nil, 0
		if n > 0 {
			break
		}
		n, ok, err = c.tryRead(b)
	}
	c.in.taken += int64(n)
	c.reading = false
	c.wakeReaders()
	l.unlock()
	return n, err
}

// tryRead reads what there is. It is called when it is this call's turn, and
// returns ok = false if the call has to wait.
func (c *Conn) tryRead(b []byte) (n int, ok bool, err error) {
	switch {
	case c.closed:
		return 0, true, c.opError("read", net.ErrClosed)
	case len(b) == 0:
		return 0, true, nil
	case c.readDeadline.passed(c.link.clock):
		return 0, true, c.opError("read", os.ErrDeadlineExceeded)
	case c.stuckRead != nil:
		return 0, false, nil
	case c.in.arrived > 0:
		n := c.in.buf.pop(b, c.in.arrived)
		c.in.arrived -= n
		c.Peer().wakeWriters()
		if c.in.waits() {
			c.link.carry(c) // the window has opened
		}
		return n, true, nil
	case c.in.fin == flightArrived:
		return 0, true, io.EOF
	case c.pending != 0 && c.pendingFor != forWrites:
		return 0, true, c.sysError("read", c.takePending())
	case c.dead || c.readShut:
		return 0, true, io.EOF
	}
	return 0, false, nil
}

// Write writes all of b or returns an error. It blocks while the send buffer
// and the peer's receive buffer are full.
func (c *Conn) Write(b []byte) (int, error) {
	if c.link.net.calls.Load() {
		return c.ruledWrite(b)
	}
	return c.writeNow(b)
}

// writeNow writes without asking rules.
func (c *Conn) writeNow(b []byte) (int, error) {
	c.link.mu.Lock()
	if c.closed {
		c.late++
	}
	for c.writing && !c.closed {
		c.waitWrite()
	}
	c.writing = true
	n, err := c.write(b)
	c.writing = false
	c.wakeWriters()
	c.link.unlock()
	return n, err
}

// write writes b. It is called when it is this call's turn.
func (c *Conn) write(b []byte) (n int, err error) {
	l, to := c.link, c.Peer()
	for {
		switch {
		case c.closed:
			return n, c.opError("write", net.ErrClosed)
		case c.writeDeadline.passed(l.clock):
			return n, c.opError("write", os.ErrDeadlineExceeded)
		case c.stuckWrite != nil:
			c.waitWrite()
			continue
		case c.pending != 0 && c.pendingFor != forReads:
			return n, c.sysError("write", c.takePending())
		case c.dead || c.writeShut:
			return n, c.sysError("write", syscall.EPIPE)
		}
		room := c.sending + to.in.window - to.in.buf.n - to.in.void
		if room <= 0 && n < len(b) {
			c.waitWrite()
			continue
		}
		k := l.hand(to, b[n:])
		if k == 0 {
			k = min(room, len(b)-n)
			to.in.buf.push(b[n : n+k])
			l.carry(to)
		}
		n += k
		if n == len(b) {
			return n, nil
		}
	}
}

// Close closes this end: it sends a FIN behind what was written, or a reset
// if bytes that arrived were never read (RFC 2525 section 2.17) or the linger
// time is 0. Calls that are blocked on this end return [net.ErrClosed].
func (c *Conn) Close() error {
	if c.link.net.calls.Load() {
		return c.ruledClose()
	}
	return c.closeNow()
}

// closeNow closes the end without asking rules.
func (c *Conn) closeNow() error {
	l := c.link
	l.mu.Lock()
	defer l.unlock()
	c.closes++
	if c.closed {
		return c.opError("close", net.ErrClosed)
	}
	c.closed = true
	c.readDeadline.stop()
	c.writeDeadline.stop()
	switch {
	case c.gone():
	case c.in.arrived > 0, c.lingerZero && !c.lastAck():
		c.sendReset()
	default:
		c.sendFin()
	}
	c.canRead.Broadcast()
	c.canWrite.Broadcast()
	l.advance()
	return nil
}

// Deadlines returns the read and the write deadline; the zero time stands for none.
func (c *Conn) Deadlines() (read, write time.Time) {
	c.link.mu.Lock()
	defer c.link.mu.Unlock()
	if !c.closed {
		read, write = c.readDeadline.at, c.writeDeadline.at
	}
	return read, write
}

// Reset sends a reset at once and closes this end, as SetLinger(0) and Close
// do.
func (c *Conn) Reset() error {
	c.SetLinger(0)
	return c.Close()
}

// CloseWrite sends a FIN behind what was written: the half-close.
func (c *Conn) CloseWrite() error {
	c.link.mu.Lock()
	defer c.link.unlock()
	if err := c.shutdownError(); err != nil {
		return err
	}
	c.sendFin()
	c.canWrite.Broadcast()
	c.link.advance()
	return nil
}

// CloseRead makes reads return [io.EOF] once what has arrived is read. The
// peer does not learn of it.
func (c *Conn) CloseRead() error {
	c.link.mu.Lock()
	defer c.link.unlock()
	if err := c.shutdownError(); err != nil {
		return err
	}
	c.readShut = true
	c.canRead.Broadcast()
	return nil
}

func (c *Conn) shutdownError() error {
	switch {
	case c.closed:
		return c.opError("close", net.ErrClosed)
	case c.gone():
		return c.opError("close", os.NewSyscallError("shutdown", syscall.ENOTCONN))
	}
	return nil
}

// SetDeadline sets the read and the write deadline.
func (c *Conn) SetDeadline(t time.Time) error {
	return c.setDeadlines(t, true, true)
}

// SetReadDeadline sets the instant from which reads fail with
// [os.ErrDeadlineExceeded], even if bytes have arrived. The zero time is none.
func (c *Conn) SetReadDeadline(t time.Time) error {
	return c.setDeadlines(t, true, false)
}

// SetWriteDeadline sets the instant from which writes fail with
// [os.ErrDeadlineExceeded]. The zero time is none.
func (c *Conn) SetWriteDeadline(t time.Time) error {
	return c.setDeadlines(t, false, true)
}

func (c *Conn) setDeadlines(t time.Time, read, write bool) error {
	l := c.link
	l.mu.Lock()
	defer l.unlock()
	if c.closed {
		return &net.OpError{Op: "set", Net: c.network, Addr: c.LocalAddr(), Err: net.ErrClosed}
	}
	if !t.IsZero() && !l.net.deadlines.Load() && l.clock.Until(t) > 0 {
		l.net.deadlines.Store(true)
	}
	if read {
		c.readDeadline.move(l.clock, t, &c.canRead)
	}
	if write {
		c.writeDeadline.move(l.clock, t, &c.canWrite)
	}
	return nil
}

// SetLinger sets what Close does, as [net.TCPConn.SetLinger]: 0 resets, any
// other value sends what was written and a FIN in the background.
func (c *Conn) SetLinger(sec int) error {
	c.link.mu.Lock()
	defer c.link.unlock()
	if c.closed {
		return &net.OpError{Op: "set", Net: c.network, Source: c.LocalAddr(), Addr: c.RemoteAddr(), Err: net.ErrClosed}
	}
	c.lingerZero = sec == 0
	return nil
}

// direction says for which calls of an end an error is meant.
type direction uint8

const (
	forEither direction = iota
	forReads
	forWrites
)

func (c *Conn) takePending() syscall.Errno {
	errno := c.pending
	c.pending, c.pendingFor = 0, forEither
	return errno
}

func (c *Conn) waitRead()  { c.link.wait(&c.canRead, &c.waitingReads) }
func (c *Conn) waitWrite() { c.link.wait(&c.canWrite, &c.waitingWrites) }

func (c *Conn) wakeReaders() {
	if c.waitingReads > 0 {
		c.canRead.Broadcast()
	}
}

func (c *Conn) wakeWriters() {
	if c.waitingWrites > 0 {
		c.canWrite.Broadcast()
	}
}
