package program

import (
	"fmt"
	"os"
	"sync"
	"testing"
	"testing/synctest"
)

// One goroutine of a bubble runs at a time, and still the race detector sees two
// accesses that nothing orders. A pool of package fmt, from which both goroutines take
// the same buffer, does not order them. The test that runs this program expects the race.
func TestRace(t *testing.T) {
	if os.Getenv("WANT_RACE") == "" {
		t.Skip("the race is made on purpose")
	}
	synctest.Test(t, func(*testing.T) {
		var n int
		go func() {
			n++
			_ = fmt.Sprint("first")
		}()
		go func() {
			_ = fmt.Sprint("second")
			n++
		}()
		synctest.Wait()
	})
}

// Accesses that a mutex orders, or a reader's lock, are no race, whether a goroutine waits for the
// lock or not.
func TestNoRace(t *testing.T) {
	wantSame(t, 20, func(say func(...any)) {
		var mu sync.Mutex
		var rw sync.RWMutex
		var wg sync.WaitGroup
		n, m := 0, 0
		for range 8 {
			wg.Go(func() {
				mu.Lock()
				n++
				mu.Unlock()
				rw.Lock()
				m++
				rw.Unlock()
				rw.RLock()
				say(m)
				rw.RUnlock()
				if mu.TryLock() {
					n++
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		say(n, m)
	})
}
