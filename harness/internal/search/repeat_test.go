package search

import (
	"fmt"
	"strings"
	"testing"
)

// One schedule in 50 is run again, whatever the strategy. One that comes out otherwise is
// counted, and the first difference is printed; it is no finding.
func TestRepeat(t *testing.T) {
	for what, chance := range map[string]struct {
		change func(runs int, o *Outcome) // of the runs
		want   string
	}{
		"nothing is chance": {func(int, *Outcome) {}, ""},
		"the outcome":       {func(runs int, o *Outcome) { o.Summary += fmt.Sprint(runs) }, "outcome: "},
		"the trace":         {func(runs int, o *Outcome) { o.Trace = uint64(runs) }, "what happened, and when: 00000000"},
	} {
		for _, strategy := range Strategies() {
			b := everyOrder()
			b.Strategy, b.Seed, b.Schedules = strategy, 1, 400
			runs, g := 0, &toy{chains: chainsOf(3, 3, 2), cancel: true}
			e := New(b, func(c *Choices) Outcome {
				runs++
				o := g.run(c)
				chance.change(runs, &o)
				return o
			})
			e.Explore()
			if again := runs - e.Schedules - e.probed - 1; again != e.Schedules/RepeatEvery || len(e.Findings) > 0 {
				t.Errorf("%s, %s: got %d of %d schedules run again, and %d findings; want %d and none", what, strategy, again, e.Schedules, len(e.Findings), e.Schedules/RepeatEvery)
			}
			if e.Repeated < 8 || (chance.want != "") != (e.Differed == e.Repeated) || (chance.want == "") != (e.Difference == nil) {
				t.Errorf("%s, %s: got %d of %d different: %+v", what, strategy, e.Differed, e.Repeated, e.Difference)
			}
			if d := e.Difference; d != nil && (len(d.Offers) != 2 || d.Step != 0 || !strings.HasPrefix(d.Offers[0], chance.want)) {
				t.Errorf("%s, %s: got %+v, want %q", what, strategy, d, chance.want)
			}
		}
	}
}

// A schedule that offers something else the second time says at which step.
func TestRepeatOffers(t *testing.T) {
	b := everyOrder()
	b.Strategy, b.Seed, b.Schedules = "random", 1, 60
	runs, g := 0, &toy{chains: chainsOf(1, 1)}
	e := New(b, func(c *Choices) Outcome {
		if runs++; runs > 51 { // the first run, and 50 that count
			g.chains = chainsOf(1, 2)
		}
		return g.run(c)
	})
	e.Explore()
	if d := e.Difference; e.Differed != 1 || d == nil || d.Step < 2 || d.Offers[0] == d.Offers[1] || !strings.HasPrefix(d.Offers[1], "offered: ") {
		t.Errorf("got %d different: %+v, want one", e.Differed, d)
	}
}
