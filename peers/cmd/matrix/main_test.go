package main

import (
	"strings"
	"testing"

	"github.com/halfopen/halfopen/suites"
)

// A row counts by group and state, its quirks are told by their reasons, and
// what failed is told with its report.
func TestWrite(t *testing.T) {
	result := func(name string, g suites.Group, s suites.State, reason string) suites.Result {
		return suites.Result{Case: suites.Case{Name: name, Group: g, Claim: "It holds."}, State: s, Reason: reason, Schedules: 10, Report: "the report\n"}
	}
	rows := []*row{{name: "peer", results: []suites.Result{
		result("reuse-a", suites.Reuse, suites.Held, ""),
		result("reuse-b", suites.Reuse, suites.NotApplicable, "no such setting"),
		result("limit-a", suites.Limit, suites.Quirky, "why"),
		result("limit-b", suites.Limit, suites.Quirky, "why"),
		result("leak-a", suites.Leak, suites.Failed, ""),
	}}}
	var b strings.Builder
	write(&b, rows, false)
	want := `held/FAILED/quirk/not applicable

subject  reuse    limit    cancel   idle     broken   close    leak     stuck    talk     all      schedules
peer     1/0/0/1  0/0/2/0  0/0/0/0  0/0/0/0  0/0/0/0  0/0/0/0  0/1/0/0  0/0/0/0  0/0/0/0  1/1/2/1  40

peer: quirk: why
  limit-a limit-b

peer: FAILED: leak-a: It holds.
the report
`
	if b.String() != want {
		t.Errorf("got:\n%s\nwant:\n%s", b.String(), want)
	}
}

// One subject can be run by itself.
func TestOnly(t *testing.T) {
	rows := run("puddle", func(*row) {})
	if len(rows) != 1 || rows[0].name != "puddle" || rows[0].count("", suites.Held) < 20 || rows[0].count("", suites.Failed) > 0 || rows[0].schedules() < 1000 {
		t.Errorf("got %d rows, want puddle alone, with what held", len(rows))
	}
}
