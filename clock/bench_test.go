package clock_test

import (
	"context"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/halfopen/halfopen/clock"
)

// Every benchmark runs once on a Virtual and once on package time in a bubble.
// Besides nanoseconds for one step it reports ours/this: how many times as
// long the Virtual takes. Only that ratio is worth comparing.

// stage holds the clock that a benchmark uses. The benchmark calls mark twice,
// and only the time between the two marks counts.
type stage struct {
	clock.Clock
	size    int // how many steps to do
	advance func(time.Duration)
	mark    func()
}

type subject struct {
	name string
	play func(size int, f func(*stage)) time.Duration
}

var both = []subject{{"virtual", playVirtual}, {"bubble", playTime}}

func playVirtual(size int, f func(*stage)) time.Duration { return playOn(new(clock.Virtual), size, f) }

func playOn(v *clock.Virtual, size int, f func(*stage)) time.Duration {
	var marks []time.Time
	f(&stage{v, size, v.Advance, func() { marks = append(marks, time.Now()) }})
	return marks[1].Sub(marks[0])
}

// playTime takes its marks outside the bubble, because time inside is not real.
func playTime(size int, f func(*stage)) time.Duration {
	marks, taken := make(chan bool), make(chan []time.Time)
	go func() {
		var list []time.Time
		for range marks {
			list = append(list, time.Now())
		}
		taken <- list
	}()
	synctest.Test(new(testing.T), func(*testing.T) {
		f(&stage{clock.System, size, time.Sleep, func() { marks <- true }}) // virtual
	})
	close(marks)
	list := <-taken
	return list[1].Sub(list[0])
}

func compare(b *testing.B, subjects []subject, size int, f func(*stage)) {
	var ours float64
	for i, s := range subjects {
		b.Run(s.name, func(b *testing.B) {
			// Run once without measuring. Otherwise the first subject would pay
			// for memory that the others only reuse.
			s.play(size, f)
			runtime.GC()
			var total time.Duration
			for b.Loop() {
				total += s.play(size, f)
			}
			ns := float64(total.Nanoseconds()) / float64(b.N) / float64(size)
			b.ReportMetric(ns, "ns/op")
			if i == 0 {
				ours = ns
			}
			b.ReportMetric(ours/ns, "ours/this")
		})
	}
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

// ascending returns the same durations in order, as timers of one length are due
// that were armed one after another.
func ascending(n int) []time.Duration {
	list := shuffled(n)
	slices.Sort(list)
	return list
}

// Each timer is made, fires, and its value is received. In a bubble such a
// timer costs nothing until its channel is used, and is never sorted.
func BenchmarkCreateAndFire(b *testing.B) {
	b.Run("ascending", func(b *testing.B) { compare(b, both, 1e5, createAndFire(ascending(1e5))) })
	b.Run("shuffled", func(b *testing.B) { compare(b, both, 1e5, createAndFire(shuffled(1e5))) })
}

func createAndFire(list []time.Duration) func(*stage) {
	return func(s *stage) {
		timers := make([]*clock.Timer, s.size)
		s.mark()
		for i := range timers {
			timers[i] = s.NewTimer(list[i])
		}
		s.advance(time.Second)
		for _, t := range timers {
			<-t.C
		}
		s.mark()
	}
}

// Each callback is armed and runs.
func BenchmarkCreateAndCall(b *testing.B) {
	b.Run("ascending", func(b *testing.B) { compare(b, both, 1e5, createAndCall(ascending(1e5))) })
	b.Run("shuffled", func(b *testing.B) { compare(b, both, 1e5, createAndCall(shuffled(1e5))) })
}

func createAndCall(list []time.Duration) func(*stage) {
	return func(s *stage) {
		s.mark()
		for i := range s.size {
			s.AfterFunc(list[i], func() {})
		}
		s.advance(time.Second)
		s.mark()
	}
}

// The clock moves, and a ticker ticks, while many others are armed.
func BenchmarkAdvance(b *testing.B) {
	b.Run("1e3", func(b *testing.B) { compare(b, both, 1e4, advanceWith(shuffled(1e3))) })
	b.Run("1e5", func(b *testing.B) { compare(b, both, 1e4, advanceWith(shuffled(1e5))) })
	b.Run("1e6", func(b *testing.B) { compare(b, both, 1e4, advanceWith(shuffled(1e6))) })
}

func advanceWith(list []time.Duration) func(*stage) {
	return func(s *stage) {
		timers := armAll(s, list, time.Hour)
		ticker := s.NewTicker(time.Millisecond)
		s.advance(time.Millisecond)
		s.mark()
		for range s.size {
			s.advance(time.Millisecond)
		}
		s.mark()
		ticker.Stop()
		stopAll(timers)
	}
}

func armAll(s *stage, list []time.Duration, later time.Duration) []*clock.Timer {
	timers := make([]*clock.Timer, len(list))
	for i, d := range list {
		timers[i] = s.AfterFunc(later+d, func() {})
	}
	return timers
}

func stopAll(timers []*clock.Timer) {
	for _, t := range timers {
		t.Stop()
	}
}

// One of many timers is moved, to earlier as often as to later.
func BenchmarkReset(b *testing.B) {
	list := shuffled(1e5)
	compare(b, both, 1e5, func(s *stage) {
		timers := armAll(s, list, time.Second)
		s.advance(1)
		s.mark()
		for i, t := range timers {
			t.Reset(list[s.size-1-i])
		}
		s.advance(1)
		s.mark()
		stopAll(timers)
	})
}

// One of many timers is stopped.
func BenchmarkStop(b *testing.B) {
	list := shuffled(1e5)
	compare(b, both, 1e5, func(s *stage) {
		timers := armAll(s, list, time.Second)
		s.advance(1)
		s.mark()
		stopAll(timers)
		s.advance(1)
		s.mark()
	})
}

// A context gets a deadline and is cancelled before.
func BenchmarkContext(b *testing.B) {
	compare(b, both, 1e5, func(s *stage) {
		s.mark()
		for range s.size {
			_, cancel := clock.WithTimeout(context.Background(), s.Clock, time.Second)
			cancel()
		}
		s.mark()
	})
}

func BenchmarkNow(b *testing.B) {
	compare(b, both, 1e6, func(s *stage) {
		s.mark()
		for range s.size {
			s.Now()
		}
		s.mark()
	})
}

// Callers, Tie and traps cost this much.
func BenchmarkExtras(b *testing.B) {
	with := func(v func() *clock.Virtual) func(int, func(*stage)) time.Duration {
		return func(size int, f func(*stage)) time.Duration { return playOn(v(), size, f) }
	}
	compare(b, []subject{
		{"virtual", playVirtual},
		{"callers", with(func() *clock.Virtual { return &clock.Virtual{Callers: true} })},
		{"tie", with(func() *clock.Virtual { return &clock.Virtual{Tie: func([]clock.ArmedTimer) int { return 0 }} })},
		{"trap", with(func() *clock.Virtual {
			v := new(clock.Virtual)
			v.Hold(clock.KindNow, "another")
			return v
		})},
	}, 1e5, createAndFire(shuffled(1e5)))
}
