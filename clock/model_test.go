package clock_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/halfopen/halfopen/clock"
)

// program is a list of operations on timers. Any bytes are a program: each pair
// says what to do, with which timer, and for how long. A program is played on
// package time in a bubble and on a Virtual, and both must note the same.
type program []byte

// lengths are the durations of a program. They are few, so that timers become
// due at one instant, fire while others are reset, and are reset to zero.
var lengths = []time.Duration{1, 2, 3, 4, 5, 7, 11, 0, -1, time.Hour}

func (p program) play(w *world) { p.run(w, func(f func()) { go f() }) }

// playBare plays p with no other goroutines than those of callbacks.
func (p program) playBare(w *world) { p.run(w, func(f func()) { w.AfterFunc(0, f) }) }

func (p program) run(w *world, start func(func())) {
	const slots = 6
	var (
		timers  [slots]*clock.Timer
		tickers [slots]*clock.Ticker
		ctxs    [slots]context.Context
		cancels [slots]context.CancelFunc
	)
	for i := range slots {
		timers[i] = w.NewTimer(lengths[i])
		tickers[i] = w.NewTicker(lengths[i])
		ctxs[i], cancels[i] = w.due(context.Background(), lengths[i])
	}
	for len(p) >= 2 {
		do, with := p[0], p[1]
		p = p[2:]
		i, d := int(with)%slots, lengths[int(with)/slots%len(lengths)]
		name := fmt.Sprintf("%d:%d", len(p), i)
		switch do % 16 {
		case 0:
			timers[i] = w.NewTimer(d)
		case 1:
			timers[i] = w.AfterFunc(d, w.call(name))
		case 2:
			timers[i] = w.rearming(name, d)
		case 3, 4:
			w.stop(timers[i])
		case 5, 6:
			w.reset(timers[i], d)
		case 7:
			if timers[i].C != nil {
				w.read(timers[i].C)
			}
		case 8:
			tickers[i].Reset(max(d, 1))
		case 9:
			tickers[i].Stop()
		case 10:
			w.read(tickers[i].C)
		case 11:
			start(func() { w.Sleep(d); w.called(name) })
		case 12:
			parent := ctxs[int(do/16)%slots]
			ctxs[i], cancels[i] = w.due(parent, d)
			w.deadline(ctxs[i])
			w.end(ctxs[i])
		case 13:
			cancels[i]()
			w.end(ctxs[i])
		default:
			w.advance(max(0, min(d, 20)))
			w.note("at %v", w.Since(w.start))
			for _, ctx := range ctxs {
				w.end(ctx)
			}
		}
		w.settle() // callbacks without a duration run before the next move
	}
	for i := range slots {
		timers[i].Stop()
		tickers[i].Stop()
		cancels[i]()
	}
	w.advance(2 * time.Hour) // for the last sleepers and callbacks
}

// rearming starts a callback that arms itself again twice.
func (w *world) rearming(name string, d time.Duration) *clock.Timer {
	var t *clock.Timer
	left := 2
	w.mu.Lock() // until t is set
	t = w.AfterFunc(d, func() {
		w.called(name)
		if left--; left >= 0 {
			t.Reset(max(d, 1))
		}
	})
	w.mu.Unlock()
	return t
}

// due returns a context with a deadline and a cause. When a context has two
// deadlines of one instant, chance decides in package time which of them ends
// it, so both have the same cause.
func (w *world) due(parent context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	return clock.WithTimeoutCause(parent, w.Clock, d, fmt.Errorf("due %v", w.Since(w.start)+d))
}

// check plays p in both worlds and fails where they do not note the same.
func (p program) check(t *testing.T, label string) {
	t.Helper()
	p.compare(t, label, inTime(t, p.play), inVirtual(t, p.play))
	p.compare(t, label+", bare", inTime(t, p.playBare), inBare(t, p.playBare))
}

func (p program) compare(t *testing.T, label, want, got string) {
	t.Helper()
	if got == want {
		return
	}
	same := 0
	for same < min(len(got), len(want)) && got[same] == want[same] {
		same++
	}
	t.Fatalf("%s: %q\nthey agree on        ...%s\npackage time goes on %.100s\nVirtual goes on      %.100s",
		label, []byte(p), want[max(0, same-200):same], want[same:], got[same:])
}

// Random programs do the same on both clocks. A failure prints its seed.
func TestRandomProgramsAgreeWithPackageTime(t *testing.T) {
	for seed := range uint64(300) {
		random := rand.New(rand.NewPCG(seed, 0))
		p := make(program, 2*(10+random.IntN(150)))
		for i := range p {
			p[i] = byte(random.Uint32())
		}
		p.check(t, fmt.Sprintf("seed %d", seed))
	}
}

// FuzzProgram checks programs that `go test -fuzz=Program` makes up.
func FuzzProgram(f *testing.F) {
	f.Add([]byte{0, 0, 14, 1, 5, 7, 14, 7, 7, 0})
	f.Add([]byte("reset it and stop it, and read it when it is too late"))
	f.Fuzz(func(t *testing.T, p []byte) {
		if len(p) > 600 {
			return
		}
		program(p).check(t, "program")
	})
}
