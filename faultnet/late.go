package faultnet

import (
	"cmp"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/halfopen/halfopen/clock"
)

// delayState is the state of an event's delay.
type delayState struct {
	since time.Time // when what it brings was sent, if that is known
	timer *clock.Timer
	over  bool     // it has waited, and is not asked about again
	after *Verdict // the verdict on it then; nil means Pass
	tries int      // of a dial: how many of its SYNs were dropped
}

func (l *delayState) verdict() Verdict {
	if l.after == nil {
		return Pass
	}
	return *l.after
}

// delay says how much later an event happens, and what it brings then.
type delay struct {
	d     time.Duration
	limit int     // how many bytes it brings then, and each event behind it; 0 for all
	final Verdict // the verdict on it then
}

// postpone lets an event happen later if v says so, and reports whether it does.
func (n *Net) postpone(e *Event, v Verdict) bool {
	later := v.row().later
	if e.late.over || later == nil {
		return false
	}
	l := later(e, v)
	if e.Kind&arriving != 0 {
		if !e.From.link.delay(e, &l) {
			return true // withdrawn meanwhile
		}
		if l.limit > 0 {
			n.pace(e.From.Peer(), v)
		}
	}
	n.log(e, v.name)
	n.later(e, l.d, l.final)
	return true
}

// lookUp delays a dial as long as its name is looked up.
func (e *Event) lookUp(v Verdict) delay {
	e.net.mu.Lock()
	defer e.net.mu.Unlock()
	e.dial.looking = true
	return delay{d: v.d}
}

// ignoreContext delays a dial, and has its context ignored meanwhile.
func (e *Event) ignoreContext(v Verdict) delay {
	e.net.mu.Lock()
	defer e.net.mu.Unlock()
	e.dial.ignoresContext = true
	return delay{d: v.d}
}

// segment delays the next segment of a direction as long as its bytes take at
// the verdict's rate.
func (e *Event) segment(v Verdict) delay {
	limit := min(1460, v.bytes)
	if k := len(e.Bytes()); k > 0 {
		limit = min(limit, k)
	}
	return delay{d: time.Duration(limit) * time.Second / time.Duration(v.bytes), limit: limit}
}

// delay notes which bytes of the stream the event brings when its delay is over.
// Bytes that are written meanwhile keep their distance in time: see resume.
func (l *link) delay(e *Event, by *delay) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	to := e.From.Peer()
	if to.in.event != e {
		return false
	}
	e.late.after = nil
	if e.Kind != Data {
		return true
	}
	if by.limit > 0 {
		e.limit = min(by.limit, cmp.Or(e.limit, by.limit))
		return true
	}
	inFlight := to.in.buf.n - to.in.arrived
	if e.limit == 0 || e.limit > inFlight {
		e.limit = inFlight
	}
	if !e.late.since.IsZero() {
		by.d -= l.clock.Since(e.late.since)
	}
	to.in.marking = true
	return true
}

// mark is a place in a stream, and the time at which it was written.
type mark struct {
	end int64 // the number of bytes up to there since the stream began
	at  time.Time
}

// note marks what may have been written behind an event that waits. It is called
// with the link's mutex held.
func (in *inbound) note(c clock.Clock) {
	if !in.marking || in.event == nil {
		return
	}
	end := in.taken + int64(in.buf.n)
	last := in.taken + int64(in.arrived) + int64(in.event.limit)
	if k := len(in.marks); k > 0 {
		last = in.marks[k-1].end
	}
	if end > last {
		in.marks = append(in.marks, mark{end, c.Now()})
	}
}

// resume gives the event that follows one that was delayed its own time.
func (in *inbound) resume(e *Event) {
	if !in.marking {
		return
	}
	begin := in.taken + int64(in.arrived)
	in.marks = slices.DeleteFunc(in.marks, func(m mark) bool { return m.end <= begin })
	if len(in.marks) == 0 {
		in.marking = false
		return
	}
	e.limit, e.late.since = int(in.marks[0].end-begin), in.marks[0].at
}

// draw returns the source of an event's random delay, which is the same for the
// same event of the same run.
func (e *Event) draw(seed uint64) *rand.Rand {
	h := fnv.New64a()
	h.Write([]byte(e.String()))
	return rand.New(rand.NewPCG(seed, h.Sum64()+uint64(e.offset())))
}

func (e *Event) drawUniform(v Verdict) delay {
	return delay{d: time.Duration(e.draw(v.seed).Int64N(max(1, min(int64(v.d), math.MaxInt64-1)+1)))}
}

func (e *Event) drawExponential(v Verdict) delay {
	return delay{d: time.Duration(min(e.draw(v.seed).ExpFloat64(), 20) * float64(v.d))}
}

// later posts e again when d has passed.
func (n *Net) later(e *Event, d time.Duration, after Verdict) {
	n.mu.Lock()
	defer n.mu.Unlock()
	e.late.after = &after
	n.faults.late = append(n.faults.late, e)
	e.late.timer = n.clock().AfterFunc(max(0, d), func() { n.due(e) })
}

// due posts an event whose delay is over.
func (n *Net) due(e *Event) {
	n.mu.Lock()
	if !n.cancelDelay(e) {
		n.mu.Unlock()
		return // taken back meanwhile
	}
	e.late.over = true
	if e.dial != nil {
		e.dial.looking = false
	}
	n.mu.Unlock()
	n.post(e)
}

// cancelDelay takes e from what is delayed, and reports whether it was. It is
// called with mu held.
func (n *Net) cancelDelay(e *Event) bool {
	i := slices.Index(n.faults.late, e)
	if i < 0 {
		return false
	}
	e.late.timer.Stop()
	n.faults.late = slices.Delete(n.faults.late, i, i+1)
	return true
}
