package program

import (
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"
)

// Waiting for a lock that is held for an hour of virtual time takes no real time.
func TestHeldOverSleep(t *testing.T) {
	start := time.Now()
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		var mu sync.Mutex
		go func() {
			mu.Lock()
			defer mu.Unlock()
			time.Sleep(time.Hour) // virtual
		}()
		synctest.Wait()
		mu.Lock()
		mu.Unlock()

		var rw sync.RWMutex
		for range 2 {
			go func() {
				rw.RLock()
				defer rw.RUnlock()
				time.Sleep(time.Hour) // virtual
			}()
		}
		synctest.Wait()
		rw.Lock()
		go func() {
			defer rw.Unlock()
			time.Sleep(time.Hour) // virtual
		}()
		rw.RLock()
		rw.RUnlock()
		if d := time.Since(begin); d != 3*time.Hour {
			t.Errorf("%v passed, not 3h", d)
		}
	})
	if d := time.Since(start); d > time.Minute {
		t.Errorf("it took %v of real time", d)
	}
}

// While a goroutine outside holds a lock, time stands still in the bubble, and no
// deadlock is reported. Once a goroutine of the bubble holds the lock, the others
// of the bubble wait durably, also those that began to wait before.
func TestHeldOutside(t *testing.T) {
	var mu sync.Mutex
	mu.Lock()
	waiting := make(chan bool)
	go func() {
		<-waiting
		for atomic.LoadInt32((*int32)(unsafe.Pointer(&mu)))>>3 < 3 { // the number of waiting goroutines
			runtime.Gosched()
		}
		for range 10_000 { // if the waits were durable, time would go on now
			runtime.Gosched()
		}
		mu.Unlock()
	}()
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		time.AfterFunc(time.Minute, func() { time.Sleep(time.Hour) }) // virtual
		var wg sync.WaitGroup
		first := true // no goroutine of the bubble has got the lock yet
		for range 3 {
			wg.Go(func() {
				mu.Lock()
				if first && time.Now() != begin {
					t.Errorf("%v passed while the lock was held outside", time.Since(begin))
				}
				first = false
				time.Sleep(time.Hour) // virtual
				mu.Unlock()
			})
		}
		close(waiting) // made outside
		wg.Wait()
		if d := time.Since(begin); d != 3*time.Hour {
			t.Errorf("%v passed, not 3h", d)
		}
	})
}

// A writer waits for a reader of its bubble and for a reader outside. Once the
// reader outside has left, the wait is durable.
func TestReaders(t *testing.T) {
	var rw sync.RWMutex
	rw.RLock()
	leave := make(chan bool)
	go func() {
		<-leave
		rw.RUnlock()
	}()
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		go func() {
			rw.RLock()
			defer rw.RUnlock()
			time.Sleep(time.Hour) // virtual
		}()
		synctest.Wait()
		go close(leave)
		rw.Lock()
		rw.Unlock()
		if d := time.Since(begin); d != time.Hour {
			t.Errorf("%v passed, not 1h", d)
		}
	})
}

// Two goroutines that wait for each other's mutex are a deadlock, which is
// reported at once.
func TestDeadlock(t *testing.T) {
	defer func() {
		if r := fmt.Sprint(recover()); !strings.Contains(r, "deadlock") {
			t.Errorf("got %s, want a deadlock", r)
		}
	}()
	synctest.Test(new(testing.T), func(t *testing.T) {
		var a, b sync.Mutex
		var wg sync.WaitGroup
		for _, l := range [][2]*sync.Mutex{{&a, &b}, {&b, &a}} {
			wg.Go(func() {
				l[0].Lock()
				time.Sleep(1) // virtual
				l[1].Lock()
			})
		}
		wg.Wait()
	})
}
