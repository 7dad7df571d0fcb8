package faultnet

import (
	"context"
	"errors"
	"net"
	"strconv"
	"sync"
	"syscall"
	"time"
)

type recordedKind uint8

const (
	noteDial recordedKind = iota
	noteFailed
	noteOpen
	noteAccept
	noteSpeaks
	noteWrite
	noteUnwritten
	noteRead
	noteFin
	noteReset
	noteError
	noteCloseWrite
	noteClose
)

var noteWords = [...]string{"dial", "fail", "open", "accept", "speaks", "write", "unwritten", "read", "fin", "rst", "error", "close-write", "close"}

// recordedEvent is one line of a trace.
type recordedEvent struct {
	at   time.Duration
	of   *recorded
	n    int64
	text string
	kind recordedKind
}

// cost returns how many bytes an event needs in memory.
func (e *recordedEvent) cost() int { return eventCost + len(e.text) }

// lostEvents counts events that were dropped.
type lostEvents struct {
	events      int
	wrote, read int64
	last        time.Duration
}

const (
	defaultMemory = 8 << 20
	eventCost     = 48 // bytes of a recordedEvent, on a machine of 64 bits
	eventsInBlock = 256
)

// eventBlock is a part of the log, which is freed as a whole.
type eventBlock struct {
	events [eventsInBlock]recordedEvent
	n      int
	next   *eventBlock
}

// eventLog is the events of a recorder, oldest first.
type eventLog struct {
	mu          sync.Mutex
	began       time.Time
	first, last *eventBlock
	skip        int // events of the first block that were dropped
	used        int // bytes
	dials       int
	conns       int
	live        map[*recorded]struct{} // dials in flight, and open connections
	lost        lostEvents
	forgotten   int // connections and dials of which no event is left
}

// add appends an event. It is called with mu held.
func (l *eventLog) add(r *Recorder, of *recorded, kind recordedKind, n int64, text string) {
	e := recordedEvent{at: l.now(r), of: of, kind: kind, n: n, text: text}
	if l.last == nil || l.last.n == eventsInBlock {
		b := new(eventBlock)
		if l.last == nil {
			l.first = b
		} else {
			l.last.next = b
		}
		l.last = b
	}
	l.last.events[l.last.n] = e
	l.last.n++
	of.kept++
	memory := r.Memory
	if memory <= 0 {
		memory = defaultMemory
	}
	for l.used += e.cost(); l.used > memory; {
		l.drop()
	}
}

// now returns the time since the first event. It is called with mu held.
func (l *eventLog) now(r *Recorder) time.Duration {
	if l.began.IsZero() {
		l.began = r.clock().Now()
		l.live = make(map[*recorded]struct{})
	}
	return r.clock().Since(l.began)
}

// drop drops the oldest event.
func (l *eventLog) drop() {
	if l.skip == eventsInBlock { // all of the first block, when there was no second one
		l.first, l.skip = l.first.next, 0
	}
	e := &l.first.events[l.skip]
	for _, lost := range []*lostEvents{&l.lost, &e.of.lost} {
		lost.events++
		lost.last = e.at
		switch e.kind {
		case noteWrite:
			lost.wrote += e.n
		case noteUnwritten:
			lost.wrote -= e.n
		case noteRead:
			lost.read += e.n
		}
	}
	if e.of.kept--; e.of.kept == 0 && e.of.ended {
		l.forgotten++
	}
	l.used -= e.cost()
	*e = recordedEvent{}
	if l.skip++; l.skip == l.first.n && l.first != l.last {
		l.first, l.skip = l.first.next, 0
	}
}

// dial notes that a dial begins.
func (l *eventLog) dial(r *Recorder, of *recorded) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.dials++
	of.dial, of.dialed = l.dials, l.now(r)
	l.live[of] = struct{}{}
	l.add(r, of, noteDial, 0, "")
}

// open notes that a connection is open.
func (l *eventLog) open(r *Recorder, of *recorded, c net.Conn) {
	local, remote := c.LocalAddr(), c.RemoteAddr()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.conns++
	of.conn, of.opened = l.conns, l.now(r)
	of.local, of.remote = addrText(local), addrText(remote)
	l.live[of] = struct{}{}
	kind := noteOpen
	if of.accepted {
		kind = noteAccept
	}
	l.add(r, of, kind, 0, "")
}

func addrText(a net.Addr) string {
	if a == nil || a.String() == "" {
		return "-"
	}
	return a.String()
}

// end notes the last event of a connection or dial.
func (l *eventLog) end(r *Recorder, of *recorded, kind recordedKind, text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	of.ended = true
	delete(l.live, of)
	l.add(r, of, kind, 0, text)
}

// dialFailure returns a word for why a dial failed, and its error.
func dialFailure(err error) string {
	word := "other"
	var dns *net.DNSError
	var timeout net.Error
	switch {
	case errors.Is(err, context.Canceled):
		word = "canceled"
	case errors.Is(err, context.DeadlineExceeded):
		word = "deadline"
	case isErrno(err, syscall.ECONNREFUSED):
		word = "refused"
	case isErrno(err, syscall.EHOSTUNREACH), isErrno(err, syscall.ENETUNREACH):
		word = "unreachable"
	case errors.As(err, &dns):
		word = "no-host"
	case isErrno(err, syscall.EMFILE):
		word = "no-descriptor"
	case errors.As(err, &timeout) && timeout.Timeout():
		word = "timeout"
	}
	return word + " " + strconv.Quote(err.Error())
}
