package search

import (
	"math"
	"strings"
	"testing"
)

// The estimate is right on average over the seeds, and most of the time within two of its
// errors.
func TestEstimate(t *testing.T) {
	for _, c := range []struct {
		chains        []int
		delays        int
		within        int  // of 40 estimates, how many are within two errors
		exact, faults bool // the nodes that wait have nothing behind them
	}{
		{chains: []int{6, 5, 4, 3}, delays: 2, exact: true, within: 40},
		{chains: []int{3, 3, 3}, delays: 3, faults: true, within: 36},
		{chains: []int{4, 3, 2, 2}, delays: 3, faults: true, within: 32},
		{chains: []int{3, 3, 3}, delays: math.MaxInt, within: 32},
	} {
		g := &toy{chains: chainsOf(c.chains...)}
		b := Bounds{Limits: Limits{Delays: c.delays}, Strategy: "exhaustive", Schedules: math.MaxInt}
		if c.faults {
			g.effects, b.Faults = map[string][]string{"a1": {"x"}, "b2": {"y", "z"}}, 1
		}
		all := New(b, g.run)
		all.Explore()
		if !all.Complete || all.Estimate != 0 {
			t.Fatalf("%v: got %+v, want it complete, without an estimate", c, all.Counts)
		}
		b.Schedules = min(400, all.Schedules-1)
		if c.exact {
			b.Schedules = all.Schedules - 1
		}
		sum, within := 0, 0
		for seed := range 40 {
			b.Seed = uint64(seed)
			e := New(b, g.run)
			e.Explore()
			sum += e.Estimate
			if d := e.Estimate - all.Schedules; d >= -2*e.EstimateError && d <= 2*e.EstimateError {
				within++
			}
			if c.exact && e.EstimateError != 0 {
				t.Errorf("%v: got an error of %d, want 0", c, e.EstimateError)
			}
			if 20*e.probed > 3*e.Schedules {
				t.Errorf("%v: got %d runs for an estimate behind %d", c, e.probed, e.Schedules)
			}
		}
		t.Logf("%v: %d schedules, estimated as %d on average, %d of 40 within two errors", c, all.Schedules, sum/40, within)
		if mean := sum / 40; 10*mean < 9*all.Schedules || 10*mean > 11*all.Schedules || within < c.within {
			t.Errorf("%v: got %d on average of 40, of which %d are within two errors; want about %d, and at least %d", c, mean, within, all.Schedules, c.within)
		}
	}
}

// A search that did not end at its bounds has no estimate, and neither has a shard, or one
// that is too short.
func TestNoEstimate(t *testing.T) {
	b := Bounds{Limits: Limits{Delays: 3}, Strategy: "portfolio", Schedules: 400}
	fails := func(order []string) string { return strings.Repeat("late", strings.Count(order[0], "c1")) }
	for what, change := range map[string]func(b *Bounds, g *toy){
		"a part of the schedules": func(*Bounds, *toy) {},
		"a shard":                 func(b *Bounds, _ *toy) { b.Shard = Shard{0, 2} },
		"few":                     func(b *Bounds, _ *toy) { b.Schedules = 300 },
		"none in order":           func(b *Bounds, _ *toy) { b.Strategy = "pct" },
		"a finding":               func(_ *Bounds, g *toy) { g.fails = fails },
		"findings, and it goes on": func(b *Bounds, g *toy) {
			g.fails, b.KeepGoing = fails, true
		},
	} {
		b, g := b, &toy{chains: chainsOf(4, 3, 2, 2)}
		change(&b, g)
		e := New(b, g.run)
		e.Explore()
		want := strings.Contains(what, "part") || strings.Contains(what, "goes on")
		if got := e.Estimate > 0; got != want || got != (e.probed > 0) {
			t.Errorf("%s: got an estimate of %d, by %d runs; want one: %v", what, e.Estimate, e.probed, want)
		}
	}
}

// A failure that only a probe comes upon is a finding. It ends the probes, unless the search
// goes on at findings.
func TestEstimateFinds(t *testing.T) {
	for _, goesOn := range []bool{false, true} {
		runs := 0
		g := &toy{chains: chainsOf(4, 3, 2, 2)}
		b := Bounds{Limits: Limits{Delays: 5}, Strategy: "exhaustive", Schedules: 400, KeepGoing: goesOn, AsFound: true}
		behind := 1 + b.Schedules + b.Schedules/RepeatEvery
		e := New(b, func(c *Choices) Outcome {
			runs++
			o := g.run(c)
			if runs > behind {
				o.Failed, o.Signature = true, "late"
			}
			return o
		})
		e.Explore()
		if len(e.Findings) != 1 || e.Schedules != b.Schedules || (e.Estimate > 0) != goesOn || (e.probed > 1) != goesOn {
			t.Errorf("goes on %v: got %d findings, an estimate of %d, by %d runs", goesOn, len(e.Findings), e.Estimate, e.probed)
		}
	}
}

// Of nodes behind the bound that are very many some are kept, which stand for all.
func TestRemote(t *testing.T) {
	for _, n := range []int{0, 1, mostRemote - 1, mostRemote, 5*mostRemote + 1} {
		var r remote
		limits := Limits{Delays: 2}
		for range n {
			r.add(node{of: new(track), taken: Limits{Delays: 1}, known: new(reduction)}, limits)
			r.add(node{of: new(track), taken: limits, known: new(reduction)}, limits)
		}
		if all := r.each*len(r.nodes) + r.seen; r.ends != n || all != n || len(r.nodes) >= mostRemote || n < mostRemote && r.each > 1 {
			t.Errorf("got %d ends and %d nodes that stand for %d each, %d behind them, want %d of both", r.ends, len(r.nodes), r.each, r.seen, n)
		}
	}
}
