package pool

//lint:file-ignore SA1019 Request.Cancel is part of what net/http promises, deprecated or not.

// Stage 2: getConn.
//
// The request owns no connection. An idle one, a dial and a cancellation race
// for its want; Transport.mu decides who was first. The winner's connection
// belongs to the goroutine of RoundTrip; a loser's goes to the idle list.

import (
	"context"
	"net/http/httptrace"
	"time"
)

// A want is a request that waits for a connection.
type want struct {
	x     *attempt
	host  *host
	ready chan struct{} // closed by the delivery

	// The rest is guarded by Transport.mu.

	settled bool // delivered or given up: the race is over
	pc      *persistConn
	err     error

	line    node[*want] // in host.line, until settled
	permit  node[*want] // in host.permits, while no dial is allowed
	since   time.Time   // when it joined host.permits
	dialing *dial       // on its behalf, until it ends
}

// getConn returns a connection for x that this goroutine owns: it must end in
// serve or giveBack.
func (t *Transport) getConn(x *attempt) (*persistConn, error) {
	var err error
	if x.dst, err = t.destinationOf(x.req); err != nil {
		return nil, err
	}
	if x.trace != nil && x.trace.GetConn != nil {
		x.trace.GetConn(x.dst.firstAddr())
	}
	now := t.clock().Now()
	t.mu.Lock()
	h := t.hostOf(&x.dst)
	pc := t.queueForIdleConn(h, x, now)
	var w *want
	if pc == nil {
		w = &want{x: x, host: h, ready: make(chan struct{})}
		h.line.push(&w.line, w)
		t.queueForDial(w, now)
	}
	t.mu.Unlock()
	if w != nil {
		if pc, err = t.await(w); err != nil {
			return nil, err
		}
	}
	if pc.shared == nil {
		pc.stopIdleTimer()
	}
	x.traceGotConn(pc, now)

	// GotConn may have taken its time. A connection that is not written to is
	// as good as before: it goes back (golang/go#10511).
	if err := canceled(x.req, x.done); err != nil {
		t.giveBack(pc)
		return nil, err
	}
	return pc, nil
}

// await waits for the end of the race. Whether the request is over is looked
// at again after every outcome, so that a tie has one result only: the
// cancellation, also where the dial failed of it (golang/go#16049).
func (t *Transport) await(w *want) (*persistConn, error) {
	select {
	case <-w.ready:
	case <-w.x.done:
	case <-w.x.req.Cancel:
	}
	err := canceled(w.x.req, w.x.done)
	if err == nil {
		return w.pc, w.err
	}
	t.giveUp(w)
	return nil, err
}

// giveUp takes w out of the race. What was delivered in the meantime is given
// back.
func (t *Transport) giveUp(w *want) {
	now := t.clock().Now()
	t.mu.Lock()
	if !w.settled {
		t.settle(w, now)
	}
	pc := w.pc
	w.pc = nil
	t.mu.Unlock()
	if pc != nil {
		t.giveBack(pc)
	}
}

// tryDeliver ends the race of w with a connection or an error, and reports
// false if it was over. Transport.mu must be held.
func (t *Transport) tryDeliver(w *want, pc *persistConn, err error, now time.Time) bool {
	if w.settled {
		return false
	}
	t.settle(w, now)
	w.pc, w.err = pc, err
	if pc != nil {
		pc.hold(w.x, now, time.Time{})
	}
	close(w.ready)
	return true
}

// settle removes w from every line. A dial that goes on for it has become an
// orphan; one too many is called off, the youngest, since it has the longest
// way to go (golang/go#76784). Transport.mu must be held.
func (t *Transport) settle(w *want, now time.Time) {
	h := w.host
	w.settled = true
	h.line.remove(&w.line)
	t.leavePermits(w, now)
	d := w.dialing
	if d == nil {
		return
	}
	if h.orphans++; h.orphans > t.maxOrphans() {
		d.cancel()
	}
}

func (t *Transport) leavePermits(w *want, now time.Time) {
	if w.host.permits.remove(&w.permit) {
		w.host.waitTime += now.Sub(w.since)
	}
}

// giveBack returns a connection to which nothing has been written.
func (t *Transport) giveBack(pc *persistConn) {
	if pc.shared != nil {
		pc.shared.release()
		return
	}
	pc.stopIdleTimer()
	t.putOrClose(pc)
}

// traceGotConn tells the trace of a request which connection it got.
func (x *attempt) traceGotConn(pc *persistConn, now time.Time) {
	if x.trace == nil || x.trace.GotConn == nil {
		return
	}
	info := httptrace.GotConnInfo{Conn: pc.conn, Reused: x.reused}
	if !x.idleSince.IsZero() {
		info.WasIdle = true
		info.IdleTime = now.Sub(x.idleSince)
	}
	x.trace.GotConn(info)
}

// dialContext has the values of the request's context and none of its ends.
func dialContext(x *attempt) (context.Context, context.CancelFunc) {
	return context.WithCancel(context.WithoutCancel(x.req.Context()))
}
