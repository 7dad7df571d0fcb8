package pool

// HTTP/2, and what TLSNextProto takes over.
//
// A shared connection belongs to all the requests on it and to the pool at
// once. golang.org/x/net/http2 speaks the protocol; the pool dials, counts the
// connection in its limits, gives out its streams, and closes it when idle.

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync/atomic"
	"time"
)

// adoptOther hands a connection to the protocol of TLSNextProto.
func adoptOther(pc *persistConn, dst *destination, tc *tls.Conn, name string, next func(string, *tls.Conn) http.RoundTripper) (*persistConn, error) {
	rt := next(dst.target, tc)
	if bad, ok := rt.(interface{ RoundTripErr() error }); ok {
		return nil, bad.RoundTripErr() // net/http's way to say that it failed
	}
	pc.shared = &sharedConn{pc: pc, proto: name, other: rt}
	return pc, nil
}

var errNoStream = errors.New("pool: the server closed its new HTTP/2 connection")

// A sharedConn is a connection that carries many requests at once.
type sharedConn struct {
	pc      *persistConn
	proto   string
	cc      *http.ClientConn  // HTTP/2; nil: other
	other   http.RoundTripper // what a function of TLSNextProto returned
	changes atomic.Int32      // that update has not seen
	carried atomic.Int32      // requests that were given to it and are not over

	last bool // it has its last request; guarded by Transport.mu

	started  atomic.Bool // the pool has it
	settings atomic.Bool // those of the server are in force
}

// reserve takes a stream. Transport.mu must be held: it makes the count of
// streams exact, and http.ClientConn calls no other function than changed.
//
// Before the server has told how many streams it allows there is only one to
// take: a guess could be more than the server allows (golang/go#16582), and
// x/net waits for ever if more are reserved than it turns out there are. And
// that one is given out only if no other connection is there: of several that
// were dialed at once, the first to hear from the server shall serve all.
func (s *sharedConn) reserve() bool {
	if s.cc == nil {
		return true
	}
	if s.last {
		return false
	}
	if !s.settings.Load() && (s.pc.served > 0 || len(s.pc.host.sharing) > 1) {
		return false
	}
	if s.cc.Reserve() != nil {
		return false
	}
	s.carried.Add(1)
	return true
}

func (s *sharedConn) release() {
	if s.cc != nil {
		s.carried.Add(-1)
		s.cc.Release()
		s.changed(nil)
	}
}

func (s *sharedConn) close() {
	if s.cc != nil {
		s.cc.Close()
	}
}

func (s *sharedConn) holders() string {
	if s.cc == nil {
		return "TLSNextProto"
	}
	switch n := s.cc.InFlight(); n {
	case 0:
		return ""
	case 1:
		return "1 request"
	default:
		return fmt.Sprintf("%d requests", n)
	}
}

// takeShared gives an attempt a stream of the oldest connection that has one left, so
// that the younger ones can become idle. Transport.mu must be held.
func (h *host) takeShared(a *attempt, now time.Time) *persistConn {
	if h.waiting.n > 0 {
		return nil // a stream that is free belongs to the requests that came before
	}
	for _, pc := range h.sharing {
		if pc.broken.Load() || !pc.shared.reserve() {
			continue
		}
		var idleSince time.Time
		if pc.t.removeFromIdle(pc) {
			idleSince = pc.idleAt
			pc.shared.changed(nil) // its timer has to be stopped, not here
		}
		pc.reused = true
		h.reuses++
		pc.hold(a, now, idleSince)
		return pc
	}
	return nil
}

func (h *host) removeFromSharing(pc *persistConn) {
	for i, other := range h.sharing {
		if other == pc {
			h.sharing = append(h.sharing[:i:i], h.sharing[i+1:]...)
			return
		}
	}
}

// idleShared counts the shared connections without a request.
func (h *host) idleShared() (n int) {
	for _, pc := range h.sharing {
		if pc.state == Idle {
			n++
		}
	}
	return n
}

// start gives a new connection to the request that dialed it and to all that
// wait, as far as its streams go. Where it cannot, they wait for the server's
// settings, on this connection or on one that was there before. Transport.mu must
// be held, since the dial ended: a request that has neither a dial nor a connection
// is one for which dialAgain dials.
func (s *sharedConn) start(w *want, now time.Time) {
	pc, t := s.pc, s.pc.t
	h := pc.host
	if t.keepsAlive() {
		h.sharing = append(h.sharing, pc)
	}
	if !w.over {
		if s.reserve() {
			t.tryDeliver(w, pc, nil, now)
		} else if s.cc.Err() != nil {
			t.tryDeliver(w, nil, errNoStream, now)
		}
	}
	if t.keepsAlive() {
		t.serveWaiting(s, now)
	}
}

// watch keeps the pool's view of a started connection up to date from now on.
func (s *sharedConn) watch() {
	if s.cc != nil {
		s.started.Store(true)
		s.cc.SetStateHook(s.changed)
		s.changed(nil)
	}
}

// serveWaiting gives streams to the requests that wait. Transport.mu must be held.
func (t *Transport) serveWaiting(s *sharedConn, now time.Time) {
	h := s.pc.host
	for h.waiting.n > 0 && s.reserve() {
		if s.pc.served > 0 {
			s.pc.reused = true
			h.reuses++
		}
		if t.removeFromIdle(s.pc) {
			s.pc.since = now
		}
		t.tryDeliver(h.waiting.front(), s.pc, nil, now)
	}
	if h.waiting.n > 0 {
		return
	}
	// A connection whose settings are missing was kept for the requests in line.
	// There are none any more: it is a spare, or idle.
	for _, pc := range h.sharing {
		if pc.shared != s && pc.shared.cc != nil && !pc.shared.settings.Load() {
			pc.shared.changed(nil)
		}
	}
}

// changed starts an update, if none is under way. http.ClientConn calls it when a
// stream ended or the connection did, in the goroutine that noticed, and with
// Transport.mu held if that was reserve. It must not wait.
func (s *sharedConn) changed(*http.ClientConn) {
	if s.started.Load() && s.changes.Add(1) == 1 {
		go s.update()
	}
}

// update brings the pool's view of the connection up to date, at least once
// after each change and never twice at a time.
func (s *sharedConn) update() {
	for {
		seen := s.changes.Load()
		if err := s.cc.Err(); err != nil {
			s.pc.close(HTTP2Closed, err)
		} else {
			s.serveOrIdle()
		}
		if s.changes.CompareAndSwap(seen, 0) {
			return
		}
	}
}

// serveOrIdle serves the requests in line, or lets the connection be idle.
func (s *sharedConn) serveOrIdle() {
	pc, t := s.pc, s.pc.t
	now := t.clock().Now()
	t.mu.Lock()
	why := NotClosed
	wanted := t.busy(s, now)
	switch {
	case wanted:
	case !s.last && s.isSpare():
		why = Spare
	default:
		why = t.mayIdle(pc.host)
	}
	if !wanted && s.last {
		why = s.endOfLast(why)
	}
	if !wanted && why == NotClosed && t.IdleConnTimeout > 0 {
		pc.pooling, pc.expired, pc.idleAt = true, false, now
		t.mu.Unlock()
		pc.armIdleTimer()
		t.mu.Lock()
		pc.pooling = false
		if wanted = t.busy(s, now); !wanted && pc.expired {
			why = IdleTimeout
		}
	}
	var evicted *persistConn
	switch {
	case wanted:
	case why == NotClosed:
		pc.reused = true
		evicted = t.enterIdle(pc, now)
	default:
		t.evict(pc)
	}
	t.dialAgain(pc.host, now)
	idle := pc.state == Idle
	t.mu.Unlock()
	if !idle {
		pc.stopIdleTimer()
	}
	if why != NotClosed {
		pc.close(why, errNotKept)
	}
	if evicted != nil {
		evicted.close(IdleLimit, errNotKept)
	}
}

// endOfLast returns the cause for closing a connection that is without its last request.
// x/net closes it after that, unless the request was called off before it was sent, or
// others that had streams were turned away later. Transport.mu must be held.
func (s *sharedConn) endOfLast(why Cause) Cause {
	switch {
	case s.cc.Err() != nil:
		return HTTP2Closed
	case why == NotClosed:
		return Finished
	}
	return why
}

// busy gives streams to the requests that wait, and reports whether the
// connection need not become idle: it serves a request, is idle already, or is
// closed. Transport.mu must be held.
func (t *Transport) busy(s *sharedConn, now time.Time) bool {
	if s.pc.broken.Load() || s.pc.state == Idle {
		return true // dialAgain sees to the line
	}
	// Both are asked before the line is served. What ends or arrives meanwhile
	// has an update of its own, and must not make the connection idle, or spare,
	// while requests wait for it.
	heard, used := s.settings.Load(), s.cc.InFlight() > 0
	t.serveWaiting(s, now)
	return used || s.cc.InFlight() > 0 || !heard && s.pc.host.waiting.n > 0
}

// isSpare reports whether s was never used, but maybe by the request that
// dialed it, and another connection is there to serve the host
// (golang/go#13397): one that has served more or, of two that are alike, the one
// that was there first. The result does not depend on which of them is
// asked first. Transport.mu must be held.
func (s *sharedConn) isSpare() bool {
	if s.pc.served > 1 {
		return false
	}
	sharing := s.pc.host.sharing
	at := slices.Index(sharing, s.pc)
	for i, pc := range sharing {
		if pc.served > s.pc.served || pc.served == s.pc.served && i < at {
			return true
		}
	}
	return false
}

// awaitsSettings reports whether a connection of h may soon have more streams
// to give. A request that comes now does not dial (golang/go#44304).
// Transport.mu must be held.
func (h *host) awaitsSettings() bool {
	for _, pc := range h.sharing {
		if pc.shared.cc != nil && !pc.shared.settings.Load() && !pc.broken.Load() {
			return true
		}
	}
	return false
}

// dialAgain starts dials for the requests that have had theirs and still wait,
// once there is no connection any more whose settings could help them. One
// whose settings have just come serves them first, and one that is idle: its own
// update may not have run yet. Transport.mu must be held.
func (t *Transport) dialAgain(h *host, now time.Time) {
	if h.awaitsSettings() {
		return
	}
	for _, pc := range h.sharing {
		if !pc.broken.Load() {
			t.serveWaiting(pc.shared, now)
		}
	}
	for w := range h.waiting.all {
		if w.dialing == nil && w.inLineNode.in == nil {
			t.queueForDial(w, now)
		}
	}
}
