package pool

//lint:file-ignore SA1019 Request.Cancel is part of what net/http promises, deprecated or not.

// Stage 2: getConn.
//
// The request owns no connection. An idle one, a dial and a cancellation race
// for its want; Transport.mu decides which was first. The winner's connection
// belongs to the goroutine of RoundTrip; a loser's goes to the idle list.

import (
	"context"
	"net/http/httptrace"
	"time"
)

// A want is a request that waits for a connection.
type want struct {
	attempt   *attempt
	host      *host
	delivered chan struct{} // closed by the delivery

	// The rest is guarded by Transport.mu.

	over bool // delivered or given up: the race is over
	pc   *persistConn
	err  error

	waitingNode node[*want] // in host.waiting, until it is over
	inLineNode  node[*want] // in host.inLine, while no dial is allowed
	since       time.Time   // when it joined host.inLine
	dialing     *dial       // on its behalf, until it ends
}

// getConn returns a connection for an attempt that this goroutine owns: it must end in
// serve or giveBack.
func (t *Transport) getConn(a *attempt) (*persistConn, error) {
	var err error
	if a.dst, err = t.destinationOf(a.req); err != nil {
		return nil, err
	}
	if a.trace != nil && a.trace.GetConn != nil {
		a.trace.GetConn(a.dst.firstAddr())
	}
	now := t.clock().Now()
	t.mu.Lock()
	h := t.hostOf(&a.dst)
	pc := t.queueForIdleConn(h, a, now)
	var w *want
	if pc == nil {
		w = &want{attempt: a, host: h, delivered: make(chan struct{})}
		h.waiting.push(&w.waitingNode, w)
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
	a.traceGotConn(pc, now)

	// GotConn may have taken its time. A connection that is not written to is
	// as good as before: it goes back (golang/go#10511).
	if err := canceled(a.req, a.done); err != nil {
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
	case <-w.delivered:
	case <-w.attempt.done:
	case <-w.attempt.req.Cancel:
	}
	err := canceled(w.attempt.req, w.attempt.done)
	if err == nil {
		return w.pc, w.err
	}
	if err == errCanceled {
		err = errCanceledInLine
	}
	t.giveUp(w)
	return nil, err
}

// giveUp takes w out of the race. What was delivered in the meantime is given
// back.
func (t *Transport) giveUp(w *want) {
	now := t.clock().Now()
	t.mu.Lock()
	if !w.over {
		t.endWait(w, now)
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
	if w.over {
		return false
	}
	t.endWait(w, now)
	w.pc, w.err = pc, err
	if pc != nil {
		pc.hold(w.attempt, now, time.Time{})
	}
	close(w.delivered)
	return true
}

// endWait removes w from every line. A dial that goes on for it has become an
// orphan; one too many is called off, the youngest, since it has the longest
// way to go (golang/go#76784). Transport.mu must be held.
func (t *Transport) endWait(w *want, now time.Time) {
	h := w.host
	w.over = true
	h.waiting.remove(&w.waitingNode)
	t.leaveLine(w, now)
	d := w.dialing
	if d == nil {
		return
	}
	if h.orphans++; h.orphans > t.maxOrphans() {
		d.cancel()
	}
}

func (t *Transport) leaveLine(w *want, now time.Time) {
	if w.host.inLine.remove(&w.inLineNode) {
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
func (a *attempt) traceGotConn(pc *persistConn, now time.Time) {
	if a.trace == nil || a.trace.GotConn == nil {
		return
	}
	info := httptrace.GotConnInfo{Conn: pc.conn, Reused: a.used}
	if !a.idleSince.IsZero() {
		info.WasIdle = true
		info.IdleTime = now.Sub(a.idleSince)
	}
	a.trace.GotConn(info)
}

// dialContext has the values of the request's context and none of its ends.
func dialContext(a *attempt) (context.Context, context.CancelFunc) {
	return context.WithCancel(context.WithoutCancel(a.req.Context()))
}
