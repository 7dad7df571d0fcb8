package harness

import (
	"flag"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/halfopen/halfopen/faultnet"
	"github.com/halfopen/halfopen/internal/deep/on"
)

// frozenAfter is how long, in real time, a run must stand still before it counts
// as frozen. A run takes a fraction of a millisecond.
var frozenAfter = flag.Duration("halfopen.frozen", time.Second,
	"call a run undecided when it has stood still for this `time`, in real time, on a mutex")

// looks is how often the watchdog looks at a run in that time.
const looks = 4

// watchdog looks, in real time and from outside the bubble, whether a run is
// frozen. A goroutine that waits for a mutex is not durably blocked: neither quiet
// nor time comes as long as it waits, so that a holder that waits for either never
// unlocks it. One watchdog serves any number of runs, one after the other: a timer
// of its own for each would cost more than the rest of it.
type watchdog struct {
	t       atomic.Pointer[T] // the run that it watches
	frozen  chan Failure      // what it saw
	timer   *time.Timer
	stopped atomic.Bool

	// What the last look saw; only the timer's function uses them.
	last  *T
	quiet int64    // how many quiet points the run had had
	waits []string // its goroutines that wait for a mutex
	same  int      // how many looks in a row saw just that
}

func newWatchdog() *watchdog {
	d := &watchdog{frozen: make(chan Failure, 1)}
	d.timer = time.AfterFunc(time.Hour, func() {
		if t := d.t.Load(); t != nil && d.standsStill(t) && d.t.CompareAndSwap(t, nil) {
			d.frozen <- t.frozen(d.waits)
		}
		if !d.stopped.Load() {
			d.timer.Reset(*frozenAfter / looks)
		}
	})
	d.timer.Reset(*frozenAfter / looks) // only now may it look
	return d
}

func (d *watchdog) stop() {
	d.stopped.Store(true)
	d.timer.Stop()
}

// standsStill looks once, and reports whether the same goroutines of the run have
// waited for mutexes in all of the last looks while none could run. A mutex may be
// held outside of the bubble: where a goroutine there can run it is given ten times
// as long.
func (d *watchdog) standsStill(t *T) bool {
	quiet := t.quiets.Load()
	if d.last != t || d.quiet != quiet {
		d.last, d.quiet, d.same = t, quiet, 0
		return false // it moves: nothing more is asked
	}
	waits := t.waitsForMutex()
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
	return slices.ContainsFunc(goroutines(0), func(g goroutine) bool {
		switch g.state {
		case "running", "runnable", "syscall":
			return !g.calls(packagePath+".othersRun") && !g.calls("os/signal.signal_recv")
		}
		return false
	})
}

// waitsForMutex is the goroutines of the bubble that wait for a mutex, in
// alphabetical order, or nil if any goroutine of it can run.
func (t *T) waitsForMutex() (waits []string) {
	id := t.bubble.Load()
	if id == 0 {
		return nil // it has not begun
	}
	for _, g := range goroutines(id) {
		switch {
		case g.durable:
		case strings.HasPrefix(g.state, "sync.Mutex") || strings.HasPrefix(g.state, "sync.RWMutex"):
			waits = append(waits, g.compact())
		case g.state == "synctest.Run" || g.state == "synctest.Wait":
		default:
			return nil
		}
	}
	slices.Sort(waits)
	return waits
}

// frozen is what there is to say of a run that stands still. It accuses nobody:
// the holder may wait for time, or for what the network holds, and would go on.
func (t *T) frozen(waits []string) Failure {
	text := "undecided: a goroutine waits for a mutex, and in a bubble no time passes and nothing arrives meanwhile: " +
		"whether the mutex would be unlocked cannot be seen"
	if !on.Deep() {
		text += " here, and can be with halfopen test, or -deep"
	}
	var parked []string
	for _, e := range t.Net.Pending() {
		if e.Kind == faultnet.Gate {
			parked = append(parked, e.String())
		}
	}
	if len(parked) > 0 {
		text += fmt.Sprintf("; parked at a gate: [%s]", strings.Join(parked, "; "))
	}
	return Failure{Kind: frozenKind, Detail: waits, Text: text}
}

// frozenKind is the kind of failure that leaves a run undecided.
const frozenKind = "frozen"
