package suites

import (
	"slices"
	"strings"
	"testing"
)

// An entry of a baseline is of no use if its case was not put to any subject: but that can be
// said only if all cases ran.
func TestUnused(t *testing.T) {
	known := []Quirk{{Case: "a"}, {Case: "h2/a"}, {Case: "b"}, {Case: "h2/c"}}
	result := func(name string, p Protocol, state State) Result {
		return Result{Case: Case{Name: name}, Subject: Subject{Protocol: p}, State: state}
	}
	y := tally{planned: 3, of: []Result{result("a", HTTP1, Quirky), result("b", HTTP1, NotApplicable)}}
	if got := y.unused(known); got != nil {
		t.Errorf("got %v of no use, want none: not all cases ran", got)
	}
	y.of = append(y.of, result("c", H2, Undecided))
	if got, want := y.unused(known), []string{"h2/a", "b"}; !slices.Equal(got, want) {
		t.Errorf("got %v of no use, want %v", got, want)
	}
}

// A test of which most cases are undecided does not pass. With -run, which leaves cases out, it may.
func TestSaysLittle(t *testing.T) {
	of := func(states ...State) (y tally) {
		for _, s := range states {
			y.of = append(y.of, Result{State: s})
		}
		y.planned = len(states)
		return y
	}
	most := of(Undecided, Undecided, Held, NotApplicable, NotApplicable)
	if got, want := most.saysLittle(), "suites: 2 of the 3 cases that were put are undecided: "; !strings.HasPrefix(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	part := of(Undecided, Undecided, Held)
	part.planned++
	for _, y := range []tally{of(Undecided, Held, NotApplicable), of(NotApplicable), of(), part} {
		if got := y.saysLittle(); got != "" {
			t.Errorf("got %q, want it to pass: %v", got, y.of)
		}
	}
}
