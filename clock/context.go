package clock

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// WithDeadline is [context.WithDeadline] on the clock c: the context it
// returns expires when c comes to d. On [System] it is that function.
//
// Err, Cause, values and derived contexts behave as those of package context,
// and no goroutine serves them. Deadline reports the instant as c tells it, or
// the deadline of parent if that is earlier.
//
// One thing takes longer: when parent, a context of package context, is
// cancelled, what is derived from this context learns it from a goroutine that
// is started then. The context itself knows at once.
func WithDeadline(parent context.Context, c Clock, d time.Time) (context.Context, context.CancelFunc) {
	return withDeadline(parent, c, d, nil)
}

// WithDeadlineCause is WithDeadline with a cause for [context.Cause] to
// report when the deadline has passed. Cancelling does not set the cause.
func WithDeadlineCause(parent context.Context, c Clock, d time.Time, cause error) (context.Context, context.CancelFunc) {
	return withDeadline(parent, c, d, cause)
}

// WithTimeout is [WithDeadline] at timeout from now.
func WithTimeout(parent context.Context, c Clock, timeout time.Duration) (context.Context, context.CancelFunc) {
	return withDeadline(parent, c, c.Now().Add(timeout), nil)
}

// WithTimeoutCause is [WithDeadlineCause] at timeout from now.
func WithTimeoutCause(parent context.Context, c Clock, timeout time.Duration, cause error) (context.Context, context.CancelFunc) {
	return withDeadline(parent, c, c.Now().Add(timeout), cause)
}

// deadline is a context that expires on a Clock. It is a cancelled context of
// package context, below an end.
type deadline struct {
	child context.Context // of end
	end   end
}

func (x *deadline) Deadline() (time.Time, bool) { return x.end.due, true }
func (x *deadline) Value(key any) any           { return x.child.Value(key) }

// Done and Err look at the parent first, as it need not have told yet.
func (x *deadline) Done() <-chan struct{} {
	x.end.look()
	return x.child.Done()
}

func (x *deadline) Err() error {
	x.end.look()
	return x.child.Err()
}

// String tells the parent and the deadline. Without it, printing a context
// would read its fields while others write them.
func (x *deadline) String() string { return x.end.String() }

// end is the parent of the context that is in a deadline.
//
// The contexts of package context die of Canceled only, unless their parent
// dies of something else. So that one shall die of DeadlineExceeded it is
// given a parent that does when told to. A parent with a method AfterFunc is
// followed without a goroutine.
type end struct {
	parent context.Context
	due    time.Time
	above  context.Context // parent without its end: it answers Value
	of     *deadline

	mu     sync.Mutex
	err    error           // nil before the end
	caused context.Context // with the cause, if finish was given one
	timer  *Timer          // to be stopped by finish
	unlink func() bool     // lets go of parent, to be called by finish
	first  *follower       // the list of them, in order
	last   *follower
}

// follower is a function to be called when an end comes.
type follower struct {
	f          func()
	prev, next *follower
	gone       bool // called or removed
}

func withDeadline(parent context.Context, c Clock, d time.Time, cause error) (context.Context, context.CancelFunc) {
	if _, ok := c.(system); ok {
		return context.WithDeadlineCause(parent, d, cause)
	}
	if parent == nil {
		panic("clock: a context needs a parent")
	}
	x := &deadline{end: end{parent: parent, due: d, above: context.WithoutCancel(parent)}}
	e := &x.end
	e.of = x
	if p, ok := parent.Deadline(); ok && p.Before(d) {
		e.due = p
	}
	var release context.CancelFunc
	x.child, release = context.WithCancel(e)
	cancel := func() {
		e.finish(context.Canceled, nil)
		release()
	}
	if x.Err() != nil { // parent is done
		return x, cancel
	}
	left := c.Until(d)
	if left <= 0 {
		e.finish(context.DeadlineExceeded, cause)
		return x, cancel
	}
	e.keep(e.link(), c.AfterFunc(left, func() { e.expire(cause) }))
	return x, cancel
}

// keep stores what finish is to undo, or undoes it if the end came before.
func (e *end) keep(unlink func() bool, timer *Timer) {
	e.mu.Lock()
	late := e.err != nil
	if !late {
		e.unlink, e.timer = unlink, timer
	}
	e.mu.Unlock()
	if late {
		unlink()
		timer.Stop()
	}
}

// link makes e follow its parent. If that is a deadline, or a context of
// values around one, the news travel without a goroutine.
func (e *end) link() (unlink func() bool) {
	done := e.parent.Done()
	if done == nil {
		return func() bool { return false }
	}
	follow := func() { e.finish(e.parent.Err(), context.Cause(e.parent)) }
	if x, ok := e.parent.Value(nearest{}).(*deadline); ok && x.Done() == done {
		return x.end.AfterFunc(follow)
	}
	return context.AfterFunc(e.parent, follow)
}

// look is for those who cannot wait for what link brings.
func (e *end) look() {
	if err := e.parent.Err(); err != nil {
		e.finish(err, nil)
	}
}

// expire is the function of the timer, which needs no stopping any more.
func (e *end) expire(cause error) {
	e.mu.Lock()
	e.timer = nil
	e.mu.Unlock()
	e.finish(context.DeadlineExceeded, cause)
}

// finish ends e, once. If the parent has ended, e has ended of the same.
func (e *end) finish(err, cause error) {
	if lost := e.parent.Err(); lost != nil {
		err, cause = lost, context.Cause(e.parent)
	}
	e.mu.Lock()
	if e.err != nil {
		e.mu.Unlock()
		return
	}
	e.err = err
	if cause != nil {
		caused, set := context.WithCancelCause(e.above)
		set(cause)
		e.caused = caused
	}
	timer, unlink, list := e.timer, e.unlink, e.first
	e.timer, e.unlink, e.first, e.last = nil, nil, nil, nil
	for o := list; o != nil; o = o.next {
		o.gone = true // and so nobody changes the list any more
	}
	e.mu.Unlock()

	for o := list; o != nil; o = o.next {
		o.f()
	}
	if unlink != nil {
		unlink()
	}
	if timer != nil {
		timer.Stop()
	}
}

func (e *end) Deadline() (time.Time, bool) { return e.due, true }

// Done is asked only whether there may be an end: AfterFunc tells of it.
func (e *end) Done() <-chan struct{} { return never }

var never = make(chan struct{})

func (e *end) Err() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.err
}

// nearest is the key under which link finds the closest deadline.
type nearest struct{}

// Value answers for the parent. What that does not know may be the key by
// which context.Cause looks for a cause.
func (e *end) Value(key any) any {
	if key == (nearest{}) {
		return e.of
	}
	if v := e.above.Value(key); v != nil {
		return v
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.caused == nil {
		return nil
	}
	return e.caused.Value(key)
}

// AfterFunc calls f when e is done, unless stop is called before. It is for
// link and package context, whose f is short and takes no lock of ours.
func (e *end) AfterFunc(f func()) (stop func() bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.err != nil {
		go f() // whoever registers may hold a lock that f wants
		return func() bool { return false }
	}
	o := &follower{f: f, prev: e.last}
	if e.last == nil {
		e.first = o
	} else {
		e.last.next = o
	}
	e.last = o
	return func() bool { return e.remove(o) }
}

// remove takes o out of the list and reports whether it was there.
func (e *end) remove(o *follower) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if o.gone {
		return false
	}
	o.gone = true
	if o.prev == nil {
		e.first = o.next
	} else {
		o.prev.next = o.next
	}
	if o.next == nil {
		e.last = o.prev
	} else {
		o.next.prev = o.prev
	}
	return true
}

func (e *end) String() string {
	parent := fmt.Sprintf("%T", e.parent)
	if s, ok := e.parent.(fmt.Stringer); ok {
		parent = s.String()
	}
	return parent + ".clock.WithDeadline(" + e.due.Format(time.RFC3339Nano) + ")"
}
