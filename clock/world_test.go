package clock_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/halfopen/halfopen/clock"
)

// world has a clock, a function that moves it, and notes. A case is played once
// in each of two worlds, and both must have the same notes.
type world struct {
	clock.Clock
	t     *testing.T
	start time.Time
	move  func(time.Duration)

	mu    sync.Mutex
	notes []string
	calls []string // of callbacks since the last advance, in any order
}

// inTime plays f on package time in a bubble and returns what was noted.
func inTime(t *testing.T, f func(*world)) string {
	return playWorld(t, func() (clock.Clock, func(time.Duration)) { return clock.System, time.Sleep }, f) // virtual
}

// inOther plays f on a clock that hides that it is System.
func inOther(t *testing.T, f func(*world)) string {
	other := struct{ clock.Clock }{clock.System}
	return playWorld(t, func() (clock.Clock, func(time.Duration)) { return other, time.Sleep }, f) // virtual
}

// inVirtual plays f on a Virtual.
func inVirtual(t *testing.T, f func(*world)) string {
	return playWorld(t, func() (clock.Clock, func(time.Duration)) {
		v := &clock.Virtual{Settle: synctest.Wait}
		return v, v.Advance
	}, f)
}

// inBare plays f on a Virtual without Settle, which waits only for callbacks.
// So many timers are armed that they are sorted together.
func inBare(t *testing.T, f func(*world)) string {
	return playWorld(t, func() (clock.Clock, func(time.Duration)) {
		v := new(clock.Virtual)
		for range 100 {
			v.NewTimer(1000 * time.Hour)
		}
		return v, v.Advance
	}, f)
}

func playWorld(t *testing.T, choose func() (clock.Clock, func(time.Duration)), f func(*world)) string {
	w := &world{t: t}
	synctest.Test(t, func(t *testing.T) {
		w.Clock, w.move = choose()
		w.start = w.Now()
		f(w)
		w.settle()
	})
	return strings.Join(w.notes, "; ")
}

// advance moves the clock. Before and after that it waits until every goroutine
// is blocked.
func (w *world) advance(d time.Duration) {
	w.settle()
	w.move(d)
	w.settle()
}

// settle waits until every goroutine is blocked, and notes the callbacks that
// ran. Package time runs callbacks of one instant in random order, so they are
// noted in the order of instant and name.
func (w *world) settle() {
	synctest.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	slices.Sort(w.calls)
	w.notes = append(w.notes, w.calls...)
	w.calls = nil
}

func (w *world) note(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.notes = append(w.notes, fmt.Sprintf(format, args...))
}

// called records that a callback ran; settle notes it.
func (w *world) called(name string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls = append(w.calls, fmt.Sprintf("%v %s", w.Since(w.start), name))
}

// call returns a callback that notes when it ran.
func (w *world) call(name string) func() { return func() { w.called(name) } }

// read notes the time since the start that can be received from c now, if any.
func (w *world) read(c <-chan time.Time) {
	select {
	case at := <-c:
		w.note("read %v", at.Sub(w.start))
	default:
		w.note("empty")
	}
}

func (w *world) stop(t *clock.Timer)                   { w.note("stop %v", t.Stop()) }
func (w *world) reset(t *clock.Timer, d time.Duration) { w.note("reset %v", t.Reset(d)) }

// end notes how a context has ended, if it has.
func (w *world) end(ctx context.Context) {
	closed := false
	select {
	case <-ctx.Done():
		closed = true
	default:
	}
	if closed != (ctx.Err() != nil) {
		w.note("Done closed %v, but Err %v", closed, ctx.Err())
	}
	switch err, cause := ctx.Err(), context.Cause(ctx); {
	case err == nil:
		w.note("alive")
	case err == cause:
		w.note("%v", err)
	default:
		w.note("%v (%v)", err, cause)
	}
}

func (w *world) deadline(ctx context.Context) {
	at, ok := ctx.Deadline()
	w.note("deadline %v %v", at.Sub(w.start), ok)
}

// panics notes whether f panics.
func (w *world) panics(f func()) {
	defer func() { w.note("panics %v", recover() != nil) }()
	f()
}
