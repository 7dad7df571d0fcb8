package harness_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/halfopen/halfopen/harness"
)

// What one file may cost: bytes, all that are ever allocated for it, and real time.
const (
	mostOfFile = 256 << 20
	mostTime   = 5 * time.Second
)

// bounded calls f, which reads a file, and fails the test if that costs too much.
func bounded(t *testing.T, f func()) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := time.Now()
	f()
	took := time.Since(start)
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; n > mostOfFile || took > mostTime {
		t.Errorf("got %d bytes allocated, in %s; want at most %d, in %s", n, took, mostOfFile, mostTime)
	}
}

// addFiles adds the files of those patterns, below testdata, as seeds.
func addFiles(f *testing.F, patterns ...string) {
	for _, pattern := range patterns {
		files, _ := filepath.Glob(filepath.Join("../testdata", pattern))
		if len(files) == 0 {
			f.Fatalf("no seeds: %s", pattern)
		}
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(data)
		}
	}
}

// FuzzScriptFile reads scripts. One that is refused says where; one that is read is the same when
// it is read again, and when it was formatted, which changes nothing a second time.
func FuzzScriptFile(f *testing.F) {
	addFiles(f, "races/*.txtar", "failures/*.txtar", "catalogue/*/*.txtar")
	f.Fuzz(func(t *testing.T, data []byte) {
		bounded(t, func() {
			s, err := harness.ParseScript("fuzz.txtar", data)
			if err != nil {
				if len(err.Error()) > 8_000 {
					t.Errorf("got an error of %d bytes", len(err.Error()))
				}
				return
			}
			again, err := harness.ParseScript("fuzz.txtar", data)
			if err != nil || len(again.Comments()) != len(s.Comments()) {
				t.Errorf("got %v and other comments when read again", err)
			}
			text, _ := s.Format()
			formatted, err := harness.ParseScript("fuzz.txtar", text)
			if err != nil || !slices.Equal(formatted.Comments(), s.Comments()) {
				t.Fatalf("got %v, and other comments when formatted:\n%s", err, text)
			}
			if twice, changed := formatted.Format(); changed {
				t.Errorf("got\n%s\nand formatted again\n%s", text, twice)
			}
		})
	})
}

// FuzzReplayFile reads saved schedules. One that is read is the same when it is saved, and
// read again.
func FuzzReplayFile(f *testing.F) {
	addFiles(f, "compat/*/*.replay")
	f.Fuzz(func(t *testing.T, data []byte) {
		bounded(t, func() {
			s, err := harness.ParseSchedule("fuzz.replay", data)
			if err != nil {
				return
			}
			finding := &harness.Finding{Schedule: s, Report: &harness.Report{Failures: []harness.Failure{{Text: string(data)}}}}
			again, err := harness.ParseSchedule("fuzz.replay", finding.Format("Test"))
			if err != nil || len(again) != len(s) {
				t.Fatalf("got %q, %v; want %q", again, err, s)
			}
			for i := range s {
				if s[i] != again[i] {
					t.Errorf("got the choice %q, want %q", again[i], s[i])
				}
			}
		})
	})
}

// FuzzReportFile reads reports of explorations, in JSON. One that is read can be printed,
// saved and merged.
func FuzzReportFile(f *testing.F) {
	x, err := harness.ExploreReport("seed", harness.Bounds{Schedules: 20, KeepGoing: true}, nil, func(t *harness.T) {
		t.Get("r1", answering(panicking{read: true}), apiURL).MayCancel()
	})
	if err != nil {
		f.Fatal(err)
	}
	seed, err := json.Marshal(x)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(seed)
	f.Fuzz(func(t *testing.T, data []byte) {
		bounded(t, func() {
			var x harness.Exploration
			if json.Unmarshal(data, &x) != nil {
				return
			}
			_ = x.String()
			if _, err := json.Marshal(&x); err != nil {
				t.Errorf("cannot be saved: %v", err)
			}
			harness.Merge([]*harness.Exploration{&x})
		})
	})
}
