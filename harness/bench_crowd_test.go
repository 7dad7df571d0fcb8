package harness_test

import (
	"testing"
	"time"

	"github.com/halfopen/halfopen/harness"
)

// What a request of an exploration costs with 30 and with 300 at once, and how many times as
// much it is with 300: each step has to offer what all of them may come to.
func BenchmarkCrowd(b *testing.B) {
	const schedules = 20
	each := func(n int) float64 {
		start := time.Now()
		x, err := harness.ExploreReport(b.Name(), harness.Bounds{Schedules: schedules}, nil, gets(n))
		if err != nil || x.Schedules != schedules {
			b.Fatalf("got %v, %v", x, err)
		}
		return float64(time.Since(start).Microseconds()) / float64(n*schedules)
	}
	var few, many float64
	for b.Loop() {
		few, many = few+each(30), many+each(300)
	}
	b.ReportMetric(few/float64(b.N), "µs/each-of-30")
	b.ReportMetric(many/float64(b.N), "µs/each-of-300")
	b.ReportMetric(many/few, "ratio")
}
