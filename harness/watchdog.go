package harness

import (
	"flag"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/halfopen/halfopen/faultnet"
)

// frozenAfter is when the watchdog looks for the first time, in real time. A
// run takes a fraction of a millisecond.
var frozenAfter = flag.Duration("halfopen.frozen", 10*time.Second,
	"look after this `time` whether a run is frozen on a mutex")

// guard looks, in real time and from outside the bubble, whether a run is
// frozen: a goroutine that waits for a mutex is not durably blocked, so that if
// its holder is parked at a gate, or waits for the same mutex, neither quiet nor
// time will ever come. It calls frozen with what it saw, once. The caller has to stop it.
func (t *T) guard(frozen func(Failure)) (stop func() bool) {
	var timer *time.Timer
	timer = time.AfterFunc(*frozenAfter, func() {
		if f, ok := t.isFrozen(); ok {
			frozen(f)
			return
		}
		timer.Reset(*frozenAfter)
	})
	return timer.Stop
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
