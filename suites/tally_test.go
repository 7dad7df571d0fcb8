package suites

import (
	"slices"
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
