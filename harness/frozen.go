package harness

import (
	"flag"
	"fmt"
	"strings"
	"time"

	"github.com/halfopen/halfopen/faultnet"
	"github.com/halfopen/halfopen/harness/internal/bubble"
	"github.com/halfopen/halfopen/internal/deep/on"
)

// frozenAfter is how long, in real time, a run must stand still before it counts
// as frozen. A run takes a fraction of a millisecond.
var frozenAfter = flag.Duration("halfopen.frozen", time.Second,
	"call a run undecided when it has stood still for this `time`, in real time, on a mutex")

func newWatchdog() *bubble.Watchdog { return bubble.NewWatchdog(*frozenAfter) }

// frozen returns the failure of a run that stands still, for the goroutines that
// wait for a mutex. It accuses none of them: the holder may wait for time, or for an
// event that the network holds, and would go on.
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
