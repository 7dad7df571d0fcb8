package pool

import (
	"bytes"
	"context"
	"io"
	"net"
	"sync"
	"syscall"
	"testing"
	"time"
)

// A wire is one direction of a connection in memory. Waiting is on a channel,
// so that it is durably blocking in a bubble.
type wire struct {
	mu     sync.Mutex
	buf    bytes.Buffer
	err    error // what a reader meets after the bytes
	broken error // what a writer meets
	room   int   // bytes a writer may add before it blocks; negative: any
	total  int
	wake   chan struct{}
}

func newWire() *wire { return &wire{room: -1, wake: make(chan struct{})} }

func (w *wire) change(f func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f()
	close(w.wake)
	w.wake = make(chan struct{})
}

func (w *wire) read(p []byte) (int, error) {
	for {
		w.mu.Lock()
		if w.buf.Len() > 0 {
			defer w.mu.Unlock()
			return w.buf.Read(p)
		}
		err, wake := w.err, w.wake
		w.mu.Unlock()
		if err != nil {
			return 0, err
		}
		<-wake
	}
}

func (w *wire) write(p []byte) (n int, err error) {
	for {
		w.mu.Lock()
		if w.broken != nil {
			defer w.mu.Unlock()
			return n, w.broken
		}
		k := len(p)
		if w.room >= 0 {
			k = min(k, w.room)
			w.room -= k
		}
		w.buf.Write(p[:k])
		w.total += k
		n += k
		p = p[k:]
		wake := w.wake
		if k > 0 {
			close(w.wake)
			w.wake = make(chan struct{})
			wake = w.wake
		}
		w.mu.Unlock()
		if len(p) == 0 {
			return n, nil
		}
		<-wake
	}
}

// An end is one end of a connection.
type end struct {
	in, out   *wire
	closed    chan struct{}
	closeOnce sync.Once
	name      string
}

func newConnPair(name string) (client, server *end) {
	up, down := newWire(), newWire()
	return &end{in: down, out: up, closed: make(chan struct{}), name: name},
		&end{in: up, out: down, closed: make(chan struct{}), name: name}
}

// Deadlines are not part of these tests.
func (e *end) SetDeadline(time.Time) error      { return nil }
func (e *end) SetReadDeadline(time.Time) error  { return nil }
func (e *end) SetWriteDeadline(time.Time) error { return nil }

func (e *end) Read(p []byte) (int, error)  { return e.in.read(p) }
func (e *end) Write(p []byte) (int, error) { return e.out.write(p) }
func (e *end) LocalAddr() net.Addr         { return addr(e.name) }
func (e *end) RemoteAddr() net.Addr        { return addr(e.name) }

// Close sends FIN and ends what is blocked here.
func (e *end) Close() error {
	err := net.ErrClosed
	e.closeOnce.Do(func() {
		// The other end still reads what was written before.
		e.out.change(func() { e.out.err, e.out.broken = io.EOF, net.ErrClosed })
		e.in.change(func() {
			e.in.err, e.in.broken = net.ErrClosed, syscall.EPIPE
			e.in.buf.Reset()
		})
		close(e.closed)
		err = nil
	})
	return err
}

// fin ends what this end sends, and no more.
func (e *end) fin() { e.out.change(func() { e.out.err = io.EOF }) }

// reset breaks both directions; the peer still reads what had arrived.
func (e *end) reset() {
	e.out.change(func() { e.out.err = syscall.ECONNRESET })
	e.in.change(func() { e.in.broken = syscall.ECONNRESET; e.in.err = syscall.ECONNRESET })
}

func (e *end) isClosed() bool {
	select {
	case <-e.closed:
		return true
	default:
		return false
	}
}

type addr string

func (a addr) Network() string { return "mem" }
func (a addr) String() string  { return string(a) }

// memNet listens and dials in memory, for real servers in bubbles.
type memNet struct {
	backlog chan net.Conn
	done    chan struct{}
	once    sync.Once
}

func newMemNet() *memNet {
	return &memNet{backlog: make(chan net.Conn, 64), done: make(chan struct{})}
}

func (m *memNet) DialContext(context.Context, string, string) (net.Conn, error) {
	client, server := newConnPair("mem")
	select {
	case m.backlog <- server:
		return client, nil
	case <-m.done:
		return nil, syscall.ECONNREFUSED
	}
}

func (m *memNet) Accept() (net.Conn, error) {
	select {
	case c := <-m.backlog:
		return c, nil
	case <-m.done:
		return nil, net.ErrClosed
	}
}

func (m *memNet) Close() error   { m.once.Do(func() { close(m.done) }); return nil }
func (m *memNet) Addr() net.Addr { return addr("mem") }

func TestWire(t *testing.T) {
	client, server := newConnPair("c")
	client.Write([]byte("hi"))
	client.Close()
	got, err := io.ReadAll(server)
	if string(got) != "hi" || err != nil {
		t.Fatalf("read after close: got %q, %v, want the bytes, then EOF", got, err)
	}
}
