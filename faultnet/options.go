package faultnet

import (
	"io"
	"net"
	"os"
	"syscall"
	"time"
)

// Linux's smallest and largest buffers (tcp(7), socket(7)). Keep-alive times are
// 15 bits of seconds, and the count of probes has seven.
const (
	minReadBuffer  = 2304
	minWriteBuffer = 4608
	maxBuffer      = 212992
	maxKeepSeconds = 1<<15 - 1
	maxKeepCount   = 1<<7 - 1
)

// ReadFrom copies from r until it ends, as [net.TCPConn.ReadFrom] does where it cannot
// splice: by Write.
func (c *Conn) ReadFrom(r io.Reader) (int64, error) {
	n, err := io.Copy(struct{ io.Writer }{c}, r)
	if err != nil {
		err = c.opError("readfrom", err)
	}
	return n, err
}

// WriteTo copies all that is read to w, as [net.TCPConn.WriteTo] does where it cannot
// splice: by Read.
func (c *Conn) WriteTo(w io.Writer) (int64, error) {
	n, err := io.Copy(w, struct{ io.Reader }{c})
	if err != nil {
		err = c.opError("writeto", err)
	}
	return n, err
}

// SetReadBuffer sets how many bytes this end holds that were not read. As on Linux
// it is at least 2304, and at most 212992.
func (c *Conn) SetReadBuffer(bytes int) error {
	return c.setBuffer(&c.in.window, bytes, minReadBuffer)
}

// SetWriteBuffer sets how many bytes of this end can be on their way. As on Linux it
// is at least 4608, and at most 212992.
func (c *Conn) SetWriteBuffer(bytes int) error {
	return c.setBuffer(&c.sending, bytes, minWriteBuffer)
}

// setBuffer sets the size of a buffer of c. A negative one is a large one, as the
// kernel reads it.
func (c *Conn) setBuffer(buffer *int, bytes, least int) error {
	c.link.mu.Lock()
	defer c.link.unlock()
	if c.closed {
		return &net.OpError{Op: "set", Net: c.network, Addr: c.LocalAddr(), Err: net.ErrClosed}
	}
	if bytes < 0 {
		bytes = maxBuffer
	}
	*buffer = min(max(bytes, least), maxBuffer)
	c.wakeWriters()
	c.Peer().wakeWriters()
	c.link.advance()
	return nil
}

// SetNoDelay does nothing on an open connection: what is written is always sent at
// once.
func (c *Conn) SetNoDelay(bool) error { return c.setOption(true) }

// SetKeepAlive does nothing on an open connection: the network has no probes. What
// the kernel does when they get no answer is Break with ETIMEDOUT.
func (c *Conn) SetKeepAlive(bool) error { return c.setOption(true) }

// SetKeepAlivePeriod fails for a time that Linux does not take, and does nothing else:
// see SetKeepAlive.
func (c *Conn) SetKeepAlivePeriod(d time.Duration) error { return c.setOption(keepSeconds(d)) }

// SetKeepAliveConfig fails for values that Linux does not take, and does nothing
// else: see SetKeepAlive.
func (c *Conn) SetKeepAliveConfig(config net.KeepAliveConfig) error {
	return c.setOption(keepSeconds(config.Idle) && keepSeconds(config.Interval) && config.Count <= maxKeepCount)
}

// keepSeconds reports whether Linux takes d, which is rounded up to seconds.
func keepSeconds(d time.Duration) bool { return d <= maxKeepSeconds*time.Second }

// setOption returns the error of a setsockopt call with a value that is valid or not.
func (c *Conn) setOption(valid bool) error {
	var err error
	switch {
	case c.IsClosed():
		err = net.ErrClosed
	case !valid:
		err = os.NewSyscallError("setsockopt", syscall.EINVAL)
	default:
		return nil
	}
	return c.opError("set", err)
}
