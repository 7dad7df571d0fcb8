package main

import (
	"regexp"
	"strings"
	"testing"

	"github.com/halfopen/halfopen/suites"
)

// A row counts cases by group and state. Quirks and undecided cases are listed by their
// reasons, and failures with their reports.
func TestWrite(t *testing.T) {
	result := func(name string, s suites.State, reason string) suites.Result {
		return suites.Result{Subject: suites.Subject{Protocol: suites.HTTP1}, Case: suites.Case{Name: name, Claim: "It holds."}, State: s, Reason: reason, Schedules: 10, Report: "the report\n"}
	}
	rows := []*row{{name: "peer", results: []suites.Result{
		result("reuse-a", suites.Held, ""),
		result("reuse-b", suites.NotApplicable, "no such setting"),
		result("limit-a", suites.Quirky, "why"),
		result("limit-b", suites.Quirky, "why"),
		result("body-a", suites.Undecided, "a goroutine waits for a mutex"),
		result("leak-a", suites.Failed, ""),
	}}}
	var b strings.Builder
	write(&b, rows, false)
	want := `held/FAILED/quirk/undecided/not applicable

subject  reuse      limit      order      cancel     idle       broken     retry      body       expect     proxy      tls        route      http2      conn       close      trace      leak       all        schedules
peer     1/0/0/0/1  0/0/2/0/0  0/0/0/0/0  0/0/0/0/0  0/0/0/0/0  0/0/0/0/0  0/0/0/0/0  0/0/0/1/0  0/0/0/0/0  0/0/0/0/0  0/0/0/0/0  0/0/0/0/0  0/0/0/0/0  0/0/0/0/0  0/0/0/0/0  0/0/0/0/0  0/1/0/0/0  1/1/2/1/1  50

peer: quirk: why
  limit-a limit-b

peer: undecided: a goroutine waits for a mutex
  body-a

peer: FAILED: leak-a: It holds.
the report
`
	if b.String() != want {
		t.Errorf("got:\n%s\nwant:\n%s", b.String(), want)
	}
}

// Only the state FAILED makes the command fail.
func TestFailed(t *testing.T) {
	of := func(s suites.State) []*row {
		return []*row{{results: []suites.Result{{State: suites.Held}, {State: s}}}}
	}
	if failed(of(suites.Undecided)) || failed(of(suites.Quirky)) || failed(of(suites.NotApplicable)) || !failed(of(suites.Failed)) {
		t.Error("got a failure for another state than FAILED, or none for FAILED")
	}
}

// One subject can be run by itself, and some of the cases.
func TestOnly(t *testing.T) {
	rows := run("puddle", regexp.MustCompile(""), func(*row) {})
	if len(rows) != 1 || rows[0].name != "puddle" || rows[0].count("", suites.Held) < 20 || rows[0].count("", suites.Failed) > 0 || rows[0].schedules() < 1000 {
		t.Errorf("got %d rows, want only puddle, with cases that held", len(rows))
	}
	few := run("puddle", regexp.MustCompile("^limit-"), func(*row) {})
	if len(few) != 1 || few[0].count("limit", suites.Held) < 1 || few[0].count("", suites.Held) != few[0].count("limit", suites.Held) {
		t.Errorf("got %d rows, want only the cases of puddle about limits", len(few))
	}
	if none := run("puddle", regexp.MustCompile("^trace-"), func(*row) {}); len(none) > 0 {
		t.Errorf("got %d rows for cases that are of transports alone", len(none))
	}
}
