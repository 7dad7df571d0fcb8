package clock

import (
	"fmt"
	"math"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Epoch is where the zero [Virtual] starts, as a [testing/synctest] bubble
// does: midnight UTC, 1 January 2000.
var Epoch = time.Date(2000, time.January, 1, 0, 0, 0, 0, time.UTC)

// forever is an instant that never comes, 292 years after the start.
const forever = math.MaxInt64

// Virtual is a [Clock] that moves only when told to. Its zero value is ready
// and starts at [Epoch]; it must not be copied once in use.
//
// Timers fire one after the other, and while one fires the clock stands at
// the very instant it is due. What that starts is treated in two ways:
//
//   - A function of AfterFunc runs in a goroutine of its own, which another one
//     may take over once it has returned. The clock stands still until then, or
//     until it sleeps on this clock. It may call every method of the clock, but
//     it must not wait for the clock to move in any way other than Sleep, and
//     it must not move the clock: that panics.
//   - A receiver of a timer's channel is made ready, and not waited for, as
//     nobody can tell what it is up to. To have it acted on before the clock
//     moves on, set Settle, or move by Step and wait between steps.
//
// A duration that is zero or negative fires at once, in the call that arms
// it, without the clock being moved, as it does in a bubble. So nothing armed
// is ever overdue.
//
// A timer that is armed stays so until it fires or is stopped: unlike
// package time's, it is not collected while nothing refers to it.
//
// All methods may be called by many goroutines at once. Two that move the
// clock take turns.
type Virtual struct {
	// Tie, if set, decides which timer fires first when several are due at
	// one instant. It gets them in the order they were armed, at least two,
	// and returns the index of one. It is asked again for those that remain.
	// With no Tie they fire in the order they were armed. Tie may call the
	// clock, but not move it.
	Tie func(due []Armed) int

	// Settle, if set, is called whenever the clock is about to look for the
	// next timer: when it is told to move, and after each firing. Inside a
	// bubble, Settle = synctest.Wait lets everything that a timer woke finish
	// before the next one fires.
	Settle func()

	// Callers records who arms each timer, for Timers, Tie and Step to tell.
	// Arming one takes about twice as long then. Traps know in any case.
	Callers bool

	// The three above are set before the first use of the clock.

	start time.Time    // the zero time stands for Epoch
	now   atomic.Int64 // nanoseconds since start; written by who moves

	nameless atomic.Pointer[view]    // made at first use
	traps    atomic.Pointer[[]*Trap] // nil if there is none
	trapsMu  sync.Mutex              // held to replace traps

	mu      sync.Mutex
	queue   queue
	moving  bool      // somebody moves the clock
	to      int64     // how far, if nobody wants to be asked between two timers
	running int       // callbacks that have not returned
	quiet   sync.Cond // running got zero, or moving false
}

// NewVirtual is a clock that stands at start, or at [Epoch] if start is the
// zero time. What it tells is in the location of start, and has no monotonic
// reading.
func NewVirtual(start time.Time) *Virtual {
	return &Virtual{start: start.Round(0)}
}

// Advance moves the clock by d and fires every timer that comes due on the
// way, those that are armed meanwhile among them, each at its own instant.
//
// It panics if d is negative, if it would carry the clock 292 years from its
// start, or if a callback calls it.
func (v *Virtual) Advance(d time.Duration) {
	if d < 0 {
		panic("clock: Advance by a negative duration")
	}
	v.begin()
	defer v.end()
	to := v.after(d)
	if to == forever {
		panic("clock: Advance beyond the 292 years a Virtual lasts")
	}
	v.move(to)
}

// AdvanceTo moves the clock to t as Advance does. It is an error, and nothing
// fires, if t has passed or is 292 years after the start of the clock. It
// panics if a callback calls it.
func (v *Virtual) AdvanceTo(t time.Time) error {
	v.begin()
	defer v.end()
	now, to := v.now.Load(), int64(t.Sub(v.at(0)))
	if to < now {
		return fmt.Errorf("clock: AdvanceTo: got %s, want %s or later",
			t.Format(time.RFC3339Nano), v.at(now).Format(time.RFC3339Nano))
	}
	if to == forever {
		return fmt.Errorf("clock: AdvanceTo: got %s, want %s at the latest",
			t.Format(time.RFC3339Nano), v.at(forever-1).Format(time.RFC3339Nano))
	}
	v.move(to)
	return nil
}

// Step moves the clock to the next timer, fires that one and no other, and
// tells which it was. With nothing armed it does nothing and reports false.
// It panics if a callback calls it.
func (v *Virtual) Step() (fired Armed, ok bool) {
	v.begin()
	defer v.end()
	v.settle()
	ev := v.next(forever - 1)
	if ev == nil {
		return Armed{}, false
	}
	fired = v.armed(ev)
	if f := ev.fire(); f != nil {
		go v.run(f)
	}
	v.settle()
	return fired, true
}

// Next is the instant of the next timer, and false if nothing is armed.
func (v *Virtual) Next() (time.Time, bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	ev := v.queue.top(forever)
	if ev == nil {
		return time.Time{}, false
	}
	return v.at(ev.when), true
}

// Timers is everything that is armed, in the order it will fire if no Tie
// decides otherwise.
func (v *Virtual) Timers() []Armed {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.describe(v.queue.list())
}

// begin takes the turn to move the clock; the mutex is held on return. Who
// is called by one that has the turn would wait for itself.
func (v *Virtual) begin() {
	v.mu.Lock()
	if (v.moving || v.running > 0) && onStack("run", "unlocked") {
		v.mu.Unlock()
		panic("clock: a callback moves the clock that waits for it")
	}
	for v.moving {
		v.wait()
	}
	v.moving = true
}

// end gives the turn back, and the mutex.
func (v *Virtual) end() {
	v.moving = false
	v.quiet.Broadcast()
	v.mu.Unlock()
}

// move fires what is due on the way to the instant to, and stops there.
func (v *Virtual) move(to int64) {
	if v.Settle == nil && v.Tie == nil {
		v.to = to
	}
	for {
		v.settle()
		v.pass()
		ev := v.next(to)
		if ev == nil {
			break
		}
		if f := ev.fire(); f != nil {
			go v.run(f)
		}
	}
	v.now.Store(to)
}

// pass fires the timers that come first and only have to be sent from.
func (v *Virtual) pass() {
	for e, ok := v.queue.pass(v.to); ok; e, ok = v.queue.pass(v.to) {
		v.now.Store(e.when)
		v.send(e.c, e.when)
	}
}

// settle waits until no callback runs. As long as one does, time stands.
func (v *Virtual) settle() {
	for v.running > 0 {
		v.wait()
	}
	if v.Settle == nil {
		return
	}
	v.unlocked(v.Settle)
	for v.running > 0 {
		v.wait()
	}
}

// next moves the clock to the event to fire first, and returns that; nil if
// none is due up to the instant to.
func (v *Virtual) next(to int64) *event {
	for {
		ev := v.queue.top(to)
		if ev == nil {
			return nil
		}
		v.now.Store(ev.when)
		if v.Tie == nil {
			return ev
		}
		if ev = v.choose(); ev != nil {
			return ev
		}
	}
}

// choose lets Tie choose among the events due first. It returns nil if the
// choice was stopped or moved meanwhile.
func (v *Virtual) choose() *event {
	tied := v.queue.tied()
	if len(tied) == 1 {
		return tied[0]
	}
	list := v.describe(tied)
	seqs := make([]uint64, len(tied))
	for i, ev := range tied {
		seqs[i] = ev.seq
	}
	i := -1
	v.unlocked(func() { i = v.Tie(list) })
	if i < 0 || i >= len(tied) {
		panic(fmt.Sprintf("clock: Tie chose %d of %d timers", i, len(tied)))
	}
	for v.running > 0 {
		v.wait()
	}
	if ev := tied[i]; ev.armed && ev.seq == seqs[i] {
		return ev
	}
	return nil
}

// run is the goroutine of a callback. Its name is known to onStack.
func (v *Virtual) run(f func()) {
	defer func() { // even if f ends its goroutine
		v.mu.Lock()
		v.rest()
		v.mu.Unlock()
	}()
	for f != nil {
		f()
		f = v.another()
	}
}

// another is the next callback for a goroutine whose last one has returned.
// Who moves the clock waits until no callback runs, so this goroutine may as
// well fire what is due up to the next callback and run that, which saves
// waking the other one each time. It returns nil if it may not, or if there
// is none.
func (v *Virtual) another() func() {
	v.mu.Lock()
	defer v.mu.Unlock()
	for v.running == 1 {
		v.pass()
		ev := v.next(v.to)
		if ev == nil {
			break
		}
		v.running-- // the count is that of the one to come
		if f := ev.fire(); f != nil {
			return f
		}
		v.running++
	}
	return nil
}

// rest counts a callback as one that does not run. The mutex is held.
func (v *Virtual) rest() {
	if v.running--; v.running == 0 {
		v.quiet.Broadcast()
	}
}

// onStack reports whether its goroutine is in one of these methods of a
// Virtual. It walks the stack, so it is asked only when some goroutine is. It
// takes another Virtual that is just as busy for ours.
func onStack(methods ...string) bool {
	var pcs [64]uintptr
	for skip := 2; ; skip += len(pcs) {
		n := runtime.Callers(skip, pcs[:])
		frames := runtime.CallersFrames(pcs[:n])
		for more := n > 0; more; {
			var f runtime.Frame
			f, more = frames.Next()
			method, ok := strings.CutPrefix(f.Function, pkg+"(*Virtual).")
			if ok && slices.Contains(methods, method) {
				return true
			}
		}
		if n < len(pcs) {
			return false
		}
	}
}

// unlocked calls f, which is Settle or Tie, with the mutex free. Its name is
// known to onStack.
func (v *Virtual) unlocked(f func()) {
	v.mu.Unlock()
	defer v.mu.Lock()
	f()
}

// wait waits until something changes. It is durably blocked meanwhile.
func (v *Virtual) wait() {
	v.quiet.L = &v.mu
	v.quiet.Wait()
}

// at is the instant n nanoseconds after the start.
func (v *Virtual) at(n int64) time.Time {
	start := v.start
	if start.IsZero() {
		start = Epoch
	}
	return start.Add(time.Duration(n))
}

// after is the instant d from now, forever if that is too far.
func (v *Virtual) after(d time.Duration) int64 {
	when := v.now.Load() + int64(d)
	if when < 0 {
		return forever
	}
	return when
}
