package harness_test

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/halfopen/halfopen/harness"
)

// bodies is programs whose test itself misbehaves.
var bodies = []program{
	{does: "the body panics", run: once(func(*harness.T) { panic("mine") }), want: "panic: mine\n    harness_test."},
	{does: "the body panics with nil", run: once(func(*harness.T) { panic(any(nil)) }), want: "panic called with nil argument"},
	{does: "the body panics with an error that panics", run: once(func(*harness.T) { panic(panickingError{}) }), want: "panic: %!v(PANIC=Error method: mine)"},
	{does: "the body divides by zero", run: once(func(t *harness.T) { t.Log(1 / len(t.Requests())) }), want: "panic: runtime error: integer divide by zero"},
	{does: "the body reads through nil", run: once(func(*harness.T) { var r *http.Response; _ = r.Body }), want: "panic: runtime error: invalid memory address"},
	{does: "the body closes a channel twice", run: once(func(*harness.T) { c := make(chan int); close(c); close(c) }), want: "panic: close of closed channel"},
	{does: "the body asks for a slice of negative length", run: once(func(t *harness.T) { _ = make([]byte, len(t.Requests())-1) }), want: "makeslice: len out of range"},
	{does: "a group is counted below zero", run: once(func(*harness.T) { new(sync.WaitGroup).Done() }), want: "panic: sync: negative WaitGroup counter"},
	{does: "the body ends its goroutine", run: once(func(*harness.T) { runtime.Goexit() }), want: "the body called runtime.Goexit"},
	{does: "the body fails without a word", run: once(func(t *harness.T) { t.FailNow() }), want: "failed  (programs_bodies_test.go:"},
	{does: "the body skips its test", run: func(t *testing.T) string {
		held := t.Run("inside", func(t *testing.T) {
			harness.Test(t, func(*harness.T) { t.Skip("not today") })
			t.Error("got past the test, want it skipped")
		})
		return fmt.Sprintln("failed:", !held)
	}, want: "failed: false\n"},
	{does: "a clean-up panics", run: once(func(t *harness.T) { t.Cleanup(func() { panic("mine") }) }), want: "panic: mine"},
	{does: "a clean-up ends its goroutine", run: once(func(t *harness.T) { t.Cleanup(runtime.Goexit) }), want: "the body called runtime.Goexit"},
	{does: "each clean-up adds another", run: once(func(t *harness.T) {
		var again func()
		again = func() {
			if spinning.Load() {
				t.Cleanup(again)
			}
		}
		again()
	}), want: "endless: a goroutine runs on and on"},
	{does: "the body computes without end", run: once(func(t *harness.T) {
		for spinning.Load() {
		}
	}), want: "endless: a goroutine runs on and on, and neither ends nor waits  (programs_bodies_test.go:"},
	{does: "goroutines beget goroutines without end", run: once(func(t *harness.T) {
		var beget func()
		beget = func() {
			for range 10_000 { // the race detector keeps something of each goroutine that there was
				if !spinning.Load() {
					return
				}
			}
			go beget()
		}
		beget()
	}), want: "endless: a goroutine runs on and on"},
	{does: "a goroutine asks in a loop, with Gosched", run: once(func(t *harness.T) {
		go func() {
			for spinning.Load() {
				runtime.Gosched()
			}
		}()
	}), want: "endless: a goroutine runs on and on"},
	{does: "time passes in small steps without end", run: once(func(t *harness.T) {
		for t.Context().Err() == nil {
			time.Sleep(time.Second) // virtual
		}
	}), want: "stuck: nothing moved for 24h0m0s of virtual time"},
	// It sleeps in virtual time.
	{does: "the body sleeps as long as can be", run: once(func(*harness.T) { time.Sleep(math.MaxInt64) }), want: "stuck: nothing moved for 24h0m0s"}, // virtual
	{does: "the body waits for nothing", run: once(func(*harness.T) { select {} }), want: "stuck: nothing moved"},
	{does: "the body receives from a nil channel", run: once(func(*harness.T) { <-(chan int)(nil) }), want: "stuck: nothing moved"},
	{does: "the body waits for a condition", run: once(func(*harness.T) {
		var mu sync.Mutex
		mu.Lock()
		sync.NewCond(&mu).Wait()
	}), want: "stuck: nothing moved"},
	{does: "the body waits for a group", run: once(func(*harness.T) {
		var group sync.WaitGroup
		group.Add(1)
		group.Wait()
	}), want: "stuck: nothing moved"},
	{does: "the body locks a mutex twice", run: once(func(*harness.T) {
		var mu sync.Mutex
		mu.Lock()
		mu.Lock()
	}), want: "undecided: a goroutine waits for a mutex"},
	{does: "two goroutines lock two mutexes", run: once(func(*harness.T) {
		var a, b sync.Mutex
		locked := make(chan bool)
		lock := func(first, second *sync.Mutex) {
			first.Lock()
			locked <- true
			second.Lock()
		}
		go lock(&a, &b)
		go lock(&b, &a)
		<-locked
		<-locked
	}), want: "undecided: a goroutine waits for a mutex"},
	{does: "a reader waits for a writer's lock that waits for it", run: once(func(*harness.T) {
		var mu sync.RWMutex
		mu.RLock()
		mu.Lock()
	}), want: "undecided: a goroutine waits for a mutex"},
	{does: "a once calls itself", run: once(func(*harness.T) {
		var first sync.Once
		first.Do(func() { first.Do(func() {}) })
	}), want: "undecided: a goroutine waits for a mutex"},
	{does: "a goroutine is left", run: once(func(*harness.T) { go func() { select {} }() }), want: "goroutine left: select (no cases): harness_test."},
	{does: "a crowd of goroutines is left", run: once(func(*harness.T) {
		for range crowd {
			go func() { select {} }()
		}
	}), crowds: true, want: fmt.Sprintf("(%d of them)\n", crowd)},
	{does: "a hundred goroutines are left, each in its own way", run: once(func(*harness.T) {
		for i := range 100 {
			go nested(i, func() { select {} })
		}
	}), want: "goroutine left: "},
	{does: "a ticker and timers are left", run: once(func(*harness.T) {
		time.NewTicker(time.Second)
		time.NewTimer(time.Hour)
		time.AfterFunc(48*time.Hour, func() {})
	}), want: "program: held\n"},
	{does: "a goroutine fails the test after its end", run: once(func(t *harness.T) {
		time.AfterFunc(time.Second, func() { t.Error("late") })
	}), want: "program: held\n"},
	{does: "a goroutine locks its thread and ends", run: once(func(*harness.T) { go runtime.LockOSThread() }), want: "program: held\n"},
	{does: "a test is begun inside a test", run: once(func(t *harness.T) { harness.Test(t, func(*harness.T) {}) }), want: "a test of the harness begins inside another one"},
	{does: "an exploration is begun inside a test", run: once(func(t *harness.T) { harness.Explore(t, harness.Bounds{}, func(*harness.T) {}) }), want: "a test of the harness begins inside another one"},
	{does: "a test is begun inside an exploration", run: exploring(func(t *harness.T) { harness.Test(t, func(*harness.T) {}) }), want: "a test of the harness begins inside another one"},
	{does: "a T is used after its test", run: func(*testing.T) (said string) {
		var late *harness.T
		harness.TestReport("first", func(t *harness.T) { late = t })
		defer func() { said = recover().(string) + "\n" }()
		late.Settle()
		return ""
	}, want: "harness: a T is used after its test has ended"},
	{does: "an explored body panics", run: exploring(func(*harness.T) { panic("mine") }), want: "panic: mine"},
	{does: "an explored body ends its goroutine", run: exploring(func(*harness.T) { runtime.Goexit() }), want: "the body called runtime.Goexit"},
	{does: "an explored body computes without end", run: exploring(func(t *harness.T) {
		for spinning.Load() {
		}
	}), want: "endless: a goroutine runs on and on"},
	{does: "an explored body does something else each time", run: func(*testing.T) string {
		runs := 0
		return exploring(func(t *harness.T) {
			if runs++; runs%2 == 0 {
				t.Do(t.Context(), "a", func(ctx context.Context) error { return ctx.Err() })
			}
			t.Do(t.Context(), "b", func(ctx context.Context) error { return ctx.Err() })
		})(nil)
	}, want: "uncontrolled nondeterminism"},
	{does: "an explored body declares nothing", run: exploring(func(*harness.T) {}), want: "explored "},
	{does: "an explored body is left with a goroutine", run: exploring(func(*harness.T) { go func() { select {} }() }), want: "goroutine left: "},
	{does: "an operation panics", run: once(func(t *harness.T) {
		t.Do(t.Context(), "a", func(context.Context) error { panic("mine") }).Await()
	}), want: "a: panic: mine"},
	{does: "an operation ends its goroutine", run: once(func(t *harness.T) {
		t.Do(t.Context(), "a", func(context.Context) error { runtime.Goexit(); return nil }).Await()
	}), want: "a called runtime.Goexit"},
	{does: "an operation ignores its context", run: once(func(t *harness.T) {
		t.Do(t.Context(), "a", func(context.Context) error { select {} }).Cancel()
	}), want: "a: cancelled, and still pending when all was quiet"},
	{does: "an operation returns an error that panics", run: once(func(t *harness.T) {
		t.Do(t.Context(), "a", func(context.Context) error { return panickingError{} }).WantDone()
	}), want: "a: got error: %!v(PANIC=Error method: mine), want done"},
	{does: "an operation waits for the one that it is", run: once(func(t *harness.T) {
		var a *harness.Op
		started := make(chan bool)
		a = t.Do(t.Context(), "a", func(context.Context) error { <-started; a.Await(); return nil })
		close(started)
		a.Await()
	}), want: "stuck: nothing moved"},
	{does: "a check panics", run: once(func(t *harness.T) { t.AtQuiet(func() { panic("mine") }); t.Settle() }), want: "panic: mine"},
	{does: "a check ends its goroutine", run: once(func(t *harness.T) { t.AtQuiet(runtime.Goexit); t.Settle() }), want: "a check of AtQuiet called runtime.Goexit"},
	{does: "a check waits without end", run: once(func(t *harness.T) { t.AtQuiet(func() { select {} }); t.Settle() }), want: "goroutine left: select (no cases)"},
	{does: "a check begins a request", run: once(func(t *harness.T) {
		t.AtQuiet(func() { t.Get("r", http.DefaultTransport, apiURL) })
		t.Settle()
	}), want: "a check of AtQuiet must not start anything: r"},
	{does: "a state is never reached", run: once(func(t *harness.T) { t.Sometimes("full", false) }), want: "full"},
	{does: "a call of an exploration panics", run: exploring(func(t *harness.T) {
		t.Get("r1", answering(http.NoBody), apiURL)
		t.MayCall("mine", func() { panic("mine") })
	}), want: "panic: mine"},
	{does: "a call of an exploration never returns", run: exploring(func(t *harness.T) {
		t.Get("r1", answering(http.NoBody), apiURL)
		t.MayCall("mine", func() { select {} })
	}), want: "goroutine left: "},
}

// nested calls f under so many calls.
func nested(depth int, f func()) {
	if depth%7 == 0 {
		f()
	}
	if depth > math.MinInt {
		nested(depth-1, f)
	}
}

// panickingError is an error without a text.
type panickingError struct{}

func (panickingError) Error() string { panic("mine") }
