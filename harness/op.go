package harness

import (
	"context"
	"fmt"
	"runtime"
	"time"
)

// Op is one operation under test: a call into the code under test, with a name, a start,
// a cancellation and an outcome. A [Request] is the HTTP kind.
type Op struct {
	t         *driver
	c         *census
	index     int // among all operations
	name      string
	where     string // the line that started it
	words     []string
	startName string // of the choice to start it, in an exploration
	plan      *plan  // of the exploration, once it is declared there, or nil
	cancel    context.CancelFunc
	call      func()        // into the code under test
	deadline  time.Time     // of the context that it came with
	done      chan struct{} // closed when the call has returned
	request   *Request      // what it is, or nil: it is not HTTP

	// Guarded by c.mu.
	started   bool      // it is under way, or over
	order     int       // among those started
	since     time.Time // when it started
	cancelled bool
	returned  bool
	err       error
	changed   bool // see change
}

// Name returns the operation's name: "r1".
func (o *Op) Name() string { return o.name }

// Cancel ends the operation's context.
func (o *Op) Cancel() {
	o.t.step("cancel", o.name)
	o.cancelNow()
	o.t.settle()
}

func (o *Op) cancelNow() {
	o.c.mu.Lock()
	o.cancelled = true
	o.change()
	o.c.mu.Unlock()
	o.cancel()
}

// MayCancel lets an exploration cancel the operation, at any point or not at all.
// Outside of one it does nothing.
func (o *Op) MayCancel() *Op {
	if o.plan != nil {
		o.plan.mayCancel(o)
	}
	return o
}

func (o *Op) cancellable() bool {
	o.c.mu.Lock()
	defer o.c.mu.Unlock()
	return o.started && !o.cancelled && !(o.returned && (o.request == nil || o.request.finished))
}

// Await blocks until the operation has returned, and lets virtual time pass
// meanwhile. An operation that never returns is a run that is stuck. In an
// exploration it waits for the end of a response's body too.
func (o *Op) Await() {
	o.t.step("await", o.name)
	o.await()
	o.t.settle()
}

// await blocks until the operation has returned, or ends the body with the run.
func (o *Op) await() {
	o.t.awaited.Add(1)
	defer o.t.awaited.Add(-1)
	select {
	case <-o.done:
	case <-o.t.ctx.Done():
		runtime.Goexit()
	}
}

// Err returns the error that the operation returned.
func (o *Op) Err() error {
	o.c.mu.Lock()
	defer o.c.mu.Unlock()
	return o.err
}

// Pending reports whether the operation has not returned.
func (o *Op) Pending() bool {
	o.t.settle()
	return o.state() == "pending"
}

// WantDone expects that the operation has succeeded.
func (o *Op) WantDone(why ...string) {
	o.t.step("want", "done", o.name)
	o.t.settle()
	if o.state() != "done" {
		o.unmet("done", why...)
	}
}

// WantPending expects that the operation has not returned.
func (o *Op) WantPending(why ...string) {
	o.t.step("want", "pending", o.name)
	o.t.settle()
	if o.state() != "pending" {
		o.unmet("pending", why...)
	}
}

// WantErr expects that the operation failed with an error that matches err, as
// [errors.Is] says.
func (o *Op) WantErr(err error, why ...string) {
	o.t.step("want", "err", o.name, err.Error())
	o.wantErr(errorIs(err), err.Error(), why...)
}

func (o *Op) wantErr(match func(error) bool, name string, why ...string) {
	o.t.settle()
	if o.state() != "failed" || !match(o.Err()) {
		o.unmet("error: "+name, why...)
	}
}

// unmet ends the body, because the operation is not in the state that the test wants. Of one
// that is pending the failure says what it may be waiting for.
func (o *Op) unmet(want string, why ...string) {
	var detail []string
	if o.state() == "pending" && o.hasStarted() {
		detail = []string{"nothing is held, and time stands still while all else waits: Await lets it pass"}
		if held := o.t.net.Pending(); len(held) > 0 {
			detail[0] = "held: " + held[0].String()
			if n := len(held) - 1; n > 0 {
				detail[0] += fmt.Sprintf(", and %d more", n)
			}
		}
	}
	o.t.failWith(Failure{Kind: KindWant, Text: fmt.Sprintf("%s: got %s, want %s", o.name, o.describe(), want), Detail: detail}, why...)
	runtime.Goexit()
}

// String returns the state of the operation, and the line that started it.
func (o *Op) String() string { return o.name + ": " + o.describe() + o.place() }

// place returns the line that started the operation, as it stands behind a text.
func (o *Op) place() string {
	if o.where == "" {
		return ""
	}
	return "  (" + o.where + ")"
}

// state returns "pending", "failed" or "done".
func (o *Op) state() string {
	o.c.mu.Lock()
	defer o.c.mu.Unlock()
	switch {
	case !o.returned:
		return "pending"
	case o.err != nil, o.request != nil && o.request.resp == nil:
		return "failed"
	}
	return "done"
}

// describe returns the state of the operation, with its error or its connection: "pending", "error: ...", "done on c1".
func (o *Op) describe() string {
	switch state := o.state(); {
	case state == "failed":
		return fmt.Sprintf("error: %v", o.err)
	case state == "done" && o.request != nil && o.request.Conn() != nil:
		return "done on " + o.request.Conn().ID()
	case state == "pending" && !o.hasStarted():
		return "pending (it has not started: in an exploration Await or Rest lets it)"
	default:
		return state
	}
}

func (o *Op) hasStarted() bool {
	o.c.mu.Lock()
	defer o.c.mu.Unlock()
	return o.started
}

// unfinished reports, with mu held, whether the operation was started and has no end yet.
func (o *Op) unfinished() bool {
	ended := o.returned
	if r := o.request; ended && r != nil {
		ended = r.finished || r.dropped || r.forgot || !r.auto
	}
	return o.started && !ended
}
