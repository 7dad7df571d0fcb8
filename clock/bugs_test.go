package clock_test

import (
	"testing"
	"testing/synctest"

	"github.com/halfopen/halfopen/clock"
)

// This clock does not have the bugs that were reproduced in other virtual
// clocks. Each has the name of the packages in which it was seen. Each runs in
// a bubble, where a deadlock fails the test at once.
func TestBugsOfOthers(t *testing.T) {
	for _, bug := range []struct {
		name string
		play func(t *testing.T, v *clock.Virtual)
	}{
		{"a ticker that was reset ticks after it is stopped (clockwork)", func(t *testing.T, v *clock.Virtual) {
			ticker := v.NewTicker(sec)
			ticker.Reset(2 * sec)
			ticker.Stop()
			v.Advance(10 * sec)
			if got := drained(ticker.C); len(got) > 0 || len(v.Timers()) > 0 {
				t.Errorf("got ticks %v, armed %v", got, v.Timers())
			}
		}},
		{"a ticker that was stopped ticks (k8s.io/utils)", func(t *testing.T, v *clock.Virtual) {
			ticker := v.NewTicker(sec)
			v.Advance(sec)
			ticker.Stop()
			v.Advance(10 * sec)
			if got := drained(ticker.C); len(got) > 0 {
				t.Errorf("got ticks %v", got)
			}
		}},
		{"a callback that calls the clock deadlocks (k8s.io/utils)", callEverything},
		{"resetting a timer that fired unread deadlocks (benbjohnson/clock, k8s.io/utils)", func(t *testing.T, v *clock.Virtual) {
			timer := v.NewTimer(sec)
			for range 3 {
				v.Advance(sec)
				if !timer.Reset(sec) {
					t.Error("Reset: got false though the value was unread")
				}
			}
			v.Advance(sec)
			if got := drained(timer.C); len(got) != 1 || got[0] != clock.Epoch.Add(4*sec) {
				t.Errorf("got %v, want one value, of 4s", got)
			}
		}},
	} {
		t.Run(bug.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { bug.play(t, new(clock.Virtual)) })
		})
	}
}

// callEverything calls each method of the clock from a function of AfterFunc.
func callEverything(t *testing.T, v *clock.Virtual) {
	other := v.NewTimer(5 * sec)
	ticker := v.NewTicker(4 * sec)
	called := false
	var own *clock.Timer
	own = v.AfterFunc(sec, func() {
		v.Now()
		v.Since(v.Now())
		v.Until(v.Now())
		v.Next()
		v.Timers()
		v.Sleep(0)
		v.Sleep(1)
		<-v.After(0)
		v.NewTimer(sec).Stop()
		v.NewTicker(sec).Stop()
		v.AfterFunc(sec, func() {})
		v.Hold(clock.KindNow, "").Lift()
		_, cancel := clock.WithTimeout(t.Context(), v, sec)
		cancel()
		other.Reset(sec)
		ticker.Reset(sec)
		ticker.Stop()
		own.Reset(sec)
		called = own.Stop()
	})
	v.Advance(3 * sec)
	if !called || len(drained(other.C)) != 1 || len(v.Timers()) > 0 {
		t.Errorf("called %v, armed %v", called, v.Timers())
	}
}
