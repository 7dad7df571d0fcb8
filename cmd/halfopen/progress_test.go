package main

import (
	"bytes"
	"testing"
	"time"

	"github.com/halfopen/halfopen/suites"
)

// A check prints a line at its first result and then one a second, on a terminal only.
func TestCheckProgress(t *testing.T) {
	var out bytes.Buffer
	begin := time.Unix(0, 0)
	p := &tally{to: &out, started: begin, of: 10}
	for _, ms := range []time.Duration{200, 400, 1100, 1200, 2500} {
		p.add(suites.Result{Schedules: 100}, begin.Add(ms*time.Millisecond))
	}
	want := "1 of 10 cells, 500 schedules a second, about 2s left\n" +
		"4 of 10 cells, 333 schedules a second, about 2s left\n" +
		"5 of 10 cells, 200 schedules a second, about 3s left\n"
	if got := out.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if checkProgress(&out, 10) != nil {
		t.Error("got progress on what is no terminal")
	}
}
