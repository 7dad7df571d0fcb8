package bubble

import (
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

// looks is how often the watchdog looks at a bubble in the time after which it
// counts as frozen.
const looks = 4

// Watchdog looks, in real time and from outside, whether a bubble is frozen. A
// goroutine that waits for a mutex is not durably blocked: neither quiet nor time
// comes as long as it waits, so that a holder that waits for either never unlocks
// it. One watchdog serves any number of bubbles, one after the other: a timer of
// its own for each would cost more than the rest of it.
type Watchdog struct {
	after   time.Duration
	bubble  atomic.Pointer[Bubble] // the one that it watches
	frozen  chan []string          // the goroutines that it saw waiting
	timer   *time.Timer
	stopped atomic.Bool

	// What the last look saw; only the timer's function uses them.
	last  *Bubble
	quiet int64    // how many quiet points the bubble had had
	waits []string // its goroutines that wait for a mutex
	same  int      // how many looks in a row saw just that
}

// NewWatchdog returns a watchdog for which a bubble is frozen that has stood still
// for that time. It has to be stopped.
func NewWatchdog(after time.Duration) *Watchdog {
	d := &Watchdog{after: after, frozen: make(chan []string, 1)}
	d.timer = time.AfterFunc(time.Hour, func() {
		if b := d.bubble.Load(); b != nil && d.standsStill(b) && d.bubble.CompareAndSwap(b, nil) {
			d.frozen <- d.waits
		}
		if !d.stopped.Load() {
			d.timer.Reset(d.after / looks)
		}
	})
	d.timer.Reset(d.after / looks) // only now may it look
	return d
}

// Stop ends the watch.
func (d *Watchdog) Stop() {
	d.stopped.Store(true)
	d.timer.Stop()
}

func (d *Watchdog) watch(b *Bubble) { d.bubble.Store(b) }

// standsStill looks once, and reports whether the same goroutines of the bubble have
// waited for mutexes in all of the last looks while none could run. A mutex may be
// held outside of the bubble: where a goroutine there can run it is given ten times
// as long.
func (d *Watchdog) standsStill(b *Bubble) bool {
	quiet := b.waits.Load()
	if d.last != b || d.quiet != quiet {
		d.last, d.quiet, d.same = b, quiet, 0
		return false // it moves: nothing more is asked
	}
	waits := b.waitsForMutex()
	if len(waits) == 0 || d.same > 0 && !slices.Equal(waits, d.waits) {
		d.same = 0
		return false
	}
	d.waits = waits
	d.same++
	return d.same > 10*looks || d.same > looks && !othersRun()
}

// othersRun reports whether a goroutine outside of every bubble can run, or is in a
// system call, this one apart.
func othersRun() bool {
	return slices.ContainsFunc(goroutines(0), func(g Goroutine) bool {
		switch g.state {
		case "running", "runnable", "syscall":
			return !g.calls(harness+"/internal/bubble.othersRun") && !g.calls("os/signal.signal_recv")
		}
		return false
	})
}

// waitsForMutex returns the goroutines of the bubble that wait for a mutex, in
// alphabetical order, or nil if any goroutine of it can run.
func (b *Bubble) waitsForMutex() (waits []string) {
	if b.waits.Load() == 0 {
		return nil // it has not begun
	}
	for _, g := range b.Goroutines() {
		switch {
		case g.durable:
		case strings.HasPrefix(g.state, "sync.Mutex") || strings.HasPrefix(g.state, "sync.RWMutex"):
			waits = append(waits, g.String())
		case g.state == "synctest.Run" || g.state == "synctest.Wait":
		default:
			return nil
		}
	}
	slices.Sort(waits)
	return waits
}
