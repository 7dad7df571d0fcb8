package clock_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/halfopen/halfopen/clock"
)

// Code that depends on time gets a Clock: System in production, a Virtual in a
// test.
func ExampleClock() {
	type cache struct {
		clock clock.Clock
		since time.Time
	}
	stale := func(c *cache) bool { return c.clock.Since(c.since) > time.Minute }

	v := new(clock.Virtual)
	c := &cache{clock: v, since: v.Now()}
	v.Advance(time.Minute)
	fmt.Println(stale(c))
	v.Advance(1)
	fmt.Println(stale(c))

	c = &cache{clock: clock.System, since: clock.System.Now()}
	fmt.Println(stale(c))
	// Output:
	// false
	// true
	// false
}

// A year passes at once, and each timer that is due on the way fires at its own
// instant.
func ExampleVirtual() {
	var v clock.Virtual
	v.AfterFunc(24*time.Hour, func() { fmt.Println("a day later:", v.Now()) })
	ticker := v.NewTicker(30 * time.Minute)
	v.Advance(365 * 24 * time.Hour)
	fmt.Println("unread tick:", <-ticker.C)
	ticker.Stop()
	// Output:
	// a day later: 2000-01-02 00:00:00 +0000 UTC
	// unread tick: 2000-01-01 00:30:00 +0000 UTC
}

func ExampleNewVirtual() {
	v := clock.NewVirtual(time.Date(2038, 1, 19, 3, 14, 7, 0, time.UTC))
	v.Advance(time.Second)
	fmt.Println(v.Now())
	// Output: 2038-01-19 03:14:08 +0000 UTC
}

// AdvanceTo fires the timers on the way, as Advance does. Time never goes back.
func ExampleVirtual_AdvanceTo() {
	var v clock.Virtual
	noon := v.Now().Add(12 * time.Hour)
	fmt.Println(v.AdvanceTo(noon))
	fmt.Println(v.AdvanceTo(noon.Add(-time.Hour)))
	// Output:
	// <nil>
	// clock: AdvanceTo: got 2000-01-01T11:00:00Z, want 2000-01-01T12:00:00Z or later
}

// Step moves the clock from one timer to the next, however far away that is.
func ExampleVirtual_Step() {
	var v clock.Virtual
	backoff := time.Second
	var try func()
	try = func() {
		fmt.Println("try at", v.Since(clock.Epoch))
		v.AfterFunc(backoff, try)
		backoff *= 2
	}
	try()
	for range 3 {
		v.Step()
	}
	next, _ := v.Next()
	fmt.Println("next at", next.Sub(clock.Epoch))
	// Output:
	// try at 0s
	// try at 1s
	// try at 3s
	// try at 7s
	// next at 15s
}

// The armed timers show what a program will do next.
func ExampleVirtual_Timers() {
	var v clock.Virtual
	v.Label("keep-alive").NewTicker(15 * time.Second)
	v.Label("idle").AfterFunc(90*time.Second, func() {})
	v.Label("idle").AfterFunc(30*time.Second, func() {})
	for _, armed := range v.Timers() {
		fmt.Println(armed)
	}
	// Output:
	// 2000-01-01T00:00:15Z NewTicker every 15s keep-alive
	// 2000-01-01T00:00:30Z AfterFunc idle
	// 2000-01-01T00:01:30Z AfterFunc idle
}

// With Callers set, each timer knows the place in the code that armed it.
func ExampleArmedTimer_Caller() {
	v := &clock.Virtual{Callers: true}
	v.NewTimer(time.Second)
	file, line, _ := strings.Cut(v.Timers()[0].Caller(), ":")
	fmt.Println(file, line != "")
	// Output: clock/example_test.go true
}

// When two timers are due at one instant, Tie chooses the one that fires first.
func ExampleVirtual_tie() {
	run := func(first int) {
		v := &clock.Virtual{Tie: func(due []clock.ArmedTimer) int { return first }}
		reply := v.AfterFunc(time.Second, func() { fmt.Println("reply") })
		v.AfterFunc(time.Second, func() { fmt.Println("timeout, too late:", !reply.Stop()) })
		v.Advance(time.Second)
	}
	run(0)
	run(1)
	// Output:
	// reply
	// timeout, too late: true
	// timeout, too late: false
}

// A trap holds a call after the program has decided to make it, so that
// something else can happen first.
func ExampleVirtual_Hold() {
	var v clock.Virtual
	timer := v.AfterFunc(time.Second, func() { fmt.Println("it fired") })
	trap := v.Hold(clock.KindStop, "")

	stopped := make(chan bool)
	go func() { stopped <- timer.Stop() }()
	call := <-trap.C
	fmt.Println("held:", call.Kind)
	v.Advance(time.Second)
	call.Release()
	fmt.Println("stopped:", <-stopped)
	trap.Lift()
	// Output:
	// held: Stop
	// it fired
	// stopped: false
}

// Labels distinguish the parts of a program.
func ExampleVirtual_Label() {
	var v clock.Virtual
	pool, server := v.Label("pool"), v.Label("server")
	trap := v.Hold(clock.KindNewTimer, "pool")
	server.NewTimer(time.Second) // not held
	go pool.NewTimer(time.Minute)
	call := <-trap.C
	fmt.Println(call.Kind, call.Duration, "by", call.Label)
	trap.Lift()
	// Output: NewTimer 1m0s by pool
}

func ExampleWithTimeout() {
	var v clock.Virtual
	ctx, cancel := clock.WithTimeout(context.Background(), &v, 5*time.Second)
	defer cancel()
	fmt.Println(ctx.Deadline())
	v.Advance(5 * time.Second)
	fmt.Println(ctx.Err())
	// Output:
	// 2000-01-01 00:00:05 +0000 UTC true
	// context deadline exceeded
}

func ExampleWithDeadlineCause() {
	var v clock.Virtual
	midnight := v.Now().Add(24 * time.Hour)
	ctx, cancel := clock.WithDeadlineCause(context.Background(), &v, midnight, errors.New("the ball is over"))
	defer cancel()
	v.Advance(24 * time.Hour)
	fmt.Println(ctx.Err(), "-", context.Cause(ctx))
	// Output: context deadline exceeded - the ball is over
}
