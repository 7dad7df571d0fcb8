package search

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// Every order of independent chains is run once: as many as there are ways to shuffle
// them.
func TestExhaustive(t *testing.T) {
	for _, c := range []struct {
		lengths []int
		orders  int
	}{{[]int{3}, 1}, {[]int{1, 1}, 2}, {[]int{2, 2}, 6}, {[]int{3, 3}, 20}, {[]int{2, 2, 2}, 90}, {[]int{1, 1, 1, 1}, 24}} {
		e := explored(everyOrder(), &toy{chains: chainsOf(c.lengths...)})
		if e.Schedules != c.orders || len(e.Outcomes) != c.orders || !e.Complete || e.Waiting != 0 {
			t.Errorf("%v: got %d schedules with %d outcomes, complete: %t, want %d, each once", c.lengths, e.Schedules, len(e.Outcomes), e.Complete, c.orders)
		}
	}
}

// Within a bound of delays and faults the schedules are those that depart no further.
func TestBounds(t *testing.T) {
	for _, c := range []struct {
		limits    Limits
		schedules int
	}{
		{Limits{}, 1},          // a1 a2 b1 b2
		{Limits{Delays: 1}, 3}, // and b1 at the first step, or at the second
		{Limits{Faults: 1}, 4}, // and b1 as a fault at one of the three steps at which it waits
	} {
		b := everyOrder()
		b.Limits = c.limits
		e := explored(b, &toy{chains: chainsOf(2, 2), effects: map[string][]string{"b1": {"cut"}}})
		if e.Schedules != c.schedules || !e.Complete {
			t.Errorf("%+v: got %d schedules, complete: %t, want %d", c.limits, e.Schedules, e.Complete, c.schedules)
		}
	}
}

// The schedules that depart least come first, and the counts say how far it came.
func TestSimplestFirst(t *testing.T) {
	b := everyOrder()
	b.Schedules = 4
	g := &toy{chains: chainsOf(2, 2)}
	e := explored(b, g)
	if e.Complete || e.Delays != 1 || e.Waiting == 0 {
		t.Errorf("got complete: %t, all up to %d delays, %d waiting; want all up to 1", e.Complete, e.Delays, e.Waiting)
	}
	if first := g.orders[1]; !slices.Equal(first, []string{"a1", "a2", "b1", "b2"}) {
		t.Errorf("got %v first, want what comes by itself", first)
	}
}

// Of the schedules that are known, those behind the bound are not kept: what is run, and what
// is said about it, is the beginning of the search without a bound.
func TestBehindBound(t *testing.T) {
	explored := func(bound int) (e *Engine, orders []string) {
		b := everyOrder()
		b.Schedules = bound
		e = New(b, (&toy{chains: chainsOf(3, 3, 2)}).run)
		e.Watch = func(_ *Choices, o Outcome, _ bool) {
			orders = append(orders, o.Summary)
			kept := 0
			for _, l := range e.tree.levels {
				kept += len(l.nodes)
			}
			if kept > bound {
				t.Errorf("%d nodes are kept for schedules of which %d are run", kept, bound)
			}
		}
		e.Explore()
		return e, orders
	}
	all, whole := explored(1000)
	for _, n := range []int{1, 2, 10, 100, all.Schedules - 1, all.Schedules} {
		e, orders := explored(n)
		if !slices.Equal(orders, whole[:n]) {
			t.Errorf("the first %d schedules of %d are not those of the whole search", n, all.Schedules)
		}
		if known := e.Schedules + e.Waiting; e.Schedules != n || known > all.Schedules || n == all.Schedules-1 && known != all.Schedules {
			t.Errorf("got %d schedules and %d waiting, want %d of %d", e.Schedules, e.Waiting, n, all.Schedules)
		}
	}
}

// One order is left of what commutes, and every order of what does not.
func TestCommutes(t *testing.T) {
	for _, c := range []struct {
		name   string
		g      toy
		orders int
	}{
		{"everywhere", toy{chains: chainsOf(2, 2, 2), commutes: true}, 1},
		{"one place", toy{chains: chainsOf(2, 2), commutes: true, place: []int{1, 1}}, 6},
		{"nowhere", toy{chains: chainsOf(2, 2)}, 6},
		{"two of three at one place", toy{chains: chainsOf(1, 1, 1), commutes: true, place: []int{1, 1, 2}}, 2},
	} {
		e := explored(everyOrder(), &c.g)
		if e.Schedules != c.orders || !e.Complete {
			t.Errorf("%s: got %d schedules, complete: %t, want %d", c.name, e.Schedules, e.Complete, c.orders)
		}
	}
}

// Without a change of priorities PCT runs one chain after the other: of three chains
// there are six orders.
func TestPCT(t *testing.T) {
	b := everyOrder()
	b.Strategy, b.Seed, b.Delays, b.Schedules = "pct", 1, 0, 200
	e := explored(b, &toy{chains: chainsOf(2, 2, 2)})
	if len(e.Outcomes) != 6 || e.Drawn != 200 {
		t.Errorf("got %d outcomes of %d drawn, want 6 of 200:\n%v", len(e.Outcomes), e.Drawn, slices.Sorted(maps.Keys(e.Outcomes)))
	}
	for o := range e.Outcomes {
		for _, chain := range []string{"a1 a2", "b1 b2", "c1 c2"} {
			if !strings.Contains(o, chain) {
				t.Errorf("got %q, want %s without a gap", o, chain)
			}
		}
	}
}

// Each strategy that draws sees every order of a small program, and the same ones for
// the same seed.
func TestDrawn(t *testing.T) {
	for _, strategy := range []string{"pct", "pos", "random"} {
		b := everyOrder()
		b.Strategy, b.Seed, b.Schedules = strategy, 7, 300
		e, again := explored(b, &toy{chains: chainsOf(2, 2)}), explored(b, &toy{chains: chainsOf(2, 2)})
		if len(e.Outcomes) != 6 || !maps.Equal(e.Outcomes, again.Outcomes) {
			t.Errorf("%s: got %v, then %v, want the same six orders", strategy, e.Outcomes, again.Outcomes)
		}
		b.Seed++
		if other := explored(b, &toy{chains: chainsOf(2, 2)}); maps.Equal(e.Outcomes, other.Outcomes) {
			t.Errorf("%s: got the same schedules for another seed", strategy)
		}
	}
}

// With partial order sampling an event keeps its weight as long as it does not race: a1
// comes behind four events elsewhere in a fifth of the runs. Where it races with each
// of them, and draws again, that is a sixteenth, as in a random walk.
func TestPOS(t *testing.T) {
	for _, c := range []struct {
		local        bool
		fewest, most int
	}{{true, 340, 460}, {false, 90, 160}} {
		b := everyOrder()
		b.Strategy, b.Seed, b.Schedules = "pos", 3, 2000
		g := &toy{chains: chainsOf(1, 4), local: c.local}
		if n := explored(b, g).Outcomes["b1 b2 b3 b4 a1"]; n < c.fewest || n > c.most {
			t.Errorf("local: %t: got a1 last in %d runs of 2000, want %d to %d", c.local, n, c.fewest, c.most)
		}
	}
}

// The shortest schedule is the same whatever found the failure: with the two choices
// that it needs and no other one.
func TestShrink(t *testing.T) {
	fails := func(order []string) string {
		if slices.Contains(order, "c1 as cut") && before(order, "b1", "a1") {
			return "bug"
		}
		return ""
	}
	for _, strategy := range Strategies() {
		b := Bounds{Limits: Limits{Delays: 4, Faults: 1}, Schedules: 5000, Strategy: strategy, Seed: 1}
		e := explored(b, &toy{chains: chainsOf(2, 2, 2), effects: map[string][]string{"c1": {"cut", "reset"}}, cancel: true, fails: fails})
		if len(e.Findings) != 1 {
			t.Errorf("%s: got %d findings, want 1", strategy, len(e.Findings))
			continue
		}
		f := e.Findings[0]
		want := []string{"b1", "c1 as cut", "a1", "a2", "b2", "c2"}
		if !slices.Equal(f.Schedule, want) && !slices.Equal(f.Schedule, []string{"c1 as cut", "b1", "a1", "a2", "b2", "c2"}) {
			t.Errorf("%s: got %v (found as %v), want %v", strategy, f.Schedule, f.As, want)
		}
		if f.Unsteady != nil || !f.Outcome.Failed {
			t.Errorf("%s: got %+v, want it to fail again", strategy, f)
		}
	}
}

// AsFound keeps the schedule that failed.
func TestAsFound(t *testing.T) {
	for _, asFound := range []bool{true, false} {
		b := everyOrder()
		b.Strategy, b.Seed, b.KeepGoing, b.AsFound = "random", 1, false, asFound
		e := explored(b, &toy{chains: chainsOf(3, 3), cancel: true, fails: func(order []string) string {
			if before(order, "b1", "a3") && slices.Contains(order, "cancel") {
				return "bug"
			}
			return ""
		}})
		if len(e.Findings) != 1 || slices.Equal(e.Findings[0].Schedule, e.Findings[0].As) != asFound {
			t.Errorf("AsFound: %t: got %+v", asFound, e.Findings)
		}
	}
}

// The schedules of all shards are those of one process, each once; merged, the counts
// and the findings are the same.
func TestShards(t *testing.T) {
	fails := func(order []string) string {
		switch {
		case before(order, "c2", "a1"):
			return "one"
		case before(order, "b2", "a2"):
			return "two"
		}
		return ""
	}
	for _, strategy := range Strategies() {
		for _, total := range []int{1, 2, 3, 7} {
			b := everyOrder()
			b.Strategy, b.Seed, b.Schedules = strategy, 1, 1<<20
			if strategy != "exhaustive" {
				b.Schedules = 120
			}
			b.Limits = Limits{Delays: 3, Faults: 1}
			whole := explored(b, &toy{chains: chainsOf(2, 2, 2), fails: fails})
			var counts []Counts
			var findings []Finding
			for i := range total {
				b.Shard = Shard{i, total}
				part := explored(b, &toy{chains: chainsOf(2, 2, 2), fails: fails})
				counts, findings = append(counts, part.Counts), append(findings, part.Findings...)
			}
			if got := Merge(counts); !reflect.DeepEqual(got, whole.Counts) {
				t.Errorf("%s, %d shards: got %+v, want %+v", strategy, total, got, whole.Counts)
			}
			key := func(f Finding) Key { return Key{f.Account, f.Cost, f.As} }
			got, want := Distinct(findings, key), Distinct(whole.Findings, key)
			if len(want) != 2 || !slices.EqualFunc(got, want, func(a, b Finding) bool { return key(a).compare(key(b)) == 0 && slices.Equal(a.Schedule, b.Schedule) }) {
				t.Errorf("%s, %d shards: got %+v, want %+v", strategy, total, got, want)
			}
		}
	}
}

// A program that offers something else the second time is no longer under control.
func TestDiverged(t *testing.T) {
	runs := 0
	g := &toy{chains: chainsOf(2, 2)}
	e := New(everyOrder(), func(c *Choices) Outcome {
		if runs++; runs == 3 {
			g.chains[0][1] = "a9"
		}
		return g.run(c)
	})
	e.Explore()
	if len(e.Findings) != 1 || e.Findings[0].Diverged == nil {
		t.Fatalf("got %+v, want a divergence", e.Findings)
	}
	if d := e.Findings[0].Diverged; d.Step != 2 || !slices.Equal(d.Offers, []string{"offered: a9; b1"}) {
		t.Errorf("got %+v", d)
	}
}

// A failure that does not come again is said to be unsteady.
func TestUnsteady(t *testing.T) {
	runs := 0
	g := &toy{chains: chainsOf(1, 1)}
	b := everyOrder()
	b.KeepGoing = false
	e := New(b, func(c *Choices) Outcome {
		o := g.run(c)
		if runs++; runs == 2 {
			o.Failed, o.Signature = true, "once"
		}
		return o
	})
	e.Explore()
	if len(e.Findings) != 1 || e.Findings[0].Unsteady == nil || e.Findings[0].Unsteady.Signature != "once" {
		t.Errorf("got %+v, want a failure that did not come again", e.Findings)
	}
}

// Two undecided schedules end the search, and only the first of a kind is kept.
func TestUndecided(t *testing.T) {
	g := &toy{chains: chainsOf(2, 2)}
	e := New(everyOrder(), func(c *Choices) Outcome {
		o := g.run(c)
		o.Undecided, o.Frozen, o.Signature = true, true, "frozen"
		return o
	})
	e.Explore()
	if e.Schedules != mostFrozen || len(e.Undecided) != 1 || len(e.Findings) != 0 || len(e.Outcomes) != 0 {
		t.Errorf("got %d schedules, %+v", e.Schedules, e.Undecided)
	}
}

// A failure that stands still is not shrunk: no run is spent on that.
func TestFrozenFailure(t *testing.T) {
	runsOf := func(frozen bool) (runs int) {
		g := &toy{chains: chainsOf(2, 2)}
		e := New(everyOrder(), func(c *Choices) Outcome {
			o := g.run(c)
			if runs++; runs > 2 {
				o.Failed, o.Frozen, o.Signature = true, frozen, "outside"
			}
			return o
		})
		e.Explore()
		if len(e.Findings) != 1 {
			t.Errorf("frozen %v: got %d schedules and %+v, want a failure", frozen, e.Schedules, e.Findings)
		}
		return runs
	}
	if frozen, shrunk := runsOf(true), runsOf(false); frozen != 4 || shrunk <= frozen {
		t.Errorf("got %d runs if it stands still and %d if not, want one for the length, one a schedule, and then some to shrink it", frozen, shrunk)
	}
}

// A schedule with a coincidence is run several times.
func TestCoincidences(t *testing.T) {
	b := everyOrder()
	b.Limits = Limits{Coincidences: 1}
	e := explored(b, &toy{chains: chainsOf(1, 1), pairs: true})
	if e.Schedules != 2 || e.Sampled != 1 || e.Outcomes["a1 & b1"] != Samples || e.Outcomes["a1 b1"] != 1 {
		t.Errorf("got %+v", e.Counts)
	}
}

// A schedule is replayed as far as it fits, and what is left of it is said.
func TestReplay(t *testing.T) {
	g := &toy{chains: chainsOf(2, 2), fails: func(order []string) string { return strings.Join(order, " ") }}
	e := New(Bounds{}, g.run)
	r := e.Replay([]string{"b1", "b9", "a1"}, Limits{Delays: manyDelays})
	if want := "b1 a1 a2 b2"; r.Signature != want || !slices.Equal(r.Left, []string{"b9"}) {
		t.Errorf("got %q, left %q, want %q and b9", r.Signature, r.Left, want)
	}
	if len(e.Findings) != 1 {
		t.Errorf("got %d findings, want 1", len(e.Findings))
	}
}

// The states that a run is to reach are counted, those that none reached too.
func TestReached(t *testing.T) {
	g := &toy{chains: chainsOf(1, 1)}
	e := New(everyOrder(), func(c *Choices) Outcome {
		o := g.run(c)
		o.Reached = map[string]bool{"b first": o.Summary == "b1 a1", "never": false}
		return o
	})
	e.Explore()
	if e.Reached["b first"] != 1 || !slices.Equal(e.Unreached(), []string{"never"}) {
		t.Errorf("got %v", e.Reached)
	}
}

// Two failures that differ in a number are two findings, each with its own account and
// the shortest schedule of that; what has another account each time is one.
func TestAccounts(t *testing.T) {
	runs := 0
	for _, chance := range []bool{false, true} {
		g := &toy{chains: chainsOf(2, 2, 1), cancel: true}
		e := New(everyOrder(), func(c *Choices) Outcome {
			o := g.run(c)
			order := g.orders[len(g.orders)-1]
			for n, last := range []string{"a2", "b2"} {
				if before(order, last, "c1") && slices.Contains(order, "cancel") {
					o.Failed, o.Signature, o.Account = true, "account #", "account "+string(rune('1'+n))
				}
			}
			if runs++; chance && o.Failed {
				o.Account += strings.Repeat("9", runs)
			}
			return o
		})
		e.Explore()
		var got []string
		for _, f := range e.Findings {
			got = append(got, f.Account+": "+strings.Join(f.Schedule, " "))
			if f.Unsteady != nil || f.NotShortest {
				t.Errorf("got %+v", f)
			}
		}
		want := []string{"account 2: cancel a1 a2 b1 b2 c1", "account 1: a1 a2 b1 c1 cancel b2"}
		if chance {
			want = []string{"account #: cancel a1 a2 b1 b2 c1"}
		}
		if !slices.Equal(got, want) {
			t.Errorf("chance %t: got %q, want %q", chance, got, want)
		}
	}
}
