package clock_test

import (
	"fmt"
	"math"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/halfopen/halfopen/clock"
)

func TestVirtualStarts(t *testing.T) {
	var zero clock.Virtual
	if got := zero.Now(); got != clock.Epoch {
		t.Errorf("zero Virtual: got %v, want %v", got, clock.Epoch)
	}
	if got := clock.NewVirtual(time.Time{}).Now(); got != clock.Epoch {
		t.Errorf("NewVirtual of the zero time: got %v, want %v", got, clock.Epoch)
	}
	place := time.FixedZone("here", 3600)
	for _, at := range []time.Time{time.Now(), time.Now().In(place)} {
		if got := clock.NewVirtual(at).Now(); got != at.Round(0) {
			t.Errorf("NewVirtual: got %#v, want %#v", got, at.Round(0))
		}
	}
}

func TestAdvanceTo(t *testing.T) {
	var v clock.Virtual
	c := v.After(sec)
	if err := v.AdvanceTo(clock.Epoch.Add(sec)); err != nil {
		t.Fatal(err)
	}
	if got := <-c; got != clock.Epoch.Add(sec) || v.Now() != got {
		t.Errorf("the timer fired at %v, and it is %v", got, v.Now())
	}
	if err := v.AdvanceTo(v.Now()); err != nil {
		t.Errorf("to the present: %v", err)
	}
	timer := v.NewTimer(sec)
	for _, to := range []struct {
		at   time.Time
		want string
	}{
		{clock.Epoch.Add(sec - 1), "clock: AdvanceTo: got 2000-01-01T00:00:00.999999999Z, want 2000-01-01T00:00:01Z or later"},
		{time.Time{}, "clock: AdvanceTo: got 0001-01-01T00:00:00Z, want 2000-01-01T00:00:01Z or later"},
		{time.Date(2300, 1, 1, 0, 0, 0, 0, time.UTC), "clock: AdvanceTo: got 2300-01-01T00:00:00Z, want 2292-04-10T23:47:16.854775806Z at the latest"},
	} {
		if err := v.AdvanceTo(to.at); fmt.Sprint(err) != to.want {
			t.Errorf("got %v, want %s", err, to.want)
		}
	}
	if got := v.Now(); got != clock.Epoch.Add(sec) || !timer.Stop() {
		t.Errorf("after errors: it is %v, and something fired", got)
	}
}

// A Virtual that is misused panics with exactly these texts.
func TestVirtualMisuse(t *testing.T) {
	var v clock.Virtual
	ticker := v.NewTicker(sec)
	callback := "clock: a callback moves the clock that waits for it"
	tied := func(tie func(*clock.Virtual) int) {
		var w clock.Virtual
		w.Tie = func([]clock.ArmedTimer) int { return tie(&w) }
		w.After(sec)
		w.After(sec)
		w.Advance(sec)
	}
	for _, m := range []struct {
		want   string
		misuse func()
	}{
		{"clock: Advance by a negative duration", func() { v.Advance(-1) }},
		{"clock: Advance beyond the 292 years a Virtual lasts", func() { v.Advance(math.MaxInt64) }},
		{"clock: NewTicker needs a positive period", func() { v.NewTicker(0) }},
		{"clock: Ticker.Reset needs a positive period", func() { ticker.Reset(-1) }},
		{"clock: AfterFunc needs a function", func() { v.AfterFunc(sec, nil) }},
		{"clock: Stop of a Timer that no Clock made", func() { new(clock.Timer).Stop() }},
		{"clock: Reset of a Timer that no Clock made", func() { new(clock.Timer).Reset(sec) }},
		{"clock: Stop of a Ticker that no Clock made", func() { new(clock.Ticker).Stop() }},
		{"clock: Reset of a Ticker that no Clock made", func() { new(clock.Ticker).Reset(sec) }},
		{"clock: Tie chose 2 of 2 timers", func() { tied(func(*clock.Virtual) int { return 2 }) }},
		{"clock: Tie chose -1 of 2 timers", func() { tied(func(*clock.Virtual) int { return -1 }) }},
		{callback, func() { tied(func(w *clock.Virtual) int { w.Advance(0); return 0 }) }},
		{callback, func() {
			var w clock.Virtual
			w.Settle = func() { _ = w.AdvanceTo(w.Now()) }
			w.Step()
		}},
		{callback, func() {
			said := make(chan any)
			v.AfterFunc(0, func() {
				defer func() { said <- recover() }()
				deep(100, func() { v.Step() })
			})
			panic(<-said)
		}},
	} {
		func() {
			defer func() {
				if got := recover(); got != m.want {
					t.Errorf("got panic %v, want %s", got, m.want)
				}
			}()
			m.misuse()
		}()
	}
	v.Advance(0) // no panic has left the clock locked
}

// deep calls f from the bottom of a stack of n frames.
func deep(n int, f func()) {
	if n == 0 {
		f()
	} else {
		deep(n-1, f)
	}
}

// Step fires only one timer, even if another is due at the same instant.
func TestStep(t *testing.T) {
	var v clock.Virtual
	var ran []string
	v.AfterFunc(2*sec, func() { ran = append(ran, "c") })
	v.AfterFunc(sec, func() { ran = append(ran, "a") })
	v.AfterFunc(sec, func() { ran = append(ran, "b") })
	for _, want := range []string{"1s a", "1s a b", "2s a b c"} {
		next, _ := v.Next()
		fired, ok := v.Step()
		got := fmt.Sprint(v.Since(clock.Epoch), " ", strings.Join(ran, " "))
		if !ok || got != want || fired.Due != v.Now() || fired.Due != next || fired.Kind != clock.KindAfterFunc {
			t.Errorf("got %s, fired %v, next %v, want %s", got, fired, next, want)
		}
	}
	if next, ok := v.Next(); ok {
		t.Errorf("Next with nothing armed: got %v", next)
	}
	if fired, ok := v.Step(); ok || v.Since(clock.Epoch) != 2*sec {
		t.Errorf("Step with nothing armed: got %v at %v", fired, v.Now())
	}
}

// Timers lists the armed timers in the order in which they will fire, each with
// its label and its caller.
func TestTimersLists(t *testing.T) {
	v := &clock.Virtual{Callers: true}
	idle := v.Label("idle").NewTimer(3 * sec)
	v.NewTicker(sec)
	v.Label("retry").AfterFunc(2*sec, func() {})
	v.AfterFunc(sec, func() {}).Stop()
	v.After(sec)
	_, cancel := clock.WithTimeout(t.Context(), v.Label("dial"), 4*sec)
	defer cancel()
	idle.Reset(sec)
	var lines []string
	for _, a := range v.Timers() {
		lines = append(lines, a.String())
		if !strings.HasPrefix(a.Caller(), "clock/virtual_test.go:") {
			t.Errorf("caller of %v: got %s", a, a.Caller())
		}
	}
	got := withoutLines(strings.Join(lines, "\n"))
	want := `2000-01-01T00:00:01Z NewTicker every 1s clock/virtual_test.go
2000-01-01T00:00:01Z After clock/virtual_test.go
2000-01-01T00:00:01Z NewTimer idle clock/virtual_test.go
2000-01-01T00:00:02Z AfterFunc retry clock/virtual_test.go
2000-01-01T00:00:04Z AfterFunc dial clock/virtual_test.go`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	v.Callers = false
	if v.NewTimer(sec).Stop(); len(v.Timers()) != 5 {
		t.Errorf("after Stop: got %v", v.Timers())
	}
	v.NewTimer(1)
	if a := v.Timers()[0]; a.Caller() != "" || a.String() != "2000-01-01T00:00:00.000000001Z NewTimer" {
		t.Errorf("without Callers: got %v", a)
	}
}

// withoutLines returns s without the line numbers, because edits of this file
// change them.
func withoutLines(s string) string {
	var out strings.Builder
	for i, part := range strings.Split(s, ".go:") {
		if i > 0 {
			out.WriteString(".go")
			part = strings.TrimLeft(part, "0123456789")
		}
		out.WriteString(part)
	}
	return out.String()
}

// The clock stands still while a callback runs, however many goroutines want to
// move it.
func TestAdvanceWaitsForCallbacks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := new(clock.Virtual)
		hold := make(chan bool)
		var moved atomic.Int32
		v.AfterFunc(0, func() { <-hold })
		v.AfterFunc(sec, func() { <-hold })
		for range 2 {
			go func() { v.Advance(sec); moved.Add(1) }()
		}
		want := func(at time.Duration, n int32) {
			t.Helper()
			synctest.Wait()
			if v.Since(clock.Epoch) != at || moved.Load() != n {
				t.Errorf("got %v and %d moved, want %v and %d", v.Since(clock.Epoch), moved.Load(), at, n)
			}
		}
		want(0, 0)
		hold <- true
		want(sec, 0)
		hold <- true
		want(2*sec, 2)
	})
}

// Two goroutines that move the clock take turns, even if no callback runs.
func TestMoversTakeTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hold := make(chan bool)
		v := &clock.Virtual{Settle: func() { <-hold }}
		for range 2 {
			go v.Advance(sec)
		}
		for i := range time.Duration(2) {
			synctest.Wait()
			if got := v.Since(clock.Epoch); got != i*sec {
				t.Errorf("after %d turns: got %v", i, got)
			}
			hold <- true
		}
	})
}

// The clock does not take a goroutine that sleeps while a callback runs for that
// callback.
func TestSleepBesideCallback(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := new(clock.Virtual)
		hold := make(chan bool)
		v.AfterFunc(0, func() { <-hold })
		go v.Sleep(sec)
		synctest.Wait()
		go v.Advance(sec)
		synctest.Wait()
		if got := v.Since(clock.Epoch); got != 0 {
			t.Errorf("the clock moved by %v while a callback ran", got)
		}
		hold <- true
	})
}

// With Settle, every goroutine that a timer woke is blocked again before the next
// timer fires.
func TestSettle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := &clock.Virtual{Settle: synctest.Wait}
		var woke []time.Duration
		go func() {
			for d := range 5 {
				v.Sleep(time.Duration(d) * sec)
				woke = append(woke, v.Since(clock.Epoch)/sec)
			}
		}()
		v.Advance(20 * sec)
		if want := []time.Duration{0, 1, 3, 6, 10}; !slices.Equal(woke, want) {
			t.Errorf("got %d, want %d", woke, want)
		}
		go func() { v.Sleep(sec); woke = nil }()
		if fired, ok := v.Step(); !ok || fired.Kind != clock.KindSleep || woke != nil {
			t.Errorf("Step: got %v %v, and woke %d", fired, ok, woke)
		}
	})
}

// Many goroutines call all methods at the same time. The race detector watches.
func TestVirtualConcurrently(t *testing.T) {
	var v clock.Virtual
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			ticker := v.NewTicker(3)
			timer := v.NewTimer(2)
			for i := range 500 {
				switch i % 5 {
				case 0:
					timer.Reset(time.Duration(i % 7))
				case 1:
					timer.Stop()
				case 2:
					ticker.Reset(time.Duration(1 + i%3))
				case 3:
					v.AfterFunc(1, func() { timer.Reset(1); v.Timers() })
				case 4:
					ctx, cancel := clock.WithTimeout(t.Context(), v.Label("x"), 1)
					v.Sleep(-1)
					v.Next()
					v.Now()
					_ = ctx.Err()
					cancel()
				}
				drained(ticker.C)
			}
			ticker.Stop()
			timer.Stop()
		})
		all.Go(func() {
			for range 200 {
				v.Advance(2)
				v.Step()
				runtime.Gosched()
			}
		})
	}
	all.Wait()
	v.Advance(10)
	if left := v.Timers(); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
}

// After Stop or Reset no value of the earlier setting is received, even if the
// timer fires at almost the same time.
func TestNoStaleValueUnderConcurrency(t *testing.T) {
	var v clock.Virtual
	stop := make(chan bool)
	var all sync.WaitGroup
	all.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				v.Advance(1)
				runtime.Gosched()
			}
		}
	})
	timer := v.NewTimer(1)
	for i := range 4_000 {
		before := v.Now()
		timer.Reset(time.Duration(1 + i%3))
		if i%4 == 0 {
			if timer.Stop(); len(drained(timer.C)) > 0 {
				t.Fatal("a value after Stop")
			}
			continue
		}
		if at := <-timer.C; !at.After(before) {
			t.Fatalf("a value of %v after Reset at %v", at, before)
		}
	}
	close(stop)
	all.Wait()
}
