package search

import (
	"cmp"
	"fmt"
	"slices"
)

// RepeatEvery is how many schedules there are to one that is run again.
const RepeatEvery = 50

// repeat runs the schedule of a run again, if its number says so, and notes whether it came out
// otherwise: then something is not under control, and the search may have missed what it
// claims to have tried. The first schedule was run twice anyhow, if it is the one in which
// all comes by itself.
func (e *Engine) repeat(r result) {
	again, fresh := e.plain, false
	switch {
	case e.chance(r):
		return // a sample
	case e.Schedules%RepeatEvery == 0:
		again, fresh = e.onceWithin(r.limits, follow(r.schedule()).chooser(), false), true
	case e.Schedules > 1 || again.Choices == nil || !slices.Equal(again.schedule(), r.schedule()):
		return
	}
	if again.Frozen && fresh {
		e.frozen++
	}
	if !again.Undecided {
		e.Repeated++
		if d := e.difference(r, again); d != nil {
			e.Differed++
			e.Difference = cmp.Or(e.Difference, d)
		}
	}
	if fresh {
		e.recycle(again)
	}
}

// difference returns the first thing that two runs of a schedule do not share, or nil.
func (e *Engine) difference(r, again result) *Divergence {
	for i := range max(len(r.steps), len(again.steps)) + 1 {
		if a, b := r.segment(i), again.segment(i); a.print() != b.print() {
			return &Divergence{Step: i + 1, Offers: e.lines(sight{inside: a.points}, sight{inside: b.points})}
		}
		if a, b := r.offerAt(i), again.offerAt(i); a != b {
			return &Divergence{Step: i + 1, Offers: []string{a, b}}
		}
	}
	for _, c := range []struct{ what, a, b string }{
		{"outcome", r.Summary, again.Summary},
		{"failure", r.account(), again.account()},
		{"what happened, and when", fmt.Sprintf("%016x", r.Trace), fmt.Sprintf("%016x", again.Trace)},
	} {
		if c.a != c.b {
			return &Divergence{Offers: []string{c.what + ": " + cmp.Or(c.a, "none"), c.what + ": " + cmp.Or(c.b, "none")}}
		}
	}
	return nil
}

// offerAt returns the options of a step in a line, and which was taken; none behind the last
// step.
func (c *Choices) offerAt(i int) string {
	if i >= len(c.steps) {
		return "offered: nothing: it was over"
	}
	return offer(c.steps[i].Options) + "; taken: " + c.steps[i].Option().Name
}

// chance reports whether what a run came to is chance.
func (e *Engine) chance(r result) bool { return r.taken.Coincidences > 0 && !e.bounds.Exact }

// Samples is how often a schedule is run of which that is so.
const Samples = 5

// sample runs such a schedule again.
func (e *Engine) sample(r result) result {
	e.Sampled++
	names := r.schedule()
	for range Samples - 1 {
		e.Outcomes[r.Summary]++
		again := e.again(names, false)
		if r.Failed {
			return r
		}
		r = again
	}
	return r
}
