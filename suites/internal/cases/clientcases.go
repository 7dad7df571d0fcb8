package cases

import (
	"context"
	"strconv"
	"time"

	"github.com/halfopen/halfopen/harness"
)

// The times of the cases below.
const (
	idleTime   = 10 * time.Second
	answerTime = 5 * time.Second
)

// orders is how many schedules a client case explores.
func orders(schedules int) harness.Bounds {
	return harness.Bounds{Faults: harness.None, Schedules: schedules}
}

// faults is orders with so many faults in each.
func faults(schedules, most int, effects ...string) harness.Bounds {
	return harness.Bounds{Faults: most, Schedules: schedules, Effects: effects}
}

var clientCases = []Case{
	{
		Name:    "reuse-sequential",
		Claim:   "Operations one after another share one connection.",
		Verdict: "one connection is opened",
		ClientBody: func(e *ClientEnv) {
			for _, name := range []string{"r1", "r2", "r3"} {
				e.Do(name).WantDone()
			}
			e.WantOpened(1, "r2 and r3 come when the connection is idle")
		},
	},
	{
		Name:           "reuse-at-the-limit",
		Claim:          "Whoever waits at the limit gets the connection that comes free.",
		Verdict:        "one connection is opened, and nobody fails",
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
		Claim:          "Whoever gives up gives the slot back that he has, or would have got.",
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
		Name:    "cancel-before",
		Claim:   "An operation whose context is done from the start fails, dials nothing and takes no slot.",
		Verdict: "a dial, or another error than that of the context",
		Issues:  []string{"golang/go#25852"},
		ClientBody: func(e *ClientEnv) {
			ctx, cancel := context.WithCancel(context.Background())
			cancel()
			r1 := e.DoWith(ctx, "r1")
			r1.WantErr(context.Canceled)
			e.WantOpened(0, "nobody wants a connection")
			e.Do("r2").WantDone()
		},
	},
	{
		Name:           "cancel-waiting",
		Claim:          "Whoever is cancelled while he waits at the limit returns at once, and his turn passes to the next.",
		Verdict:        "cancelled, and still pending when all was quiet",
		ClientSettings: ClientSettings{MaxConns: 1},
		ClientBody: func(e *ClientEnv) {
			e.Net.Hold("dial")
			r1, r2, r3 := e.Do("r1"), e.Do("r2"), e.Do("r3")
			d1 := e.Net.WantDial()
			r2.Cancel()
			r2.WantErr(context.Canceled)
			d1.Open()
			r1.WantDone()
			r3.WantDone("r2 has left the line")
			e.WantOpened(1, "r3 gets what r1 had")
		},
	},
	{
		Name:           "cancel-dialing",
		Claim:          "Whoever is cancelled during a dial returns at once, and what comes of the dial is kept or closed.",
		Verdict:        "cancelled, and still pending when all was quiet",
		Issues:         []string{"golang/go#59017"},
		ClientSettings: ClientSettings{MaxConns: 1},
		ClientBody: func(e *ClientEnv) {
			e.Net.Hold("dial")
			r1 := e.Do("r1")
			e.Net.WantDial()
			r1.Cancel()
			r1.WantErr(context.Canceled)
			e.Net.Release("dial")
			e.Do("r2").WantDone("its slot is free")
		},
	},
	{
		Name:    "cancel-awaiting-answer",
		Claim:   "Whoever is cancelled while the answer is on its way returns at once, and nobody else hears it.",
		Verdict: "cancelled, and still pending when all was quiet; got the response to another",
		Issues:  []string{"redis/go-redis#1113"},
		ClientBody: func(e *ClientEnv) {
			e.Do("r1").WantDone()
			e.Net.Hold("* server->client data")
			r2 := e.Do("r2")
			r2.Cancel()
			r2.WantErr(context.Canceled)
			e.Net.Release("* server->client data")
			e.Do("r3").WantDone()
		},
	},
	{
		Name:           "cancel-handshake",
		Claim:          "Whoever is cancelled while his connection is being set up returns at once, and gives his slot back.",
		Verdict:        "cancelled, and still pending when all was quiet",
		Issues:         []string{"gomodule/redigo#520"},
		ClientSettings: ClientSettings{MaxConns: 1},
		ClientBody: func(e *ClientEnv) {
			e.Net.Hold("* server->client data")
			r1 := e.Do("r1")
			r1.Cancel()
			r1.WantErr(context.Canceled)
			e.Net.Release("* server->client data")
			e.Do("r2").WantDone()
		},
	},
	{
		Name:           "idle-kept",
		Claim:          "A connection that has not been idle for too long is used again.",
		Verdict:        "another connection is opened",
		ClientSettings: ClientSettings{IdleTimeout: idleTime},
		ClientBody: func(e *ClientEnv) {
			e.Do("r1").WantDone()
			e.Advance(idleTime / 2)
			e.Do("r2").WantDone()
			e.WantOpened(1, "it was idle for half of its time")
		},
	},
	{
		Name:           "idle-expired-not-reused",
		Claim:          "A connection that has been idle for longer than the timeout is not used again.",
		Verdict:        "no other connection is opened",
		ClientSettings: ClientSettings{IdleTimeout: idleTime},
		ClientBody: func(e *ClientEnv) {
			e.Do("r1").WantDone()
			e.Advance(idleTime + time.Second)
			e.Do("r2").WantDone()
			e.WantOpened(2, "the first was idle for a second too long")
		},
	},
	{
		Name:           "idle-closed-by-timeout",
		Claim:          "A connection that has been idle for longer than the timeout is closed, though nobody asks for one.",
		Verdict:        "it is open an hour later",
		ClientSettings: ClientSettings{IdleTimeout: idleTime},
		ClientBody: func(e *ClientEnv) {
			e.Do("r1").WantDone()
			e.Advance(time.Hour)
			if n := e.Open(); n > 0 {
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
		Name:    "broken-while-idle",
		Claim:   "A connection that the server has closed while it was idle costs one operation at most.",
		Verdict: "the second operation after it fails too",
		Issues:  []string{"golang/go#15461"},
		ClientBody: func(e *ClientEnv) {
			e.Do("r1").WantDone()
			e.Conn("c1").Server().Close()
			e.Settle()
			ops := e.DoAll("r2", "r3")
			e.WantFailed(1, ops, "c1 was closed, and is known to be since r2")
		},
	},
	{
		Name:           "broken-not-reused",
		Claim:          "A connection that broke in the middle of an answer is not handed out again.",
		Verdict:        "more failures than faults",
		ClientSettings: ClientSettings{MaxConns: 1},
		Bounds:         faults(300, 1, "reset:1", "cut:1"),
		ClientBody: func(e *ClientEnv) {
			ops := e.DoAll("r1", "r2")
			e.Rest()
			ops = append(ops, e.DoAll("r3", "r4")...)
			e.Rest()
			e.WantFailed(1, ops, "there was at most one fault")
		},
	},
	{
		Name:           "broken-late-answer",
		Claim:          "After an answer that came too late nobody hears another's, and the next operation succeeds.",
		Verdict:        "got the response to another",
		Issues:         []string{"redis/go-redis#1113"},
		ClientSettings: ClientSettings{MaxConns: 1, Timeout: answerTime},
		Bounds:         harness.Bounds{Faults: harness.None, Delays: 3, Schedules: 300},
		ClientBody: func(e *ClientEnv) {
			e.DoAll("r1", "r2")
			e.Rest()
			e.WantSomeDone(4, "time passes three times at most")
		},
	},
	{
		Name:           "broken-silence",
		Claim:          "A server that does not answer costs an operation its time, and no slot.",
		Verdict:        "stuck",
		ClientSettings: ClientSettings{MaxConns: 1, Timeout: answerTime},
		Bounds:         faults(200, 1, "stall", "lose"),
		ClientBody: func(e *ClientEnv) {
			e.DoAll("r1", "r2", "r3")
			e.Rest()
			e.WantSomeDone(4, "there is one fault at most, and time passes twice")
		},
	},
	{
		Name:           "close-at-any-time",
		Claim:          "Close may come at any time: everybody returns, and nothing is left.",
		Verdict:        "stuck, a panic, or a connection left open",
		Issues:         []string{"golang/go#8483"},
		ClientSettings: ClientSettings{MaxConns: 1},
		Bounds:         faults(300, 1),
		ClientBody: func(e *ClientEnv) {
			e.Do("r1").MayCancel()
			e.Do("r2").MayCancel()
			e.Do("r3")
			e.MayClose()
			e.Rest()
		},
	},
	{
		Name:           "close-waiter",
		Claim:          "Who waits at the limit when the client is closed returns at once: there is nothing left to wait for.",
		Verdict:        "still pending",
		ClientSettings: ClientSettings{MaxConns: 1},
		ClientBody: func(e *ClientEnv) {
			e.Do("r1").WantDone()
			e.Net.Hold("* server->client data")
			e.Do("r2")
			r3 := e.Do("r3")
			e.Close()
			if r3.Err() == nil {
				e.Errorf("%s after Close, want an error", r3)
			}
			e.Net.Release("* server->client data")
			e.Rest()
		},
	},
	{
		Name:    "close-twice",
		Claim:   "Close returns, and so does a second one.",
		Verdict: "a panic, or Close does not return",
		ClientBody: func(e *ClientEnv) {
			e.Do("r1").WantDone()
			for _, which := range []string{"the first", "the second"} {
				if !e.Close()() {
					e.Errorf("%s Close has not returned, and nothing is under way", which)
				}
			}
		},
	},
	{
		Name:           "close-then-use",
		Claim:          "An operation that comes after Close fails, whatever its context says, and dials nothing.",
		Verdict:        "a panic, an answer, or a dial",
		ClientSettings: ClientSettings{MaxConns: 1},
		ClientBody: func(e *ClientEnv) {
			e.Do("r1").WantDone()
			e.Close()
			e.Advance(time.Second)
			if r := e.Do("r2"); r.Err() == nil {
				e.Errorf("%s after Close, want an error", r)
			}
			ctx, cancel := context.WithCancel(context.Background())
			cancel()
			for range 20 { // a select that has two ways takes each in turn
				if _, err := e.client.Do(ctx, "late"); err == nil {
					e.Errorf("got an answer after Close, want an error")
				}
			}
			e.WantOpened(1, "the client is closed")
		},
	},
	{
		Name:    "leak-nothing",
		Claim:   "Whatever is cancelled and whatever breaks: after Close there is no connection and no goroutine.",
		Verdict: "still open; goroutine left",
		Issues:  []string{"golang/go#8483"},
		Bounds:  faults(300, 1),
		ClientBody: func(e *ClientEnv) {
			e.Do("r1").MayCancel()
			e.Do("r2").MayCancel()
			e.Rest()
			e.Do("r3").MayCancel()
			e.Rest()
		},
	},
	{
		Name:    "leak-dial-at-close",
		Claim:   "A dial that completes after Close leaves nothing open.",
		Verdict: "still open",
		Issues:  []string{"golang/go#8483"},
		ClientBody: func(e *ClientEnv) {
			e.Net.Hold("dial")
			r1 := e.Do("r1")
			e.Net.WantDial()
			closed := e.Close()
			e.Net.Release("dial")
			r1.Await()
			if !closed() {
				e.Errorf("Close has not returned, and nothing is under way")
			}
		},
	},
	{
		Name:           "stuck-lost-wake-up",
		Claim:          "Everybody who waits at the limit is served as soon as there is a connection, without a timer's help.",
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
				e.Errorf("%v passed, want none: nobody had to wait for time", d)
			}
		},
	},
	{
		Name:           "stuck-after-break",
		Claim:          "Who waits for a connection that breaks, or for a dial that fails, gets another.",
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
	{
		Name:           "talk-own-answer",
		Claim:          "Whatever is cancelled, late or broken: everybody who hears anything hears the answer to what he said.",
		Verdict:        "got the response to another",
		Issues:         []string{"redis/go-redis#1113"},
		ClientSettings: ClientSettings{MaxConns: 2, Timeout: answerTime},
		Bounds:         faults(300, 1, "reset", "cut:1", "stall:1", "split:1"),
		ClientBody: func(e *ClientEnv) {
			e.Do("r1").MayCancel()
			e.Do("r2").MayCancel()
			e.DoAll("r3", "r4")
			e.Rest()
			e.DoAll("r5", "r6")
			e.Rest()
		},
	},
}
