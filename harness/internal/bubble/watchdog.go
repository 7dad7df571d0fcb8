package bubble

import (
	"runtime"
	"runtime/metrics"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// looks is how often the watchdog looks at a bubble in the time after which it
// counts as frozen. Once a bubble of the process has frozen it looks more often, finer times,
// because the next one may freeze in the same way: all cases of a suite may.
const (
	looks = 4
	finer = 8
)

// How many times as long a bubble may stand still while something that can run might
// end that: a goroutine outside, or one of its own that computes. If the process has had a processor
// nearly all of the time, it is not the machine that is slow: less is enough then.
const (
	patienceForOthers    = 10
	patienceForComputing = 30
	patienceForBusy      = 12
)

// Where there is a crowd of goroutines a look stops all of them for long: there is none, for some
// time, as long as the runtime counts any that run or can. Where there are many, and more at each look, none
// of them is looked at: that would take seconds. With the most, a bubble that had no quiet
// meanwhile starts them without an end.
const (
	crowd          = 1 << 11
	manyGoroutines = 1 << 16
	MostGoroutines = 1 << 18
)

// Watchdog looks, in real time and from outside, whether a bubble stands still. A
// goroutine that waits for a mutex, or for something outside the bubble, is not
// durably blocked: neither quiet nor time comes as long as it waits, so that a mutex
// whose holder waits for either is never unlocked. One watchdog serves any number of
// bubbles, one after the other: a timer of its own for each would cost more than the
// rest of it.
type Watchdog struct {
	after   time.Duration
	most    int                    // MostGoroutines, but for its test
	bubble  atomic.Pointer[Bubble] // the one that it watches
	frozen  chan *Freeze
	timer   *time.Timer
	stopped atomic.Bool

	// What the last look saw; only the timer's function uses them.
	last  *Bubble
	quiet int64         // how many quiet points the bubble had had
	seen  Freeze        // its goroutines that kept it from the next one
	same  int           // for how many times the least pause all looks saw just that
	pause int           // how many times the least one the last pause was
	again int           // how many looks in a row saw just that
	spare int           // for how many times the least pause something ran, and no look was taken
	used  time.Duration // processor time, of the process, when that began
	count int           // how many goroutines there were, of the whole process
	rises int           // at how many looks there were more
	level int           // for how many looks in a row there were not
}

// freezes counts what froze the bubbles of this process, by signature.
var freezes struct {
	sync.Mutex
	of map[string]int
}

// frozenBefore returns how many bubbles froze in that way, and whether any did.
func frozenBefore(signature string) (times int, any bool) {
	freezes.Lock()
	defer freezes.Unlock()
	return freezes.of[signature], len(freezes.of) > 0
}

func noteFreeze(signature string) {
	freezes.Lock()
	defer freezes.Unlock()
	if freezes.of == nil {
		freezes.of = make(map[string]int)
	}
	freezes.of[signature]++
}

// A Freeze says why a bubble stands still.
type Freeze struct {
	Cause Cause
	// Goroutines are those that wait, or compute, in alphabetical order.
	Goroutines []Goroutine
	// Holders has, in at most ten lines, the goroutines that may hold the mutex.
	Holders []string
	waiting []Goroutine // the user's, durably blocked
}

// Lines returns a line for each of the goroutines, the equal ones in one, at most ten.
func (f Freeze) Lines() []string { return countedLines(f.Goroutines, 10) }

// Where returns the file and line of the innermost call that is neither of the standard
// library nor of halfopen: of the first goroutine, or of one that waits inside the
// bubble meanwhile. It returns "" if there is none.
func (f Freeze) Where() string {
	for _, g := range slices.Concat(f.Goroutines[:min(1, len(f.Goroutines))], f.waiting) {
		if own, ok := g.userFrame(); ok {
			return own.place()
		}
	}
	return ""
}

// Waiting returns a line for each goroutine of the user's that waits inside the bubble
// meanwhile, with the innermost call of the user's, at most ten.
func (f Freeze) Waiting() []string {
	var lines []string
	for _, g := range f.waiting {
		own, _ := g.userFrame()
		lines = append(lines, g.state+": "+own.String())
	}
	slices.Sort(lines)
	return firstLines(slices.Compact(lines), 10)
}

// userFrame returns the innermost call that is neither of the standard library nor of
// halfopen.
func (g Goroutine) userFrame() (frame, bool) {
	for _, f := range g.frames {
		if !f.internal() && !isStandard(f.function) {
			return f, true
		}
	}
	return frame{}, false
}

// State returns the reason, in the runtime's words, why the first goroutine waits.
func (f Freeze) State() string { return f.Goroutines[0].state }

// inside returns the goroutines that are durably blocked in a method of a type, or in a
// function, one of whose callers waits for a mutex: one of them may hold it.
func (f Freeze) inside(all []Goroutine) (holders []Goroutine) {
	for _, g := range all {
		if g.durable && slices.ContainsFunc(f.Goroutines, func(waits Goroutine) bool { return waits.shares(g) }) {
			holders = append(holders, g)
		}
	}
	return holders
}

// shares reports whether the type or function in which g locks is on h's stack too.
func (g Goroutine) shares(h Goroutine) bool {
	for _, f := range g.frames {
		if !f.internal() {
			return slices.ContainsFunc(h.frames, func(of frame) bool { return of.receiver() == f.receiver() })
		}
	}
	return false
}

// Cause says why a bubble does not come to quiet.
type Cause int

const (
	// Moving is a bubble that does not stand still.
	Moving Cause = iota
	// Mutex is a goroutine that waits for a mutex, and none that waits for anything else.
	Mutex
	// Outside is a goroutine that waits for something outside the bubble: a socket, a
	// channel that was made there.
	Outside
	// Computing is a goroutine that runs, and neither ends nor waits.
	Computing
	// Growing is goroutines without number, and more at each look: none of them is named.
	Growing
)

// NewWatchdog returns a watchdog for which a bubble is frozen that has stood still
// for that time. It has to be stopped.
func NewWatchdog(after time.Duration) *Watchdog {
	d := &Watchdog{after: after, most: MostGoroutines, frozen: make(chan *Freeze, 1)}
	d.timer = time.AfterFunc(time.Hour, func() {
		begun := time.Now()
		if b := d.bubble.Load(); b != nil && d.standsStill(b) && d.bubble.CompareAndSwap(b, nil) {
			seen := d.seen
			noteFreeze(seen.signature())
			d.frozen <- &seen
		}
		if !d.stopped.Load() {
			// A look at very many goroutines, which stops all of them, takes its time.
			least := max(d.after/looks/finer, 1)
			pause := max(least, 10*time.Since(begun))
			if _, any := frozenBefore(""); !any || runtime.NumGoroutine() > manyGoroutines {
				pause = max(pause, finer*least)
			}
			d.pause = int(pause / least)
			d.timer.Reset(pause)
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

// standsStill looks once, and reports whether all of the last looks saw the bubble
// stand still, for the same reason and at the same goroutines. How many looks that
// takes depends on what could still end it.
func (d *Watchdog) standsStill(b *Bubble) bool {
	quiet := b.waits.Load()
	if d.last != b || d.quiet != quiet {
		d.last, d.quiet, d.same, d.spare, d.rises, d.level = b, quiet, 0, 0, 0, 0
		d.count = runtime.NumGoroutine()
		return false // it moves: nothing more is asked
	}
	n := runtime.NumGoroutine()
	if n > crowd && d.spare < patienceForComputing*looks*finer/2 && othersRunNow() {
		d.spare += max(1, d.pause)
		if n <= min(manyGoroutines, d.most) {
			return false
		}
	}
	if n > min(manyGoroutines, d.most) {
		if d.level++; n > d.count {
			d.rises, d.level = d.rises+1, 0
		}
		if d.count = n; d.level < 2*looks {
			d.seen, d.same = Freeze{Cause: Growing}, 0
			return n > d.most && d.rises >= looks
		}
	}
	now := b.keptFromQuiet()
	if now.Cause == Moving && d.same > 0 && d.seen.Cause == Computing {
		now = d.seen // seen between two of its steps: at rest, the bubble would have had its quiet
	}
	if d.same > 0 && !now.like(d.seen) {
		d.same = 0
	}
	d.seen = now
	if d.same == 0 {
		d.again = 0
		d.used, _ = processorTime()
		if now.Cause == Computing {
			d.same = d.spare
		}
	}
	d.again++
	d.same += max(1, d.pause)
	// It would be a strange chance if one that stands as others did were only slow. What is
	// outside may be, each time.
	times, _ := frozenBefore(now.signature())
	if now.Cause != Mutex {
		times = min(times, 1)
	}
	most := looks * finer >> min(times, 5)
	switch now.Cause {
	case Mutex, Outside:
		return d.same > patienceForOthers*most || d.same > most && len(othersRun()) == 0
	case Computing:
		// Where looks take long, a few of them make up the time: what computes may have had none.
		if d.again <= 2*looks {
			return false
		}
		patience := patienceForComputing
		if used, known := processorTime(); known && used-d.used > (patienceForBusy-2)*d.after {
			patience = patienceForBusy
		}
		return d.same > patience*looks*finer
	}
	return false
}

// signature returns what two freezes have in common that have the same reason.
func (f Freeze) signature() string { return strings.Join(f.Lines(), "\n") }

// like reports whether two looks saw the same. Goroutines that compute are elsewhere
// at each look.
func (f Freeze) like(g Freeze) bool {
	return f.Cause == g.Cause && (f.Cause == Computing || slices.EqualFunc(f.Goroutines, g.Goroutines, func(a, b Goroutine) bool {
		return a.number == b.number && a.String() == b.String()
	}))
}

// othersRun returns the goroutines outside of every bubble that can run, or are in a system
// call, this one apart.
func othersRun() []Goroutine {
	return slices.DeleteFunc(goroutines(0), func(g Goroutine) bool {
		switch g.state {
		case "running", "runnable", "syscall":
			return g.Calls(harness+"/internal/bubble.othersRun") || g.Calls("os/signal.signal_recv")
		}
		return true
	})
}

// othersRunNow reports whether any goroutine runs, or can, but for the caller's. The runtime counts
// them without stopping any.
func othersRunNow() bool {
	s := []metrics.Sample{{Name: "/sched/goroutines/running:goroutines"}, {Name: "/sched/goroutines/runnable:goroutines"}}
	metrics.Read(s)
	return s[0].Value.Uint64()+s[1].Value.Uint64() > 1
}

// keptFromQuiet returns the goroutines of the bubble that are not durably blocked, and
// what that means: a goroutine that runs comes before one that waits for something
// outside, and that before one that waits for a mutex.
func (b *Bubble) keptFromQuiet() (f Freeze) {
	if b.waits.Load() == 0 {
		return f // it has not begun
	}
	all := b.Goroutines()
	for _, g := range all {
		if cause := g.keepsFromQuiet(); cause > f.Cause {
			f.Cause, f.Goroutines = cause, []Goroutine{g}
		} else if cause == f.Cause && cause != Moving {
			f.Goroutines = append(f.Goroutines, g)
		}
	}
	slices.SortFunc(f.Goroutines, func(a, b Goroutine) int { return strings.Compare(a.String(), b.String()) })
	switch f.Cause {
	case Mutex:
		f.Holders = countedLines(f.inside(all), 10)
	case Outside:
		for _, g := range all {
			if _, own := g.userFrame(); own && g.durable {
				f.waiting = append(f.waiting, g)
			}
		}
	}
	return f
}

// keepsFromQuiet returns the cause that a goroutine is of its bubble's standing still.
func (g Goroutine) keepsFromQuiet() Cause {
	switch {
	case g.durable, g.state == "synctest.Run", g.state == "synctest.Wait":
		return Moving
	case strings.HasPrefix(g.state, "sync.Mutex"), strings.HasPrefix(g.state, "sync.RWMutex"):
		return Mutex
	case g.state == "IO wait", strings.HasPrefix(g.state, "chan "), strings.HasPrefix(g.state, "select"),
		strings.HasPrefix(g.state, "sync.WaitGroup"), strings.HasPrefix(g.state, "sync.Cond"), strings.HasPrefix(g.state, "semacquire"):
		return Outside
	}
	return Computing // or about to
}
