package search

import (
	"fmt"
	"hash/fnv"
	"io"
	"slices"
)

// Choices answers a run that asks which of its options it has to take.
type Choices struct {
	// Tell says that the run is the last one of its schedule: it keeps whatever its
	// report needs.
	Tell bool

	by        chooser
	limits    Limits
	taken     Limits
	abandoned bool
	steps     []Step
	slab      []Option
	offered   int       // how many options the last step had
	segments  []segment // what happened inside: each before the step with its index
	points    []Point   // of all segments
}

// chooser decides a run: it picks options, says how inner choices are made, and sees
// which there were. The last two may be nil.
type chooser struct {
	pick     func([]Option) int
	inside   func() Inside
	happened func([]Point)
}

// Step is one choice that was made.
type Step struct {
	Options []Option
	Chosen  int
}

// Option returns the option that was chosen.
func (s Step) Option() Option { return s.Options[s.Chosen] }

// cost returns how far the choice departs from what would come next by itself.
func (s Step) cost() Limits { return s.Option().cost(s.Chosen) }

// early reports whether the step let an event happen that commutes, and not the oldest. It is printed
// like a delay, although it is none.
func (s Step) early() bool { return s.Option().early(s.Chosen) }

// Oldest reports whether the step let the event happen, in its normal course, that
// had waited longest.
func (s Step) Oldest() bool {
	for i, o := range s.Options {
		if o.Kind == Event {
			return i == s.Chosen && !o.Overtakes
		}
	}
	return false
}

// Offer returns an empty list with room for the options of the next step. All
// options of a run share one array, as soon as it is long enough: a run has some dozens.
func (c *Choices) Offer() []Option {
	room := max(16, 2*c.offered)
	if cap(c.slab)-len(c.slab) < room {
		c.slab = make([]Option, 0, max(64, 2*cap(c.slab), room))
	}
	return c.slab[len(c.slab):len(c.slab):cap(c.slab)]
}

// MayDelay reports whether the schedule has room for another delay, MayFault for
// another fault, and MayPair for another coincidence. Options that would be one
// need not be offered otherwise.
func (c *Choices) MayDelay() bool { return c.taken.Delays < c.limits.Delays }

// MayFault is described at MayDelay.
func (c *Choices) MayFault() bool { return c.taken.Faults < c.limits.Faults }

// MayPair is described at MayDelay.
func (c *Choices) MayPair() bool { return c.taken.Coincidences < c.limits.Coincidences }

// MayDepart reports whether inner choices of the schedule may take another alternative
// than the first. Otherwise none need be made.
func (c *Choices) MayDepart() bool { return c.limits.Inner > 0 }

// Take returns the index of the option to take. What has to happen some time comes
// first among them, in the order in which it came. A negative index abandons the
// run.
func (c *Choices) Take(opts []Option) int {
	c.slab = c.slab[:min(cap(c.slab), len(c.slab)+len(opts))]
	c.offered = len(opts)
	i := c.by.pick(opts)
	if i < 0 {
		c.abandoned = true
		return i
	}
	s := Step{opts, i}
	c.steps = append(c.steps, s)
	c.taken = c.taken.plus(s.cost())
	return i
}

// Steps returns the choices so far.
func (c *Choices) Steps() []Step { return c.steps }

// ToTell returns how many of the steps a script has to contain, and whether the rest
// follows by itself: all of them up to a failure that was seen after failedAt steps, or,
// where that is 0, up to the last start, and the last choice that was not first come, first served.
func (c *Choices) ToTell(failedAt int) (n int, rest bool) {
	if failedAt > 0 {
		return failedAt, false
	}
	for i, s := range c.steps {
		if o := s.Option(); s.cost() != (Limits{}) || o.Kind == Start || s.early() || o.Overtakes {
			n = i + 1
		}
	}
	for i, s := range c.segments {
		if len(s.departed) > 0 {
			n = max(n, min(i, len(c.steps)))
		}
	}
	return n, true
}

// told returns after how many choices, waits not counted, everything comes by itself.
func (c *Choices) told() int {
	n, _ := c.ToTell(0)
	return len(c.printed(n))
}

// printed returns the schedule of the first n steps as it is printed: neither a wait nor a
// pass is a choice to speak of, and each comes by itself.
func (c *Choices) printed(n int) []string {
	list := slices.DeleteFunc(c.entries(n), func(x entry) bool {
		return !x.isInner() && (c.steps[x.step].Option().Kind == Wait || c.steps[x.step].Option().Kind == Pass)
	})
	return names(list)
}

// print returns a hash of everything that was offered.
func (c *Choices) print() uint64 {
	h := fnv.New64a()
	for _, s := range c.steps {
		for _, o := range s.Options {
			io.WriteString(h, o.Name+"\x00")
		}
		h.Write([]byte{1})
	}
	for _, s := range c.segments {
		fmt.Fprint(h, s.shape())
	}
	return h.Sum64()
}

// Schedule returns the choices so far, by name.
func (c *Choices) Schedule() []string { return c.schedule() }

// schedule returns the choices by name.
func (c *Choices) schedule() []string { return names(c.entries(len(c.steps))) }
