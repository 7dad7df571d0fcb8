package search

import (
	"fmt"
	"slices"
	"strings"
)

// Divergence is a run that did not come out as before after the same choices:
// something is not under control.
type Divergence struct {
	// Step is the number of the step, from 1, at which another run offered something
	// else, or 0 if only what it came to is different.
	Step int
	// Offers is the different offers that were seen there, or what the runs came to, a
	// line each.
	Offers []string
	// Together says that several schedules ran at the same time, and that the program offers
	// the same each time when no other one does.
	Together bool
}

// diverge records, once, that a run of a node's prefix made that offer at a step, from 0,
// and not the one that was made before.
func (e *Engine) diverge(n node, step int, offered string, r result) {
	if e.seen[diverged] {
		return
	}
	e.seen[diverged] = true
	defer e.crew.rest()()
	offers, alone := e.offers(n, step, offered)
	e.Findings = append(e.Findings, Finding{Schedule: r.schedule(), Found: e.Schedules,
		Diverged: &Divergence{Step: step + 1, Offers: offers, Together: e.crew != nil && len(alone) == 1}})
}

// diverged takes the place of a signature.
const diverged = "diverged"

// offers runs the same choices again, some times, and returns that offer and
// those that differ from it, and those that there were again. An offer is the inner choices
// before the step, or its options.
func (e *Engine) offers(n node, at int, offered string) (all, again []string) {
	choices, inner := n.choices(), strings.HasPrefix(offered, innerOffer)
	for range 50 {
		step, begun := 0, 0
		see := func(o string) {
			if !slices.Contains(again, o) {
				again = append(again, o)
			}
		}
		r := e.by(chooser{pick: func(opts []Option) int {
			step++
			if step <= at && step > len(choices) {
				return 0 // the first run has no prefix
			}
			if step <= at && int(choices[step-1]) < len(opts) {
				return int(choices[step-1])
			}
			if step == at+1 && !inner {
				see(offer(opts))
			}
			return -1
		}, inside: func() Inside {
			begun++
			return Inside{Departures: n.inside(begun - 1)}
		}, happened: func(points []Point) {
			if begun == at+1 && inner {
				see(segment{points: points}.String())
			}
		}})
		e.recycle(r)
	}
	all = append(slices.Clone(again), offered)
	slices.Sort(all)
	return slices.Compact(all), again
}

// offer returns the names of options in a line.
func offer(opts []Option) string {
	names := make([]string, len(opts))
	for i, o := range opts {
		names[i] = o.Name
	}
	return "offered: " + strings.Join(names, "; ")
}

// innerOffer begins a line about inner choices.
const innerOffer = "inner choices: "

// String returns the kinds and numbers of the inner choices in a line, the equal ones
// together.
func (s segment) String() string {
	var runs []string
	for i := 0; i < len(s.points); {
		j := i
		for j < len(s.points) && s.points[j] == s.points[i] {
			j++
		}
		runs = append(runs, fmt.Sprintf("%d x kind %d of %d", j-i, s.points[i].Kind, s.points[i].Of))
		i = j
	}
	return fmt.Sprintf("%s%d: %s", innerOffer, len(s.points), strings.Join(runs, ", "))
}
