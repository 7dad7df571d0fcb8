package harness_test

import (
	"flag"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/halfopen/halfopen/harness"
)

// insideRuns is how often TestInsideSeeds runs what each seed draws.
var insideRuns = flag.Int("runs", 3, "how often TestInsideSeeds runs what each seed draws")

// What a seed draws is the same in each run: who gets a mutex, which ready case is taken, where a
// range begins. Different seeds draw different orders.
func TestInsideSeeds(t *testing.T) {
	needsDeep(t)
	all := make(map[string]bool)
	for seed := range uint64(40) {
		bounds := harness.Bounds{Strategy: "random", Schedules: 1, Seed: seed + 1, Faults: harness.None, KeepGoing: true}
		seen := make(map[string]int)
		for range *insideRuns {
			x, err := harness.ExploreReport(t.Name(), bounds, nil, func(t *harness.T) {
				atOneMutex(6)(t)
				threeReady(t)
				fourEntries(t)
			})
			if err != nil {
				t.Fatal(err)
			}
			seen[strings.Join(slices.Sorted(maps.Keys(x.Outcomes)), "; ")]++
		}
		if len(seen) != 1 {
			t.Errorf("seed %d: got %d outcomes in %d runs, want one:\n%v", seed+1, len(seen), *insideRuns, seen)
		}
		maps.Copy(all, map[string]bool{slices.Sorted(maps.Keys(seen))[0]: true})
	}
	if len(all) < 20 {
		t.Errorf("got %d different orders of 40 seeds, want at least 20", len(all))
	}
	t.Logf("%d different orders of 40 seeds, each run %d times", len(all), *insideRuns)
}
