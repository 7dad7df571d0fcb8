package clock

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// WithDeadline does what [context.WithDeadline] does, on the clock c: the
// context it returns expires when c reaches d. On [System] it calls that
// function.
//
// Err, Cause, values and derived contexts behave as those of package context,
// and no goroutine waits for them. Deadline returns d, or the deadline of
// parent if that is earlier.
//
// One thing takes longer. If parent is a context of package context and is
// cancelled, a goroutine is started that cancels the contexts derived from
// this one. The context itself is cancelled at once.
func WithDeadline(parent context.Context, c Clock, d time.Time) (context.Context, context.CancelFunc) {
	return withDeadline(parent, c, d, nil)
}

// WithDeadlineCause does what WithDeadline does, and also sets the cause that
// [context.Cause] returns when the deadline has passed. Cancelling does not set
// the cause.
func WithDeadlineCause(parent context.Context, c Clock, d time.Time, cause error) (context.Context, context.CancelFunc) {
	return withDeadline(parent, c, d, cause)
}

// WithTimeout calls [WithDeadline] with the instant timeout from now.
func WithTimeout(parent context.Context, c Clock, timeout time.Duration) (context.Context, context.CancelFunc) {
	return withDeadline(parent, c, c.Now().Add(timeout), nil)
}

// WithTimeoutCause calls [WithDeadlineCause] with the instant timeout from now.
func WithTimeoutCause(parent context.Context, c Clock, timeout time.Duration, cause error) (context.Context, context.CancelFunc) {
	return withDeadline(parent, c, c.Now().Add(timeout), cause)
}

// deadline is a context that expires on a Clock. Inside it is a context of
// package context, and an ending as the parent of that context.
type deadline struct {
	child  context.Context // its parent is ending
	ending ending
}

func (x *deadline) Deadline() (time.Time, bool) { return x.ending.due, true }
func (x *deadline) Value(key any) any           { return x.child.Value(key) }

// Done and Err check the parent first: it may be done, and link may not have
// passed that on yet.
func (x *deadline) Done() <-chan struct{} {
	x.ending.checkParent()
	return x.child.Done()
}

func (x *deadline) Err() error {
	x.ending.checkParent()
	return x.child.Err()
}

// String returns the parent and the deadline. Without this method, printing a
// context would read its fields while other goroutines write them.
func (x *deadline) String() string { return x.ending.String() }

// ending is a context that ends with the error that is passed to finish. It is
// the parent of the context inside a deadline.
//
// A context of package context ends with Canceled, or with the error of its
// parent. To make one end with DeadlineExceeded, it gets a parent that ends
// with that error. The parent has a method AfterFunc, so package context needs
// no goroutine to follow it.
type ending struct {
	parent   context.Context
	due      time.Time
	values   context.Context // parent, but never cancelled: it answers Value
	deadline *deadline       // the deadline that contains this ending

	mu     sync.Mutex
	err    error           // nil until finish
	caused context.Context // has the cause, if finish got one
	timer  *Timer          // finish stops it
	unlink func() bool     // finish calls it: it ends what link began
	first  *follower       // the list of followers, in order
	last   *follower
}

// follower holds a function that finish calls.
type follower struct {
	f          func()
	prev, next *follower
	gone       bool // called or removed
}

// withDeadline returns a context on the clock c that expires at d with this
// cause, which may be nil.
func withDeadline(parent context.Context, c Clock, d time.Time, cause error) (context.Context, context.CancelFunc) {
	if _, ok := c.(system); ok {
		return context.WithDeadlineCause(parent, d, cause)
	}
	if parent == nil {
		panic("clock: a context needs a parent")
	}
	x := &deadline{ending: ending{parent: parent, due: d, values: context.WithoutCancel(parent)}}
	e := &x.ending
	e.deadline = x
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

// keep stores unlink and timer for finish. If e has ended before, keep calls
// unlink and stops the timer itself.
func (e *ending) keep(unlink func() bool, timer *Timer) {
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

// link makes e end when its parent ends. If the parent is a deadline, or a
// context that only adds values to one, that needs no goroutine.
func (e *ending) link() (unlink func() bool) {
	done := e.parent.Done()
	if done == nil {
		return func() bool { return false }
	}
	follow := func() { e.finish(e.parent.Err(), context.Cause(e.parent)) }
	if x, ok := e.parent.Value(nearestDeadline{}).(*deadline); ok && x.Done() == done {
		return x.ending.AfterFunc(follow)
	}
	return context.AfterFunc(e.parent, follow)
}

// checkParent ends e if its parent is done, without waiting for what link set
// up.
func (e *ending) checkParent() {
	if err := e.parent.Err(); err != nil {
		e.finish(err, nil)
	}
}

// expire ends e because its deadline has passed. The timer calls it, so the
// timer need not be stopped any more.
func (e *ending) expire(cause error) {
	e.mu.Lock()
	e.timer = nil
	e.mu.Unlock()
	e.finish(context.DeadlineExceeded, cause)
}

// finish ends e with err and cause, once. If the parent has ended before, e
// ends with the error and the cause of the parent.
func (e *ending) finish(err, cause error) {
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
		caused, set := context.WithCancelCause(e.values)
		set(cause)
		e.caused = caused
	}
	timer, unlink, list := e.timer, e.unlink, e.first
	e.timer, e.unlink, e.first, e.last = nil, nil, nil, nil
	for o := list; o != nil; o = o.next {
		o.gone = true // so that remove does not change the list any more
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

func (e *ending) Deadline() (time.Time, bool) { return e.due, true }

// Done returns a channel that is never closed. Package context asks for it
// only to see that e can end; it learns that e has ended through AfterFunc.
func (e *ending) Done() <-chan struct{} { return never }

var never = make(chan struct{})

func (e *ending) Err() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.err
}

// nearestDeadline is the key under which link finds the closest deadline.
type nearestDeadline struct{}

// Value returns what the parent has for key. A key that the parent does not
// know may be the one with which context.Cause looks for a cause.
func (e *ending) Value(key any) any {
	if key == (nearestDeadline{}) {
		return e.deadline
	}
	if v := e.values.Value(key); v != nil {
		return v
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.caused == nil {
		return nil
	}
	return e.caused.Value(key)
}

// AfterFunc calls f when e is done, unless stop is called before. Only link
// and package context call it; their f is short and takes no lock of this
// package.
func (e *ending) AfterFunc(f func()) (stop func() bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.err != nil {
		go f() // not here: the caller may hold a lock that f needs
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

// remove takes o out of the list and reports whether it was in the list.
func (e *ending) remove(o *follower) bool {
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

func (e *ending) String() string {
	parent := fmt.Sprintf("%T", e.parent)
	if s, ok := e.parent.(fmt.Stringer); ok {
		parent = s.String()
	}
	return parent + ".clock.WithDeadline(" + e.due.Format(time.RFC3339Nano) + ")"
}
