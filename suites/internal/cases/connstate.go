package cases

import (
	"context"
	"net/http"

	"github.com/halfopen/halfopen/harness"
)

const stateHook = "net/http: ClientConn.SetStateHook"

// connStateCases are about the state that a connection reports, and about its state hook.
var connStateCases = []Case{
	{
		Name:    "conn-adds-up",
		Claim:   "Reservations and requests that are under way are in flight, nothing else is, and what is in flight is not available.",
		Verdict: "the counts add up whenever all is quiet",
		Source:  "net/http: ClientConn.InFlight, ClientConn.Available, ClientConn.Reserve",
		Bounds:  harness.Bounds{Delays: 3, Faults: harness.None, Schedules: 150},
		Body: func(e *Env) {
			c := e.conn(nil)
			e.Get("r0", "/").Await() // and the server's settings are known
			b := e.keepBooks(c)
			e.mustReserve(b)
			r1 := e.Get("r1", "/bytes/10")
			e.Post("r2", "/echo", "two").MayCancel()
			r1.Await()
			if b.Reserve() == nil {
				e.Settle()
				b.Release()
			}
			e.Get("r3", "/status/204")
			e.Rest()
			if b.Err() != nil {
				return
			}
			last := e.Get("r4", "/") // behind it nothing is on its way
			last.Await()
			if b.Err() == nil {
				e.WantAnswered(last)
				e.wantCounts(b, 0, e.room(), "all requests are over, and none is reserved")
			}
		},
	},
	{
		Name:    "conn-reserve",
		Claim:   "Reserve succeeds as long as there is room, Release and any RoundTrip give a reservation back, and a Release of none does nothing.",
		Verdict: "the counts add up",
		Source:  "net/http: ClientConn.Reserve, ClientConn.Release",
		Body: func(e *Env) {
			c := e.conn(nil)
			room := e.room()
			e.wantCounts(c, 0, room, "nothing has happened")
			for i := range room {
				e.mustReserve(c)
				e.wantCounts(c, i+1, room-i-1, "a reservation is in flight")
			}
			if c.Reserve() == nil {
				e.Errorf("Reserve: got a reservation, and there was no room")
			}
			e.wantCounts(c, room, 0, "the last one was refused")
			for i := range room {
				c.Release()
				e.wantCounts(c, room-i-1, i+1, "a reservation was released")
			}
			c.Release()
			e.wantCounts(c, 0, room, "there was none to release")
			e.mustReserve(c)
			e.wantOK("r1")
			e.wantCounts(c, 0, room, "the request took the reservation, and is over")
			e.mustReserve(c)
			req, _ := http.NewRequest("GET", e.URL("/"), nil)
			req.Header["a b"] = []string{"x"}
			e.wantFailed(e.Start("bad", c, req), "it cannot be sent")
			e.wantCounts(c, 0, room, "the request that failed took the reservation")
		},
	},
	{
		Name:    "conn-reserved-sent",
		Claim:   "With a reservation a request is sent without waiting for another one, and then there is no room for more.",
		Verdict: "no request waits while there is room",
		Source:  "net/http: ClientConn.Reserve",
		Body: func(e *Env) {
			c, h := e.connThatHolds()
			for range e.room() {
				e.mustReserve(c)
			}
			full := e.fill()
			for _, r := range full {
				r.WantSent(1, "it had a reservation")
			}
			e.wantCounts(c, e.room(), 0, "each has taken a reservation")
			if c.Reserve() == nil {
				e.Errorf("Reserve: got a reservation, and there was no room")
			}
			w := e.Get("w", "/")
			w.WantPending("there is no room")
			h.release()
			e.finish(full)
			w.Finish()
			e.wantCounts(c, 0, e.room(), "all are over")
		},
	},
	{
		Name:      "conn-reservation-kept",
		Claim:     "A reservation is kept when a request is cancelled that has waited for room.",
		Verdict:   "the counts add up",
		Source:    "net/http: ClientConn.InFlight, ClientConn.Reserve",
		Protocols: H2 | H2C,
		Body: func(e *Env) {
			c, p := e.connOfStreams(1)
			r1, w := e.Get("r1", "/"), e.Get("w", "/")
			w.WantPending("there is room for one")
			p.WriteSettings(maxStreams(3))
			e.Settle()
			e.mustReserve(c)
			w.Cancel()
			w.WantErr(context.Canceled)
			e.answers(p, "r1")
			r1.WantBody("ok")
			e.wantCounts(c, 1, 2, "there is a reservation, and no request")
		},
	},
	{
		Name:    "conn-hook-called",
		Claim:   "The state hook is called whenever there is more room, less in flight, or an error, in any order of events.",
		Verdict: "the hook is called",
		Source:  stateHook,
		Bounds:  harness.Bounds{Schedules: 150},
		Body: func(e *Env) {
			e.serveRoom(nil)
			c, _ := e.tryConn()
			if c == nil {
				return
			}
			e.Get("r0", "/").Await() // and the server's settings are known
			if c.Err() != nil {
				return
			}
			e.wantHook(c)
			for _, start := range []func() *harness.Request{
				func() *harness.Request { return e.Get("r1", "/bytes/100").MayCancel() },
				func() *harness.Request { return e.Post("r2", "/echo", "two") },
			} {
				if c.Reserve() != nil {
					return // it has ended, or is about to
				}
				start().Await()
			}
		},
	},
	{
		Name:    "conn-hook-no-body",
		Claim:   "The state hook is called when a request is over, whether its answer has a body or not.",
		Verdict: "the hook is called",
		Source:  stateHook,
		Body: func(e *Env) {
			until := make(chan struct{})
			c := e.conn(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				<-until
				w.WriteHeader(http.StatusNoContent)
			}))
			hook, n := countHook(c)
			r1 := e.Get("r1", "/")
			r1.WantPending()
			e.wantCounts(c, 1, e.room()-1, "a request is under way")
			close(until)
			e.finish([]*harness.Request{r1})
			e.wantCounts(c, 0, e.room(), "it is over")
			hook.wantCalled(e, n, "one is in flight no more")
		},
	},
	{
		Name:      "conn-hook-limit-raised",
		Claim:     "The state hook is called when the server allows more requests.",
		Verdict:   "the hook is called",
		Source:    stateHook,
		Protocols: H2 | H2C,
		Body: func(e *Env) {
			c, p := e.connOfStreams(1)
			hook, n := countHook(c)
			p.WriteSettings(maxStreams(3))
			e.Settle()
			e.wantCounts(c, 0, 3, "the server allows three")
			hook.wantCalled(e, n, "there is more room")
		},
	},
	{
		Name:    "conn-hook-one-at-a-time",
		Claim:   "At most one call of the state hook is made at a time, and a change during a call brings another call.",
		Verdict: "the hook is called",
		Source:  stateHook,
		Body: func(e *Env) {
			c := e.conn(nil)
			hook := &hookCount{block: make(chan struct{})}
			released, closed := make(chan struct{}), make(chan struct{})
			c.SetStateHook(hook.call)
			e.mustReserve(c)
			go func() {
				defer close(released)
				c.Release() // which may call the hook itself
			}()
			e.Settle()
			go func() {
				defer close(closed)
				c.Close()
			}()
			e.Settle()
			n := hook.count()
			if n == 0 {
				e.Errorf("the state hook was not called: there is more room")
			}
			close(hook.block)
			<-released
			<-closed
			e.Settle()
			hook.wantCalled(e, n, "the connection was closed while the hook ran")
			hook.wantOneAtATime(e)
		},
	},
	{
		Name:    "conn-hook-set-late",
		Claim:   "A hook that is set when the connection has failed is called at once, in a goroutine of its own: SetStateHook does not wait for it.",
		Verdict: "the hook is called",
		Source:  stateHook,
		Body: func(e *Env) {
			c := e.conn(nil)
			e.wantOK("r1")
			e.Net.Kill(e.Addr("api.test"))
			e.Settle()
			hook := &hookCount{block: make(chan struct{})}
			set := make(chan struct{})
			go func() {
				c.SetStateHook(hook.call)
				close(set)
			}()
			e.Settle()
			select {
			case <-set:
			default:
				e.Errorf("SetStateHook waits for its hook: the hook runs in the caller's goroutine")
			}
			hook.wantCalled(e, 0, "the connection had failed before")
			close(hook.block)
			e.Settle()
		},
	},
	{
		Name:    "conn-hook-replaced",
		Claim:   "A new state hook replaces the old one, and nil replaces it by none.",
		Verdict: "the hook is called",
		Source:  stateHook,
		Body: func(e *Env) {
			c := e.conn(nil)
			change := func() {
				e.mustReserve(c)
				e.Settle()
				c.Release()
				e.Settle()
			}
			first, second := &hookCount{}, &hookCount{}
			c.SetStateHook(first.call)
			change()
			first.wantCalled(e, 0, "there is more room")
			c.SetStateHook(second.call)
			e.Settle()
			n := first.count()
			change()
			second.wantCalled(e, 0, "there is more room")
			if first.count() != n {
				e.Errorf("the state hook was called, and it had been replaced")
			}
			c.SetStateHook(nil)
			e.Settle()
			n = second.count()
			change()
			if second.count() != n {
				e.Errorf("the state hook was called, and it had been replaced by none")
			}
		},
	},
}
