package cases

import (
	"slices"
	"strconv"
	"time"

	"github.com/halfopen/halfopen/faultnet"
	"github.com/halfopen/halfopen/harness"
)

// The times of the cases below.
const (
	idleTime   = 10 * time.Second
	answerTime = 5 * time.Second
)

// orders returns the bounds of a client case in which orders differ and nothing fails.
func orders(schedules int) harness.Bounds {
	return harness.Bounds{Faults: harness.None, Schedules: schedules}
}

// faults returns those of a case with a number of faults at most in each schedule.
func faults(schedules, most int, effects ...string) harness.Bounds {
	return harness.Bounds{Faults: most, Schedules: schedules, Effects: effects}
}

// clientPoolCases are about the connections that a client keeps: how many, for whom, how
// long.
var clientPoolCases = []Case{
	{
		Name:    "reuse-sequential",
		Claim:   "Operations one after another share one connection.",
		Verdict: "another connection is opened",
		ClientBody: func(e *ClientEnv) {
			e.Do("r1").WantDone()
			opened := e.Opened()
			e.Do("r2").WantDone()
			e.Do("r3").WantDone()
			e.WantOpened(opened, "r2 and r3 come when the connection is idle")
		},
	},
	{
		Name:           "reuse-at-the-limit",
		Claim:          "An operation that waits at the limit gets the connection that comes free.",
		Verdict:        "one connection is opened, and no operation fails",
		ClientSettings: ClientSettings{MaxConns: 1},
		Bounds:         orders(100),
		ClientBody: func(e *ClientEnv) {
			ops := e.DoAll("r1", "r2", "r3")
			e.Rest()
			e.WantDone(ops, "nothing went wrong")
			e.WantOpened(1, "it never broke")
		},
	},
	{
		Name:           "limit-never-exceeded",
		Claim:          "Open connections and dials together are never more than the limit.",
		Verdict:        "more connections and dials than the limit",
		Issues:         []string{"golang/go#29889"},
		ClientSettings: ClientSettings{MaxConns: 2},
		Bounds:         faults(300, 1),
		ClientBody: func(e *ClientEnv) {
			e.Do("r1").MayCancel()
			e.Do("r2").MayCancel()
			e.DoAll("r3", "r4")
			e.Rest()
		},
	},
	{
		Name:           "limit-slot-after-cancel",
		Claim:          "An operation that gives up also gives back the slot that it has, or was about to get.",
		Verdict:        "stuck",
		Issues:         []string{"gomodule/redigo#520", "golang/go#65705"},
		ClientSettings: ClientSettings{MaxConns: 1},
		Bounds:         harness.Bounds{Faults: harness.None, Delays: 3, Schedules: 300},
		ClientBody: func(e *ClientEnv) {
			e.Do("r1").MayCancel()
			e.Do("r2").MayCancel()
			e.Rest()
			r3 := e.DoAll("r3")
			e.Rest()
			e.WantDone(r3, "the slot is free")
		},
	},
	{
		Name:           "limit-slot-after-failure",
		Claim:          "A dial or a connection that fails costs one operation at most, and never its slot.",
		Verdict:        "stuck, or more failures than faults",
		Issues:         []string{"golang/go#10886"},
		ClientSettings: ClientSettings{MaxConns: 1},
		Bounds:         faults(300, 2),
		ClientBody: func(e *ClientEnv) {
			ops := e.DoAll("r1", "r2", "r3")
			e.Rest()
			ops = append(ops, e.Do("r4"))
			e.Rest()
			e.WantFailed(2, ops, "there were at most two faults")
		},
	},
	{
		Name:           "limit-idle",
		Claim:          "No more connections are idle than there may be.",
		Verdict:        "more connections are open when all is over",
		ClientSettings: ClientSettings{MaxConns: 3, MaxIdle: 1},
		Bounds:         orders(100),
		ClientBody: func(e *ClientEnv) {
			e.DoAll("r1", "r2", "r3")
			e.Rest()
			if n := e.Open(); n > 1 {
				e.Errorf("%d connections are idle, want at most 1", n)
			}
		},
	},
	{
		Name:           "idle-kept",
		Claim:          "A connection that has not been idle for too long is used again.",
		Verdict:        "another connection is opened",
		ClientSettings: ClientSettings{IdleTimeout: idleTime},
		ClientBody: func(e *ClientEnv) {
			e.Do("r1").WantDone()
			opened := e.Opened()
			e.Advance(idleTime / 2)
			e.Do("r2").WantDone()
			e.WantOpened(opened, "it was idle for half of its time")
		},
	},
	{
		Name:           "idle-expired-not-reused",
		Claim:          "A connection that has been idle for longer than the timeout is not used again.",
		Verdict:        "no other connection is opened",
		ClientSettings: ClientSettings{IdleTimeout: idleTime},
		ClientBody: func(e *ClientEnv) {
			e.Do("r1").WantDone()
			opened := e.Opened()
			e.Advance(idleTime + time.Second)
			e.Do("r2").WantDone()
			e.WantMoreOpened(opened, "the first was idle for a second too long")
		},
	},
	{
		Name:           "idle-closed-by-timeout",
		Claim:          "A connection that has been idle for longer than the timeout is closed, although no operation asks for one.",
		Verdict:        "it is open an hour later",
		ClientSettings: ClientSettings{IdleTimeout: idleTime},
		ClientBody: func(e *ClientEnv) {
			e.Do("r1").WantDone()
			idle := e.own()
			e.Advance(time.Hour)
			idle = slices.DeleteFunc(idle, (*faultnet.Conn).IsClosed)
			if n := len(idle); n > 0 {
				e.Errorf("%d connections are open after an hour, want none: they may be idle for %v", n, idleTime)
			}
		},
	},
	{
		Name:           "idle-tie",
		Claim:          "An operation that comes in the instant in which a connection gets too old succeeds.",
		Verdict:        "it fails",
		Issues:         []string{"golang/go#25621"},
		ClientSettings: ClientSettings{IdleTimeout: idleTime},
		ClientBody: func(e *ClientEnv) {
			ops := e.DoAll("r1")
			for i, d := range []time.Duration{idleTime - 1, idleTime, idleTime + 1} {
				e.Advance(d)
				ops = append(ops, e.Do("r"+strconv.Itoa(i+2)))
			}
			e.WantDone(ops, "the server did nothing wrong")
		},
	},
	{
		Name:           "stuck-lost-wake-up",
		Claim:          "Every operation that waits at the limit is served as soon as there is a connection, without the help of a timer.",
		Verdict:        "stuck, or time has passed",
		Issues:         []string{"valyala/fasthttp#2391"},
		ClientSettings: ClientSettings{MaxConns: 2},
		Bounds:         orders(300),
		ClientBody: func(e *ClientEnv) {
			began := e.Clock.Now()
			ops := e.DoAll("r1", "r2", "r3", "r4", "r5")
			e.Rest()
			e.WantDone(ops, "nothing went wrong")
			if d := e.Clock.Since(began); d > 0 {
				e.Errorf("%v passed, want none: no operation had to wait for a timer", d)
			}
		},
	},
	{
		Name:           "stuck-after-break",
		Claim:          "An operation that waits for a connection that breaks, or for a dial that fails, gets another connection.",
		Verdict:        "stuck",
		Issues:         []string{"golang/go#10886", "golang/go#29889"},
		ClientSettings: ClientSettings{MaxConns: 2},
		Bounds:         faults(300, 2),
		ClientBody: func(e *ClientEnv) {
			ops := e.DoAll("r1", "r2", "r3", "r4")
			e.Rest()
			e.WantFailed(2, ops, "there were at most two faults")
		},
	},
}
