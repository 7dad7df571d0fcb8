package clock_test

import (
	"runtime"
	"testing"
	"time"

	"github.com/halfopen/halfopen/clock"
)

const (
	sec = time.Second
	ms  = time.Millisecond
)

// behaviour holds one claim about clocks and a program that shows it. The
// program is played on package time in a bubble, on a Virtual, and on a Clock of
// another package, because contexts can be made on any Clock. Each must note
// want.
type behaviour struct {
	claim string
	play  func(w *world)
	want  string
}

func (b behaviour) test(t *testing.T) {
	t.Run(b.claim, func(t *testing.T) {
		if got := inTime(t, b.play); got != b.want {
			t.Errorf("package time: got %s, want %s", got, b.want)
		}
		if got := inOther(t, b.play); got != b.want {
			t.Errorf("another Clock: got %s, want %s", got, b.want)
		}
		if got := inVirtual(t, b.play); got != b.want {
			t.Errorf("Virtual: got %s, want %s", got, b.want)
		}
	})
}

// testBare plays the program on a Virtual without Settle.
func (b behaviour) testBare(t *testing.T) {
	t.Run(b.claim+", bare", func(t *testing.T) {
		if got := inBare(t, b.play); got != b.want {
			t.Errorf("Virtual: got %s, want %s", got, b.want)
		}
	})
}

func TestTimersBehaveAsPackageTime(t *testing.T) {
	for _, b := range timerBehaviours {
		b.test(t)
	}
}

// timerBehaviours list the promises of package time for a timer, one claim each.
var timerBehaviours = []behaviour{
	{"a timer fires once, at its instant", func(w *world) {
		t := w.NewTimer(sec)
		w.read(t.C)
		w.advance(sec - 1)
		w.read(t.C)
		w.advance(1)
		w.read(t.C)
		w.advance(10 * sec)
		w.read(t.C)
	}, "empty; empty; read 1s; empty"},
	{"a late reader reads the instant at which the timer was due", func(w *world) {
		t := w.NewTimer(sec)
		w.advance(5 * sec)
		w.read(t.C)
	}, "read 1s"},
	{"a timer that is stopped does not fire", func(w *world) {
		t := w.NewTimer(sec)
		w.stop(t)
		w.advance(2 * sec)
		w.read(t.C)
		w.stop(t)
	}, "stop true; empty; stop false"},
	{"stopping takes back a value that was not read", func(w *world) {
		t := w.NewTimer(sec)
		w.advance(sec)
		w.stop(t)
		w.read(t.C)
		w.stop(t)
	}, "stop true; empty; stop false"},
	{"stopping after the value was read is too late", func(w *world) {
		t := w.NewTimer(sec)
		w.advance(sec)
		w.read(t.C)
		w.stop(t)
	}, "read 1s; stop false"},
	{"reset moves a timer later", func(w *world) {
		t := w.NewTimer(sec)
		w.advance(500 * ms)
		w.reset(t, sec)
		w.advance(999 * ms)
		w.read(t.C)
		w.advance(ms)
		w.read(t.C)
	}, "reset true; empty; read 1.5s"},
	{"reset moves a timer earlier", func(w *world) {
		t := w.NewTimer(10 * sec)
		w.reset(t, sec)
		w.advance(sec)
		w.read(t.C)
		w.advance(10 * sec)
		w.read(t.C)
	}, "reset true; read 1s; empty"},
	{"reset takes back a value that was not read", func(w *world) {
		t := w.NewTimer(sec)
		w.advance(sec)
		w.reset(t, sec)
		w.read(t.C)
		w.advance(sec)
		w.read(t.C)
	}, "reset true; empty; read 2s"},
	{"reset arms a timer that was read", func(w *world) {
		t := w.NewTimer(sec)
		w.advance(sec)
		w.read(t.C)
		w.reset(t, sec)
		w.advance(sec)
		w.read(t.C)
	}, "read 1s; reset false; read 2s"},
	{"reset arms a timer that was stopped, earlier than it was due or later", func(w *world) {
		t := w.NewTimer(2 * sec)
		w.stop(t)
		w.reset(t, sec)
		w.advance(sec)
		w.read(t.C)
		w.reset(t, sec)
		w.stop(t)
		w.reset(t, 5*sec)
		w.advance(sec)
		w.read(t.C)
		w.advance(4 * sec)
		w.read(t.C)
	}, "stop true; reset false; read 1s; reset false; stop true; reset false; empty; read 6s"},
	{"a timer without duration fires at once", func(w *world) {
		w.advance(sec)
		w.read(w.NewTimer(0).C)
		w.read(w.NewTimer(-sec).C)
		w.read(w.After(0))
		w.read(w.After(-1))
	}, "read 1s; read 1s; read 1s; read 1s"},
	{"a timer without duration can be stopped until its value is read", func(w *world) {
		t := w.NewTimer(0)
		w.stop(t)
		w.read(t.C)
	}, "stop true; empty"},
	{"a reset to zero fires at once, and only once", func(w *world) {
		t := w.NewTimer(sec)
		w.reset(t, 0)
		w.read(t.C)
		w.advance(2 * sec)
		w.read(t.C)
		w.reset(t, -sec)
		w.reset(t, -sec)
		w.read(t.C)
		w.read(t.C)
	}, "reset true; read 0s; empty; reset false; reset true; read 2s; empty"},
	{"a timer of the longest duration is armed", func(w *world) {
		w.advance(sec)
		t := w.NewTimer(1<<63 - 1)
		w.advance(100 * 365 * 24 * time.Hour)
		w.read(t.C)
		w.stop(t)
	}, "empty; stop true"},
	{"after fires once", func(w *world) {
		c := w.After(sec)
		w.advance(3 * sec)
		w.read(c)
		w.read(c)
	}, "read 1s; empty"},
	{"a sleeper wakes at its instant; a sleep without duration returns at once", func(w *world) {
		go func() {
			w.Sleep(0)
			w.Sleep(-sec)
			w.called("up")
			w.Sleep(sec)
			w.called("again")
		}()
		w.advance(sec - 1)
		w.note("soon")
		w.advance(1)
	}, "0s up; soon; 1s again"},
	{"Since returns how far the clock has moved, Until how far it has to move", func(w *world) {
		w.advance(3 * sec)
		w.note("%v %v", w.Since(w.start), w.Until(w.start.Add(5*sec)))
	}, "3s 2s"},
	{"a goroutine that waits for several timers is woken by each in turn", func(w *world) {
		a, b := w.NewTimer(2*sec), w.NewTimer(sec)
		go func() {
			for range 2 {
				select {
				case <-a.C:
					w.called("a")
				case <-b.C:
					w.called("b")
				}
			}
		}()
		w.advance(5 * sec)
	}, "1s b; 2s a"},
	{"a goroutine that waits for a timer waits longer when the timer is reset", func(w *world) {
		t := w.NewTimer(sec)
		go func() { <-t.C; w.called("got it") }()
		w.advance(500 * ms)
		w.reset(t, sec)
		w.advance(sec)
	}, "reset true; 1.5s got it"},
}

func TestCallbacksBehaveAsPackageTime(t *testing.T) {
	for _, b := range callbackBehaviours {
		b.test(t)
		b.testBare(t)
	}
}

// callbackBehaviours list the promises of package time for a function of AfterFunc, one claim each.
var callbackBehaviours = []behaviour{
	{"a callback runs once, and its timer has no channel", func(w *world) {
		t := w.AfterFunc(sec, w.call("f"))
		w.note("%v", t.C == nil)
		w.advance(5 * sec)
		w.stop(t)
	}, "true; 1s f; stop false"},
	{"a callback that is stopped does not run", func(w *world) {
		t := w.AfterFunc(sec, w.call("f"))
		w.stop(t)
		w.stop(t)
		w.advance(2 * sec)
	}, "stop true; stop false"},
	{"a callback without duration runs at once and cannot be stopped", func(w *world) {
		w.stop(w.AfterFunc(0, w.call("f")))
		w.stop(w.AfterFunc(-sec, w.call("g")))
		w.settle()
	}, "stop false; stop false; 0s f; 0s g"},
	{"reset makes it run again, or later", func(w *world) {
		t := w.AfterFunc(sec, w.call("f"))
		w.advance(sec)
		w.reset(t, sec)
		w.reset(t, 2*sec)
		w.advance(5 * sec)
		w.reset(t, 0)
		w.settle()
	}, "1s f; reset false; reset true; 3s f; reset false; 6s f"},
	{"a callback may reset its own timer", func(w *world) {
		n := 0
		var t *clock.Timer
		t = w.AfterFunc(sec, func() {
			w.called("f")
			if n++; n < 3 {
				w.called("reset " + yes(t.Reset(sec)))
			}
		})
		w.advance(10 * sec)
	}, "1s f; 1s reset no; 2s f; 2s reset no; 3s f"},
	{"a callback cannot stop its own timer", func(w *world) {
		var t *clock.Timer
		t = w.AfterFunc(sec, func() {
			w.called("f")
			w.called("stop " + yes(t.Stop()))
		})
		w.advance(sec)
	}, "1s f; 1s stop no"},
	{"a callback may stop and reset other timers", func(w *world) {
		a, b := w.NewTimer(2*sec), w.NewTimer(3*sec)
		w.AfterFunc(sec, func() { a.Stop(); b.Reset(sec) })
		w.advance(5 * sec)
		w.read(a.C)
		w.read(b.C)
	}, "empty; read 2s"},
	{"the clock stands at the instant of a callback while it runs", func(w *world) {
		w.AfterFunc(sec, func() {
			w.called(w.Until(w.start.Add(3 * sec)).String())
		})
		w.advance(7 * sec)
	}, "1s 2s"},
	{"a timer that a callback arms fires in the same move, at its own instant", func(w *world) {
		w.AfterFunc(sec, func() {
			w.AfterFunc(sec, w.call("later"))
			w.AfterFunc(0, w.call("now"))
			w.called("read " + (<-w.After(0)).Sub(w.start).String())
		})
		w.advance(2 * sec)
	}, "1s now; 1s read 1s; 2s later"},
	{"a callback may sleep", func(w *world) {
		w.AfterFunc(2*sec, w.call("other"))
		w.AfterFunc(sec, func() {
			w.called("lie down")
			w.Sleep(3 * sec)
			w.called("get up")
			w.Sleep(sec)
			w.called("again")
		})
		w.advance(10 * sec)
	}, "1s lie down; 2s other; 4s get up; 5s again"},
	{"a callback may end its goroutine", func(w *world) {
		w.AfterFunc(sec, func() { w.called("f"); runtime.Goexit() })
		w.AfterFunc(2*sec, w.call("g"))
		w.advance(2 * sec)
	}, "1s f; 2s g"},
	{"callbacks of one instant all run", func(w *world) {
		for _, name := range []string{"a", "b", "c"} {
			w.AfterFunc(sec, w.call(name))
		}
		w.advance(sec)
	}, "1s a; 1s b; 1s c"},
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}
