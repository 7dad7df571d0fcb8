package search

import "hash/maphash"

// Option is one thing that may happen next.
type Option struct {
	Name string
	// Effect is the name of a fault's outcome.
	Effect string
	// Chain is the program-order sequence that the option belongs to: the options of
	// one chain come in one order, whatever is chosen. PCT calls it a thread.
	Chain Chain
	// Event tells the events of a step apart, from 1: those with the same number are
	// an event and what else it may be. It is 0 for an option that is no event.
	Event int
	// Place is the connection that an event is on, from 1. It is 0 for none.
	Place int
	// Turn is when an event comes by itself: see [Order].
	Turn int64
	Kind Kind
	// Local says that an event may touch its place alone: partial order sampling takes
	// it to race with nothing elsewhere.
	Local bool
	// Commutes says that an event is known to touch its place alone, so that the order of it
	// and of an option elsewhere makes no difference: neither to what is offered once both were
	// taken, nor to the order of that.
	Commutes bool
	// Everywhere says that an option may touch every place.
	Everywhere bool
	// Overtakes says that an event comes before another one that is pending for longer.
	Overtakes bool
}

// Chain names a sequence of options in program order.
type Chain struct {
	Of     string
	Number int
}

// Kind is the kind of an option.
type Kind uint8

const (
	Start    Kind = iota // an operation starts
	Event                // an event, in its normal course
	Fault                // an event with another outcome
	Pair                 // an event and something else at once: a coincidence
	Wait                 // nothing; time passes to the next timer
	Pass                 // a goroutine goes on that could be held, which is the other option
	Optional             // something that need not happen at all
)

// Limits is how many delays, faults, coincidences and inner delays a schedule has, or
// may have.
type Limits struct{ Delays, Faults, Coincidences, Inner int }

func (l Limits) plus(m Limits) Limits {
	return Limits{l.Delays + m.Delays, l.Faults + m.Faults, l.Coincidences + m.Coincidences, l.Inner + m.Inner}
}

// within reports whether none of l is more than what m allows.
func (l Limits) within(m Limits) bool {
	return l.Delays <= m.Delays && l.Faults <= m.Faults && l.Coincidences <= m.Coincidences && l.Inner <= m.Inner
}

// full reports whether a schedule has no room for any departure.
func (l Limits) full(m Limits) bool {
	return l.Delays >= m.Delays && l.Faults >= m.Faults && l.Coincidences >= m.Coincidences && l.Inner >= m.Inner
}

// sum returns how far a schedule departs from what would come next by itself.
func (l Limits) sum() int { return l.Delays + l.Faults + l.Coincidences + l.Inner }

// cost returns how far the option, at that index among those of its step, departs
// from what would come next by itself. An event that commutes is no delay: only what it brings about
// can be seen elsewhere, and that is one if it comes early.
func (o Option) cost(index int) (c Limits) {
	switch o.Kind {
	case Fault:
		c.Faults = 1
	case Pair:
		c.Coincidences = 1
	case Optional:
		c.Delays = 1
	case Start, Event:
		if index > 0 && !o.Commutes {
			c.Delays = 1
		}
	}
	return c
}

// ordinary reports whether the option is neither a fault nor a coincidence:
// those are drawn apart.
func (o Option) ordinary() bool { return o.Kind != Fault && o.Kind != Pair }

// races reports whether the order of two options may make a difference, as far as partial
// order sampling knows.
func races(a, b Option) bool {
	apart := func(a, b Option) bool {
		return a.Kind == Event && a.Local && (b.Kind == Start || b.Kind == Event && b.Place != a.Place)
	}
	return !apart(a, b) && !apart(b, a)
}

// fingerprint returns a hash of the names of the options of a step. It is that of this process.
func fingerprint(opts []Option) uint64 {
	h := uint64(len(opts))
	for i := range opts {
		h = (h ^ maphash.String(hashSeed, opts[i].Name)) * 1099511628211
	}
	return h
}

var hashSeed = maphash.MakeSeed()
