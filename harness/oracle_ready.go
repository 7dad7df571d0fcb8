package harness

import (
	"cmp"
	"slices"

	"github.com/halfopen/halfopen/faultnet"
)

// Which connections are ready for a request, and which requests wait for one, is kept from
// one quiet point to the next: each looks only at what has changed since the last one, so that
// a test of very many costs no more for each of them.

// readiness has the connections that are ready, and the requests that wait.
type readiness struct {
	spots   map[spotKey]*spot
	matched map[*spot]bool // where connections are ready and requests wait
	unclear map[string]int // by address: members of which it is not known which transport's they are

	// What may have changed since the last quiet point that was checked.
	conns []*faultnet.Conn
	seen  int // how many of these a quiet point has seen that was not checked
	ops   []*Op
}

// spotKey names a spot. No transport stands for one that is not known: it may be that of any
// other spot of the address.
type spotKey struct {
	addr string
	via  any
}

// spot has what is of one transport, at one address.
type spot struct {
	spotKey
	ready   []*Conn    // by number
	waiting []*Request // by index

	// Most have few: their lists begin here.
	firstReady   [4]*Conn
	firstWaiting [4]*Request
}

// spot returns the spot of a transport at an address.
func (o *readiness) spot(addr string, via any) *spot {
	if o.spots == nil {
		o.spots = make(map[spotKey]*spot)
	}
	key := spotKey{addr, via}
	s := o.spots[key]
	if s == nil {
		s = &spot{spotKey: key}
		s.ready, s.waiting = s.firstReady[:0], s.firstWaiting[:0]
		o.spots[key] = s
	}
	return s
}

// changed brings what is known of a spot up to date after its members have changed.
func (o *readiness) changed(s *spot) {
	delete(o.matched, s)
	if len(s.ready) > 0 && len(s.waiting) > 0 {
		if o.matched == nil {
			o.matched = make(map[*spot]bool)
		}
		o.matched[s] = true
	}
	members := len(s.ready) + len(s.waiting)
	if members == 0 {
		delete(o.spots, s.spotKey)
	}
	if s.via == nil {
		delete(o.unclear, s.addr)
		if members > 0 {
			if o.unclear == nil {
				o.unclear = make(map[string]int)
			}
			o.unclear[s.addr] = members
		}
	}
}

// setReady notes where a connection is ready for a request: at a spot, or nowhere.
func (o *readiness) setReady(c *Conn, at *spot) {
	number := func(c *Conn, n int) int { return cmp.Compare(c.client.Number(), n) }
	if was := c.ready; was != nil && was != at {
		i, _ := slices.BinarySearchFunc(was.ready, c.client.Number(), number)
		was.ready = slices.Delete(was.ready, i, i+1)
		o.changed(was)
	}
	if at != nil && at != c.ready {
		i, _ := slices.BinarySearchFunc(at.ready, c.client.Number(), number)
		at.ready = slices.Insert(at.ready, i, c)
		o.changed(at)
	}
	c.ready = at
}

// setWaiting notes where a request waits for a connection: at a spot, or nowhere.
func (o *readiness) setWaiting(r *Request, at *spot) {
	index := func(r *Request, n int) int { return cmp.Compare(r.index, n) }
	if was := r.waits; was != nil && was != at {
		i, _ := slices.BinarySearchFunc(was.waiting, r.index, index)
		was.waiting = slices.Delete(was.waiting, i, i+1)
		o.changed(was)
	}
	if at != nil && at != r.waits {
		i, _ := slices.BinarySearchFunc(at.waiting, r.index, index)
		at.waiting = slices.Insert(at.waiting, i, r)
		o.changed(at)
	}
	r.waits = at
}

// update brings what is ready and what waits up to date.
func (o *oracles) update() {
	for _, op := range o.ops {
		r := op.request
		if r == nil {
			continue
		}
		o.census.mu.Lock()
		waits, via := r.started && !r.returned && len(r.runs) == 0 && r.plainAddr != "", r.via
		if n := len(r.runs); n > 0 {
			o.conns = append(o.conns, r.runs[n-1].client)
		}
		if c := r.hooks.conn; c != nil {
			o.conns = append(o.conns, c.client)
		}
		o.census.mu.Unlock()
		if waits {
			o.setWaiting(r, o.spot(r.plainAddr, via))
		} else {
			o.setWaiting(r, nil)
		}
	}
	for _, c := range o.conns {
		h := o.census.look(c)
		if h.used = h.lastRequest() != nil; c.IsIdle() && h.free() {
			o.setReady(h, o.spot(c.Address(), h.usedVia()))
		} else {
			o.setReady(h, nil)
		}
	}
	o.conns, o.seen = o.conns[:0], 0
}

// noLonger brings what is ready up to date where a quiet point is not checked.
func (o *oracles) noLonger() {
	for _, c := range o.conns[o.seen:] {
		if h := o.census.look(c); h.ready != nil && !c.IsIdle() {
			o.setReady(h, nil)
		}
	}
	o.seen = len(o.conns)
}

// toLook returns the operations that a quiet point has to look at: those that have changed, and
// those that wait where a connection is ready.
func (o *readiness) toLook() []*Op {
	look := o.ops
	add := func(s *spot) {
		for _, r := range s.waiting {
			look = append(look, &r.Op)
		}
	}
	for s := range o.matched { // in any order: they are sorted
		add(s)
	}
	if len(o.unclear) > 0 {
		for _, s := range o.spots { // in any order: they are sorted
			if o.unclear[s.addr] > 0 {
				add(s)
			}
		}
	}
	slices.SortFunc(look, func(a, b *Op) int { return cmp.Compare(a.index, b.index) })
	return slices.Compact(look)
}

// readyFor returns the connections to an address that are ready and may be of the request's
// transport, in the order in which they were opened.
func (o *readiness) readyFor(r *Request, addr string) []*Conn {
	if r.via == nil || o.unclear[addr] > 0 {
		return o.readyAt(func(s *spot) bool { return s.addr == addr })
	}
	if s := o.spots[spotKey{addr, r.via}]; s != nil {
		return s.ready
	}
	return nil
}

// readyAt returns the connections that are ready at some spots, in the order in which they were
// opened.
func (o *readiness) readyAt(which func(*spot) bool) (all []*Conn) {
	for _, s := range o.spots { // in any order: they are sorted
		if which(s) {
			all = append(all, s.ready...)
		}
	}
	slices.SortFunc(all, func(a, b *Conn) int { return cmp.Compare(a.client.Number(), b.client.Number()) })
	return all
}

// idle returns the connections that were ready at the last quiet point that was checked, and on
// which a request had been sent, in the order in which they were opened.
func (o *readiness) idle() []*Conn {
	all := o.readyAt(func(*spot) bool { return true })
	return slices.DeleteFunc(all, func(c *Conn) bool { return !c.used })
}
