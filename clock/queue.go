package clock

import (
	"iter"
	"slices"
	"time"
)

// queue holds the armed events of a Virtual. To arm, move or stop one is cheap
// even if there are a hundred thousand, because the queue puts work off.
//
// An entry is a small value with its sort key, so that entries are sorted
// without reading the events. Arming an event only adds its entry to fresh.
// When an entry of fresh may be due, fresh is emptied: if it has few entries,
// they go into a 4-ary heap; if it has many, they are sorted at once and merged
// into the run, a sorted list that is read from its front.
//
// So an entry may be out of date. When an event is stopped or moved to a later
// instant, its entry stays where it is, and is removed or replaced when it
// becomes the first. When an event is moved to an earlier instant, it gets a new
// entry, and the old one is dead. When more than half of all entries are dead,
// all dead entries are removed, so that stopped timers do not fill the memory.
//
// Events lie anywhere in memory, and reading one takes longer than all the
// rest. As long as no entry of the run can be out of date, fastPop takes
// entries from the run without reading their events. Such an event is still
// marked as armed; holds corrects that when it is called.
type queue struct {
	fresh chunkList // in no order
	run   chunkList // sorted
	heap  []entry

	armed     int    // the number of armed events
	soonest   int64  // nothing in fresh is due earlier
	last      uint64 // the newest sequence number
	emptied   uint64 // the value of last when fresh was last emptied
	anyStale  bool   // some event is in the state staleEntry
	outdated  bool   // some entry of fresh or the run may be out of date
	popped    entry  // the last entry that fastPop returned: its when and seq
	preloaded int    // how many entries at the front of the run preload has read
	sink      int    // a sum of what preload has read, so that the compiler keeps the reads
}

// entry says that ev is due at when or, if ev was moved since, later. Of the
// entries due at one instant, the one with the lowest seq goes first: it was
// armed first.
type entry struct {
	when int64
	seq  uint64
	ev   *event
	c    chan time.Time // the channel of ev, if firing ev is only a send
}

// entry returns a new entry for ev.
func (ev *event) entry() entry {
	c, _ := ev.target.(chan time.Time)
	return entry{ev.when, ev.seq, ev, c}
}

// before reports whether a fires before b.
func (a entry) before(b entry) bool {
	return a.when < b.when || a.when == b.when && a.seq < b.seq
}

// current reports whether a is up to date: its event is due at a.when.
func (a entry) current() bool { return a.ev.seq == a.seq && a.ev.armed }

// entryState describes the entry that counts for an event: the instant it
// has, compared with the one the event was last armed for. The event may have
// other entries too; those are dead.
type entryState uint8

const (
	noEntry    entryState = iota // the event may have no entry
	exactEntry                   // the entry has this instant; it may be in fresh
	heapEntry                    // the entry has this instant, and is in the heap
	earlyEntry                   // the entry has an earlier instant
	staleEntry                   // the entry is in fresh, and may have any instant
)

const (
	arity     = 4
	sweepFrom = 64   // up to this number, dead entries stay
	runFrom   = 64   // fewer fresh entries than this go into the heap
	keepUpTo  = 1024 // a heap with more room than this is made smaller when little of it is used
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
	case ev.entryState == staleEntry || ev.entryState == exactEntry && old > q.emptied:
		ev.entryState, q.anyStale = staleEntry, true // sort will look at it
		q.soonest = min(q.soonest, when)
		return
	case ev.entryState != noEntry && later:
		ev.entryState, q.outdated = earlyEntry, true
		return
	case ev.entryState != noEntry:
		q.outdated = true
	}
	ev.entryState = exactEntry
	if q.fresh.size == 0 || when < q.soonest {
		q.soonest = when
	}
	q.fresh.add(ev.entry())
	q.sweep()
}

// disarm takes ev out of the armed events and reports whether it was armed.
func (q *queue) disarm(ev *event) bool {
	if !q.holds(ev) {
		return false
	}
	ev.armed, q.outdated = false, true
	q.armed--
	q.sweep()
	return true
}

// holds reports whether ev is armed. If fastPop has removed the entry of ev,
// holds marks ev as not armed.
func (q *queue) holds(ev *event) bool {
	if ev.armed && (ev.when < q.popped.when || ev.when == q.popped.when && ev.seq <= q.popped.seq) {
		ev.armed, ev.entryState = false, noEntry
	}
	return ev.armed
}

// fastPop removes and returns the first entry, if it is due at the instant to
// or earlier, and can be fired without reading its event.
func (q *queue) fastPop(to int64) (e entry, ok bool) {
	run := q.run.front()
	if q.outdated || len(run) == 0 {
		return e, false
	}
	e = run[0]
	if e.c == nil || e.when > to || q.fresh.size > 0 && q.soonest <= e.when ||
		len(q.heap) > 0 && !e.before(q.heap[0]) {
		return e, false
	}
	q.popRun()
	q.armed--
	q.popped.when, q.popped.seq = e.when, e.seq
	return e, true
}

// top returns the event to fire first, or nil if none is due at the instant to
// or earlier.
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

// first returns the first event of the run and the heap, or nil.
func (q *queue) first() *event {
	run := q.run.front()
	for len(run) > 0 && !run[0].current() {
		q.renew(q.popRun())
		run = q.run.front()
	}
	for len(q.heap) > 0 && !q.heap[0].current() {
		q.renew(q.popHeap())
	}
	switch {
	case len(run) > 0 && (len(q.heap) == 0 || run[0].before(q.heap[0])):
		return run[0].ev
	case len(q.heap) > 0:
		return q.heap[0].ev
	}
	return nil
}

// take removes ev, which is armed and comes first.
func (q *queue) take(ev *event) {
	q.pop(ev)
	ev.armed = false
	q.armed--
	q.sweep()
}

// tied returns the events due at the instant of the top one, in the order in
// which they were armed.
func (q *queue) tied() []*event {
	var list []*event
	for ev := q.top(forever); ev != nil; ev = q.top(list[0].when) {
		list = append(list, ev)
		q.pop(ev)
	}
	for _, ev := range list {
		q.pushHeap(ev)
	}
	return list
}

// list returns all armed events, in order.
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

// all yields the entries, in no useful order.
func (q *queue) all(yield func(entry) bool) {
	heap := chunkList{chunks: [][]entry{q.heap}}
	for _, p := range []*chunkList{&q.fresh, &q.run, &heap} {
		for e := range p.all {
			if !yield(e) {
				return
			}
		}
	}
}

// size returns the number of entries.
func (q *queue) size() int { return q.fresh.size + q.run.size + len(q.heap) }

// sort empties fresh into the run or the heap.
func (q *queue) sort() {
	q.emptied = q.last
	// Merging copies the whole run, so fresh is merged only if it is not much
	// shorter.
	if q.fresh.size >= max(runFrom, q.run.size/8) {
		if q.anyStale || q.outdated {
			q.fresh = q.liveEntries(q.fresh.all)
		}
		fresh, moved := sortEntries(q.fresh)
		alone := q.run.size == 0
		q.run, q.fresh = merge(q.run, fresh), chunkList{}
		q.outdated = q.outdated && !alone
		q.preloaded = 0
		if alone && !moved {
			q.preloaded = q.run.size // events in the order they were made: preload is of no use
		}
	} else {
		for e := range q.fresh.all {
			if e.current() {
				q.pushHeap(e.ev)
			} else {
				q.renew(e.ev)
			}
		}
		q.fresh.reset()
	}
	q.anyStale = false
}

// renew gives ev a new entry, if it needs one, after an entry that was out of
// date was removed.
func (q *queue) renew(ev *event) {
	switch {
	case !q.holds(ev):
		ev.entryState = noEntry
	case ev.entryState == earlyEntry || ev.entryState == staleEntry:
		q.pushHeap(ev)
	}
}

// sweep removes the dead entries once they are more than half of all.
func (q *queue) sweep() {
	if n := q.size(); n-q.armed > max(sweepFrom, n/2) {
		q.fresh, q.run, q.heap = q.liveEntries(q.all), chunkList{}, nil
		q.soonest, q.anyStale, q.outdated = 0, false, false
	}
}

// liveEntries returns up-to-date entries for the events of all that are armed.
func (q *queue) liveEntries(all iter.Seq[entry]) chunkList {
	var kept chunkList
	for e := range all {
		switch ev := e.ev; {
		case !q.holds(ev):
			ev.entryState = noEntry
		case e.current() || ev.entryState == earlyEntry || ev.entryState == staleEntry:
			ev.entryState = exactEntry
			kept.add(ev.entry())
		}
	}
	return kept
}

// pop removes the entry of ev if it is the first of the run or of the heap. An
// entry elsewhere stays, and is dead.
func (q *queue) pop(ev *event) {
	if run := q.run.front(); len(run) > 0 && run[0].ev == ev {
		q.popRun()
	} else if len(q.heap) > 0 && q.heap[0].ev == ev {
		q.popHeap()
	}
	ev.entryState = noEntry
}

// popRun removes the first entry of the run and returns its event.
func (q *queue) popRun() *event {
	if q.preloaded == 0 {
		q.preload()
	}
	q.preloaded--
	ev := q.run.front()[0].ev
	q.run.drop()
	return ev
}

// preload reads the memory that firing the next few entries of the run needs.
// It lies anywhere, and to wait for all of it at once takes as long as to wait
// for one piece.
func (q *queue) preload() {
	run := q.run.front()
	run = run[:min(len(run), 16)]
	q.preloaded = len(run)
	for _, e := range run {
		if q.outdated || e.c == nil {
			q.sink += int(e.ev.kind)
		}
	}
	for _, e := range run {
		q.sink += len(e.c)
	}
}

// pushHeap adds an entry for ev to the heap.
func (q *queue) pushHeap(ev *event) {
	ev.entryState = heapEntry
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

// popHeap removes the first entry of the heap and returns its event.
func (q *queue) popHeap() *event {
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
