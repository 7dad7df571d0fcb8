package harness_test

import (
	"encoding/json"
	"flag"
	"maps"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/halfopen/halfopen/harness"
)

// A report has the same bytes, however many schedules run at the same time: of every defect,
// and of what holds.
func TestParallel(t *testing.T) {
	bodies := map[string]func(*harness.T){"two gets": twoGets, "three gets": threeGets, "limit 1": limitOne}
	for _, d := range defects {
		if d.bug == "idle conn used twice" || d.bug == "put back twice" {
			continue // two goroutines read one connection at once: which one gets a byte is chance
		}
		bodies[d.bug] = func(t *harness.T) { d.scenario(t, newMini(t, d.bug, d.limit)) }
	}
	for _, name := range slices.Sorted(maps.Keys(bodies)) {
		for _, bounds := range []harness.Bounds{
			{Schedules: 200},
			{Schedules: 80, KeepGoing: true, Strategy: "random", Seed: 7},
			{Schedules: 60, KeepGoing: true, Shard: harness.Shard{Index: 1, Total: 3}},
			{Schedules: 60, Strategy: "exhaustive", AsFound: true},
		} {
			bounds.Parallel = 1
			want := reportsOf(t, name, bounds, bodies[name])
			for _, n := range []int{2, 4} {
				bounds.Parallel = n
				if got := reportsOf(t, name, bounds, bodies[name]); got != want {
					t.Errorf("%s, %+v: got\n%s\nwant\n%s", name, bounds, firstDifference(got, want), firstDifference(want, got))
				}
			}
		}
	}
}

// reportsOf explores and returns the report, as text and as a shard writes it.
func reportsOf(t *testing.T, name string, bounds harness.Bounds, body func(*harness.T)) string {
	t.Helper()
	x, err := harness.ExploreReport(name, bounds, nil, body)
	if err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(x)
	if err != nil {
		t.Fatal(err)
	}
	return x.String() + string(data)
}

// firstDifference returns the text from the line on in which it differs from another one.
func firstDifference(text, other string) string {
	lines, others := strings.SplitAfter(text, "\n"), strings.SplitAfter(other, "\n")
	i := 0
	for i < min(len(lines), len(others)) && lines[i] == others[i] {
		i++
	}
	return strings.Join(lines[i:min(len(lines), i+10)], "")
}

// Of a body that is under control only as long as it runs alone a report says so.
func TestParallelShares(t *testing.T) {
	var running atomic.Int64
	var yields int // until another one runs, which takes long on a busy machine
	body := func(t *harness.T) {
		running.Add(1)
		t.Cleanup(func() { running.Add(-1) })
		for n := 0; running.Load() < 2 && n < yields; n++ {
			runtime.Gosched()
		}
		alone := running.Load() < 2
		twoGets(t)
		if !alone {
			t.Get("r3", t.Net.Transport(), "http://api.test/")
		}
	}
	for n := 1; n <= 2; n++ {
		yields = (n - 1) * 200_000
		x, err := harness.ExploreReport(t.Name(), harness.Bounds{Schedules: 300, Parallel: n}, nil, body)
		if err != nil {
			t.Fatal(err)
		}
		const want = "schedules run at the same time and share something: make it in the body, or set Bounds.Parallel to 1"
		if said := strings.Contains(x.String(), want); said != (n > 1) {
			t.Errorf("Parallel %d: got %s", n, x)
		}
	}
}

// A body that comes out otherwise each time does so when it runs alone too.
func TestParallelChance(t *testing.T) {
	var runs atomic.Int64
	x, err := harness.ExploreReport(t.Name(), harness.Bounds{Schedules: 20, Parallel: 2}, nil, func(t *harness.T) {
		twoGets(t)
		if runs.Add(1)%2 == 0 {
			t.Get("r3", t.Net.Transport(), "http://api.test/")
		}
	})
	if err != nil || len(x.Findings) == 0 || x.Findings[0].Report.Failures[0].Kind != harness.KindUncontrolled || strings.Contains(x.String(), "Bounds.Parallel") {
		t.Errorf("got %v, %v", x, err)
	}
}

// The flag is for explorations whose bounds do not say how many schedules run at the same time,
// as those of package suites: a transport may share a variable with every other one.
func TestParallelFlag(t *testing.T) {
	if err := flag.Set("halfopen.parallel", "1"); err != nil {
		t.Fatal(err)
	}
	defer flag.Set("halfopen.parallel", "0")
	var running, most atomic.Int32
	if _, err := harness.ExploreReport(t.Name(), harness.Bounds{Schedules: 50}, nil, func(t *harness.T) {
		n := running.Add(1)
		defer running.Add(-1)
		if n > most.Load() {
			most.Store(n)
		}
		t.Serve("api.test:80", nil)
		t.Get("r1", t.Net.Transport(), "http://api.test/")
		t.Get("r2", t.Net.Transport(), "http://api.test/")
		t.Rest()
	}); err != nil || most.Load() != 1 {
		t.Errorf("got %d schedules at the same time, %v, want 1", most.Load(), err)
	}
}
