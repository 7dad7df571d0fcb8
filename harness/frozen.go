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
	"give a run up when it has stood still for this `time`, in real time: on a mutex, or outside the bubble; one that computes has thirty times as long")

func newWatchdog() *bubble.Watchdog { return bubble.NewWatchdog(*frozenAfter) }

// frozen returns the failure of a run that stands still, with the events that are held.
func frozen(f *bubble.Freeze, held []*faultnet.Event) Failure {
	switch f.Cause {
	case bubble.Mutex:
		return frozenOnMutex(f, held)
	case bubble.Outside:
		detail := f.Lines()
		for _, waits := range f.Waiting() {
			detail = append(detail, "meanwhile: "+waits)
		}
		return Failure{Kind: KindOutside, Where: f.Where(), Detail: detail,
			Text: "outside: a goroutine waits for " + outsideAdvice(f.State()) + "; in a bubble no time passes and nothing arrives meanwhile"}
	}
	if f.Cause == bubble.Growing {
		return Failure{Kind: KindEndless, Text: fmt.Sprintf("endless: goroutines are started without an end, more than %d before quiet", bubble.MostGoroutines)}
	}
	if f.State() == "syscall" {
		return Failure{Kind: KindOutside, Where: f.Where(), Detail: f.Lines(),
			Text: "outside: a goroutine is in a system call that does not return: a program, a device or a file that does not answer"}
	}
	return Failure{Kind: KindEndless, Where: f.Where(), Detail: f.Lines(),
		Text: "endless: a goroutine runs on and on, and neither ends nor waits"}
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
func frozenOnMutex(f *bubble.Freeze, held []*faultnet.Event) Failure {
	text := "undecided: a goroutine waits for a mutex, and in a bubble no time passes and nothing arrives meanwhile: " +
		"whether the mutex would be unlocked cannot be seen"
	if !on.Deep() {
		text += " here, and can be with halfopen test, or halfopen check -deep"
	}
	var names []string
	for _, e := range held {
		names = append(names, e.String())
	}
	if len(names) > 0 {
		text += fmt.Sprintf("; held: [%s]", strings.Join(names, "; "))
	}
	detail := f.Lines()
	for _, holder := range f.Holders {
		detail = append(detail, "may hold it: "+holder)
	}
	return Failure{Kind: KindFrozen, Detail: detail, Text: text}
}
