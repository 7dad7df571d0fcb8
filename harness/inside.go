package harness

import (
	"fmt"
	"sync"

	"github.com/halfopen/halfopen/harness/internal/bubble"
	"github.com/halfopen/halfopen/harness/internal/search"
	"github.com/halfopen/halfopen/internal/deep/on"
)

// inside makes the inner choices of a run as the search says: which of several ready
// goroutines comes next inside a step, and the like. Only a deep bubble has them.
type inside struct {
	of      *on.Choices
	told    []on.Told // room for descriptions, in a run with Tell
	choices *search.Choices
	points  []search.Point
	ended   bool

	mu    sync.Mutex
	names map[uint64]string // of the operations, by the number of their goroutine
}

// The most inner choices of a step that may depart, and departures of a step that are
// described.
const (
	mostInside = 1 << 12
	mostTold   = 64
)

// newInside returns the inner choices of the runs of an exploration, or nil if there are
// none: the bubble is ordinary, or no departure is within the bounds.
func newInside() *inside {
	if !on.Deep() {
		return nil
	}
	return &inside{of: on.New(mostInside, bubble.HarnessPrefixes()...), told: make([]on.Told, mostTold)}
}

// begin begins a run. It is called by the bubble's root, before anything else runs.
func (s *inside) begin(c *search.Choices) {
	if s == nil {
		return
	}
	s.choices, s.names, s.ended = c, nil, false
	s.of.Reset()
	if s.of.Told = nil; c.Tell {
		s.of.Told = s.told // a description has two stacks: it takes longer than the choice
	}
	s.step()
	if s.of.Begin(); !c.MayDepart() {
		s.of.End() // there is nothing to choose, and first-come order costs less
	}
}

// drawn has the strategies that draw inner choices, by their names.
var drawn = map[string]on.Strategy{"random": on.Random, "pct": on.PCT, "pos": on.POS}

// step has the next step make its inner choices as the search says.
func (s *inside) step() {
	if s == nil {
		return
	}
	in := s.choices.Inside()
	if d := in.Draw; d != nil {
		s.of.Strategy = drawn[d.Strategy]
		s.of.Seed, s.of.Rate = d.Seed, uint32(d.Rate)
		s.of.Plan = s.of.Plan[:0]
		for _, at := range d.Changes {
			s.of.Plan = append(s.of.Plan, on.Departure{At: uint32(at)})
		}
	}
	if s.of.Strategy == on.Planned {
		s.of.Plan = s.of.Plan[:0]
		for _, d := range in.Departures {
			s.of.Plan = append(s.of.Plan, on.Departure{At: uint32(d.At), Take: uint32(d.Take)})
		}
	}
	s.of.Step()
}

// happened tells the search which inner choices the step that is over had.
func (s *inside) happened() {
	if s == nil {
		return
	}
	s.points = s.points[:0]
	for _, p := range s.of.Choices() {
		s.points = append(s.points, search.Point{Kind: uint8(p.Kind), Of: p.Of, Took: p.Took, Place: p.Place, Started: p.Started})
	}
	s.choices.Happened(s.points, s.note)
}

// end ends the inner choices of the run: what is left comes by itself.
func (s *inside) end() {
	if s != nil && !s.ended {
		s.ended = true
		s.happened()
		s.of.End()
	}
}

// named notes that the current goroutine makes the call of an operation.
func (s *inside) named(o *Op) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.names == nil {
		s.names = make(map[uint64]string)
	}
	s.names[on.ID()] = o.name
}

// note says what a departure of the step means.
func (s *inside) note(at int) string {
	for _, t := range s.of.Departures() {
		if int(t.At) != at {
			continue
		}
		by, place := s.goroutine(t.By, t.ByPCs[:])
		to, where := s.goroutine(t.To, t.ToPCs[:])
		if t.Started {
			to = "the goroutine started"
		}
		switch s.of.Choices()[at-1].Kind {
		case on.Run:
			return fmt.Sprintf("run %s%s", to, where)
		case on.Preempt:
			return fmt.Sprintf("stop %s%s, run %s%s", by, place, to, where)
		case on.Case:
			return fmt.Sprintf("another case of the select of %s%s", by, place)
		case on.Mutex:
			return fmt.Sprintf("the mutex that %s unlocks%s to %s%s", by, place, to, where)
		case on.Fire:
			return "another timer of the instant"
		default:
			return fmt.Sprintf("another beginning of the range of %s%s", by, place)
		}
	}
	return ""
}

// describeInside says what an inner choice was about.
func describeInside(p search.Point) string {
	place, by := bubble.Place(p.Place), "the goroutine started at "+bubble.Place(p.Started)
	switch on.Kind(p.Kind) {
	case on.Run:
		return fmt.Sprintf("run %s next, or %s", by, oneOfOthers(p.Of-1))
	case on.Preempt:
		return fmt.Sprintf("at %s, %s goes on, or %s", place, by, oneOfOthers(p.Of-1))
	case on.Case:
		return fmt.Sprintf("which of %d cases the select at %s takes, in %s", p.Of, place, by)
	case on.Mutex:
		return fmt.Sprintf("which of %d goroutines gets the mutex that %s unlocks at %s", p.Of, by, place)
	case on.Fire:
		return fmt.Sprintf("which of %d timers fires first", p.Of)
	default:
		return fmt.Sprintf("where of %d places the range at %s begins, in %s", p.Of, place, by)
	}
}

// oneOfOthers returns "another one", or "one of 2 others".
func oneOfOthers(n uint16) string {
	if n == 1 {
		return "another one"
	}
	return fmt.Sprintf("one of %d others", n)
}

// goroutine returns the name of a goroutine, and where it is.
func (s *inside) goroutine(id uint64, pcs []uintptr) (name, place string) {
	name, place = bubble.Describe(pcs)
	s.mu.Lock()
	defer s.mu.Unlock()
	if of, ok := s.names[id]; ok {
		name = of
	}
	return name, place
}
