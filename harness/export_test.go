package harness

import (
	"slices"
	"testing"
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
