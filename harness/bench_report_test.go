package harness_test

import (
	"fmt"
	"testing"

	"github.com/halfopen/halfopen/harness"
	"github.com/halfopen/halfopen/harness/view"
)

// BenchmarkReport compares a run without a report, one whose timeline is kept, and one whose page
// is written. The two metrics are of the run without: what keeping costs, and what writing costs.
func BenchmarkReport(b *testing.B) {
	run := func() *harness.Report {
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
	b.Run("off", func(b *testing.B) {
		for b.Loop() {
			run()
		}
	})
	b.Run("kept", func(b *testing.B) {
		harness.KeepTimelines(true)
		defer harness.KeepTimelines(false)
		for b.Loop() {
			run()
		}
	})
	b.Run("written", func(b *testing.B) {
		harness.KeepTimelines(true)
		defer harness.KeepTimelines(false)
		dir := b.TempDir()
		for b.Loop() {
			page := &view.Page{Title: "TestLong", Runs: []*view.Run{run().Timeline()}}
			if _, err := page.Save(dir); err != nil {
				b.Fatal(err)
			}
		}
	})
}
