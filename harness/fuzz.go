package harness

import (
	"testing"

	"github.com/halfopen/halfopen/harness/internal/search"
)

// Fuzz lets go test -fuzz find schedules by coverage: each input is read as a
// list of choices, a byte for each step, and first come, first served when
// there are no more. What fails is shrunk and reported as in [Explore].
//
//	func FuzzPool(f *testing.F) {
//		harness.Fuzz(f, harness.Bounds{}, func(t *harness.T) { ... })
//	}
func Fuzz(f *testing.F, bounds Bounds, body func(t *T)) {
	bounds, effects, err := bounds.normal()
	if err != nil {
		f.Fatalf("harness: %v", err)
	}
	// Seeds: the oldest option at each step, and each single departure near the start.
	f.Add([]byte(nil))
	for i := range 24 {
		f.Add(append(make([]byte, i), 1))
		f.Add(append(make([]byte, i), 2))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		e := &explorer{x: &Exploration{Name: t.Name(), Bounds: bounds}, body: body, effects: effects, gates: bounds.Gates, waits: bounds.Delays}
		engine := search.New(bounds.search(), (&runner{explorer: e}).run)
		step := 0
		engine.Try(func(opts []search.Option) int {
			i := step
			step++
			if i >= len(data) {
				return 0
			}
			return int(data[i]) % len(opts)
		})
		e.conclude(engine, true)
		if len(e.x.Findings) > 0 {
			t.Fatalf("%s", e.x)
		}
	})
}
