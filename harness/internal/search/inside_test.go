package search

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

// twoInside has two inner choices before each step, of two and of three alternatives.
func twoInside([]string) []int { return []int{2, 3} }

// within returns the bounds of every order with at most so many inner delays.
func within(inner int) Bounds {
	b := everyOrder()
	b.Inner = inner
	return b
}

// Inner choices are explored as others are: each schedule within the bounds once.
func TestInside(t *testing.T) {
	for _, c := range []struct {
		lengths   []int
		inner     int
		schedules int
	}{
		{[]int{1}, 0, 1},
		{[]int{1}, 1, 1 + 2*3},              // two segments, of one and two delays
		{[]int{1}, 2, 1 + 6 + 2*2 + 3*3},    // two in one segment, or one in each
		{[]int{1}, 4, 6 * 6},                // every combination
		{[]int{1, 1}, 6, 2 * 6 * 6 * 6},     // of each of the two orders
		{[]int{1, 1}, 1, 2 + 2*3*3},         // one at any place of each order
		{[]int{2, 1}, 8, 3 * 6 * 6 * 6 * 6}, // of each of the three orders
	} {
		e := explored(within(c.inner), &toy{chains: chainsOf(c.lengths...), inside: twoInside})
		if e.Schedules != c.schedules || len(e.Outcomes) != c.schedules || !e.Complete || len(e.Findings) > 0 {
			t.Errorf("%v, %d inner: got %d schedules with %d outcomes, complete: %t, want %d, each once", c.lengths, c.inner, e.Schedules, len(e.Outcomes), e.Complete, c.schedules)
		}
	}
}

// Which inner choices there are may depend on those before.
func TestInsideDepends(t *testing.T) {
	e := explored(within(9), &toy{chains: chainsOf(1), inside: func(order []string) []int {
		switch {
		case len(order) == 0:
			return []int{3}
		case order[0] == "i1:2":
			return []int{4}
		}
		return nil
	}})
	if e.Schedules != 2+4 || !e.Complete || len(e.Findings) > 0 {
		t.Errorf("got %d schedules, complete: %t, want 6", e.Schedules, e.Complete)
	}
}

// Where events commute too, no combination of inner choices is left out.
func TestInsideCommutes(t *testing.T) {
	e := explored(within(manyDelays), &toy{chains: chainsOf(1, 1), commutes: true, inside: func(order []string) []int {
		if len(order) == 0 {
			return []int{2}
		}
		return nil
	}})
	if !e.Complete || len(e.Outcomes) < 2 {
		t.Errorf("got %v, complete: %t, want the inner delay before an order", slices.Sorted(maps.Keys(e.Outcomes)), e.Complete)
	}
}

// Shards do together exactly what one process does.
func TestInsideShards(t *testing.T) {
	for _, schedules := range []int{100, 1 << 20} {
		b := within(2)
		b.Schedules = schedules
		one := explored(b, &toy{chains: chainsOf(2, 1), inside: twoInside})
		var parts []Counts
		for i := range 3 {
			b.Shard = Shard{i, 3}
			parts = append(parts, explored(b, &toy{chains: chainsOf(2, 1), inside: twoInside}).Counts)
		}
		if all := Merge(parts); all.Schedules != one.Schedules || !maps.Equal(all.Outcomes, one.Outcomes) || all.Complete != one.Complete {
			t.Errorf("%d schedules: got %+v, want %+v", schedules, all, one.Counts)
		}
	}
}

// A failure keeps the inner delays that it needs, and no other one. Its schedule says what
// they mean, and fails again when it is replayed.
func TestInsideShrinks(t *testing.T) {
	fails := func(order []string) string {
		if i := slices.Index(order, "a1"); i >= 0 && slices.Contains(order[i:], "i2:2") && before(order, "b1", "a2") {
			return "bug"
		}
		return ""
	}
	for _, strategy := range Strategies() {
		b := Bounds{Limits: Limits{Delays: 2, Inner: 2}, Schedules: 5000, Strategy: strategy, Seed: 1}
		g := &toy{chains: chainsOf(2, 2), inside: twoInside, fails: fails}
		e := explored(b, g)
		if len(e.Findings) != 1 {
			t.Errorf("%s: got %d findings, want 1", strategy, len(e.Findings))
			continue
		}
		f := e.Findings[0]
		inner := slices.DeleteFunc(slices.Clone(f.Schedule), func(name string) bool { return !IsInner(name) })
		if !slices.Equal(inner, []string{"inner 2: 3 of 3, the note of 2"}) || !before(f.Schedule, "a1", inner[0]) {
			t.Errorf("%s: got %q (found as %q), want one inner delay, after a1", strategy, f.Schedule, f.As)
		}
		again := New(b, g.run).Replay(f.Schedule, b.Limits)
		if !again.Failed || len(again.Left) > 0 {
			t.Errorf("%s: replayed: failed: %t, left %q", strategy, again.Failed, again.Left)
		}
	}
}

// A schedule whose inner delay does not come no longer fits, and says so.
func TestInsideMisfit(t *testing.T) {
	for name, want := range map[string]string{
		"inner 3: 2 of 2": "inner 3: 2 of 2", // there are only two choices
		"inner 1: 3 of 3": "inner 1: 3 of 3", // of two alternatives
		"inner 2: 3 of 3": "",
	} {
		g := &toy{chains: chainsOf(1, 1), inside: twoInside}
		again := New(within(9), g.run).Replay([]string{"a1", name, "b1"}, Limits{})
		if strings.Join(again.Left, "; ") != want || want != "" && again.Step != 2 {
			t.Errorf("%s: got left %q at step %d, want %q at step 2", name, again.Left, again.Step, want)
		}
	}
}

// Inner choices that are not the same in a second run are a finding.
func TestInsideDiverges(t *testing.T) {
	runs := 0
	e := explored(within(2), &toy{chains: chainsOf(2), inside: func(order []string) []int {
		if len(order) == 0 {
			if runs++; runs > 3 && runs%2 == 0 {
				return []int{2, 2}
			}
		}
		return []int{2}
	}})
	if len(e.Findings) != 1 || e.Findings[0].Diverged == nil {
		t.Fatalf("got %d findings, want a divergence", len(e.Findings))
	}
	if d := e.Findings[0].Diverged; d.Step != 1 || !slices.Equal(d.Offers, []string{"inner choices: 1; there is no inner choice 2", "inner choices: 2; inner choice 2: kind 0 of 2"}) {
		t.Errorf("got %+v", d)
	}
}

// A name of a schedule is an inner delay only if it has an alternative that there was.
func TestParseDeparture(t *testing.T) {
	for name, want := range map[string]bool{"inner 1: 2 of 2": true, "inner 7: 2 of 3, run r2": true,
		"inner 0: 2 of 2": false, "inner 1: 1 of 2": false, "inner 1: 3 of 2": false, "inner": false, "start inner": false} {
		if IsInner(name) != want {
			t.Errorf("%q: got %t", name, !want)
		}
	}
	if got := WithoutNotes([]string{"a1", "inner 7: 2 of 3, run r2"}); !slices.Equal(got, []string{"a1", "inner 7: 2 of 3"}) {
		t.Errorf("got %q", got)
	}
}
