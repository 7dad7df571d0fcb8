package harness_test

import (
	"fmt"
	"io"
	"log"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/halfopen/halfopen/harness"
)

// boundsTried is the candidates for the default bounds, the default first.
var boundsTried = []struct {
	name   string
	bounds harness.Bounds
}{
	{"default", harness.Bounds{}},
	{"no gates", harness.Bounds{Gates: noGates}},
	{"no split", harness.Bounds{Effects: []string{"refuse", "reset"}}},
	{"neither", harness.Bounds{Gates: noGates, Effects: []string{"refuse", "reset"}}},
	{"1 delay", harness.Bounds{Delays: 1}},
	{"3 delays", harness.Bounds{Delays: 3}},
	{"2 faults", harness.Bounds{Faults: 2}},
	{"in order", harness.Bounds{Strategy: "exhaustive"}},
	{"drawn", harness.Bounds{Strategy: "pct"}},
}

// BenchmarkBounds prints what the default bounds were chosen by: for each bug, the defects
// of the small transport and the live ones of net/http, the number of the schedule that
// shows it with each candidate, a dash for more than 2,000; and then how many of the bugs
// each finds, and in how much time.
func BenchmarkBounds(b *testing.B) {
	log.SetOutput(io.Discard)
	defer log.SetOutput(os.Stderr)
	type row struct {
		name string
		body func(*harness.T)
	}
	rows := []row{{"a body that is split", peeking}}
	for _, d := range defects {
		rows = append(rows, row{d.bug, func(t *harness.T) { d.scenario(t, newMini(t, d.bug, d.limit)) }})
	}
	for _, bug := range liveBugs {
		rows = append(rows, row{bug.name, bug.body})
	}
	for b.Loop() {
		var table strings.Builder
		fmt.Fprintf(&table, "%-50s", "bug")
		for _, c := range boundsTried {
			fmt.Fprintf(&table, " %9s", c.name)
		}
		found, took := make([]int, len(boundsTried)), make([]time.Duration, len(boundsTried))
		for _, r := range rows {
			fmt.Fprintf(&table, "\n%-50s", r.name)
			for i, c := range boundsTried {
				c.bounds.AsFound = true
				start := time.Now()
				x, err := harness.ExploreReport(r.name, c.bounds, nil, r.body)
				if err != nil {
					b.Fatal(err)
				}
				took[i] += time.Since(start)
				cell := "-"
				if len(x.Findings) > 0 {
					found[i]++
					cell = fmt.Sprint(x.Findings[0].Found)
				}
				fmt.Fprintf(&table, " %9s", cell)
			}
		}
		fmt.Fprintf(&table, "\n%-50s", fmt.Sprintf("found, of %d", len(rows)))
		for _, n := range found {
			fmt.Fprintf(&table, " %9d", n)
		}
		fmt.Fprintf(&table, "\n%-50s", "time")
		for _, d := range took {
			fmt.Fprintf(&table, " %9s", d.Round(time.Millisecond))
		}
		fmt.Printf("\n%s\n", &table) // a log of a benchmark is cut off after ten lines
	}
}
