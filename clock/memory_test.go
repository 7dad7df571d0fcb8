package clock

import (
	"context"
	"reflect"
	"runtime"
	"testing"
	"time"
	"weak"
)

// Timers that were stopped or have fired are left to the collector, and so is
// the memory of a burst, though the clock lives on.
func TestStoppedTimersAreCollected(t *testing.T) {
	const n = 24_000
	var v Virtual
	defer runtime.KeepAlive(&v)
	v.AfterFunc(24*time.Hour, func() {})
	stopEach := func(timers []*Timer, first, step int) {
		for i := first; i < len(timers); i += step {
			timers[i].Stop()
		}
	}
	for _, c := range []struct {
		name string
		end  func([]*Timer)
		left int // still armed then
	}{
		{"stopped", func(timers []*Timer) { stopEach(timers, 0, 1) }, 0},
		{"stopped once sorted", func(timers []*Timer) { v.Next(); stopEach(timers, 0, 1) }, 0},
		{"stopped before sorted", func(timers []*Timer) { stopEach(timers, 0, 3); v.Next() }, n - n/3},
		{"stopped one after the other", func(timers []*Timer) {
			for i := range timers {
				timers[i].Stop()
				if i%10 == 0 {
					v.Advance(1)
				}
			}
		}, 0},
		{"fired among others", func(timers []*Timer) {
			stopEach(timers, 0, 3)
			v.Next()
			for range n / 20 {
				v.NewTimer(time.Minute)
			}
			v.Advance(time.Minute)
			stopEach(timers, 1, 3)
			v.Advance(time.Minute)
		}, 0},
		{"moved earlier, looked at each time", func(timers []*Timer) {
			for i := range timers {
				v.Next()
				timers[i].Reset(time.Minute)
				v.Next()
				timers[i].Reset(time.Second)
			}
			v.Advance(time.Second)
		}, 0},
		{"fired", func([]*Timer) { v.Advance(2 * time.Minute) }, 0},
	} {
		collected(t, &v, c.name, n, c.left, c.end)
	}
}

// collected makes n timers, lets end do away with them, and checks that memory keeps
// those that are still armed and no others, nor room for them.
func collected(t *testing.T, v *Virtual, name string, n, armed int, end func([]*Timer)) {
	t.Helper()
	timers := make([]*Timer, n)
	traces := make([]weak.Pointer[Timer], n)
	for i := range timers {
		timers[i] = v.NewTimer(time.Minute + time.Duration(i))
		traces[i] = weak.Make(timers[i])
	}
	end(timers)
	clear(timers)
	runtime.GC()
	left := 0
	for _, trace := range traces {
		if trace.Value() != nil {
			left++
		}
	}
	if left > armed+sweepFrom {
		t.Errorf("%s: got %d of %d timers in memory, want %d", name, left, n, armed)
	}
	room := cap(v.queue.heap)
	for _, p := range []pile{v.queue.fresh, v.queue.run} {
		sum := cap(p.spare)
		for _, piece := range p.pieces {
			sum += cap(piece)
		}
		room = max(room, sum)
	}
	if armed == 0 && room > keepUpTo {
		t.Errorf("%s: got room for %d entries, want that of a few", name, room)
	}
	v.Advance(10 * time.Minute)
}

// A timer with all that its clock knows of it is one line of the cache.
func TestTimerIsSmall(t *testing.T) {
	if size := reflect.TypeFor[struct {
		Timer
		event
	}]().Size(); size > 64 {
		t.Errorf("got %d bytes, want at most 64", size)
	}
}

// Contexts that were cancelled are left to the collector, though their parent
// lives on.
func TestCancelledContextsAreCollected(t *testing.T) {
	var v Virtual
	ours, cancel := WithTimeout(context.Background(), &v, time.Hour)
	defer cancel()
	theirs, cancel := context.WithCancel(context.Background())
	defer cancel()
	for _, parent := range []context.Context{ours, theirs} {
		var traces []weak.Pointer[deadline]
		for range 1000 {
			ctx, cancel := WithTimeout(parent, &v, time.Minute)
			traces = append(traces, weak.Make(ctx.(*deadline)))
			cancel()
		}
		runtime.GC()
		left := 0
		for _, trace := range traces {
			if trace.Value() != nil {
				left++
			}
		}
		if left > sweepFrom {
			t.Errorf("below %v: got %d of %d contexts still in memory", parent, left, len(traces))
		}
	}
}
