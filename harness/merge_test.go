package harness_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/halfopen/halfopen/harness"
)

// shardsOf explores by that many shards, and returns the files of their reports.
func shardsOf(t *testing.T, total int, bounds harness.Bounds, name string, body func(*harness.T)) (files []string) {
	t.Helper()
	dir := t.TempDir()
	for i := range total {
		bounds.Shard = harness.Shard{Index: i, Total: total}
		x, err := harness.ExploreReport(name, bounds, nil, body)
		if err != nil {
			t.Fatal(err)
		}
		if want := fmt.Sprintf("explored shard %d of %d: ", i+1, total); !strings.Contains(x.String(), want) {
			t.Errorf("got %s, want %q", x, want)
		}
		data, err := json.Marshal(x)
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(dir, fmt.Sprint("shard", i))
		if err := os.WriteFile(file, data, 0o666); err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	return files
}

// The merged report of 2, 3, 5 and 7 shards, in any order, with a bound on the number of
// schedules and without, is the report of one process.
func TestMerge(t *testing.T) {
	body := func(t *harness.T) { oneAfterAnother(t, newMini(t, "unused dial leaked", 0)) }
	for _, bounds := range []harness.Bounds{
		{Schedules: 150, KeepGoing: true},
		{Schedules: 40, Strategy: "exhaustive", KeepGoing: true},
		{Schedules: harness.All, Delays: 1, Strategy: "exhaustive", KeepGoing: true},
		{Schedules: 50, Strategy: "pos", KeepGoing: true},
	} {
		one, err := harness.ExploreReport("shards", bounds, nil, body)
		if err != nil {
			t.Fatal(err)
		}
		if len(one.Findings) == 0 {
			t.Errorf("%+v: got %s, want a finding", bounds, one)
		}
		for _, total := range []int{2, 3, 5, 7} {
			files := shardsOf(t, total, bounds, "shards", body)
			slices.Reverse(files)
			all, err := harness.MergeFiles(files...)
			if err != nil {
				t.Fatal(err)
			}
			if all.String() != one.String() {
				t.Errorf("%+v, %d shards: got\n%s\nwant\n%s", bounds, total, all, one)
			}
		}
	}
}

// A shard that is missing, comes twice or belongs elsewhere is refused, by its file.
func TestMergeRefused(t *testing.T) {
	bounds := harness.Bounds{Schedules: 30}
	a := shardsOf(t, 3, bounds, "shards", twoGets)
	four := shardsOf(t, 4, bounds, "shards", twoGets)
	other := shardsOf(t, 3, bounds, "others", twoGets)
	changed := shardsOf(t, 3, bounds, "shards", threeGets)
	bounds.Seed = 7
	seed := shardsOf(t, 3, bounds, "shards", twoGets)
	bad := filepath.Join(t.TempDir(), "bad")
	data, _ := os.ReadFile(a[0])
	for _, tt := range []struct {
		files []string
		want  []string
	}{
		{a[:2], []string{"missing: shard 3 of 3; there are: " + a[0] + ", " + a[1]}},
		{a[1:2], []string{"missing: shard 1 of 3, 3 of 3"}},
		{[]string{a[0], a[1], a[1]}, []string{a[1] + " and " + a[1] + " are the same shard, 2 of 3"}},
		{[]string{a[0], a[1], four[2]}, []string{a[0] + " and " + four[2], "the numbers of shards differ: 3 and 4"}},
		{[]string{a[0], other[1], a[2]}, []string{a[0] + " and " + other[1], "the names differ: shards and others"}},
		{[]string{a[0], a[1], changed[2]}, []string{a[0] + " and " + changed[2], "the programs differ: go1."}},
		{[]string{seed[0], a[1], a[2]}, []string{seed[0] + " and " + a[1], "the bounds differ: ", "Seed 7"}},
		{[]string{bad}, []string{bad + ": got shard 3 of 3"}},
		{nil, []string{"nothing to merge"}},
	} {
		os.WriteFile(bad, []byte(strings.Replace(string(data), `"shard":0`, `"shard":3`, 1)), 0o666)
		_, err := harness.MergeFiles(tt.files...)
		for _, want := range tt.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want %q", err, want)
			}
		}
	}
}

// Shards with a bound on schedules count the same ones as one process, also where runs that are equal to
// others are given up on the way.
func TestMergeReduced(t *testing.T) {
	for _, limit := range []int{0, 1, 2} {
		body := func(t *harness.T) { threeAtLimit(t, newMini(t, "", limit)) }
		for _, n := range []int{46, 54, 65, 120, 271} {
			b := harness.Bounds{Strategy: "exhaustive", Delays: 1, Schedules: n, KeepGoing: true, AsFound: true}
			want := mustExplore(t, b, body)
			var shards []*harness.Exploration
			for i := range 3 {
				b.Shard = harness.Shard{Index: i, Total: 3}
				shards = append(shards, mustExplore(t, b, body))
			}
			got, err := harness.Merge(shards)
			if err != nil {
				t.Fatal(err)
			}
			if got.Schedules != want.Schedules || !maps.Equal(got.Outcomes, want.Outcomes) {
				t.Errorf("limit %d, %d schedules: got %s\nwant %s", limit, n, got, want)
			}
		}
	}
}

// mustExplore explores, and ends the test if that cannot be done.
func mustExplore(t *testing.T, b harness.Bounds, body func(*harness.T)) *harness.Exploration {
	t.Helper()
	x, err := harness.ExploreReport("merged", b, nil, body)
	if err != nil {
		t.Fatal(err)
	}
	return x
}
