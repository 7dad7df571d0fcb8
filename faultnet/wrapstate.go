package faultnet

import (
	"io"
	"net"
	"os"
	"syscall"
	"time"
)

// wait passes the time that a verdict takes. It returns how many bytes come
// then; 0 is all.
func (w *wrapped) wait(e *Event, v Verdict, until *deadline) (limit int) {
	d := v.d
	switch v.effect {
	case delay:
	case jitter, tail:
		d = v.lot(e)
	case rate:
		limit = max(1, min(1460, v.bytes, len(e.bytes)))
		d = time.Duration(limit) * time.Second / time.Duration(v.bytes)
	case dribble:
		limit = v.bytes
	default:
		return 0
	}
	c := w.n.clock()
	var wake deadline
	w.mu.Lock()
	defer w.mu.Unlock()
	wake.move(c, c.Now().Add(d), &w.changed)
	for !w.closed && w.ended == nil && !until.passed(c) && !wake.passed(c) {
		w.changed.Wait()
	}
	wake.stop()
	return limit
}

// pause waits until no rule blocks the call any more. It is called with mu held.
func (w *wrapped) pause(e *Event, until *deadline) {
	for !w.closed && !until.passed(w.n.clock()) {
		w.mu.Unlock()
		v := w.n.Verdict(e)
		w.mu.Lock()
		if v.effect != block {
			return
		}
		w.changed.Wait()
	}
}

// state is why a call cannot go on, or nil.
func (w *wrapped) state(op string, d *deadline) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.closed:
		return w.opError(op, net.ErrClosed)
	case w.ended == io.EOF && op == "read":
		return io.EOF
	case w.ended == io.EOF, w.ended == nil && !d.passed(w.n.clock()):
		return nil
	case w.ended != nil && op == "read":
		err := w.ended
		w.ended = io.EOF // a kernel tells it once
		return w.opError(op, os.NewSyscallError(op, err))
	case w.ended != nil:
		return w.opError(op, os.NewSyscallError(op, syscall.EPIPE))
	}
	return w.opError(op, os.ErrDeadlineExceeded)
}

// breakOff resets the connection itself and leaves errno for the next call.
func (w *wrapped) breakOff(errno syscall.Errno) {
	w.mu.Lock()
	if w.ended == nil {
		w.ended = errno
	}
	w.changed.Broadcast()
	w.mu.Unlock()
	if c, ok := w.Conn.(interface{ SetLinger(int) error }); ok {
		c.SetLinger(0)
	}
	w.Conn.Close()
}

// failed is the error of a call, which ends the connection if errno does.
func (w *wrapped) failed(op string, errno syscall.Errno) error {
	if ends(errno) {
		w.breakOff(errno)
	}
	return w.opError(op, os.NewSyscallError(op, errno))
}

func (w *wrapped) opError(op string, err error) error {
	return &net.OpError{Op: op, Net: w.LocalAddr().Network(), Source: w.LocalAddr(), Addr: w.RemoteAddr(), Err: err}
}

// Close closes the connection.
func (w *wrapped) Close() error {
	v := w.n.ask(&Event{Kind: Close, wrapped: w, net: w.n})
	switch v.effect {
	case delay:
		w.n.clock().Sleep(v.d)
	case block:
		w.mu.Lock()
		w.pause(&Event{Kind: Close, wrapped: w, net: w.n}, new(deadline))
		w.mu.Unlock()
	case twice:
		w.Conn.Close()
	}
	w.mu.Lock()
	w.closed = true
	w.readDeadline.stop()
	w.writeDeadline.stop()
	broken := w.ended != nil && w.ended != io.EOF
	w.changed.Broadcast()
	w.mu.Unlock()
	w.n.mu.Lock()
	delete(w.n.disturbed.wrapped, w)
	w.n.mu.Unlock()
	err := w.Conn.Close()
	switch {
	case v.effect == failing:
		return w.opError("close", os.NewSyscallError("close", v.errno))
	case broken:
		return nil // it was closed when it was reset
	}
	return err
}

// CloseWrite half-closes the connection, if it can be.
func (w *wrapped) CloseWrite() error {
	if c, ok := w.Conn.(interface{ CloseWrite() error }); ok {
		return c.CloseWrite()
	}
	return w.opError("close", os.NewSyscallError("shutdown", syscall.EOPNOTSUPP))
}

// SetDeadline sets both deadlines.
func (w *wrapped) SetDeadline(t time.Time) error { return w.setDeadlines(t, true, true) }

// SetReadDeadline sets the deadline of Read.
func (w *wrapped) SetReadDeadline(t time.Time) error { return w.setDeadlines(t, true, false) }

// SetWriteDeadline sets the deadline of Write.
func (w *wrapped) SetWriteDeadline(t time.Time) error { return w.setDeadlines(t, false, true) }

func (w *wrapped) setDeadlines(t time.Time, read, write bool) (err error) {
	w.mu.Lock()
	if read {
		w.readDeadline.move(w.n.clock(), t, &w.changed)
		err = w.Conn.SetReadDeadline(t)
	}
	if write {
		w.writeDeadline.move(w.n.clock(), t, &w.changed)
		err = w.Conn.SetWriteDeadline(t)
	}
	if w.ended != nil && !w.closed {
		err = nil // the program does not know yet
	}
	w.mu.Unlock()
	return err
}
