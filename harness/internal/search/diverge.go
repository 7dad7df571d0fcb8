package search

import (
	"slices"
	"strings"
)

// Divergence is a run that did not come out as before after the same choices:
// something is not under control.
type Divergence struct {
	// Step is the number of the step, from 1, at which another run offered something
	// else.
	Step int
	// Offers is the different offers that were seen there, a line each.
	Offers []string
}

// diverge records, once, that a run made that offer after its first choices, and not
// the one that was made before.
func (e *Engine) diverge(choices []uint16, offered string, r result) {
	if e.seen[diverged] {
		return
	}
	e.seen[diverged] = true
	e.Findings = append(e.Findings, Finding{Schedule: r.schedule(), Found: e.Schedules,
		Diverged: &Divergence{Step: len(choices) + 1, Offers: e.offers(choices, offered)}})
}

// diverged takes the place of a signature.
const diverged = "diverged"

// offers runs the same choices again, some times, and returns that offer and
// those that differ from it.
func (e *Engine) offers(choices []uint16, offered string) []string {
	all := []string{offered}
	for range 50 {
		step := 0
		r := e.once(func(opts []Option) int {
			step++
			if step <= len(choices) && int(choices[step-1]) < len(opts) {
				return int(choices[step-1])
			}
			if o := offer(opts); step == len(choices)+1 && !slices.Contains(all, o) {
				all = append(all, o)
			}
			return -1
		})
		e.recycle(r)
	}
	slices.Sort(all)
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
