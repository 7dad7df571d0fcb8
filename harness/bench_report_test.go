//go:build unix

package harness_test

import (
	"fmt"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/halfopen/halfopen/harness"
	"github.com/halfopen/halfopen/harness/view"
)

// BenchmarkReport says what a report costs of the run that it shows: to keep its timeline, and to
// write its page, each in percent of the processor's time of the same run without a report. The
// runs of the three kinds take turns, so that the ratios are those of one machine at one time.
func BenchmarkReport(b *testing.B) {
	const turns = 10 // of a kind, one after another
	dir := b.TempDir()
	page := func(run *view.Run) {
		p := &view.Page{Title: "TestLong", Runs: []*view.Run{run}}
		if _, err := p.Save(dir); err != nil {
			b.Fatal(err)
		}
	}
	var off, kept, written time.Duration
	for b.Loop() {
		off += processorTime(func() {
			for range turns {
				longRun()
			}
		})
		harness.KeepTimelines(true)
		var runs []*view.Run
		kept += processorTime(func() {
			for range turns {
				runs = append(runs, longRun().Timeline())
			}
		})
		harness.KeepTimelines(false)
		written += processorTime(func() {
			for _, run := range runs {
				page(run)
			}
		})
	}
	percent := func(d time.Duration) float64 { return 100 * float64(d) / float64(off) }
	b.ReportMetric(percent(kept)-100, "%keeping")
	b.ReportMetric(percent(written), "%writing")
}

// BenchmarkReportOfExploration does the same for a page with the tree of an exploration.
func BenchmarkReportOfExploration(b *testing.B) {
	dir := b.TempDir()
	explore := func() *harness.Exploration {
		x, err := harness.ExploreReport("TestPool", harness.Bounds{Schedules: 1000}, nil, twoGets)
		if err != nil {
			b.Fatal(err)
		}
		return x
	}
	var off, kept, written time.Duration
	for b.Loop() {
		off += processorTime(func() { explore() })
		harness.KeepTimelines(true)
		var x *harness.Exploration
		kept += processorTime(func() { x = explore() })
		harness.KeepTimelines(false)
		written += processorTime(func() {
			if _, err := x.Timeline().Save(dir); err != nil {
				b.Fatal(err)
			}
		})
	}
	percent := func(d time.Duration) float64 { return 100 * float64(d) / float64(off) }
	b.ReportMetric(percent(kept)-100, "%keeping")
	b.ReportMetric(percent(written), "%writing")
}

// longRun makes 320 requests, with eight connections.
func longRun() *harness.Report {
	return harness.TestReport("TestLong", func(t *harness.T) {
		t.Serve("api.test:80", nil)
		tr := t.Net.Transport()
		tr.MaxConnsPerHost = 8
		for i := range 40 {
			var all []*harness.Request
			for k := range 8 {
				all = append(all, t.Get(fmt.Sprintf("r%d.%d", i, k), tr, "http://api.test/"))
			}
			for _, r := range all {
				r.Finish()
			}
		}
	})
}

// processorTime returns how much time of processors f takes, in this process.
func processorTime(f func()) time.Duration {
	runtime.GC()
	used := func() time.Duration {
		var u syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
			panic(err)
		}
		return time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	before := used()
	f()
	return used() - before
}
