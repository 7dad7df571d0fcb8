package clock

import (
	"math/rand/v2"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"time"
)

// measure names the work that each subject does.
type measure string

const (
	createAndFire measure = "create"  // each timer is made, fires, and is received from
	createAndCall measure = "call"    // each callback is armed and runs
	advance       measure = "advance" // nothing is due, many are armed
	tick          measure = "tick"    // a ticker ticks each time, many are armed
	reset         measure = "reset"   // one of many is moved, earlier or later
	stop          measure = "stop"    // one of many is stopped
	now           measure = "now"
)

// call counts a call: it is the callback of all timers.
func call() { called.Add(1) }

var called atomic.Int64

// perform does the work of a measure size times, with timers of the durations in list.
// It calls mark twice, and the time between the two calls is measured.
func perform[T any](what measure, m maker[T], list []time.Duration, size int, mark func()) {
	timers := make([]T, len(list))
	switch what {
	case createAndFire:
		mark()
		for i, d := range list {
			timers[i] = m.newTimer(d)
		}
		m.pass(time.Second)
		for _, t := range timers {
			<-m.c(t)
		}
		mark()
		return
	case createAndCall:
		called.Store(0)
		mark()
		for _, d := range list {
			m.afterFunc(d, call)
		}
		m.pass(time.Second)
		for called.Load() < int64(len(list)) {
			runtime.Gosched() // some subjects do not wait for callbacks
		}
		mark()
		return
	}
	for i, d := range list {
		timers[i] = m.afterFunc(time.Hour+d, call)
	}
	if what == tick {
		m.ticker(time.Millisecond)
	}
	m.advance(time.Millisecond)
	mark()
	switch what {
	case advance:
		for range size {
			m.advance(time.Microsecond)
		}
	case tick:
		for range size {
			m.advance(time.Millisecond)
		}
	case reset:
		for i, t := range timers[:size] {
			m.reset(t, time.Hour+list[len(list)-1-i])
		}
		m.advance(time.Microsecond) // measure the work that was put off, too
	case stop:
		for _, t := range timers[:size] {
			m.stop(t)
		}
		m.advance(time.Microsecond)
	case now:
		for range size {
			m.now()
		}
	}
	mark()
}

func BenchmarkCreateAndFireAscending(b *testing.B) { compare(b, createAndFire, ascending(1e5), 1e5) }
func BenchmarkCreateAndFireShuffled(b *testing.B)  { compare(b, createAndFire, shuffled(1e5), 1e5) }
func BenchmarkCreateAndCallShuffled(b *testing.B)  { compare(b, createAndCall, shuffled(1e5), 1e5) }

func BenchmarkAdvance1e3Armed(b *testing.B) { compare(b, advance, shuffled(1e3), 1e4) }
func BenchmarkAdvance1e5Armed(b *testing.B) { compare(b, advance, shuffled(1e5), 1e4) }
func BenchmarkAdvance1e6Armed(b *testing.B) { compare(b, advance, shuffled(1e6), 1e4) }
func BenchmarkTick1e5Armed(b *testing.B)    { compare(b, tick, shuffled(1e5), 1e4) }
func BenchmarkReset1e5Armed(b *testing.B)   { compare(b, reset, shuffled(1e5), 1e5) }
func BenchmarkStop1e5Armed(b *testing.B)    { compare(b, stop, shuffled(1e5), 1e5) }
func BenchmarkNow(b *testing.B)             { compare(b, now, nil, 1e6) }

// compare runs one measure on all subjects, the timers and the steps of each
// cut to what it can bear.
func compare(b *testing.B, what measure, list []time.Duration, size int) {
	var ours float64
	for _, s := range subjects {
		list, size := list, size
		if n, ok := s.caps["armed"]; ok {
			list = spread(list, n)
		}
		if n, ok := s.caps[string(what)]; ok {
			size = min(size, n)
		}
		if size == 0 {
			continue
		}
		if what == createAndFire || what == createAndCall {
			list = spread(list, size)
		}
		if what == reset || what == stop {
			size = min(size, len(list))
		}
		b.Run(s.name, func(b *testing.B) {
			// Run once without measuring. Otherwise the first subject would pay
			// for memory that the others only reuse.
			s.play(what, list, size)
			runtime.GC()
			var total time.Duration
			for b.Loop() {
				total += s.play(what, list, size)
			}
			ns := float64(total.Nanoseconds()) / float64(b.N) / float64(size)
			if s.name == "ours" {
				ours = ns
			}
			b.ReportMetric(ns, "ns/op")
			b.ReportMetric(ours/ns, "ours/this")
			b.ReportMetric(float64(len(list)), "timers")
		})
	}
}

// spread returns n elements of list, at equal distances, or list if it has no more.
func spread(list []time.Duration, n int) []time.Duration {
	if n >= len(list) {
		return list
	}
	out := make([]time.Duration, n)
	for i := range out {
		out[i] = list[i*len(list)/n]
	}
	return out
}

// shuffled returns n durations of up to a second, in no order.
func shuffled(n int) []time.Duration {
	random := rand.New(rand.NewPCG(1, 2))
	list := make([]time.Duration, n)
	for i := range list {
		list[i] = time.Microsecond + time.Duration(random.Int64N(int64(time.Second)))
	}
	return list
}

// ascending returns the same durations in order, as timers of one length are due that
// were armed one after another.
func ascending(n int) []time.Duration {
	list := shuffled(n)
	slices.Sort(list)
	return list
}
