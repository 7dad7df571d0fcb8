package clock

import (
	"context"
	"maps"
	"math/rand/v2"
	"reflect"
	"runtime"
	"slices"
	"testing"
	"time"
	"weak"
)

// The queue hands events out in the order of a sorted list, whatever is armed,
// moved and stopped in between, in small numbers and in large.
func TestQueueKeepsOrder(t *testing.T) {
	for seed := range uint64(20) {
		random := rand.New(rand.NewPCG(seed, 0))
		var q queue
		events := make([]*event, 1+random.IntN(6000))
		for i := range events {
			events[i] = new(event)
		}
		spread := int64(1) << random.IntN(57)
		some := func() *event { return events[random.IntN(len(events))] }
		now := int64(0)
		for range 30 {
			for range random.IntN(len(events)) {
				q.arm(some(), now+1+random.Int64N(spread))
			}
			for range random.IntN(4) { // looked at in between, so it leaves dead ones
				for _, ev := range events[:len(events)/2] {
					if ev.armed && ev.when > now+1 {
						q.arm(ev, ev.when-1)
					}
				}
				q.top(forever)
				count(t, seed, &q, len(list(&q, events)))
			}
			for range random.IntN(len(events)) {
				q.disarm(some())
			}
			for range random.IntN(3) { // a burst that is never wanted
				for _, ev := range events[:len(events)/4] {
					q.arm(ev, now+1+random.Int64N(spread))
					q.disarm(ev)
				}
			}
			want := list(&q, events)
			count(t, seed, &q, len(want))
			for i := range random.IntN(len(want) + 1) {
				ev := q.top(want[i].when)
				if ev != want[i] {
					t.Fatalf("seed %d: got %v, want %v", seed, *ev, *want[i])
				}
				if early := q.top(ev.when - 1); early != nil {
					t.Fatalf("seed %d: got %v too early", seed, *early)
				}
				now = ev.when
				q.take(ev)
			}
			want = list(&q, events)
			count(t, seed, &q, len(want))
			if len(want) == 0 {
				continue
			}
			// The last of those that are due at once, as Tie might choose.
			tied := q.tied()
			now = tied[0].when
			if !slices.Equal(tied, want[:len(tied)]) || len(want) > len(tied) && want[len(tied)].when == now {
				t.Fatalf("seed %d: got %d tied", seed, len(tied))
			}
			q.take(tied[len(tied)-1])
			count(t, seed, &q, len(want)-1)
		}
	}
}

// It does so after every single step, whichever it is.
func TestQueueStepByStep(t *testing.T) {
	for seed := range uint64(400) {
		random := rand.New(rand.NewPCG(seed, 1))
		var q queue
		events := make([]*event, 1+random.IntN(1<<random.IntN(9)))
		for i := range events {
			events[i] = &event{to: make(chan time.Time)}
		}
		spread := int64(1) << random.IntN(12)
		now := int64(0)
		for range 600 {
			ev := events[random.IntN(len(events))]
			switch random.IntN(8) {
			case 0, 1, 2:
				q.arm(ev, now+1+random.Int64N(spread))
			case 3:
				if ev.armed { // as a connection's idle timer
					q.arm(ev, ev.when+random.Int64N(spread))
				}
			case 4:
				q.disarm(ev)
			case 5:
				for _, ev := range events { // so that many are fresh at once
					q.arm(ev, now+1+random.Int64N(spread))
				}
			}
			if random.IntN(3) > 0 {
				continue
			}
			want := list(&q, events)
			count(t, seed, &q, len(want))
			var first *event
			if len(want) > 0 {
				first = want[0]
			}
			if got := q.top(forever); got != first {
				t.Fatalf("seed %d: got %v, want %v", seed, got, first)
			}
			if first != nil && random.IntN(2) > 0 {
				now = first.when
				q.take(first)
			}
		}
	}
}

// What fires without its event being touched fires in order among the others,
// and whoever asks finds that it has.
func TestQueuePasses(t *testing.T) {
	passed := 0
	for seed := range uint64(500) {
		random := rand.New(rand.NewPCG(seed, 2))
		var q queue
		events := make([]*event, 1+random.IntN(1<<random.IntN(12)))
		due := make(map[*event]entry)
		for i := range events {
			events[i] = &event{to: make(chan time.Time)}
			if random.IntN(20) == 0 {
				events[i].to = func() {}
			}
		}
		spread := int64(1) << random.IntN(12)
		now, n := int64(0), uint64(0)
		arm := func(ev *event, when int64) {
			n++
			due[ev] = entry{when: when, seq: n, ev: ev}
			q.arm(ev, when)
		}
		soon := func() int64 { return now + 1 + random.Int64N(spread) }
		for range 40 {
			switch random.IntN(8) {
			case 0:
				for _, ev := range events {
					arm(ev, soon())
				}
			case 1:
				for _, ev := range events {
					if e := due[ev]; e.when > now+1 && random.IntN(3) == 0 {
						arm(ev, e.when-1)
					}
				}
			case 2:
				arm(events[random.IntN(len(events))], soon())
			case 3:
				ev := events[random.IntN(len(events))]
				if _, want := due[ev]; q.disarm(ev) != want {
					t.Fatalf("seed %d: disarmed %v, want %v", seed, !want, want)
				}
				delete(due, ev)
			case 4:
				ev := events[random.IntN(len(events))]
				if _, want := due[ev]; q.holds(ev) != want {
					t.Fatalf("seed %d: holds %v, want %v", seed, !want, want)
				}
			}
			if random.IntN(8) == 0 {
				count(t, seed, &q, len(due))
			}
			to := now + random.Int64N(1+spread/int64(1+random.IntN(16)))
			var want, got []*event
			for _, e := range slices.SortedFunc(maps.Values(due), compare) {
				if e.when <= to {
					want = append(want, e.ev)
					delete(due, e.ev)
				}
			}
			for now = to; ; {
				for e, ok := q.pass(to); ok; e, ok = q.pass(to) {
					got = append(got, e.ev)
					passed++
				}
				ev := q.top(to)
				if ev == nil {
					break
				}
				got = append(got, ev)
				q.take(ev)
			}
			if !slices.Equal(got, want) {
				t.Fatalf("seed %d: got %d events %v, want %d %v", seed, len(got), got, len(want), want)
			}
		}
	}
	if passed == 0 {
		t.Error("nothing was passed")
	}
}

// The clock stands at the instant of each timer that is passed.
func TestPassMovesTheClock(t *testing.T) {
	var v Virtual
	for i := range 2 * runFrom {
		v.NewTimer(time.Duration(1 + i))
	}
	v.Next()
	v.to = runFrom
	v.pass()
	if got := v.now.Load(); got != runFrom {
		t.Errorf("got %d, want %d", got, runFrom)
	}
}

// list is the events that are armed, in the order they will fire.
func list(q *queue, events []*event) []*event {
	var armed []*event
	for _, ev := range events {
		if q.holds(ev) {
			armed = append(armed, ev)
		}
	}
	slices.SortFunc(armed, func(a, b *event) int {
		return compare(a.entry(), b.entry())
	})
	return armed
}

// count checks that q knows which of its entries are dead, and that they are
// not the most.
func count(t *testing.T, seed uint64, q *queue, armed int) {
	t.Helper()
	n, live := q.size(), len(q.list())
	if live != armed || q.armed != armed || n-live > max(sweepFrom, n/2) {
		t.Fatalf("seed %d: got %d entries, %d live and %d counted, for %d events", seed, n, live, q.armed, armed)
	}
}

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
		timers := make([]*Timer, n)
		traces := make([]weak.Pointer[Timer], n)
		for i := range timers {
			timers[i] = v.NewTimer(time.Minute + time.Duration(i))
			traces[i] = weak.Make(timers[i])
		}
		c.end(timers)
		clear(timers)
		runtime.GC()
		left := 0
		for _, trace := range traces {
			if trace.Value() != nil {
				left++
			}
		}
		if left > c.left+sweepFrom {
			t.Errorf("%s: got %d of %d timers in memory, want %d", c.name, left, n, c.left)
		}
		room := cap(v.queue.heap)
		for _, p := range []pile{v.queue.fresh, v.queue.run} {
			sum := cap(p.spare)
			for _, piece := range p.pieces {
				sum += cap(piece)
			}
			room = max(room, sum)
		}
		if c.left == 0 && room > keepUpTo {
			t.Errorf("%s: got room for %d entries, want that of a few", c.name, room)
		}
		v.Advance(10 * time.Minute)
	}
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

// A clock without traps has nothing to look through.
func TestLiftedTrapsAreForgotten(t *testing.T) {
	var v Virtual
	first, second := v.Hold(KindAll, ""), v.Hold(KindAll, "")
	first.Lift()
	if got := *v.traps.Load(); len(got) != 1 || got[0] != second {
		t.Errorf("got %d traps, want the second", len(got))
	}
	second.Lift()
	if v.traps.Load() != nil {
		t.Error("got a list of no traps")
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

// Followers of an end come and go in any order, and each stops once.
func TestFollowers(t *testing.T) {
	var v Virtual
	ctx, cancel := WithTimeout(context.Background(), &v, time.Hour)
	e := &ctx.(*deadline).end
	var got []int
	var stops []func() bool
	for i := range 6 {
		stops = append(stops, e.AfterFunc(func() { got = append(got, i) }))
	}
	for _, i := range []int{0, 5, 2, 2, 0, 5} {
		got = append(got, -i)
		if stops[i]() {
			got = append(got, 1)
		}
	}
	cancel()
	if stops[3]() {
		t.Error("stop after the end: got true")
	}
	if want := []int{0, 1, -5, 1, -2, 1, -2, 0, -5, 1, 3, 4}; !slices.Equal(got, want) {
		t.Errorf("got %d, want %d", got, want)
	}
}
