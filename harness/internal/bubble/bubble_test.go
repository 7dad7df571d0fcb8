package bubble

import (
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// How a bubble is opened, and what it prints of itself, is not promised by
// Go. If this test fails with a new release, this package has to follow.
func TestBubble(t *testing.T) {
	dog := NewWatchdog(time.Hour)
	defer dog.Stop()
	for name, std := range map[string]*testing.T{"in a test": t, "in a plain program": nil} {
		ran, own := false, 0
		b := new(Bubble)
		end := b.Open(std, dog, func() {
			ran = true
			own = len(b.Goroutines())
			if year := time.Now().Year(); year != 2000 {
				t.Errorf("%s: the bubble's time is in %d, want 2000", name, year)
			}
		})
		if !ran || b.id.Load() == 0 || end.Deadlock != nil || end.Goexit || end.Panicked != nil || end.Frozen != nil {
			t.Errorf("%s: got %+v", name, end)
		}
		if own != ownGoroutines {
			t.Errorf("%s: got %d goroutines of the bubble's own, want %d", name, own, ownGoroutines)
		}
		b = new(Bubble)
		end = b.Open(nil, dog, func() { go leftInBubble() })
		if end.Deadlock == nil || len(end.Left) != 1 {
			t.Fatalf("%s: got %v and %d goroutines, want a deadlock and 1", name, end.Deadlock, len(end.Left))
		}
		g := end.Left[0]
		if g.bubble != b.id.Load() || !g.durable || g.state != "select (no cases)" || !strings.HasSuffix(g.frames[0].function, ".leftInBubble") ||
			!strings.Contains(g.creator.function, "TestBubble") || g.frames[0].place() != "bubble_test.go:50" {
			t.Errorf("%s: got %+v", name, g)
		}
		if end = new(Bubble).Open(nil, dog, func() { panic("mine") }); end.Panicked != "mine" {
			t.Errorf("%s: got %+v, want the panic of the root", name, end)
		}
	}
}

func leftInBubble() {
	select {}
}

// A goroutine outside of the bubble that can run may hold the mutex.
func TestOthersRun(t *testing.T) {
	// A goroutine of an earlier test may be about to end.
	spins := func(g Goroutine) bool { return strings.Contains(g.creator.function, "TestOthersRun") }
	if slices.ContainsFunc(othersRun(), spins) {
		t.Error("got one of this test that runs, and there is none")
	}
	var stop atomic.Bool
	ended := make(chan bool)
	go func() {
		for !stop.Load() {
		}
		close(ended)
	}()
	if !slices.ContainsFunc(othersRun(), spins) {
		t.Error("got none of this test that runs")
	}
	stop.Store(true)
	<-ended
}

// Goroutines that are started without an end are a reason to give the bubble up. Many that
// are there, and do not become more, are none.
func TestGrowing(t *testing.T) {
	const most = 2000
	open := func(after time.Duration, f func(stop *atomic.Bool)) *Freeze {
		dog := NewWatchdog(20 * time.Millisecond)
		defer dog.Stop()
		dog.most = most
		var stop atomic.Bool
		defer stop.Store(true)
		time.AfterFunc(after, func() { stop.Store(true) })
		return new(Bubble).Open(nil, dog, func() { f(&stop) }).Frozen
	}
	computes := func(stop *atomic.Bool) {
		for !stop.Load() {
		}
	}
	got := open(10*time.Second, func(stop *atomic.Bool) {
		var mu sync.Mutex
		mu.Lock()
		defer mu.Unlock() // they end when the body does
		for range 1 << 18 {
			if stop.Load() {
				return
			}
			go func() {
				mu.Lock()
				defer mu.Unlock()
			}()
		}
		computes(stop) // in one step with what it has started
	})
	if got == nil || got.Cause != Growing || got.Where() != "" {
		t.Errorf("got %+v, want goroutines without an end", got)
	}
	// Those of the whole process count, so that these can be there before the first look.
	over := make(chan struct{})
	defer close(over)
	for range 2 * most {
		go func() { <-over }()
	}
	if got := open(200*time.Millisecond, computes); got != nil && got.Cause == Growing {
		t.Errorf("got %+v, want it to end: there are many, and no more", got)
	}
}
