package harness

import (
	"slices"
	"testing"

	"github.com/halfopen/halfopen/harness/internal/search"
)

// Whole reports whether a response to a request with that method is whole.
func Whole(method, response string) bool {
	var f framing
	f.begin(method)
	f.feed([]byte(response))
	return f.whole()
}

// SetMost sets how many events a test may have before it counts as endless, and how many
// bytes of a body are read.
func SetMost(events, content int) { mostEvents, mostContent = events, content }

// RunIn runs a body as Test does, as a part of t, and returns its report.
func RunIn(t *testing.T, name string, body func(t *T)) *Report {
	return runOnce(t, name, body, settings{})
}

// WholeOf returns the bounds with which schedules that are equal to others are run as well.
func WholeOf(b Bounds) Bounds {
	b.whole = true
	return b
}

// Accounts returns what tells the findings of an exploration apart, sorted.
func Accounts(x *Exploration) (accounts []string) {
	for _, f := range x.Findings {
		accounts = append(accounts, f.account)
	}
	slices.Sort(accounts)
	return accounts
}

// Offered explores, and returns of each schedule the names of the options of each step.
func Offered(t *testing.T, b Bounds, body func(t *T)) (schedules [][][]string) {
	t.Helper()
	b, effects, err := b.normal()
	if err != nil {
		t.Fatal(err)
	}
	r := &runner{explorer: &explorer{x: &Exploration{Name: t.Name(), Bounds: b}, body: body, effects: effects, gates: b.Gates, waits: b.Delays}}
	engine := search.New(b.search(), r.run)
	engine.Watch = func(c *search.Choices, _ search.Outcome, _ bool) {
		var steps [][]string
		for _, s := range c.Steps() {
			var names []string
			for _, o := range s.Options {
				names = append(names, o.Name)
			}
			steps = append(steps, names)
		}
		schedules = append(schedules, steps)
	}
	engine.Explore()
	return schedules
}
