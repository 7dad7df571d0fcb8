package bubble

import (
	"bytes"
	"fmt"
	"runtime"
	"runtime/debug"
	"strconv"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// Bubble is one bubble. The zero value has not been opened.
type Bubble struct {
	id    atomic.Uint64 // its number in goroutine dumps
	waits atomic.Int64  // how often its root has waited for quiet
}

// Ending says how a bubble ended.
type Ending struct {
	Goexit   bool        // its root goroutine ended early: a race was seen
	Deadlock error       // goroutines were left that nothing can wake
	Left     []Goroutine // those
	Panicked any         // the value that the root panicked with
	Stack    []byte      // of that panic
	Frozen   *Freeze     // it did not end
}

// Open runs f as the root of the bubble, and returns when the bubble has ended,
// however it ended, or when the watchdog has found it frozen. A nil t serves a
// plain program: a zero testing.T does, as long as it is not failed. The bubble has
// a goroutine of its own, because a deadlock is a panic in it and a failed t ends it.
func (b *Bubble) Open(t *testing.T, dog *Watchdog, f func()) Ending {
	var end Ending
	if t == nil {
		t = new(testing.T)
	}
	resolver()
	done := make(chan struct{})
	dog.watch(b)
	go func() {
		defer close(done)
		finished := false
		defer func() {
			if r := recover(); r != nil {
				end.Deadlock = fmt.Errorf("%v", r)
			} else if !finished {
				end.Goexit = true
			}
		}()
		synctest.Test(t, func(*testing.T) {
			// A panic here would be the end of the process.
			defer func() {
				if r := recover(); r != nil {
					end.Panicked, end.Stack = r, debug.Stack()
				}
			}()
			b.id.Store(CurrentID())
			f()
		})
		finished = true
	}()
	select {
	case <-done:
	case freeze := <-dog.frozen:
		forgetLookups()
		return Ending{Frozen: freeze} // its goroutines cannot be freed
	}
	if end.Deadlock != nil {
		forgetLookups()
		end.Left = b.Goroutines()
	}
	return end
}

// Wait returns when every other goroutine of the bubble is durably blocked. The
// root calls it, again and again: a bubble that stands still meanwhile is frozen.
func (b *Bubble) Wait() {
	b.waits.Add(1)
	synctest.Wait()
}

// ID returns the number of the bubble, from its opening on.
func (b *Bubble) ID() uint64 { return b.id.Load() }

// Goroutines returns the bubble's goroutines, by number.
func (b *Bubble) Goroutines() []Goroutine { return goroutines(b.id.Load()) }

// Empty reports whether no goroutine of the bubble is left but its own.
func (b *Bubble) Empty() bool { return len(b.Goroutines()) == ownGoroutines }

// ownGoroutines is the number of goroutines that a bubble has of itself: those of
// package testing, and its root.
const ownGoroutines = 3

// begin is when the time of each bubble begins: package testing/synctest promises it.
var begin = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// Elapsed returns how much time has passed in the bubble of the caller.
func Elapsed() time.Duration { return time.Since(begin) }

// Inside reports whether the caller runs in a bubble.
func Inside() bool { return CurrentID() != 0 }

// CurrentID returns the number of the bubble that the caller runs in, or 0.
func CurrentID() uint64 {
	var buf [128]byte
	head, _, _ := bytes.Cut(buf[:runtime.Stack(buf[:], false)], []byte("]"))
	_, number, _ := bytes.Cut(head, []byte(inBubble))
	number, _, _ = bytes.Cut(number, []byte(","))
	id, _ := strconv.ParseUint(string(number), 10, 64)
	return id
}
