package clock

import (
	"strings"
	"sync"
	"time"
)

// Trap holds calls on a [Virtual] before they take effect, so that a test can
// let something else happen first. The goroutine that makes a held call is
// blocked, and the test receives the call from C:
//
//	trap := v.Hold(clock.KindReset, "")
//	call := <-trap.C           // the program is about to call Reset,
//	v.Advance(time.Second)     // but the timer fires first
//	call.Release()
//	trap.Lift()
//
// A function of AfterFunc that makes a held call has not returned, so the
// Advance that started it waits until the call is released.
type Trap struct {
	// C delivers the held calls, one at a time.
	C <-chan *Call

	v      *Virtual
	kinds  Kind
	label  string
	c      chan *Call
	lifted chan struct{}
	once   sync.Once
}

// Call describes one call that a [Trap] holds.
type Call struct {
	Kind     Kind          // the kind of the call, exactly one
	Label    string        // the label of the clock or the timer it was made on, or empty
	Duration time.Duration // its argument d; zero for a call without one

	by       *stack
	released chan struct{}
	done     chan struct{}
	once     sync.Once
}

// Hold sets a trap for calls of these kinds that are made on a clock with this
// label (see Virtual.Label) or on a timer that such a clock made. An empty
// label means all calls of these kinds. If several traps could hold a call, only
// the trap that was set first holds it.
func (v *Virtual) Hold(kinds Kind, label string) *Trap {
	c := make(chan *Call)
	t := &Trap{C: c, v: v, kinds: kinds, label: label, c: c, lifted: make(chan struct{})}
	v.changeTraps(func(list []*Trap) []*Trap { return append(list, t) })
	return t
}

// Lift removes the trap. The calls it holds go on, as if released. Lifting it
// again does nothing.
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

// Release lets the call go on and returns when it has taken effect: the timer
// it arms is armed, the timer it stops is stopped. Releasing it again does
// nothing.
func (c *Call) Release() {
	c.once.Do(func() { close(c.released) })
	<-c.done
}

// Caller returns the place in the code that made the call, such as
// pool/idle.go:88. Places inside this package do not count.
func (c *Call) Caller() string { return c.by.caller() }

// String returns one line: the call, its label if it has one, and the place
// that made it.
func (c *Call) String() string {
	call := c.Kind.String()
	if c.Kind&(KindSleep|KindAfter|KindAfterFunc|KindNewTimer|KindNewTicker|KindReset) != 0 {
		call += "(" + c.Duration.String() + ")"
	}
	return strings.Join(appendOrigin([]string{call}, c.Label, c.by), " ")
}

// changeTraps replaces the clock's list of traps by what change makes of a
// copy of it.
func (v *Virtual) changeTraps(change func([]*Trap) []*Trap) {
	v.trapsMu.Lock()
	defer v.trapsMu.Unlock()
	var list []*Trap
	if old := v.traps.Load(); old != nil {
		list = append(list, *old...)
	}
	if list = change(list); len(list) == 0 {
		v.traps.Store(nil) // without traps, calls take no more time
		return
	}
	v.traps.Store(&list)
}

// hold blocks a call as long as a trap holds it. It returns a function that
// the caller has to call when the call has taken effect.
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
