package search

import (
	"fmt"
	"reflect"
	"runtime"
	"sync/atomic"
	"testing"
)

// With any number of goroutines a search comes to the same: the same schedules are watched in
// the same order, the counts and the findings are the same, and a search that comes to its
// end, of one shard, runs the program as often.
func TestAhead(t *testing.T) {
	for name, g := range map[string]toy{
		"holds":  {chains: chainsOf(2, 2, 2), cancel: true},
		"small":  {chains: chainsOf(1, 1)},
		"pairs":  {chains: chainsOf(2, 2), pairs: true},
		"local":  {chains: chainsOf(2, 2), local: true, commutes: true},
		"inside": {chains: chainsOf(2, 2), inside: func(order []string) []int { return []int{2, 1 + len(order)%3} }},
		"fails": {chains: chainsOf(3, 2, 2), cancel: true, effects: map[string][]string{"b1": {"reset", "refuse"}}, fails: func(order []string) string {
			switch {
			case before(order, "c2", "a1"):
				return "one"
			case before(order, "b1 as reset", "cancel"), before(order, "b2", "cancel") && before(order, "c1", "a2"):
				return "two"
			}
			return ""
		}},
	} {
		for _, b := range boundsAhead() {
			if b.Coincidences > 0 && !g.pairs {
				continue
			}
			want := watched(b, g, 1)
			for _, members := range []int{2, 4} {
				got := watched(b, g, members)
				if !reflect.DeepEqual(got.seen, want.seen) {
					t.Fatalf("%s, %+v: %d goroutines watched\n%q, want\n%q", name, b, members, got.seen, want.seen)
				}
				if got.result != want.result {
					t.Errorf("%s, %+v: %d goroutines came to\n%s, want\n%s", name, b, members, got.result, want.result)
				}
				if want.findings == 0 && b.Shard.Total == 0 && got.runs != want.runs {
					t.Errorf("%s, %+v: %d goroutines made %d runs, want %d", name, b, members, got.runs, want.runs)
				}
			}
		}
	}
}

// boundsAhead returns bounds of all kinds.
func boundsAhead() (all []Bounds) {
	for _, strategy := range Strategies() {
		for _, shard := range []Shard{{}, {0, 3}, {2, 3}} {
			for _, going := range []bool{true, false} {
				b := everyOrder()
				b.Strategy, b.Seed, b.Schedules, b.Shard, b.KeepGoing = strategy, 1, 150, shard, going
				b.Limits = Limits{Delays: 2, Faults: 1, Inner: 1}
				all = append(all, b)
				b.Coincidences, b.Schedules, b.Tries = 1, 40, 5
				all = append(all, b)
			}
		}
	}
	return append(all, everyOrder())
}

// ahead has the result of a search.
type ahead struct {
	seen     []string // the schedules that were watched
	result   string
	findings int
	runs     int64
}

// watched searches with that many goroutines, each of which has the toy to itself and yields now
// and then.
func watched(b Bounds, g toy, members int) (w ahead) {
	var all atomic.Int64
	runs := make([]Run, members)
	for i := range runs {
		mine := g
		n := 0
		runs[i] = func(c *Choices) Outcome {
			all.Add(1)
			n++
			for range n % (3 + i) {
				runtime.Gosched()
			}
			return mine.run(c)
		}
	}
	e := New(b, runs...)
	e.Watch = func(c *Choices, o Outcome, pruned bool) {
		w.seen = append(w.seen, fmt.Sprint(c.Schedule(), o.Signature, pruned))
	}
	e.Explore()
	for i := range e.Findings {
		f := &e.Findings[i]
		w.result += fmt.Sprintf("%q %d %d %q %d %s %t %+v %t\n", f.Schedule, f.Told, f.Found, f.As, f.Cost, f.Account, f.NotShortest, f.Outcome, f.Unsteady != nil)
	}
	w.result += fmt.Sprintf("%+v %x", e.Counts, e.Program)
	w.findings, w.runs = len(e.Findings), all.Load()
	return w
}
