package cases

import (
	"context"
	"fmt"
	"time"

	"github.com/halfopen/halfopen/harness"
)

// untilDeadline is after how long the contexts of the cases below end by themselves.
const untilDeadline = 5 * time.Second

// clientContextCases are about the contexts of operations. A cancellation and a deadline are
// cases of their own: clients hear of them by different means.
var clientContextCases = []Case{
	{
		Name:    "cancel-before-idle",
		Claim:   "An operation whose context is done from the start fails, and the connection that is idle serves the next one.",
		Verdict: "an operation succeeds, or another connection is opened",
		Issues:  []string{"golang/go#25852"},
		ClientBody: func(e *ClientEnv) {
			e.Do("r1").WantDone()
			want := e.Opened()
			if e.Open() == 0 {
				want++ // a client may keep none
			}
			cancelled, cancel := context.WithCancel(context.Background())
			cancel()
			past, cancel := context.WithDeadline(context.Background(), time.Now().Add(-time.Second))
			defer cancel()
			for i, ctx := range []context.Context{cancelled, past, cancelled, past, cancelled, past} {
				if r := e.DoWith(ctx, fmt.Sprintf("late%d", i+1)); r.Err() == nil {
					e.Errorf("%s with a context that was done, want an error", r)
				}
			}
			e.Do("r2").WantDone()
			e.WantOpened(want, "nothing was said on it for the others")
		},
	},
	{
		Name:    "cancel-with-deadline",
		Claim:   "An operation whose context has a deadline returns when it is cancelled, and does not wait for the deadline.",
		Verdict: "cancelled, and still pending when all was quiet",
		Source:  "context: WithDeadline",
		ClientBody: func(e *ClientEnv) {
			e.cancelAwaiting(func(name string) *harness.Op { return e.DoFor(name, time.Hour) })
		},
	},
	{
		Name:           "cancel-deadline-waiting",
		Claim:          "An operation whose deadline passes while it waits at the limit returns then, and its turn passes to the next.",
		Verdict:        "still pending",
		Source:         "context: WithDeadline",
		ClientSettings: ClientSettings{MaxConns: 1},
		ClientBody: func(e *ClientEnv) {
			e.Net.Hold("dial")
			r1, r2, r3 := e.Do("r1"), e.DoFor("r2", untilDeadline), e.Do("r3")
			e.wantDial()
			e.Advance(untilDeadline)
			e.wantLate(r2)
			e.Net.Release("dial") // a connection aside may come first
			r1.WantDone()
			r3.WantDone("r2 has left the line")
		},
	},
	{
		Name:           "cancel-deadline-dialing",
		Claim:          "An operation whose deadline passes during a dial returns then, and gives its slot back.",
		Verdict:        "still pending",
		Source:         "context: WithDeadline",
		ClientSettings: ClientSettings{MaxConns: 1},
		ClientBody: func(e *ClientEnv) {
			e.Net.Hold("dial")
			r1 := e.DoFor("r1", untilDeadline)
			e.wantDial()
			e.Advance(untilDeadline)
			e.wantLate(r1)
			e.Net.Release("dial")
			e.Do("r2").WantDone("its slot is free")
		},
	},
	{
		Name:           "cancel-deadline-awaiting-answer",
		Claim:          "An operation whose deadline passes while its answer is on its way returns then, and no other operation gets the answer.",
		Verdict:        "still pending; got the response to another",
		Issues:         []string{"redis/go-redis#1113"},
		Source:         "context: WithDeadline",
		ClientSettings: ClientSettings{MaxConns: 1},
		ClientBody: func(e *ClientEnv) {
			e.Do("r1").WantDone()
			e.Net.Hold("* server->client data")
			r2 := e.DoFor("r2", untilDeadline)
			e.Advance(untilDeadline)
			e.wantLate(r2)
			e.Net.Release("* server->client data")
			e.Do("r3").WantDone()
		},
	},
}

// cancelAwaiting cancels an operation whose answer is held, and expects that it returns at once, and that
// the next one gets its own answer.
func (e *ClientEnv) cancelAwaiting(start func(name string) *harness.Op) {
	e.Do("r1").WantDone()
	e.Net.Hold("* server->client data")
	r2 := start("r2")
	r2.Cancel()
	r2.WantErr(context.Canceled)
	e.Net.Release("* server->client data")
	e.Do("r3").WantDone()
}

// DoFor starts an operation whose context ends by itself after that time.
func (e *ClientEnv) DoFor(name string, d time.Duration) *harness.Op {
	e.MayPass(d)
	ctx, cancel := context.WithTimeout(context.Background(), d)
	e.Cleanup(cancel)
	return e.DoWith(ctx, name)
}

// wantLate expects that an operation whose deadline has passed has returned an error. Which
// one is not asked: a deadline of the connection may come first.
func (e *ClientEnv) wantLate(r *harness.Op) {
	if r.Pending() || r.Err() == nil {
		e.Errorf("%s after its deadline, want an error", r)
	}
}
