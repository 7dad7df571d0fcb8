package cases

import (
	"context"
	"strconv"
	"time"

	"github.com/halfopen/halfopen/harness"
)

// clientEndCases are about cancelled operations, broken connections, and Close.
var clientEndCases = []Case{
	{
		Name:    "cancel-before",
		Claim:   "An operation whose context is done from the start fails, dials nothing and takes no slot.",
		Verdict: "a dial, or another error than that of the context",
		Issues:  []string{"golang/go#25852"},
		ClientBody: func(e *ClientEnv) {
			ahead := e.Opened()
			ctx, cancel := context.WithCancel(context.Background())
			cancel()
			r1 := e.DoWith(ctx, "r1")
			r1.WantErr(context.Canceled)
			e.WantOpened(ahead, "no operation wants a connection")
			e.Do("r2").WantDone()
		},
	},
	{
		Name:           "cancel-waiting",
		Claim:          "An operation that is cancelled while it waits at the limit returns at once, and its turn passes to the next.",
		Verdict:        "cancelled, and still pending when all was quiet",
		ClientSettings: ClientSettings{MaxConns: 1},
		ClientBody: func(e *ClientEnv) {
			e.Net.Hold("dial")
			r1, r2, r3 := e.Do("r1"), e.Do("r2"), e.Do("r3")
			e.wantDial()
			r2.Cancel()
			r2.WantErr(context.Canceled)
			e.Net.Release("dial") // a connection aside may come first
			r1.WantDone()
			r3.WantDone("r2 has left the line")
			e.WantOpened(1, "r3 gets what r1 had")
		},
	},
	{
		Name:           "cancel-dialing",
		Claim:          "An operation that is cancelled during a dial returns at once, and the connection that the dial opens is kept or closed.",
		Verdict:        "cancelled, and still pending when all was quiet",
		Issues:         []string{"golang/go#59017"},
		ClientSettings: ClientSettings{MaxConns: 1},
		ClientBody: func(e *ClientEnv) {
			e.Net.Hold("dial")
			r1 := e.Do("r1")
			e.wantDial()
			r1.Cancel()
			r1.WantErr(context.Canceled)
			e.Net.Release("dial")
			e.Do("r2").WantDone("its slot is free")
		},
	},
	{
		Name:       "cancel-awaiting-answer",
		Claim:      "An operation that is cancelled while its answer is on its way returns at once, and no other operation gets the answer.",
		Verdict:    "cancelled, and still pending when all was quiet; got the response to another",
		Issues:     []string{"redis/go-redis#1113"},
		ClientBody: func(e *ClientEnv) { e.cancelAwaiting(e.Do) },
	},
	{
		Name:           "cancel-handshake",
		Claim:          "An operation that is cancelled while its connection is being set up returns at once, and gives its slot back.",
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
		Name:    "broken-while-idle",
		Claim:   "A connection that the server has closed while it was idle costs one operation at most.",
		Verdict: "the second operation after it fails too",
		Issues:  []string{"golang/go#15461"},
		ClientBody: func(e *ClientEnv) {
			e.Do("r1").WantDone()
			idle := e.own()
			for _, c := range idle {
				c.Peer().Close()
			}
			e.Settle()
			var ops []*harness.Op
			for i := range len(idle) + 1 {
				ops = append(ops, e.Do("r"+strconv.Itoa(i+2)))
			}
			e.WantFailed(len(idle), ops, "each of these costs one operation")
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
		Claim:          "After an answer that came too late each operation gets its own answer, and the next operation succeeds.",
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
		Claim:          "Close may come at any time: every operation returns, and nothing is left.",
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
		Claim:          "An operation that waits at the limit when the client is closed returns at once: there is nothing left to wait for.",
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
		Claim:   "Close returns, and so do a second and a third one.",
		Verdict: "a panic, or Close does not return",
		ClientBody: func(e *ClientEnv) {
			e.Do("r1").WantDone()
			for _, which := range []string{"the first", "the second", "the third"} {
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
			opened := e.Opened()
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
			e.WantOpened(opened, "the client is closed")
		},
	},
	{
		Name:    "leak-nothing",
		Claim:   "Whatever is cancelled and whatever breaks: after Close no connection and no goroutine is left.",
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
			e.wantDial()
			closed := e.Close()
			e.Net.Release("dial")
			r1.Await()
			if !closed() {
				e.Errorf("Close has not returned, and nothing is under way")
			}
		},
	},
	{
		Name:           "talk-own-answer",
		Claim:          "Whatever is cancelled, late or broken: each operation that gets an answer gets its own.",
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
