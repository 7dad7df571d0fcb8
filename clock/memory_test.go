package clock

import (
	"context"
	"reflect"
	"runtime"
	"testing"
	"time"
	"weak"
)

// Timers that were stopped or have fired can be collected while their clock
// lives on, and so can the room that a burst of timers took.
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
		left int // how many are still armed afterwards
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
		{"moved earlier, with Next each time", func(timers []*Timer) {
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
		wantCollected(t, &v, c.name, n, c.left, c.end)
	}
}

// wantCollected makes n timers and passes them to end. Then it checks that only
// the armed ones are still in memory, and that the queue has no room for many
// more.
func wantCollected(t *testing.T, v *Virtual, name string, n, armed int, end func([]*Timer)) {
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
	for _, p := range []chunkList{v.queue.fresh, v.queue.run} {
		sum := cap(p.spare)
		for _, chunk := range p.chunks {
			sum += cap(chunk)
		}
		room = max(room, sum)
	}
	if armed == 0 && room > keepUpTo {
		t.Errorf("%s: got room for %d entries, want that of a few", name, room)
	}
	v.Advance(10 * time.Minute)
}

// A timer and its event fit in one line of the cache.
func TestTimerIsSmall(t *testing.T) {
	if size := reflect.TypeFor[struct {
		Timer
		event
	}]().Size(); size > 64 {
		t.Errorf("got %d bytes, want at most 64", size)
	}
}

// Contexts that were cancelled can be collected while their parent lives on.
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
