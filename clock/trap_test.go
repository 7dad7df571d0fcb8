package clock_test

import (
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/halfopen/halfopen/clock"
)

// A call of each kind is held, has a description, and goes on when released.
func TestTrapHoldsEachKind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := new(clock.Virtual)
		c := v.Label("x")
		timer, ticker := c.NewTimer(time.Hour), c.NewTicker(time.Hour)
		for _, k := range []struct {
			kind clock.Kind
			make func()
			want string
		}{
			{clock.KindNow, func() { c.Now() }, "Now"},
			{clock.KindSince, func() { c.Since(clock.Epoch) }, "Since"},
			{clock.KindUntil, func() { c.Until(clock.Epoch) }, "Until"},
			{clock.KindSleep, func() { c.Sleep(0) }, "Sleep(0s)"},
			{clock.KindAfter, func() { c.After(sec) }, "After(1s)"},
			{clock.KindAfterFunc, func() { c.AfterFunc(sec, func() {}) }, "AfterFunc(1s)"},
			{clock.KindNewTimer, func() { c.NewTimer(sec) }, "NewTimer(1s)"},
			{clock.KindNewTicker, func() { c.NewTicker(sec) }, "NewTicker(1s)"},
			{clock.KindReset, func() { timer.Reset(2 * sec) }, "Reset(2s)"},
			{clock.KindReset, func() { ticker.Reset(2 * sec) }, "Reset(2s)"},
			{clock.KindStop, func() { timer.Stop() }, "Stop"},
			{clock.KindStop, func() { ticker.Stop() }, "Stop"},
		} {
			for _, others := range []clock.Kind{0, clock.KindAll} {
				trap, done := v.Hold(k.kind|others, ""), false
				go func() { k.make(); done = true }()
				call := <-trap.C
				synctest.Wait()
				got := withoutLines(call.String())
				if want := k.want + " x clock/trap_test.go"; got != want || call.Kind != k.kind || done {
					t.Errorf("got %s %v, done %v, want %s", got, call.Kind, done, want)
				}
				call.Release()
				call.Release()
				if synctest.Wait(); !done {
					t.Errorf("%s: not done though released", k.want)
				}
				trap.Lift()
			}
			trap, done := v.Hold(clock.KindAll&^k.kind, ""), false
			go func() { k.make(); done = true }()
			if synctest.Wait(); !done {
				t.Errorf("%s: held by a trap for all other kinds", k.want)
			}
			trap.Lift()
		}
	})
}

// With a trap, the test chooses whether a call or the firing of the timer comes
// first.
func TestTrapLetsTheTimerFireFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := new(clock.Virtual)
		ran := 0
		timer := v.AfterFunc(sec, func() { ran++ })
		trap := v.Hold(clock.KindReset|clock.KindStop, "")
		stopped := make(chan bool, 1)
		go func() { stopped <- timer.Stop() }()
		call := <-trap.C
		v.Advance(sec)
		call.Release()
		if got := <-stopped; got || ran != 1 {
			t.Errorf("got Stop %v, ran %d, want false and 1", got, ran)
		}
		trap.Lift()
	})
}

// Release returns when the call has taken effect, not before.
func TestReleaseWaitsForTheEffect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := new(clock.Virtual)
		trap := v.Hold(clock.KindSleep|clock.KindNewTimer|clock.KindStop, "")
		timers := make(chan *clock.Timer, 1)
		go func() { timers <- v.NewTimer(sec) }()
		(<-trap.C).Release()
		if got := len(v.Timers()); got != 1 {
			t.Errorf("NewTimer: got %d armed, want 1", got)
		}
		timer := <-timers
		go timer.Stop()
		(<-trap.C).Release()
		if got := len(v.Timers()); got != 0 {
			t.Errorf("Stop: got %d armed, want 0", got)
		}
		go v.Sleep(sec)
		(<-trap.C).Release()
		if got := len(v.Timers()); got != 1 {
			t.Errorf("Sleep: got %d armed, want 1", got)
		}
		v.Advance(sec)
		trap.Lift()
	})
}

// A trap with a label holds only calls on clocks with that label; a timer has
// the label of the clock that made it.
func TestTrapByLabel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := new(clock.Virtual)
		pool, server := v.Label("pool"), v.Label("server")
		timer := pool.NewTimer(sec)
		trap := v.Hold(clock.KindAll, "pool")
		server.NewTimer(sec).Stop()
		v.NewTimer(sec).Stop()
		go timer.Stop()
		call := <-trap.C
		if call.Kind != clock.KindStop || call.Label != "pool" {
			t.Errorf("got %v", call)
		}
		call.Release()
		trap.Lift()
	})
}

// When a trap is lifted, the call it holds goes on, and so do the calls that wait
// to be received from it.
func TestLift(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := new(clock.Virtual)
		trap := v.Hold(clock.KindNow, "")
		var left atomic.Int32
		for range 3 {
			left.Add(1)
			go func() { v.Now(); left.Add(-1) }()
		}
		call := <-trap.C
		if synctest.Wait(); left.Load() != 3 {
			t.Errorf("before: got %d held, want 3", left.Load())
		}
		trap.Lift()
		trap.Lift()
		if synctest.Wait(); left.Load() != 0 {
			t.Errorf("after: got %d held, want none", left.Load())
		}
		call.Release()
		v.Now()
	})
}

// If two traps could hold a call, only the trap that was set first holds it.
func TestTrapSetFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := new(clock.Virtual)
		first, second := v.Hold(clock.KindNow, ""), v.Hold(clock.KindAll, "")
		go v.Now()
		(<-first.C).Release()
		first.Lift()
		go v.Now()
		(<-second.C).Release()
		second.Lift()

		// A caller that waits for one trap moves on to the next.
		first, second = v.Hold(clock.KindNow, ""), v.Hold(clock.KindNow, "")
		go v.Now()
		synctest.Wait()
		first.Lift()
		(<-second.C).Release()
		second.Lift()
	})
}

// A callback whose call is held has not returned, so the clock stands still.
func TestTrapInCallback(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := new(clock.Virtual)
		v.AfterFunc(sec, func() { v.NewTimer(sec) })
		trap := v.Hold(clock.KindNewTimer, "")
		go v.Advance(5 * sec)
		call := <-trap.C
		if got := v.Since(clock.Epoch); got != sec {
			t.Errorf("while it is held: got %v, want 1s", got)
		}
		call.Release()
		synctest.Wait()
		if got := v.Since(clock.Epoch); got != 5*sec {
			t.Errorf("after its release: got %v, want 5s", got)
		}
		trap.Lift()
	})
}

// A trap also holds the calls that arm and stop the deadline of a context. They
// show the place where the context was made or cancelled. A deadline that has
// passed is not stopped.
func TestTrapOnContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := new(clock.Virtual)
		trap := v.Hold(clock.KindAfterFunc|clock.KindStop, "")
		go func() {
			_, cancel := clock.WithTimeout(t.Context(), v, sec)
			cancel()
		}()
		for _, want := range []string{"AfterFunc(1s)", "Stop"} {
			call := <-trap.C
			if got := call.String(); !strings.HasPrefix(got, want+" clock/trap_test.go:") {
				t.Errorf("got %s, want %s", got, want)
			}
			call.Release()
		}
		trap.Lift()
		_, cancel := clock.WithTimeout(t.Context(), v, sec)
		defer cancel()
		trap = v.Hold(clock.KindAll, "")
		v.Advance(sec)
		trap.Lift()
	})
}

func TestKindString(t *testing.T) {
	for kind, want := range map[clock.Kind]string{
		0:                                "",
		clock.KindNewTimer:               "NewTimer",
		clock.KindStop | clock.KindReset: "Reset|Stop",
		clock.KindAll:                    "Now|Since|Until|Sleep|After|AfterFunc|NewTimer|NewTicker|Reset|Stop",
	} {
		if got := kind.String(); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
