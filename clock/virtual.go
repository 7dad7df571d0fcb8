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

// Epoch is the instant at which the zero [Virtual] and a [testing/synctest]
// bubble start: midnight UTC, 1 January 2000.
var Epoch = time.Date(2000, time.January, 1, 0, 0, 0, 0, time.UTC)

// forever is an instant that never comes, 292 years after the start.
const forever = math.MaxInt64

// Virtual is a [Clock] that moves only when a program moves it, by Advance,
// AdvanceTo or Step. Its zero value is ready and starts at [Epoch]; it must not
// be copied after its first use.
//
// Timers fire one after the other. While a timer fires, the clock stands at
// the exact instant at which the timer is due. Functions and channels differ:
//
//   - A function of AfterFunc runs in a goroutine of its own; when it has
//     returned, the same goroutine may run the next function. The clock stands
//     still until the function returns or sleeps on this clock. The function
//     may call every method of the clock, with two exceptions. It must not wait
//     for the clock to move in any way other than Sleep. And it must not move
//     the clock: that panics.
//   - A goroutine that receives from a timer's channel is made ready, but the
//     clock does not wait for it, because the clock cannot see when it has
//     acted. To let it act before the clock moves on, set Settle, or use Step
//     and wait between the steps.
//
// A timer whose duration is zero or negative fires at once, in the call that
// arms it, and the clock does not move, as in a bubble. So no armed timer is
// ever overdue.
//
// A timer stays armed until it fires or is stopped. Unlike a timer of package
// time, it is not collected when nothing refers to it.
//
// Many goroutines may call the methods at the same time. Goroutines that move
// the clock take turns.
type Virtual struct {
	// Tie, if set, decides which timer fires first when several are due at
	// one instant. It gets these timers, at least two, in the order in which
	// they were armed, and returns the index of one. Then it is asked again
	// for the others. Without a Tie, timers fire in the order in which they were
	// armed. Tie may call the clock, but must not move it.
	Tie func(due []ArmedTimer) int

	// Settle, if set, is called each time before the clock looks for the next
	// timer: when a move begins, and after each firing. Inside a bubble,
	// Settle = synctest.Wait lets everything that a timer woke finish before
	// the next timer fires.
	Settle func()

	// Callers makes the clock record the place in the code that arms each
	// timer, for Timers, Tie and Step. Then arming takes about twice as long.
	// Traps record the place in any case.
	Callers bool

	// The three fields above are set before the first use of the clock.

	start time.Time    // the zero time stands for Epoch
	now   atomic.Int64 // nanoseconds since start; only the goroutine that moves the clock writes it

	noLabel atomic.Pointer[view]    // made at first use
	traps   atomic.Pointer[[]*Trap] // nil if there is none
	trapsMu sync.Mutex              // held to replace traps

	mu      sync.Mutex
	queue   queue
	moving  bool      // a goroutine moves the clock
	limit   int64     // where the move ends; 0 if Settle or Tie has to be called between timers
	running int       // how many callbacks have not returned
	changed sync.Cond // running has become zero, or moving false
}

// NewVirtual returns a clock that stands at start, or at [Epoch] if start is
// the zero time. The times it returns are in the location of start, and have no
// monotonic reading.
func NewVirtual(start time.Time) *Virtual {
	return &Virtual{start: start.Round(0)}
}

// Advance moves the clock by d and fires every timer that becomes due on the
// way, each at its own instant. That includes timers that are armed during the
// move.
//
// It panics if d is negative, if it would carry the clock 292 years from its
// start, or if a callback calls it.
func (v *Virtual) Advance(d time.Duration) {
	if d < 0 {
		panic("clock: Advance by a negative duration")
	}
	v.takeTurn()
	defer v.giveTurnBack()
	to := v.after(d)
	if to == forever {
		panic("clock: Advance beyond the 292 years a Virtual lasts")
	}
	v.move(to)
}

// AdvanceTo moves the clock to t as Advance does. If t has passed, or is 292
// years after the start of the clock, it returns an error and fires nothing. It
// panics if a callback calls it.
func (v *Virtual) AdvanceTo(t time.Time) error {
	v.takeTurn()
	defer v.giveTurnBack()
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

// Step moves the clock to the next timer, fires only that one, and returns it.
// With nothing armed it does nothing and returns false. It panics if a callback
// calls it.
func (v *Virtual) Step() (fired ArmedTimer, ok bool) {
	v.takeTurn()
	defer v.giveTurnBack()
	v.settle()
	ev := v.next(forever - 1)
	if ev == nil {
		return ArmedTimer{}, false
	}
	fired = v.armedTimer(ev)
	if f := ev.fire(); f != nil {
		go v.runCallback(f)
	}
	v.settle()
	return fired, true
}

// Next returns the instant of the next timer, or false if nothing is armed.
func (v *Virtual) Next() (time.Time, bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	ev := v.queue.top(forever)
	if ev == nil {
		return time.Time{}, false
	}
	return v.at(ev.when), true
}

// Timers returns all armed timers, in the order in which they will fire if no
// Tie decides otherwise.
func (v *Virtual) Timers() []ArmedTimer {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.describe(v.queue.list())
}

// takeTurn waits for its turn to move the clock, and returns with the mutex
// held. In a callback, Tie or Settle it panics: the goroutine that has the turn
// waits for these, so they would wait for themselves.
func (v *Virtual) takeTurn() {
	v.mu.Lock()
	if (v.moving || v.running > 0) && onStack("runCallback", "unlocked") {
		v.mu.Unlock()
		panic("clock: a callback moves the clock that waits for it")
	}
	for v.moving {
		v.wait()
	}
	v.moving = true
}

// giveTurnBack ends the turn and unlocks the mutex.
func (v *Virtual) giveTurnBack() {
	v.moving = false
	v.changed.Broadcast()
	v.mu.Unlock()
}

// move fires the timers that are due on the way to the instant to, and stops
// the clock there.
func (v *Virtual) move(to int64) {
	if v.Settle == nil && v.Tie == nil {
		v.limit = to
	}
	for {
		v.settle()
		v.sendDue()
		ev := v.next(to)
		if ev == nil {
			break
		}
		if f := ev.fire(); f != nil {
			go v.runCallback(f)
		}
	}
	v.now.Store(to)
}

// sendDue fires the first timers, as long as firing one is only a send.
func (v *Virtual) sendDue() {
	for e, ok := v.queue.fastPop(v.limit); ok; e, ok = v.queue.fastPop(v.limit) {
		v.now.Store(e.when)
		v.send(e.c, e.when)
	}
}

// settle waits until no callback runs, and calls Settle. As long as a callback
// runs, the clock stands still.
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

// next moves the clock to the event to fire first, and returns that event. It
// returns nil if none is due at the instant to or earlier.
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

// choose lets Tie choose one of the events that are due first, and returns it.
// It returns nil if the chosen event was stopped or moved during the call of
// Tie.
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

// runCallback runs f, and then the callbacks that are due next, in its
// goroutine. onStack looks for its name.
func (v *Virtual) runCallback(f func()) {
	defer func() { // even if f ends its goroutine
		v.mu.Lock()
		v.uncountCallback()
		v.mu.Unlock()
	}()
	for f != nil {
		f()
		f = v.nextCallback()
	}
}

// nextCallback fires the timers that are due up to the next callback, and
// returns that callback. The goroutine that moves the clock waits until no
// callback runs, so the goroutine of a callback that has returned can do this
// in its place: that saves a switch of goroutines for each callback.
// nextCallback returns nil if another callback still runs, or if none is due.
func (v *Virtual) nextCallback() func() {
	v.mu.Lock()
	defer v.mu.Unlock()
	for v.running == 1 {
		v.sendDue()
		ev := v.next(v.limit)
		if ev == nil {
			break
		}
		v.running-- // from here on the count is that of the next callback
		if f := ev.fire(); f != nil {
			return f
		}
		v.running++
	}
	return nil
}

// uncountCallback counts one running callback less. The mutex is held.
func (v *Virtual) uncountCallback() {
	if v.running--; v.running == 0 {
		v.changed.Broadcast()
	}
}

// onStack reports whether its goroutine is inside one of these methods of any
// Virtual. It walks the stack, so it is called only if some goroutine is inside
// one. It does not distinguish this Virtual from another one.
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

// unlocked calls f, which is Settle or Tie, with the mutex free. onStack looks
// for its name.
func (v *Virtual) unlocked(f func()) {
	v.mu.Unlock()
	defer v.mu.Lock()
	f()
}

// wait waits until running or moving may have changed. In a bubble it is
// durably blocked.
func (v *Virtual) wait() {
	v.changed.L = &v.mu
	v.changed.Wait()
}

// at returns the instant n nanoseconds after the start.
func (v *Virtual) at(n int64) time.Time {
	start := v.start
	if start.IsZero() {
		start = Epoch
	}
	return start.Add(time.Duration(n))
}

// after returns the instant d from now, or forever if that is too far away.
func (v *Virtual) after(d time.Duration) int64 {
	when := v.now.Load() + int64(d)
	if when < 0 {
		return forever
	}
	return when
}
