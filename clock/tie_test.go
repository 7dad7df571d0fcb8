package clock_test

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/halfopen/halfopen/clock"
)

// Timers of one instant fire in the order in which they were last armed; each
// tick arms its ticker again.
func TestTiesFireInTheOrderArmed(t *testing.T) {
	var v clock.Virtual
	var order []string
	add := func(name string) func() { return func() { order = append(order, name) } }
	a := v.AfterFunc(sec, add("a"))
	v.AfterFunc(sec, add("b"))
	c := v.AfterFunc(3*sec, add("c"))
	v.AfterFunc(sec, add("d"))
	a.Reset(sec)
	c.Reset(sec)
	v.AfterFunc(sec, func() { order = append(order, "e"); v.AfterFunc(0, add("f")) })
	v.AfterFunc(sec, add("g"))
	v.Advance(sec)
	if got := strings.Join(order, ""); got != "bdacefg" {
		t.Errorf("got %s, want bdacefg", got)
	}
}

// Tie gets the timers of an instant that are left each time, and the one that it
// chooses fires.
func TestTieChooses(t *testing.T) {
	var asked []string
	var order []string
	v := &clock.Virtual{Tie: func(due []clock.ArmedTimer) int {
		line := ""
		for _, a := range due {
			line += a.Label
		}
		asked = append(asked, line)
		return len(due) - 1
	}}
	add := func(name string, also func()) {
		v.Label(name).AfterFunc(sec, func() {
			order = append(order, name)
			if also != nil {
				also()
			}
		})
	}
	a := v.Label("a").AfterFunc(sec, func() { order = append(order, "a") })
	add("b", nil)
	add("c", func() { a.Stop() })
	add("d", nil)
	tick := v.Label("t").NewTicker(sec)
	v.Advance(sec)
	if got := strings.Join(asked, " "); got != "abcdt abcd abc" {
		t.Errorf("asked: got %s, want abcdt abcd abc", got)
	}
	if got := strings.Join(order, ""); got != "dcb" {
		t.Errorf("fired: got %s, want dcb: c stops a", got)
	}
	if got := <-tick.C; got != clock.Epoch.Add(sec) {
		t.Errorf("tick: got %v", got)
	}
	tick.Stop()
	if left := v.Timers(); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
}

// A timer that Tie itself stops or moves does not fire; Tie is asked again.
func TestTieMayCallTheClock(t *testing.T) {
	var v clock.Virtual
	var timers []*clock.Timer
	asked := 0
	v.Tie = func(due []clock.ArmedTimer) int {
		if asked++; asked == 1 {
			timers[2].Stop()
			timers[1].Reset(sec)
			return 1
		}
		return 0
	}
	for range 4 {
		timers = append(timers, v.NewTimer(sec))
	}
	v.Advance(sec)
	got := ""
	for _, timer := range timers {
		got += fmt.Sprint(len(drained(timer.C)))
	}
	if asked != 2 || got != "1001" || len(v.Timers()) != 1 {
		t.Errorf("got %s after %d questions, armed %v, want 1001 after 2", got, asked, v.Timers())
	}
}

// drained returns the values that can be received from c now.
func drained(c <-chan time.Time) []time.Time {
	var list []time.Time
	for {
		select {
		case at := <-c:
			list = append(list, at)
		default:
			return list
		}
	}
}

// A callback that Tie itself starts has returned before a timer fires.
func TestTieIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var v clock.Virtual
		hold, fired := make(chan bool), new(atomic.Int32)
		v.Tie = func([]clock.ArmedTimer) int {
			v.AfterFunc(0, func() { <-hold })
			return 0
		}
		for range 2 {
			v.AfterFunc(sec, func() { fired.Add(1) })
		}
		go v.Advance(sec)
		for want := range int32(2) {
			if synctest.Wait(); fired.Load() != 2*want {
				t.Errorf("got %d fired, want %d", fired.Load(), 2*want)
			}
			if want == 0 {
				hold <- true
			}
		}
	})
}
