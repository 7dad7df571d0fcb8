//go:build unix

package harness_test

import (
	"testing"
	"time"

	"github.com/halfopen/halfopen/harness"
)

// BenchmarkCrowd says what a request of an exploration costs, in time of the processor, with 30 and
// with 300 at once, and how many times as much it is with 300: each step offers what all of them may
// come to.
func BenchmarkCrowd(b *testing.B) {
	const schedules = 20
	explore := func(n int) time.Duration {
		return processorTime(func() {
			x, err := harness.ExploreReport(b.Name(), harness.Bounds{Schedules: schedules}, nil, gets(n))
			if err != nil || x.Schedules != schedules {
				b.Fatalf("got %v, %v", x, err)
			}
		}) / time.Duration(n*schedules)
	}
	var few, many time.Duration
	for b.Loop() {
		few, many = few+explore(30), many+explore(300)
	}
	b.ReportMetric(float64(few.Microseconds())/float64(b.N), "µs/each-of-30")
	b.ReportMetric(float64(many.Microseconds())/float64(b.N), "µs/each-of-300")
	b.ReportMetric(float64(many)/float64(few), "ratio")
}
