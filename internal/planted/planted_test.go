package planted_test

import (
	"strings"
	"testing"

	"github.com/halfopen/halfopen/harness"
	"github.com/halfopen/halfopen/internal/deep/on"
	"github.com/halfopen/halfopen/internal/planted"
)

// body returns the body of a test of a program with a defect.
func body(p planted.Program) func(t *harness.T) {
	return func(t *harness.T) { p.Run(func(text string) { t.Errorf("%s", text) }) }
}

// Each planted defect is found by the default strategies, its schedule is short, and
// fails again. Without inner choices it is not found: what comes by itself is right.
func TestPlanted(t *testing.T) {
	if !on.Deep() {
		t.Skip("an ordinary bubble has no inner choices: package internal/deep runs this test in a deep one")
	}
	for _, p := range planted.Programs() {
		t.Run(p.Name, func(t *testing.T) {
			for seed := range uint64(3) {
				x, err := harness.ExploreReport(p.Name, harness.Bounds{Seed: seed + 1, Schedules: 500}, nil, body(p))
				if err != nil || len(x.Findings) == 0 {
					t.Fatalf("seed %d: not found: %v\n%s", seed+1, err, x)
				}
				f := x.Findings[0]
				if k := f.Report.Failures[0].Kind; k == harness.KindUncontrolled || len(f.Schedule) > 6 {
					t.Errorf("seed %d: got %d choices, want at most 6\n%s", seed+1, len(f.Schedule), x)
				}
				if !strings.Contains(x.String(), "only a deep bubble (halfopen test) shows it again") || !strings.Contains(f.Script, "# inner ") {
					t.Errorf("got\n%s", x)
				}
				t.Logf("seed %d: %d schedules, %q", seed+1, f.Found, f.Schedule)
			}
			x, err := harness.ExploreReport(p.Name, harness.Bounds{Inner: harness.None, Schedules: 100}, nil, body(p))
			if err != nil || len(x.Findings) > 0 {
				t.Errorf("without inner choices: %v\n%s", err, x)
			}
		})
	}
}
