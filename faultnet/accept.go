package faultnet

import (
	"os"
)

// ruledNext takes the first of the backlog as the rules want it; it returns nil
// if the backlog is to be looked at again. It is called with the mutex held.
func (l *listener) ruledNext() (*Conn, error) {
	head := l.backlog[l.first]
	e, again := l.stuck, l.stuck != nil
	if !again {
		e = &Event{Kind: Accept, Addr: l.address, net: l.net}
	}
	l.stuck = nil
	l.mu.Unlock()
	v := l.net.decide(e, false, true)
	if !again && !v.IsPass() {
		l.net.log(e, v.name)
	}
	l.mu.Lock()
	switch accept := v.row().accept; {
	case !l.isFirst(head):
		return nil, nil
	case accept != nil:
		return accept(l, e, v)
	}
	return l.next(), nil
}

func (l *listener) isFirst(c *Conn) bool {
	return !l.closed && l.first < len(l.backlog) && l.backlog[l.first] == c
}

func (l *listener) acceptLater(_ *Event, v Verdict) (*Conn, error) {
	head := l.backlog[l.first]
	l.mu.Unlock()
	l.net.clock().Sleep(v.d)
	l.mu.Lock()
	if !l.isFirst(head) {
		return nil, nil
	}
	return l.next(), nil
}

func (l *listener) acceptFails(_ *Event, v Verdict) (*Conn, error) {
	return nil, l.opError("accept", os.NewSyscallError("accept4", v.errno))
}

func (l *listener) acceptBlocked(e *Event, _ Verdict) (*Conn, error) {
	l.stuck = e
	l.ready.Wait()
	return nil, nil
}

// acceptClosed accepts the first of the backlog and closes it at once.
func (l *listener) acceptClosed(*Event, Verdict) (*Conn, error) {
	c := l.next()
	l.mu.Unlock()
	defer l.mu.Lock()
	c.closeNow()
	return nil, nil
}

func (l *listener) acceptReset(*Event, Verdict) (*Conn, error) {
	c := l.next()
	l.mu.Unlock()
	defer l.mu.Lock()
	c.SetLinger(0)
	c.closeNow()
	return nil, nil
}
