package clock

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	benbjohnson "github.com/benbjohnson/clock"
	"github.com/coder/quartz"
	"github.com/halfopen/halfopen/clock"
	"github.com/jonboulle/clockwork"
	kclock "k8s.io/utils/clock"
	ktesting "k8s.io/utils/clock/testing"
)

// maker has the methods of a virtual clock whose timers are of type T. They are
// functions, so that no adapter is allocated for a timer.
type maker[T any] struct {
	now       func() time.Time
	newTimer  func(time.Duration) T
	afterFunc func(time.Duration, func()) T
	ticker    func(time.Duration)
	c         func(T) <-chan time.Time
	stop      func(T)
	reset     func(T, time.Duration)
	advance   func(time.Duration)
	pass      func(total time.Duration) // advances past all timers that are due on the way
}

// subject is a virtual clock to be measured.
type subject struct {
	name string
	// play runs f and returns the real time between its two marks.
	play func(m measure, list []time.Duration, size int) time.Duration
	caps map[string]int // the largest number of timers or steps, by measure; with 0 the measure is left out
}

// of returns a subject whose clocks are made by make.
func of[T any](name string, caps map[string]int, make func() maker[T]) subject {
	return subject{name: name, caps: caps, play: func(m measure, list []time.Duration, size int) time.Duration {
		var marks []time.Time
		perform(m, make(), list, size, func() { marks = append(marks, time.Now()) })
		return marks[1].Sub(marks[0])
	}}
}

var subjects = []subject{
	of("ours", nil, func() maker[*clock.Timer] {
		v := new(clock.Virtual)
		return maker[*clock.Timer]{
			now: v.Now, newTimer: v.NewTimer, afterFunc: v.AfterFunc, advance: v.Advance, pass: v.Advance,
			ticker: func(d time.Duration) { v.NewTicker(d) },
			c:      func(t *clock.Timer) <-chan time.Time { return t.C },
			stop:   func(t *clock.Timer) { t.Stop() },
			reset:  func(t *clock.Timer, d time.Duration) { t.Reset(d) },
		}
	}),
	bubble(),
	bare(),
	of("k8s", map[string]int{"advance": 100, "tick": 100, "reset": 10_000, "stop": 10_000}, func() maker[kclock.Timer] {
		f := ktesting.NewFakeClock(clock.Epoch)
		return maker[kclock.Timer]{
			now: f.Now, newTimer: f.NewTimer, afterFunc: f.AfterFunc, advance: f.Step, pass: f.Step,
			ticker: func(d time.Duration) { f.NewTicker(d) },
			c:      kclock.Timer.C,
			stop:   func(t kclock.Timer) { t.Stop() },
			reset:  func(t kclock.Timer, d time.Duration) { t.Reset(d) },
		}
	}),
	of("clockwork", map[string]int{"create": 3000, "call": 3000, "armed": 3000, "advance": 1000, "tick": 1000, "reset": 1000, "stop": 1000},
		func() maker[clockwork.Timer] {
			f := clockwork.NewFakeClockAt(clock.Epoch)
			return maker[clockwork.Timer]{
				now: f.Now, newTimer: f.NewTimer, afterFunc: f.AfterFunc, advance: f.Advance, pass: f.Advance,
				ticker: func(d time.Duration) { f.NewTicker(d) },
				c:      clockwork.Timer.Chan,
				stop:   func(t clockwork.Timer) { t.Stop() },
				reset:  func(t clockwork.Timer, d time.Duration) { t.Reset(d) },
			}
		}),
	of("quartz", map[string]int{"create": 1000, "call": 1000, "armed": 3000, "reset": 1000, "stop": 1000}, func() maker[*quartz.Timer] {
		m := quartz.NewMock(new(quiet)).WithLogger(quartz.NoOpLogger)
		return maker[*quartz.Timer]{
			now:       func() time.Time { return m.Now() },
			newTimer:  func(d time.Duration) *quartz.Timer { return m.NewTimer(d) },
			afterFunc: func(d time.Duration, f func()) *quartz.Timer { return m.AfterFunc(d, f) },
			ticker:    func(d time.Duration) { m.NewTicker(d) },
			c:         func(t *quartz.Timer) <-chan time.Time { return t.C },
			stop:      func(t *quartz.Timer) { t.Stop() },
			reset:     func(t *quartz.Timer, d time.Duration) { t.Reset(d) },
			advance:   func(d time.Duration) { m.Advance(d).Wait(context.Background()) },
			// It cannot advance past a timer, only to the next one.
			pass: func(total time.Duration) {
				for {
					d, ok := m.Peek()
					if !ok || d > total {
						break
					}
					m.Advance(d).Wait(context.Background())
					total -= d
				}
			},
		}
	}),
	of("benbjohnson", map[string]int{"create": 300, "call": 300, "armed": 300, "advance": 300, "tick": 100, "reset": 300, "stop": 300},
		func() maker[*benbjohnson.Timer] {
			m := benbjohnson.NewMock()
			m.Set(clock.Epoch)
			return maker[*benbjohnson.Timer]{
				now: m.Now, newTimer: m.Timer, afterFunc: m.AfterFunc, advance: m.Add, pass: m.Add,
				ticker: func(d time.Duration) { m.Ticker(d) },
				c:      func(t *benbjohnson.Timer) <-chan time.Time { return t.C },
				stop:   func(t *benbjohnson.Timer) { t.Stop() },
				reset:  func(t *benbjohnson.Timer, d time.Duration) { t.Reset(d) },
			}
		}),
}

// bubble returns package time in a bubble as a subject. It measures time outside the
// bubble, because time inside is not real.
func bubble() subject {
	m := maker[*time.Timer]{
		now: time.Now, newTimer: time.NewTimer, afterFunc: time.AfterFunc, advance: time.Sleep, pass: time.Sleep, // virtual
		ticker: func(d time.Duration) { time.NewTicker(d) },
		c:      func(t *time.Timer) <-chan time.Time { return t.C },
		stop:   func(t *time.Timer) { t.Stop() },
		reset:  func(t *time.Timer, d time.Duration) { t.Reset(d) },
	}
	return subject{name: "bubble", play: func(what measure, list []time.Duration, size int) time.Duration {
		marks, taken := make(chan bool), make(chan []time.Time)
		go func() {
			var times []time.Time
			for range marks {
				times = append(times, time.Now())
			}
			taken <- times
		}()
		synctest.Test(new(testing.T), func(*testing.T) {
			perform(what, m, list, size, func() { marks <- true })
		})
		close(marks)
		times := <-taken
		return times[1].Sub(times[0])
	}}
}

// quiet implements the methods of a test that quartz calls.
type quiet struct{}

func (*quiet) Helper()                   {}
func (*quiet) Cleanup(func())            {}
func (*quiet) Log(...any)                {}
func (*quiet) Logf(string, ...any)       {}
func (*quiet) Error(args ...any)         { panic(args) }
func (*quiet) Errorf(f string, _ ...any) { panic(f) }
func (*quiet) Fatal(args ...any)         { panic(args) }
func (*quiet) Fatalf(f string, _ ...any) { panic(f) }
