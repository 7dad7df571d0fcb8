package clock

import (
	"iter"
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
// event moved earlier gets a new entry and forgets the old one. When more than
// half of all entries are dead they are swept out, so stopped timers do not
// pile up.
//
// Events lie anywhere in memory, and touching one takes longer than all else.
// As long as no entry of the run can be out of date, sends from it touch none:
// what it has passed knows nothing of that, until somebody asks.
type queue struct {
	fresh pile // in no order
	run   pile // sorted
	heap  []entry

	armed   int    // events
	soonest int64  // nothing in fresh is due earlier
	last    uint64 // the newest sequence number given out
	emptied uint64 // last, when fresh was emptied
	loose   bool   // some event is
	doubt   bool   // some entry of fresh or the run may be out of date
	passed  entry  // the last one that pass returned, without its event
	ahead   int    // entries at the front of run that preload has seen
	sink    int    // what preload sums up, so that it is not optimized away
}

// entry says that ev is due at when or, if ev was moved since, later. Of
// entries due at one instant the one armed first, by seq, goes first.
type entry struct {
	when int64
	seq  uint64
	ev   *event
	c    chan time.Time // of ev, if all it takes to fire it is to send
}

// entry is what says when ev is due.
func (ev *event) entry() entry {
	c, _ := ev.to.(chan time.Time)
	return entry{ev.when, ev.seq, ev, c}
}

func (a entry) before(b entry) bool {
	return a.when < b.when || a.when == b.when && a.seq < b.seq
}

// current reports whether e says when its event is due.
func (a entry) current() bool { return a.ev.seq == a.seq && a.ev.armed }

// place is what the queue knows of the entries of an event. Beside the one it
// speaks of there may be others, which are left behind.
type place uint8

const (
	nowhere place = iota // there may be none
	noted                // one says when it was armed for last, maybe in fresh
	pushed               // one does so in the heap
	earlier              // one comes before that
	loose                // one in fresh says anything
)

const (
	arity     = 4
	sweepFrom = 64   // dead entries up to this number are left alone
	runFrom   = 64   // fewer fresh entries than this go into the heap
	keepUpTo  = 1024 // more room than this is given back when little is used
)

// arm makes ev due at when, after every other event of that instant.
func (q *queue) arm(ev *event, when int64) {
	if !q.holds(ev) {
		ev.armed = true
		q.armed++
	}
	later, old := when >= ev.when, ev.seq
	q.last++
	ev.when, ev.seq = when, q.last
	switch {
	case ev.place == loose || ev.place == noted && old > q.emptied:
		ev.place, q.loose = loose, true // sort will look at it
		q.soonest = min(q.soonest, when)
		return
	case ev.place != nowhere && later:
		ev.place, q.doubt = earlier, true
		return
	case ev.place != nowhere:
		q.doubt = true
	}
	ev.place = noted
	if q.fresh.size == 0 || when < q.soonest {
		q.soonest = when
	}
	q.fresh.add(ev.entry())
	q.sweep()
}

// disarm makes ev due never and reports whether it was armed.
func (q *queue) disarm(ev *event) bool {
	if !q.holds(ev) {
		return false
	}
	ev.armed, q.doubt = false, true
	q.armed--
	q.sweep()
	return true
}

// holds reports whether ev is armed. It tells ev if it was passed.
func (q *queue) holds(ev *event) bool {
	if ev.armed && (ev.when < q.passed.when || ev.when == q.passed.when && ev.seq <= q.passed.seq) {
		ev.armed, ev.place = false, nowhere
	}
	return ev.armed
}

// pass removes the first entry, if it is due up to the instant to and can be
// fired without touching its event.
func (q *queue) pass(to int64) (e entry, ok bool) {
	run := q.run.front()
	if q.doubt || len(run) == 0 {
		return e, false
	}
	e = run[0]
	if e.c == nil || e.when > to || q.fresh.size > 0 && q.soonest <= e.when ||
		len(q.heap) > 0 && !e.before(q.heap[0]) {
		return e, false
	}
	q.shift()
	q.armed--
	q.passed.when, q.passed.seq = e.when, e.seq
	return e, true
}

// top is the event to fire first, or nil if none is due up to the instant to.
func (q *queue) top(to int64) *event {
	ev := q.first()
	if ev != nil && ev.when < to {
		to = ev.when
	}
	if q.fresh.size > 0 && q.soonest <= to {
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
	run := q.run.front()
	for len(run) > 0 && !run[0].current() {
		q.renew(q.shift())
		run = q.run.front()
	}
	for len(q.heap) > 0 && !q.heap[0].current() {
		q.renew(q.cut())
	}
	switch {
	case len(run) > 0 && (len(q.heap) == 0 || run[0].before(q.heap[0])):
		return run[0].ev
	case len(q.heap) > 0:
		return q.heap[0].ev
	}
	return nil
}

// take removes ev, which is armed.
func (q *queue) take(ev *event) {
	q.pop(ev)
	ev.armed = false
	q.armed--
	q.sweep()
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

// list is all armed events, in order.
func (q *queue) list() []*event {
	var list []*event
	for e := range q.all {
		if q.holds(e.ev) {
			list = append(list, e.ev)
		}
	}
	slices.SortFunc(list, func(a, b *event) int { return compare(a.entry(), b.entry()) })
	return slices.Compact(list) // some have several entries
}

// all is the entries, in no useful order.
func (q *queue) all(yield func(entry) bool) {
	heap := pile{pieces: [][]entry{q.heap}}
	for _, p := range []*pile{&q.fresh, &q.run, &heap} {
		for e := range p.all {
			if !yield(e) {
				return
			}
		}
	}
}

// size is the number of entries.
func (q *queue) size() int { return q.fresh.size + q.run.size + len(q.heap) }

// sort empties fresh into the run or the heap.
func (q *queue) sort() {
	q.emptied = q.last
	// Merging touches the whole run, so it is done only for a fair share of it.
	if q.fresh.size >= max(runFrom, q.run.size/8) {
		if q.loose || q.doubt {
			q.fresh = q.living(q.fresh.all)
		}
		fresh, moved := sorted(q.fresh)
		alone := q.run.size == 0
		q.run, q.fresh = merge(q.run, fresh), pile{}
		q.doubt = q.doubt && !alone
		q.ahead = 0
		if alone && !moved {
			q.ahead = q.run.size // in the order of memory: no need to look
		}
	} else {
		for e := range q.fresh.all {
			if e.current() {
				q.push(e.ev)
			} else {
				q.renew(e.ev)
			}
		}
		q.fresh.reset()
	}
	q.loose = false
}

// renew gives ev another entry, if it needs one, for one that was out of date.
func (q *queue) renew(ev *event) {
	switch {
	case !q.holds(ev):
		ev.place = nowhere
	case ev.place == earlier || ev.place == loose:
		q.push(ev)
	}
}

// sweep drops the dead entries once they are the most.
func (q *queue) sweep() {
	if n := q.size(); n-q.armed > max(sweepFrom, n/2) {
		q.fresh, q.run, q.heap = q.living(q.all), pile{}, nil
		q.soonest, q.loose, q.doubt = 0, false, false
	}
}

// living is those of all that are not dead, and up to date.
func (q *queue) living(all iter.Seq[entry]) pile {
	var kept pile
	for e := range all {
		switch ev := e.ev; {
		case !q.holds(ev):
			ev.place = nowhere
		case e.current() || ev.place == earlier || ev.place == loose:
			ev.place = noted
			kept.add(ev.entry())
		}
	}
	return kept
}

// pop removes the entry of ev if that is the first of the run or the heap. Any
// other is left behind.
func (q *queue) pop(ev *event) {
	if run := q.run.front(); len(run) > 0 && run[0].ev == ev {
		q.shift()
	} else if len(q.heap) > 0 && q.heap[0].ev == ev {
		q.cut()
	}
	ev.place = nowhere
}

// shift removes the front of the run.
func (q *queue) shift() *event {
	if q.ahead == 0 {
		q.preload()
	}
	q.ahead--
	ev := q.run.front()[0].ev
	q.run.drop()
	return ev
}

// preload looks at what firing the next few entries of the run will touch. It
// lies anywhere in memory: waiting for all at once takes as long as for one.
func (q *queue) preload() {
	run := q.run.front()
	run = run[:min(len(run), 16)]
	q.ahead = len(run)
	for _, e := range run {
		if q.doubt || e.c == nil {
			q.sink += int(e.ev.kind)
		}
	}
	for _, e := range run {
		q.sink += len(e.c)
	}
}

// push adds an entry for ev to the heap.
func (q *queue) push(ev *event) {
	ev.place = pushed
	e := ev.entry()
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
func (q *queue) cut() *event {
	ev := q.heap[0].ev
	n := len(q.heap) - 1
	e := q.heap[n]
	q.heap[n] = entry{}
	q.heap = q.heap[:n]
	if cap(q.heap) > keepUpTo && n < cap(q.heap)/8 {
		q.heap = append(make([]entry, 0, 2*n), q.heap...)
	}
	if n == 0 {
		return ev
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
	return ev
}
