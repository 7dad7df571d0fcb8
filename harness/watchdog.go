package harness

import (
	"flag"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/halfopen/halfopen/faultnet"
)

// frozenAfter is when the watchdog looks for the first time, in real time. A
// run takes a fraction of a millisecond.
var frozenAfter = flag.Duration("halfopen.frozen", 10*time.Second,
	"look after this `time` whether a run is frozen on a mutex")

// watchdog looks, in real time and from outside the bubble, whether a run is
// frozen: a goroutine that waits for a mutex is not durably blocked, so that if
// its holder is parked at a gate, or waits for the same mutex, neither quiet nor
// time will ever come. One watchdog serves any number of runs, one after the
// other: a timer of its own for each would cost more than the rest of it.
type watchdog struct {
	t       atomic.Pointer[T] // the run that it watches
	frozen  chan Failure      // what it saw
	timer   *time.Timer
	stopped atomic.Bool
}

func newWatchdog() *watchdog {
	d := &watchdog{frozen: make(chan Failure, 1)}
	look := func() {
		if t := d.t.Load(); t != nil {
			if f, ok := t.isFrozen(); ok && d.t.CompareAndSwap(t, nil) {
				d.frozen <- f
			}
		}
		if !d.stopped.Load() {
			d.timer.Reset(*frozenAfter)
		}
	}
	d.timer = time.AfterFunc(time.Hour, look)
	d.timer.Reset(*frozenAfter) // only now may it look
	return d
}

func (d *watchdog) stop() {
	d.stopped.Store(true)
	d.timer.Stop()
}

// isFrozen reports whether of the bubble's goroutines none can run, and one
// waits for a mutex.
func (t *T) isFrozen() (Failure, bool) {
	id := t.bubble.Load()
	if id == 0 {
		return Failure{}, false // it has not begun
	}
	var waits []string
	for _, g := range goroutines(id) {
		switch {
		case g.durable:
		case strings.HasPrefix(g.state, "sync.Mutex") || strings.HasPrefix(g.state, "sync.RWMutex"):
			waits = append(waits, g.compact())
		case g.state == "synctest.Run" || g.state == "synctest.Wait":
		default:
			return Failure{}, false // somebody runs
		}
	}
	if len(waits) == 0 {
		return Failure{}, false
	}
	slices.Sort(waits)
	var parked []string
	for _, e := range t.Net.Pending() {
		if e.Kind == faultnet.Gate {
			parked = append(parked, e.String())
		}
	}
	text := "frozen: a mutex is waited for, and nobody is left who could unlock it"
	if len(parked) > 0 {
		text = fmt.Sprintf("frozen: a mutex is waited for whose holder is parked at a gate; parked: [%s]", strings.Join(parked, "; "))
	}
	return Failure{Kind: "frozen", Detail: waits, Text: text}, true
}
