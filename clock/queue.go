package clock

import (
	"slices"
	"time"
)

// queue holds the armed events of a Virtual, cheap to arm, move and stop even
// when there are a hundred thousand. It works by putting things off.
//
// Entries are small values that carry their sort key, so that they are put in
// order without touching the events. An event that is armed only adds its
// entry to fresh. When time may have come for one of these, fresh is put in
// order: a few entries go into a 4-ary heap, many are sorted at once and become
// a run, which is read from the front.
//
// So an entry may be out of date. An event that is stopped, or moved later,
// leaves its entry where it is, to be dropped or moved when it comes first. An
// event moved earlier gets a new entry and leaves the old one behind as dead.
// When more than half of all entries are dead they are swept out, so stopped
// timers do not pile up.
type queue struct {
	fresh []entry // in no order, and their keys are not to be relied on
	run   []entry // sorted
	heap  []entry

	soonest int64  // nothing in fresh is due earlier
	dead    int    // entries that stand for nothing
	last    uint64 // the newest sequence number given out
	full    int    // entries that the memory of run is good for
	warm    int    // entries at the front of run that preload has seen
	sink    int    // what preload sums up, so that it is not optimized away
}

// entry says that ev is due at when or, if ev was moved since, later. Of
// entries due at one instant the one armed first, by seq, goes first.
type entry struct {
	when int64
	seq  uint64
	ev   *event
}

func (a entry) before(b entry) bool {
	return a.when < b.when || a.when == b.when && a.seq < b.seq
}

// current reports whether e says when its event is due.
func (a entry) current() bool { return a.ev.seq == a.seq && a.ev.when != 0 }

const (
	arity     = 4
	sweepFrom = 64   // dead entries up to this number are left alone
	runFrom   = 64   // fewer fresh entries than this go into the heap
	keepUpTo  = 1024 // more room than this is given back when little is used
)

// arm makes ev due at when, after every other event of that instant.
func (q *queue) arm(ev *event, when int64) {
	if ev.entrySeq != 0 && ev.when == 0 {
		q.dead-- // the entry it was stopped with is of use again
	}
	q.last++
	ev.when, ev.seq = when, q.last
	if len(q.fresh) == 0 || when < q.soonest {
		q.soonest = when
	}
	if ev.entrySeq != 0 {
		if when >= ev.entryWhen {
			return
		}
		q.dead++
	}
	// Any when is later than this zero: an entry in fresh is never left behind.
	ev.entryWhen, ev.entrySeq = 0, ev.seq
	if len(q.fresh) == cap(q.fresh) { // append would grow by a quarter only
		q.fresh = slices.Grow(q.fresh, max(len(q.fresh), runFrom))
	}
	q.fresh = append(q.fresh, entry{when, ev.seq, ev})
	q.sweep()
}

// disarm makes ev due never and reports whether it was armed.
func (q *queue) disarm(ev *event) bool {
	if ev.when == 0 {
		return false
	}
	ev.when = 0
	q.dead++
	q.sweep()
	return true
}

// top is the event to fire first, or nil if none is due up to the instant to.
func (q *queue) top(to int64) *event {
	ev := q.first()
	if ev != nil && ev.when < to {
		to = ev.when
	}
	if len(q.fresh) > 0 && q.soonest <= to {
		q.sort()
		ev = q.first()
	}
	if ev == nil || ev.when > to {
		return nil
	}
	return ev
}

// first is the first event of the run and the heap, or nil.
func (q *queue) first() *event {
	for len(q.run) > 0 && !q.run[0].current() {
		e := q.run[0]
		q.shift()
		q.renew(e)
	}
	for len(q.heap) > 0 && !q.heap[0].current() {
		e := q.heap[0]
		q.cut()
		q.renew(e)
	}
	switch {
	case len(q.run) > 0 && (len(q.heap) == 0 || q.run[0].before(q.heap[0])):
		return q.run[0].ev
	case len(q.heap) > 0:
		return q.heap[0].ev
	}
	return nil
}

// take removes ev, which is armed.
func (q *queue) take(ev *event) {
	if q.first() == ev {
		q.pop(ev)
	} else {
		q.dead++
		ev.entrySeq = 0
	}
	ev.when = 0
}

// tied is the events due at the instant of the top one, in the order they
// were armed.
func (q *queue) tied() []*event {
	var list []*event
	for ev := q.top(forever); ev != nil; ev = q.top(list[0].when) {
		list = append(list, ev)
		q.pop(ev)
	}
	for _, ev := range list {
		q.push(ev)
	}
	return list
}

// each calls f for every armed event, in no useful order.
func (q *queue) each(f func(*event)) {
	for _, part := range [][]entry{q.fresh, q.run, q.heap} {
		for _, e := range part {
			if e.ev.entrySeq == e.seq && e.ev.when != 0 {
				f(e.ev)
			}
		}
	}
}

// sort empties fresh into the run or the heap.
func (q *queue) sort() {
	// Merging touches the whole run, so it is done only for a fair share of it.
	if len(q.fresh) < max(runFrom, len(q.run)/8) {
		for _, e := range q.fresh {
			q.renew(e)
		}
		clear(q.fresh)
		if q.fresh = q.fresh[:0]; cap(q.fresh) > keepUpTo {
			q.fresh = nil
		}
		return
	}
	q.run = merge(q.run, sorted(q.living(q.fresh)))
	q.fresh, q.full, q.warm = nil, cap(q.run), 0
}

// renew pushes a new entry for the event of e, which has been taken out, if e
// stood for something.
func (q *queue) renew(e entry) {
	switch {
	case e.ev.entrySeq != e.seq: // left behind
		q.dead--
	case e.ev.when == 0: // stopped
		q.dead--
		e.ev.entrySeq = 0
	default:
		q.push(e.ev)
	}
}

// living is list without its dead entries, and with current keys.
func (q *queue) living(list []entry) []entry {
	kept := list[:0]
	for _, e := range list {
		switch {
		case e.ev.entrySeq != e.seq:
			q.dead--
		case e.ev.when == 0:
			q.dead--
			e.ev.entrySeq = 0
		default:
			e.when, e.seq = e.ev.when, e.ev.seq
			e.ev.entryWhen, e.ev.entrySeq = e.when, e.seq
			kept = append(kept, e)
		}
	}
	clear(list[len(kept):]) // must not keep stopped timers from the collector
	return kept
}

// sweep drops the dead entries once they are the most.
func (q *queue) sweep() {
	n := len(q.fresh) + len(q.run) + len(q.heap)
	if q.dead <= sweepFrom || q.dead <= n/2 {
		return
	}
	all := make([]entry, 0, n-q.dead)
	for _, part := range [][]entry{q.fresh, q.run, q.heap} {
		all = append(all, q.living(part)...)
	}
	q.soonest = forever
	for _, e := range all {
		e.ev.entryWhen = 0
		q.soonest = min(q.soonest, e.when)
	}
	q.fresh, q.run, q.heap, q.full = all, nil, nil, 0
}

// pop removes ev, which is the top, and leaves it without an entry.
func (q *queue) pop(ev *event) {
	if len(q.run) > 0 && q.run[0].ev == ev {
		q.shift()
	} else {
		q.cut()
	}
	ev.entrySeq = 0
}

// shift removes the front of the run.
func (q *queue) shift() {
	if q.warm == 0 {
		q.preload()
	}
	q.warm--
	q.run[0] = entry{}
	q.run = q.run[1:]
	if q.full > keepUpTo && len(q.run) < q.full/8 {
		q.run = append(make([]entry, 0, len(q.run)), q.run...)
		q.full = len(q.run)
	}
}

// preload looks at the channels of the next few events of the run. They lie
// anywhere in memory: waiting for all at once takes as long as for one.
func (q *queue) preload() {
	var next [16]chan time.Time
	q.warm = min(len(next), len(q.run))
	for i := range q.warm {
		next[i] = q.run[i].ev.c
	}
	for _, c := range next {
		q.sink += len(c)
	}
}

// push adds an entry for ev to the heap.
func (q *queue) push(ev *event) {
	ev.entryWhen, ev.entrySeq = ev.when, ev.seq
	e := entry{ev.when, ev.seq, ev}
	q.heap = append(q.heap, e)
	h, i := q.heap, len(q.heap)-1
	for i > 0 {
		up := (i - 1) / arity
		if !e.before(h[up]) {
			break
		}
		h[i] = h[up]
		i = up
	}
	h[i] = e
}

// cut removes the root of the heap.
func (q *queue) cut() {
	n := len(q.heap) - 1
	e := q.heap[n]
	q.heap[n] = entry{}
	q.heap = q.heap[:n]
	if cap(q.heap) > keepUpTo && n < cap(q.heap)/8 {
		q.heap = append(make([]entry, 0, 2*n), q.heap...)
	}
	if n == 0 {
		return
	}
	h, i := q.heap, 0
	for {
		child := arity*i + 1
		if child >= n {
			break
		}
		least := child
		for k := child + 1; k < min(child+arity, n); k++ {
			if h[k].before(h[least]) {
				least = k
			}
		}
		if !h[least].before(e) {
			break
		}
		h[i] = h[least]
		i = least
	}
	h[i] = e
}
