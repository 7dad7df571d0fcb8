package pool

// Stage 4: queueForDial and dialConnFor.
//
// A dial holds one of its host's places, and keeps it for the connection that
// it makes, until that is closed. The dial's goroutine owns the connection
// until tryDeliver has given it to the request, or the idle list has it.

import (
	"context"
	"time"
)

// A dial is a connection in the making. It outlives the request that asked for
// it (golang/go#59017).
type dial struct {
	id     uint64
	want   *want
	dst    destination // want may have gone on to another one
	ctx    context.Context
	cancel context.CancelFunc
	since  time.Time
	node   node[*dial] // in host.dials; guarded by Transport.mu
}

// queueForDial starts a dial for w if its host has a place, or else makes it
// wait in line for one. Transport.mu must be held.
func (t *Transport) queueForDial(w *want, now time.Time) {
	if len(w.host.sharing) > 0 && w.host.awaitsSettings() {
		return // see dialAgain
	}
	if !t.full(w.host) {
		t.startDial(w, now)
		return
	}
	w.since = now
	w.host.waits++
	w.host.inLine.push(&w.inLineNode, w)
}

// full reports whether h has no place for one more connection, or must make do
// with the streams of the one it has.
func (t *Transport) full(h *host) bool {
	if t.HTTP2 != nil && t.HTTP2.StrictMaxConcurrentRequests && len(h.sharing) > 0 {
		return true
	}
	return t.MaxConnsPerHost > 0 && h.places >= t.MaxConnsPerHost
}

// startDial takes a place and dials in a goroutine. Transport.mu must be held.
func (t *Transport) startDial(w *want, now time.Time) {
	h := w.host
	h.places++
	h.dialsBegun++
	t.nextID++
	d := &dial{id: t.nextID, want: w, dst: w.attempt.dst, since: now}
	d.ctx, d.cancel = dialContext(w.attempt)
	w.dialing = d
	h.dials.push(&d.node, d)
	go t.dialConnFor(d)
}

// dialConnFor dials and delivers. No dial is begun for a request that has been
// served or called off since (golang/go#50798, #65705).
func (t *Transport) dialConnFor(d *dial) {
	now := t.clock().Now()
	t.mu.Lock()
	if d.want.over {
		t.endDial(d)
		d.want.host.dialsBegun--
		t.freePlace(d.want.host, now)
		t.mu.Unlock()
		return
	}
	t.mu.Unlock()

	pc, err := t.dialConn(d.ctx, &d.dst)
	if err != nil {
		d.cancel()
		t.dialFailed(d, err)
		return
	}
	t.dialSucceeded(d, pc)
}

func (t *Transport) dialFailed(d *dial, err error) {
	now := t.clock().Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.endDial(d)
	d.want.host.dialErrors++
	t.tryDeliver(d.want, nil, err, now)
	t.freePlace(d.want.host, now)
}

// dialSucceeded gives a new connection to the request that asked for it, or pools it.
func (t *Transport) dialSucceeded(d *dial, pc *persistConn) {
	now := t.clock().Now()
	t.mu.Lock()
	h := d.want.host
	t.endDial(d)
	pc.host, pc.id, pc.opened, pc.since, pc.state = h, d.id, now, now, Active
	h.conns.push(&pc.node, pc)
	if pc.shared != nil {
		pc.shared.start(d.want, now)
		t.mu.Unlock()
		pc.shared.watch()
		return
	}
	pc.start()
	delivered := t.tryDeliver(d.want, pc, nil, now)
	t.mu.Unlock()
	if !delivered {
		t.putOrClose(pc)
	}
}

// endDial takes d off its host's list. Transport.mu must be held.
func (t *Transport) endDial(d *dial) {
	h := d.want.host
	h.dials.remove(&d.node)
	d.want.dialing = nil
	if d.want.over {
		h.orphans--
	}
}

// freePlace gives a place of h to the request that has waited longest for one,
// and to more if the limit allows. Transport.mu must be held.
func (t *Transport) freePlace(h *host, now time.Time) {
	h.places--
	t.startDials(h, now)
}

func (t *Transport) startDials(h *host, now time.Time) {
	for h.inLine.n > 0 && !t.full(h) {
		w := h.inLine.front()
		t.leaveLine(w, now)
		t.startDial(w, now)
	}
}
