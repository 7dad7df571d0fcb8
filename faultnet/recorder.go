package faultnet

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/halfopen/halfopen/clock"
)

// Recorder notes what happens on real connections, in production too: dials, the sizes and
// times of what is written and read, FINs, resets, errors, and which side closed.
// [Recorder.WriteTo] writes it as a trace, which is text (docs/trace.md), and of which
// "halfopen import" makes a race script. The zero Recorder is ready, and keeps no byte of what
// was sent.
//
//	var rec faultnet.Recorder
//	tr.DialContext = rec.WrapDialer(tr.DialContext)
//
// The connections that it returns have all methods of [net.TCPConn] or [tls.Conn], where the
// dialer's connections are of these types. What a wrapper cannot do: a type assertion to
// *net.TCPConn or *tls.Conn fails ([Recorder] connections have NetConn, which returns the
// connection itself); copies go through Read and Write, and never splice; and what is read or
// written past the wrapper, by SyscallConn, File or NetConn, is not noted.
//
// A Recorder can be used by several goroutines at once. It holds no lock during I/O.
type Recorder struct {
	// Clock is the time of the events. Nil means [clock.System].
	Clock clock.Clock

	// Payload is how many bytes of each Read and Write are kept; zero keeps none. 512 is
	// enough for most heads of HTTP/1. What is kept has the secrets that were sent.
	Payload int

	// Memory bounds, in bytes, the events that are kept. Beyond it the oldest are dropped,
	// and the trace says how many. Zero means 8 MiB, for about 150,000 events without payload. Each
	// connection that is open costs some 300 bytes more.
	Memory int

	log eventLog
}

func (r *Recorder) clock() clock.Clock {
	if r.Clock == nil {
		return clock.System
	}
	return r.Clock
}

// note keeps an event of a connection or dial.
func (r *Recorder) note(of *recorded, kind recordedKind, n int64, text string) {
	r.log.mu.Lock()
	defer r.log.mu.Unlock()
	r.log.add(r, of, kind, n, text)
}

// payload returns what is kept of those bytes.
func (r *Recorder) payload(b []byte) string {
	return string(b[:max(0, min(r.Payload, len(b)))])
}

// WrapDialer returns a dialer that notes the dials of another one, and what happens on their
// connections: for [net/http.Transport.DialContext], and for the dialers of clients of Redis or SQL,
// most of which have that signature. A nil dialer is that of the zero [net.Dialer].
func (r *Recorder) WrapDialer(dial func(ctx context.Context, network, address string) (net.Conn, error)) func(ctx context.Context, network, address string) (net.Conn, error) {
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		of := &recorded{recordedAs: recordedAs{network: network, address: address}}
		r.log.dial(r, of)
		c, err := dial(ctx, network, address)
		if err != nil {
			r.log.end(r, of, noteFailed, dialFailure(err))
			return nil, err
		}
		r.log.open(r, of, c)
		return r.wrap(c, of), nil
	}
}

// WrapListener returns a listener that notes what happens on the connections that another one
// accepts.
func (r *Recorder) WrapListener(l net.Listener) net.Listener { return &recordedListener{l, r} }

type recordedListener struct {
	net.Listener
	rec *Recorder
}

// Accept implements [net.Listener].
func (l *recordedListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	of := &recorded{recordedAs: recordedAs{accepted: true, network: c.LocalAddr().Network(), address: c.LocalAddr().String()}}
	l.rec.log.open(l.rec, of, c)
	return l.rec.wrap(c, of), nil
}

// wrap returns the connection as the program gets it.
func (r *Recorder) wrap(c net.Conn, of *recorded) net.Conn {
	calls := recordedCalls{c, of, r}
	switch c := c.(type) {
	case *net.TCPConn:
		return &recordedTCP{c, calls}
	case *tls.Conn:
		return &recordedTLS{c, calls}
	}
	return &recordedConn{c, calls}
}

// recordedCalls does the calls of a connection that are noted.
type recordedCalls struct {
	real net.Conn
	of   *recorded
	rec  *Recorder
}

func (c *recordedCalls) read(b []byte) (int, error) {
	c.of.reading.Add(1)
	n, err := c.real.Read(b)
	c.of.reading.Add(-1)
	if n > 0 {
		c.listen(c.of.accepted, b[:n])
		c.rec.note(c.of, noteRead, int64(n), c.rec.payload(b[:n]))
	}
	if err != nil {
		c.failed("read", err)
	}
	return n, err
}

// write notes the bytes before they are sent, so that no answer to them comes first.
func (c *recordedCalls) write(b []byte) (int, error) {
	c.listen(!c.of.accepted, b)
	c.rec.note(c.of, noteWrite, int64(len(b)), c.rec.payload(b))
	c.of.writing.Add(1)
	n, err := c.real.Write(b)
	c.of.writing.Add(-1)
	if err != nil {
		if n < len(b) {
			c.rec.note(c.of, noteUnwritten, int64(len(b)-n), "")
		}
		c.failed("write", err)
	}
	return n, err
}

// listen notes what a client's first bytes are.
func (c *recordedCalls) listen(fromClient bool, b []byte) {
	if fromClient && len(b) > 0 && c.of.heard.CompareAndSwap(false, true) {
		if p := protocolOf(b); p != "" {
			c.rec.note(c.of, noteSpeaks, 0, p)
		}
	}
}

// protocolOf returns the protocol that begins with those bytes, or "".
func protocolOf(b []byte) string {
	method, rest, ok := bytes.Cut(b[:min(len(b), 32)], []byte(" "))
	switch {
	case len(b) > 2 && b[0] == 22 && b[1] == 3: // a handshake record: RFC 8446 section 5.1
		return "tls"
	case bytes.HasPrefix(b, []byte("PRI * HTTP/2.0")):
		return "http/2"
	case ok && len(method) > 2 && len(bytes.Trim(method, "ABCDEFGHIJKLMNOPQRSTUVWXYZ-")) == 0 &&
		(bytes.HasPrefix(rest, []byte("/")) || bytes.HasPrefix(rest, []byte("http")) || string(method) == "CONNECT" || string(method) == "OPTIONS"):
		return "http/1"
	}
	return ""
}

// failed notes how a call failed. That the program has closed the connection is known.
func (c *recordedCalls) failed(call string, err error) {
	switch {
	case errors.Is(err, net.ErrClosed):
	case call == "read" && err == io.EOF:
		if c.of.sawLast.CompareAndSwap(false, true) {
			c.rec.note(c.of, noteFin, 0, "")
		}
	case isErrno(err, syscall.ECONNRESET) || isErrno(err, syscall.ECONNABORTED) || isErrno(err, syscall.EPIPE):
		c.rec.note(c.of, noteReset, 0, call)
	default:
		c.rec.note(c.of, noteError, 0, call+" "+strconv.Quote(err.Error()))
	}
}

func (c *recordedCalls) close() error {
	if c.of.closed.CompareAndSwap(false, true) {
		c.rec.log.end(c.rec, c.of, noteClose, "")
	}
	return c.real.Close()
}

func (c *recordedCalls) closeWrite() error {
	w, ok := c.real.(interface{ CloseWrite() error })
	if !ok {
		return errors.ErrUnsupported
	}
	c.rec.note(c.of, noteCloseWrite, 0, "")
	return w.CloseWrite()
}

// recordedConn is a connection of any type.
type recordedConn struct {
	net.Conn
	calls recordedCalls
}

func (c *recordedConn) Read(b []byte) (int, error)  { return c.calls.read(b) }
func (c *recordedConn) Write(b []byte) (int, error) { return c.calls.write(b) }
func (c *recordedConn) Close() error                { return c.calls.close() }
func (c *recordedConn) CloseWrite() error           { return c.calls.closeWrite() }
func (c *recordedConn) NetConn() net.Conn           { return c.Conn }

// recordedTCP has the other methods of a TCP connection as they are.
type recordedTCP struct {
	*net.TCPConn
	calls recordedCalls
}

func (c *recordedTCP) Read(b []byte) (int, error)  { return c.calls.read(b) }
func (c *recordedTCP) Write(b []byte) (int, error) { return c.calls.write(b) }
func (c *recordedTCP) Close() error                { return c.calls.close() }
func (c *recordedTCP) CloseWrite() error           { return c.calls.closeWrite() }
func (c *recordedTCP) NetConn() net.Conn           { return c.TCPConn }

// ReadFrom implements [io.ReaderFrom], in writes of which each is noted.
func (c *recordedTCP) ReadFrom(r io.Reader) (int64, error) {
	return io.Copy(struct{ io.Writer }{c}, r)
}

// WriteTo implements [io.WriterTo], in reads of which each is noted.
func (c *recordedTCP) WriteTo(w io.Writer) (int64, error) {
	return io.Copy(w, struct{ io.Reader }{c})
}

// recordedTLS has the other methods of a TLS connection as they are. What is noted is what the
// program reads and writes, and not the records.
type recordedTLS struct {
	*tls.Conn
	calls recordedCalls
}

func (c *recordedTLS) Read(b []byte) (int, error)  { return c.calls.read(b) }
func (c *recordedTLS) Write(b []byte) (int, error) { return c.calls.write(b) }
func (c *recordedTLS) Close() error                { return c.calls.close() }
func (c *recordedTLS) CloseWrite() error           { return c.calls.closeWrite() }
func (c *recordedTLS) NetConn() net.Conn           { return c.Conn }

// recorded is a dial or connection of a recorder, guarded by its log where nothing else is said.
type recorded struct {
	recordedAs
	reading, writing       atomic.Int32 // the calls under way
	closed, heard, sawLast atomic.Bool
	kept                   int // events of it in the log
	ended                  bool
}

// recordedAs has the names, addresses and losses of a dial or connection.
type recordedAs struct {
	accepted         bool
	network, address string
	dial, conn       int // their numbers, or 0
	dialed, opened   time.Duration
	local, remote    string
	lost             lostEvents
}
