package harness

import (
	"strings"
	"testing"
	"time"
)

// How a bubble is opened, and what it prints of itself, is not promised by
// Go. If this test fails with a new release, bubble.go has to follow.
func TestBubble(t *testing.T) {
	for name, std := range map[string]*testing.T{"in a test": t, "in a plain program": nil} {
		ran, own := false, 0
		end := bubble(std, nil, func(id uint64) {
			ran = true
			own = len(goroutines(id))
			if year := time.Now().Year(); year != 2000 {
				t.Errorf("%s: the bubble's time is in %d, want 2000", name, year)
			}
		})
		if !ran || end.id == 0 || end.deadlock != nil || end.goexit || end.panicked != nil {
			t.Errorf("%s: got %+v", name, end)
		}
		if own != ownGoroutines {
			t.Errorf("%s: got %d goroutines of the bubble's own, want %d", name, own, ownGoroutines)
		}
		end = bubble(nil, nil, func(uint64) { go leftInBubble() })
		if end.deadlock == nil || len(end.left) != 1 {
			t.Fatalf("%s: got %v and %d goroutines, want a deadlock and 1", name, end.deadlock, len(end.left))
		}
		g := end.left[0]
		if g.bubble != end.id || !g.durable || g.state != "select (no cases)" || !strings.HasSuffix(g.frames[0].function, ".leftInBubble") ||
			!strings.Contains(g.creator.function, "TestBubble") || g.frames[0].place() != "bubble_test.go:43" {
			t.Errorf("%s: got %+v", name, g)
		}
		if end = bubble(nil, nil, func(uint64) { panic("mine") }); end.panicked != "mine" {
			t.Errorf("%s: got %+v, want the panic of the root", name, end)
		}
	}
}

func leftInBubble() {
	select {}
}
