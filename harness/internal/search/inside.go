package search

import (
	"fmt"
	"slices"
	"strings"
)

// Point is an inner choice: one that was made inside a step, where several things
// could come next. The alternative 0 comes by itself.
type Point struct {
	Kind           uint8
	Of, Took       uint16
	Place, Started uintptr // where it was made, and where its goroutine was started: two runs in a process have the same
}

// Departure is an inner delay: an inner choice that takes another alternative than the
// first.
type Departure struct {
	At   int    // the number of the choice in its step, from 1
	Take int    // the alternative, from 1
	Of   int    // how many alternatives there were
	Note string // what it means, in a run with Tell
}

// String returns the departure as a schedule has it: "inner 3: 2 of 4, run r2". The
// alternative is counted from 1 there.
func (d Departure) String() string {
	s := fmt.Sprintf("%s%d: %d of %d", innerPrefix, d.At, d.Take+1, d.Of)
	if d.Note != "" {
		s += ", " + d.Note
	}
	return s
}

const innerPrefix = "inner "

// IsInner reports whether a choice of a schedule is one inside a step.
func IsInner(name string) bool {
	_, ok := parseDeparture(name)
	return ok
}

// WithoutNotes returns a schedule without what its inner departures mean: that has lines
// of code, which change.
func WithoutNotes(schedule []string) []string {
	plain := slices.Clone(schedule)
	for i, name := range plain {
		if d, ok := parseDeparture(name); ok {
			plain[i] = d.String()
		}
	}
	return plain
}

// parseDeparture reads what String returns. It leaves the note out.
func parseDeparture(name string) (d Departure, ok bool) {
	if !strings.HasPrefix(name, innerPrefix) {
		return d, false
	}
	n, _ := fmt.Sscanf(name, innerPrefix+"%d: %d of %d", &d.At, &d.Take, &d.Of)
	d.Take--
	return d, n == 3 && d.At > 0 && d.Take > 0 && d.Take < d.Of
}

// Inside says how the inner choices of the coming step are made.
type Inside struct {
	Departures []Departure // in the order of their numbers
	Draw       *Draw       // of this step and all that follow, in place of departures; nil if there is nothing new
}

// Draw has inner choices drawn at random.
type Draw struct {
	Strategy string // "random", "pct" or "pos"
	Seed     uint64
	Changes  []int // pct: the choices of the run, from 1, at which a priority is lowered
	Rate     int   // random: of 256 chances to preempt a goroutine, how many are taken
}

// segment has the inner choices of a step.
type segment struct {
	points   []Point
	departed []Departure
}

// Inside returns how the inner choices of the coming step are made. A run that has
// inner choices asks before its first step and after each choice of an option.
func (c *Choices) Inside() Inside {
	if c.by.inside == nil {
		return Inside{}
	}
	return c.by.inside()
}

// Happened takes the inner choices of the step that is over, before the options of the
// next one are offered. In a run with Tell, note says what a departure means.
func (c *Choices) Happened(points []Point, note func(at int) string) {
	from := len(c.points)
	c.points = append(c.points, points...)
	s := segment{points: c.points[from:len(c.points):len(c.points)]}
	for i, p := range points {
		if p.Took == 0 {
			continue
		}
		d := Departure{At: i + 1, Take: int(p.Took), Of: int(p.Of)}
		if c.Tell && note != nil {
			d.Note = note(d.At)
		}
		s.departed = append(s.departed, d)
	}
	c.taken.Inner += len(s.departed)
	c.segments = append(c.segments, s)
	if c.by.happened != nil {
		c.by.happened(points)
	}
}

// segment returns what happened inside, before step i, from 0, and after the one
// before it.
func (c *Choices) segment(i int) segment {
	if i < len(c.segments) {
		return c.segments[i]
	}
	return segment{}
}

// Departures returns the departures inside, before step i, from 0, and after the one
// before it.
func (c *Choices) Departures(i int) []Departure { return c.segment(i).departed }

// print returns a hash of the choices that there were, and of their places.
func (s segment) print() uint64 {
	h := noChoice
	for _, p := range s.points {
		h = h.and(p)
	}
	return uint64(h)
}

// shape returns a hash of the choices that there were. It is the same in another process.
func (s segment) shape() uint64 {
	h := noChoice
	for _, p := range s.points {
		p.Place, p.Started = 0, 0
		h = h.and(p)
	}
	return uint64(h)
}

// pointHash is a hash of choices in their order (as FNV, but of words in place of bytes).
type pointHash uint64

const noChoice pointHash = 14695981039346656037

// and adds a choice.
func (h pointHash) and(p Point) pointHash {
	for _, word := range [...]uint64{uint64(p.Kind) | uint64(p.Of)<<16 | uint64(p.Took)<<32, uint64(p.Place), uint64(p.Started)} {
		h = (h ^ pointHash(word)) * 1099511628211
		h ^= h >> 32
	}
	return h
}

// upTo returns a hash of the first n choices. The last one counts as if it had taken the first
// alternative.
func (s segment) upTo(n int) pointHash {
	h := noChoice
	for _, p := range s.points[:n-1] {
		h = h.and(p)
	}
	last := s.points[n-1]
	last.Took = 0
	return h.and(last)
}

// fits reports whether the inner choices before a step are those of the prefix.
func (n node) fits(step int, s segment) bool {
	switch {
	case n.of == nil || step > n.at:
		return true
	case step == n.at && n.inner > 0:
		return n.inner <= len(s.points) && int(s.points[n.inner-1].Took) == n.alt && n.print == s.upTo(n.inner)
	}
	return n.of.insides[step] == s.print()
}

// entry is a choice of a schedule: that of an option, or an inner departure.
type entry struct {
	name string
	step int // the index of the step, or -1
}

// entries returns the choices up to the n-th step, with what is inside after it.
func (c *Choices) entries(n int) (list []entry) {
	for i := range n + 1 {
		for _, d := range c.segment(i).departed {
			list = append(list, entry{d.String(), -1})
		}
		if i < n {
			list = append(list, entry{c.steps[i].Option().Name, i})
		}
	}
	return list
}

// names returns the names of choices.
func names(list []entry) []string {
	s := make([]string, len(list))
	for i, e := range list {
		s[i] = e.name
	}
	return s
}

// isInner reports whether the choice is an inner departure.
func (e entry) isInner() bool { return e.step < 0 }

// innerBefore removes the inner departures before the first choice of another kind from
// a schedule, and returns them as departures of one step.
func innerBefore(schedule *[]string) (list []Departure) {
	for len(*schedule) > 0 {
		d, ok := parseDeparture((*schedule)[0])
		if !ok {
			break
		}
		list = append(list, d)
		*schedule = (*schedule)[1:]
	}
	slices.SortStableFunc(list, func(a, b Departure) int { return a.At - b.At })
	return slices.CompactFunc(list, func(a, b Departure) bool { return a.At == b.At })
}
