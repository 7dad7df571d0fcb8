package faultnet

import (
	"io"
	"net"
	"os"
	"strconv"
	"sync"
	"syscall"
)

// WrapConn is a connection of any network that is subject to the rules of n, as
// that side's end: the calls on it, and the bytes that it reads and writes. It
// is named c1, c2, ... in the order of wrapping.
func (n *Net) WrapConn(c net.Conn, side Side) net.Conn { return n.wrap(c, side) }

func (n *Net) wrap(c net.Conn, side Side) *wrapped {
	w := &wrapped{Conn: c, n: n, side: side}
	w.changed.L = &w.mu
	n.mu.Lock()
	n.disturbed.wraps++
	w.number = n.disturbed.wraps
	if n.disturbed.wrapped == nil {
		n.disturbed.wrapped = make(map[*wrapped]bool)
	}
	n.disturbed.wrapped[w] = true
	n.mu.Unlock()
	return w
}

type wrapped struct {
	net.Conn
	n      *Net
	number int
	side   Side

	reading sync.Mutex // reads take turns
	buf     []byte     // read, and kept back
	eof     bool       // behind buf

	mu            sync.Mutex
	changed       sync.Cond
	readDeadline  deadline
	writeDeadline deadline
	closed        bool
	ended         error // of every call from now on
	in, out       int64 // bytes that came and went
	inShape       *Verdict
	outShape      *Verdict
	stalled       [2]bool // by who sends
}

func (w *wrapped) eventName(e *Event) string {
	id := "c" + strconv.Itoa(w.number) + " "
	switch e.Kind {
	case Data:
		return id + e.sender.String() + "->" + Side(1-e.sender).String() + " data"
	case FIN, RST:
		return id + e.sender.String() + " " + e.Kind.String()
	}
	return id + w.side.String() + " " + e.Kind.String()
}

func (w *wrapped) offset(e *Event) int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	if e.sender == w.side {
		return w.out
	}
	return w.in
}

// NetConn is the connection that is wrapped.
func (w *wrapped) NetConn() net.Conn { return w.Conn }

// Read reads what the rules let arrive.
func (w *wrapped) Read(b []byte) (int, error) {
	w.reading.Lock()
	defer w.reading.Unlock()
	e := &Event{Kind: Read, wrapped: w, net: w.n}
	v := w.n.ask(e)
	if v.effect == block {
		w.mu.Lock()
		w.pause(e, &w.readDeadline)
		w.mu.Unlock()
	}
	if err := w.state("read", &w.readDeadline); err != nil {
		return 0, err
	}
	switch v.effect {
	case failing:
		return 0, w.failed("read", v.errno)
	case expire:
		return 0, w.opError("read", os.ErrDeadlineExceeded)
	case zero:
		return 0, nil
	case chunk:
		b = b[:min(len(b), v.bytes)]
	}
	n, err := w.receive(b)
	if v.effect == dataEOF && err == nil && len(w.buf) == 0 {
		w.fill()
		if w.eof && len(w.buf) == 0 {
			err = io.EOF
		}
	}
	return n, err
}

// fill reads from the connection itself.
func (w *wrapped) fill() error {
	if len(w.buf) > 0 || w.eof {
		return nil
	}
	b := make([]byte, 32<<10)
	n, err := w.Conn.Read(b)
	w.buf = b[:n]
	if err == io.EOF {
		w.eof, err = true, nil
	}
	return err
}

// receive asks the rules what becomes of what comes next.
func (w *wrapped) receive(b []byte) (int, error) {
	if len(b) == 0 {
		return w.Conn.Read(b)
	}
	if err := w.fill(); err != nil {
		return 0, err
	}
	e := &Event{Kind: Data, wrapped: w, sender: 1 - w.side, bytes: w.buf, net: w.n}
	if len(w.buf) == 0 {
		e.Kind = FIN
	}
	v := w.verdict(e, &w.inShape)
	limit := w.wait(e, v, &w.readDeadline)
	if err := w.state("read", &w.readDeadline); err != nil {
		return 0, err
	}
	switch v.effect {
	case split:
		limit = v.bytes
	case cut, stall, reset:
		w.limit(v, 1-w.side)
		limit = v.bytes
		if limit == 0 || e.Kind == FIN {
			return w.receiveEnd(v)
		}
	case lose:
		w.limit(v, 1-w.side)
		return w.receiveEnd(v)
	case corrupt:
		w.buf[min(v.bytes, len(w.buf)-1)] ^= 1
	case extra:
		for range v.bytes {
			w.buf = append(w.buf, 'X')
		}
	}
	if len(w.buf) == 0 {
		return 0, io.EOF
	}
	n := len(w.buf)
	if limit > 0 {
		n = min(n, limit)
	}
	n = copy(b, w.buf[:n])
	w.buf = w.buf[n:]
	if limit == n && (v.effect == cut || v.effect == reset || v.effect == stall) {
		w.buf = nil
		w.end(v)
	}
	w.mu.Lock()
	w.in += int64(n)
	w.mu.Unlock()
	return n, nil
}

// receiveEnd is a Read that finds nothing but what the verdict makes of it.
func (w *wrapped) receiveEnd(v Verdict) (int, error) {
	w.buf = nil
	w.end(v)
	w.mu.Lock()
	for w.ended == nil && !w.closed && !w.readDeadline.passed(w.n.clock()) {
		w.changed.Wait()
	}
	w.mu.Unlock()
	return 0, w.state("read", &w.readDeadline)
}

// limit notes that nothing more travels in a direction.
func (w *wrapped) limit(v Verdict, sender Side) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if v.effect == lose {
		w.stalled = [2]bool{true, true}
	}
	if v.effect == stall {
		w.stalled[sender] = true
	}
}

// end ends the direction that the verdict cuts, or the connection that it
// resets.
func (w *wrapped) end(v Verdict) {
	switch v.effect {
	case cut:
		w.mu.Lock()
		w.ended = io.EOF
		w.mu.Unlock()
	case reset:
		w.breakOff(syscall.ECONNRESET)
	}
}

// Write writes what the rules let through.
func (w *wrapped) Write(b []byte) (int, error) {
	e := &Event{Kind: Write, wrapped: w, sender: w.side, net: w.n}
	v := w.n.ask(e)
	if v.effect == block {
		w.mu.Lock()
		w.pause(e, &w.writeDeadline)
		w.mu.Unlock()
	}
	if err := w.state("write", &w.writeDeadline); err != nil {
		return 0, err
	}
	switch v.effect {
	case failing:
		return 0, w.failed("write", v.errno)
	case expire:
		return 0, w.opError("write", os.ErrDeadlineExceeded)
	case chunk:
		return inPieces(w.send, b, v.bytes)
	case short:
		n, err := w.send(b[:min(len(b), v.bytes)])
		if err == nil && n < len(b) {
			err = w.failed("write", syscall.ECONNRESET)
		}
		return n, err
	}
	return w.send(b)
}

// send asks the rules what becomes of bytes on their way.
func (w *wrapped) send(b []byte) (sent int, err error) {
	for sent < len(b) || sent == 0 {
		left := b[sent:]
		e := &Event{Kind: Data, wrapped: w, sender: w.side, bytes: left, net: w.n}
		v := w.verdict(e, &w.outShape)
		limit := w.wait(e, v, &w.writeDeadline)
		if err := w.state("write", &w.writeDeadline); err != nil {
			return sent, err
		}
		w.mu.Lock()
		lost := w.stalled[w.side]
		w.mu.Unlock()
		switch v.effect {
		case corrupt, extra:
			left = falsified(left, v)
		case split:
			limit = v.bytes
		case cut, stall, reset, lose:
			w.limit(v, w.side)
			k := min(v.bytes, len(left))
			if !lost && k > 0 {
				w.Conn.Write(left[:k])
			}
			w.out += int64(k)
			w.endSent(v)
			return len(b), nil // the kernel had taken it
		}
		if lost {
			return len(b), nil
		}
		if limit > 0 {
			left = left[:min(limit, len(left))]
		}
		n, err := w.Conn.Write(left)
		sent += min(n, len(b)-sent)
		w.mu.Lock()
		w.out += int64(n)
		w.mu.Unlock()
		if err != nil || len(b) == 0 {
			return sent, err
		}
	}
	return sent, nil
}

// endSent is end for what this end sends.
func (w *wrapped) endSent(v Verdict) {
	switch v.effect {
	case cut:
		w.CloseWrite()
	case reset:
		w.breakOff(syscall.ECONNRESET)
	}
}

// falsified is a copy of b as the verdict leaves it.
func falsified(b []byte, v Verdict) []byte {
	b = append([]byte(nil), b...)
	if v.effect == corrupt && len(b) > 0 {
		b[min(v.bytes, len(b)-1)] ^= 1
	}
	if v.effect == extra {
		for range v.bytes {
			b = append(b, 'X')
		}
	}
	return b
}

// verdict is what the rules say of bytes, or what an earlier verdict said for
// all that was still to come.
func (w *wrapped) verdict(e *Event, shape **Verdict) Verdict {
	w.mu.Lock()
	s := *shape
	w.mu.Unlock()
	if s != nil {
		return *s
	}
	v := w.n.ask(e)
	if v.effect == rate || v.effect == dribble {
		w.mu.Lock()
		*shape = &v
		w.mu.Unlock()
	}
	return v
}
