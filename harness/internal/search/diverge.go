package search

import (
	"cmp"
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

// sight has the options of a run at a step, in a line, or else the inner choices
// before it.
type sight struct {
	options string
	inside  []Point
}

func (s sight) equal(o sight) bool {
	return s.options == o.options && slices.Equal(s.inside, o.inside)
}

// diverge records, once, that a run of a node's prefix saw that at a step, from 0, and not
// what was there before.
func (e *Engine) diverge(n node, step int, saw sight, r result) {
	if e.seen[diverged] {
		return
	}
	e.seen[diverged] = true
	defer e.crew.rest()()
	again := e.sights(n, step, saw.options == "")
	all := again
	if !slices.ContainsFunc(again, saw.equal) {
		all = append(slices.Clone(again), saw)
	}
	lines := e.lines(all...)
	slices.Sort(lines)
	e.Findings = append(e.Findings, Finding{Schedule: r.schedule(), Found: e.Schedules,
		Diverged: &Divergence{Step: step + 1, Offers: lines, Together: e.crew != nil && len(again) == 1}})
}

// diverged takes the place of a signature.
const diverged = "diverged"

// sights runs the same choices again, some times, and returns the different sights there
// were: of the inner choices before the step, or of its options.
func (e *Engine) sights(n node, at int, inner bool) (all []sight) {
	choices := n.choices()
	for range 50 {
		step, begun := 0, 0
		see := func(s sight) {
			if !slices.ContainsFunc(all, s.equal) {
				all = append(all, s)
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
				see(sight{options: offer(opts)})
			}
			return -1
		}, inside: func() Inside {
			begun++
			return Inside{Departures: n.inside(begun - 1)}
		}, happened: func(points []Point) {
			if begun == at+1 && inner {
				see(sight{inside: slices.Clone(points)})
			}
		}})
		e.recycle(r)
	}
	return all
}

// offer returns the names of options in a line.
func offer(opts []Option) string {
	names := make([]string, len(opts))
	for i, o := range opts {
		names[i] = o.Name
	}
	return "offered: " + strings.Join(names, "; ")
}

// lines returns a line for each sight. Of inner choices it has their number, and the first
// one in which they differ.
func (e *Engine) lines(all ...sight) []string {
	first := 0
	for !slices.ContainsFunc(all, func(s sight) bool { return first >= len(s.inside) || s.inside[first] != all[0].inside[first] }) {
		first++
	}
	lines := make([]string, len(all))
	for i, s := range all {
		lines[i] = cmp.Or(s.options, fmt.Sprintf("inner choices: %d", len(s.inside)))
		switch {
		case s.options != "" || len(all) == 1:
		case first < len(s.inside):
			lines[i] += fmt.Sprintf("; inner choice %d: %s", first+1, e.describe(s.inside[first]))
		default:
			lines[i] += fmt.Sprintf("; there is no inner choice %d", first+1)
		}
	}
	return lines
}

// describe says what an inner choice was about.
func (e *Engine) describe(p Point) string {
	if e.Describe == nil {
		return fmt.Sprintf("kind %d of %d", p.Kind, p.Of)
	}
	return e.Describe(p)
}
