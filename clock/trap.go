package clock

import (
	"strings"
	"sync"
	"time"
)

// Trap holds calls on a [Virtual] before they take effect, so that a test can
// let something else happen first. A held caller is blocked, and the test
// receives its call from C:
//
//	trap := v.Hold(clock.KindReset, "")
//	call := <-trap.C           // someone is about to call Reset,
//	v.Advance(time.Second)     // yet the timer fires first
//	call.Release()
//	trap.Lift()
//
// A function of AfterFunc that is held has not returned: a call of Advance
// that started it goes on once it is released.
type Trap struct {
	// C delivers the calls that are held, one at a time.
	C <-chan *Call

	v      *Virtual
	kinds  Kind
	label  string
	c      chan *Call
	lifted chan struct{}
	once   sync.Once
}

// Call is one call held by a [Trap].
type Call struct {
	Kind     Kind          // of the call, exactly one
	Label    string        // of the view it was made on, or of the timer, or empty
	Duration time.Duration // its argument d, zero for a call that has none

	by       *stack
	released chan struct{}
	done     chan struct{}
	once     sync.Once
}

// Hold sets a trap for calls of these kinds that are made on a view with this
// label, or on timers made there; an empty label means every call. If several
// traps want a call, the one set first gets it, and no other.
func (v *Virtual) Hold(kinds Kind, label string) *Trap {
	c := make(chan *Call)
	t := &Trap{C: c, v: v, kinds: kinds, label: label, c: c, lifted: make(chan struct{})}
	v.changeTraps(func(list []*Trap) []*Trap { return append(list, t) })
	return t
}

// Lift takes the trap away. The calls it holds go on, as if released.
// Lifting it again does nothing.
func (t *Trap) Lift() {
	t.once.Do(func() {
		t.v.changeTraps(func(list []*Trap) []*Trap {
			kept := list[:0]
			for _, other := range list {
				if other != t {
					kept = append(kept, other)
				}
			}
			return kept
		})
		close(t.lifted)
	})
}

// Release lets the call go on and returns when it has taken effect: what it
// arms is armed, what it stops is stopped. Releasing it again does nothing.
func (c *Call) Release() {
	c.once.Do(func() { close(c.released) })
	<-c.done
}

// Caller is the place that made the call, such as pool/idle.go:88. Frames
// inside this package do not count.
func (c *Call) Caller() string { return c.by.caller() }

// String is one line: the call, and all that is known about who made it.
func (c *Call) String() string {
	call := c.Kind.String()
	if c.Kind&(KindSleep|KindAfter|KindAfterFunc|KindNewTimer|KindNewTicker|KindReset) != 0 {
		call += "(" + c.Duration.String() + ")"
	}
	return strings.Join(whose([]string{call}, c.Label, c.by), " ")
}

// changeTraps gives the clock a new list of traps, made from a copy of the
// one it has.
func (v *Virtual) changeTraps(change func([]*Trap) []*Trap) {
	v.trapsMu.Lock()
	defer v.trapsMu.Unlock()
	var list []*Trap
	if old := v.traps.Load(); old != nil {
		list = append(list, *old...)
	}
	if list = change(list); len(list) == 0 {
		v.traps.Store(nil) // calls cost nothing more from here on
		return
	}
	v.traps.Store(&list)
}

// hold blocks a call as long as a trap wants it to. It returns a function to
// be called when the call has taken effect.
func (w *view) hold(kind Kind, d time.Duration) (done func()) {
	list := w.v.traps.Load()
	if list == nil {
		return func() {}
	}
	for _, t := range *list {
		if t.kinds&kind == 0 || t.label != "" && t.label != w.label {
			continue
		}
		call := &Call{
			Kind: kind, Label: w.label, Duration: d, by: callStack(),
			released: make(chan struct{}), done: make(chan struct{}),
		}
		select {
		case t.c <- call:
		case <-t.lifted:
			continue
		}
		select {
		case <-call.released:
		case <-t.lifted:
		}
		return func() { close(call.done) }
	}
	return func() {}
}
