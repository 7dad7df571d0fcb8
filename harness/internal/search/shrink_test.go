package search

import (
	"slices"
	"testing"
)

// Shrinking ends at its bound of runs, and says so.
func TestTries(t *testing.T) {
	for _, tries := range []int{1, 3, 0} {
		b := everyOrder()
		b.Strategy, b.Seed, b.KeepGoing, b.Tries = "random", 1, false, tries
		runs := 0
		g := &toy{chains: chainsOf(4, 4, 4), cancel: true, fails: func(order []string) string {
			if runs++; before(order, "b1", "a3") && slices.Contains(order, "cancel") {
				return "bug"
			}
			return ""
		}}
		e := explored(b, g)
		// One run for the length, and of the finding one to compare and one to tell.
		if shrinking := runs - 3 - e.Schedules; len(e.Findings) != 1 || e.Findings[0].NotShortest != (tries > 0) || tries > 0 && shrinking != tries {
			t.Errorf("%d tries: got %d runs to shrink, %+v", tries, shrinking, e.Findings)
		}
	}
}

// A finding says where the nearest schedule that holds differs first: where the last departure
// is that the failure needs.
func TestHolds(t *testing.T) {
	b := everyOrder()
	b.KeepGoing = false
	for want, fails := range map[Fork]func(order []string) bool{
		{1, "b1", "a1"}:     func(order []string) bool { return before(order, "b1", "a2") },
		{1, "cancel", "a1"}: func(order []string) bool { return slices.Contains(order, "cancel") },
		{}:                  func([]string) bool { return true },
	} {
		e := explored(b, &toy{chains: chainsOf(2, 2), cancel: true, fails: func(order []string) string {
			if fails(order) {
				return "bug"
			}
			return ""
		}})
		var got Fork
		if f := e.Findings[0]; f.Holds != nil {
			got = *f.Holds
		}
		if got != want {
			t.Errorf("got %+v, want %+v; %q", got, want, e.Findings[0].Schedule)
		}
	}
}
