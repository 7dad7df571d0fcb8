package harness

import (
	"flag"
	"fmt"
	"strings"
	"time"

	"github.com/halfopen/halfopen/harness/internal/bubble"
	"github.com/halfopen/halfopen/internal/deep/on"
)

// frozenAfter is how long, in real time, a run must stand still before it counts
// as frozen. A run takes a fraction of a millisecond.
var frozenAfter = flag.Duration("halfopen.frozen", time.Second,
	"give a run up when it has stood still for this `time`, in real time: on a mutex, or outside the bubble; one that computes has thirty times as long")

func newWatchdog() *bubble.Watchdog { return bubble.NewWatchdog(*frozenAfter) }

// Kinds of failures of runs that stood still. The first leaves a run undecided.
const (
	frozenKind  = "frozen"
	outsideKind = "outside"
	endlessKind = "endless"
)

// frozen returns the failure of a run that stands still.
func (t *T) frozen(f *bubble.Freeze) Failure {
	switch f.Cause {
	case bubble.Mutex:
		return t.frozenOnMutex(f)
	case bubble.Outside:
		detail := f.Lines()
		for _, waits := range f.Waiting() {
			detail = append(detail, "meanwhile: "+waits)
		}
		return Failure{Kind: outsideKind, Where: f.Where(), Detail: detail,
			Text: "outside: a goroutine waits for " + outsideAdvice(f.State()) + "; in a bubble no time passes and nothing arrives meanwhile"}
	}
	return Failure{Kind: endlessKind, Where: f.Where(), Detail: f.Lines(),
		Text: fmt.Sprintf("endless: a goroutine has run for %s of real time, and neither ends nor waits", bubble.PatienceForComputing*(*frozenAfter))}
}

// outsideAdvice names what a goroutine in that state waits for, and what to do.
func outsideAdvice(state string) string {
	switch {
	case state == "IO wait":
		return "a real socket, pipe or file: to reach the network of the test, it has to dial t.Net (DialContext: t.Net.DialContext)"
	case strings.HasPrefix(state, "sync.WaitGroup"):
		return "a sync.WaitGroup that was used outside the bubble: make it in the body of the test"
	}
	return "a channel that was made outside the bubble: make it in the body of the test"
}

// frozenOnMutex accuses no goroutine: the holder of the mutex may wait for time, or for
// an event that the network holds, and would go on.
func (t *T) frozenOnMutex(f *bubble.Freeze) Failure {
	text := "undecided: a goroutine waits for a mutex, and in a bubble no time passes and nothing arrives meanwhile: " +
		"whether the mutex would be unlocked cannot be seen"
	if !on.Deep() {
		text += " here, and can be with halfopen test, or -deep"
	}
	var held []string
	for _, e := range t.Net.Pending() {
		held = append(held, e.String())
	}
	if len(held) > 0 {
		text += fmt.Sprintf("; held: [%s]", strings.Join(held, "; "))
	}
	detail := f.Lines()
	for _, holder := range f.Holders {
		detail = append(detail, "may hold it: "+holder)
	}
	return Failure{Kind: frozenKind, Detail: detail, Text: text}
}
