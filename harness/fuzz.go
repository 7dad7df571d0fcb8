package harness

import (
	"testing"
)

// Fuzz lets go test -fuzz find schedules by coverage: each input is read as a
// list of choices, a byte for each step, and first come, first served when
// there are no more. What fails is shrunk and reported as in [Explore].
//
//	func FuzzPool(f *testing.F) {
//		harness.Fuzz(f, harness.Bounds{}, func(t *harness.T) { ... })
//	}
func Fuzz(f *testing.F, bounds Bounds, body func(t *T)) {
	bounds, err := bounds.normal()
	if err != nil {
		f.Fatalf("harness: %v", err)
	}
	// Seeds: everything as it comes, and each single departure near the start.
	f.Add([]byte(nil))
	for i := range 24 {
		f.Add(append(make([]byte, i), 1))
		f.Add(append(make([]byte, i), 2))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		x := &Exploration{Name: t.Name(), Bounds: bounds, Outcomes: make(map[string]int), Delays: -1}
		e := &explorer{x: x, body: body, seen: make(map[string]bool), failing: make(map[string]failing)}
		step := 0
		e.count(e.one(func(opts []option) int {
			i := step
			step++
			if i >= len(data) {
				return 0
			}
			return int(data[i]) % len(opts)
		}, true))
		e.conclude()
		if len(x.Findings) > 0 {
			t.Fatalf("%s", x)
		}
	})
}
