package harness

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/halfopen/halfopen/faultnet"
	"github.com/halfopen/halfopen/harness/internal/bubble"
)

// Limit is how long, in virtual time, the body may be blocked before it counts
// as stuck. When nothing can move any more it passes at once.
const Limit = 24 * time.Hour

// grace is how long, in virtual time, goroutines have to end by themselves
// after everything was closed: an http.Server lingers for half a second.
const grace = 5 * time.Second

// settings has the differences between the ways to start a run.
type settings struct {
	again    string           // the line that runs it again
	silent   bool             // no trace is wanted
	explored bool             // it is one of many
	dog      *bubble.Watchdog // of all runs of an exploration; nil for a run by itself
	timeline bool             // a timeline is wanted
	hasty    bool             // time to end is only for goroutines that are left
}

// driver runs a body in a bubble. It makes things happen, one at a time, and keeps a
// journal of them.
type driver struct {
	name    string
	set     settings
	journal journal
	bubble  bubble.Bubble
	net     *faultnet.Net
	ctx     context.Context
	cancel  context.CancelFunc

	// What decides, checks and watches.
	scheduler scheduler // decides what happens next; without one it is what comes first
	checker   checker
	watcher   watcher

	ask      chan question   // the body waits for quiet, or for rest
	quiet    chan struct{}   // and gets it
	wake     chan struct{}   // the network has news for the driver
	patient  time.Time       // when the body last did something, or will
	resting  bool            // the body does nothing until nothing is left that may happen
	awaited  atomic.Int32    // how many goroutines wait for the end of an operation
	inHand   bool            // a script does what an exploration did
	auditing atomic.Bool     // a check of AtQuiet is being called
	faulted  bool            // an event was a fault
	happened tally           // of the events so far and their instants, in an exploration
	line     [96]byte        // room for one of them
	vouched  map[string]bool // by address: a server of net/http answers there

	stoodStill bool        // the run was given up
	over       atomic.Bool // it has ended
	std        *testing.T  // the test that it is part of, or nil
	atEnd      func()      // puts back what the run has replaced, or nil
	setsEnv    bool        // the run has set a variable of the environment

	mu       sync.Mutex
	cleanups []func()
	allowed  []allowance // guarded by mu
	// backgrounds names functions whose goroutines may be left. It is guarded by mu.
	backgrounds []string
}

// checker looks at a run at each quiet point. Of the events that are pending some are fresh:
// they have come since the last one.
type checker interface {
	checkQuiet(pending, fresh []*faultnet.Event)
}

// watcher looks at each event that is about to happen.
type watcher interface {
	happens(e *faultnet.Event, v faultnet.Verdict)
}

// scheduler decides what happens next in a run.
type scheduler interface {
	// next lets the next thing happen.
	next(pending []*faultnet.Event) progress
	// failed notes that a failure was seen on the way.
	failed()
	// verb notes a verb of the body.
	verb(words []string)
}

// progress is the result of a driver's step.
type progress uint8

const (
	moved        progress = iota // something happened
	atRest                       // nothing is left that may happen
	timeMustPass                 // a request waits for a timer
	abandoned                    // this run is not wanted any more
)

// question says until when the body waits.
type question uint8

const (
	nothing   question = iota
	wantQuiet          // every goroutine is blocked
	wantRest           // and nothing is left that may happen
)

// open opens the bubble of the run and has f do all that is done in it.
func (r *driver) open(std *testing.T, f func()) {
	r.journal.silent = r.set.silent
	r.std = std
	dog := r.set.dog
	if dog == nil {
		dog = newWatchdog()
		defer dog.Stop()
	}
	end := r.bubble.Open(std, dog, func() {
		r.ask = make(chan question)
		r.quiet = make(chan struct{})
		r.wake = make(chan struct{}, 1)
		r.ctx, r.cancel = context.WithCancel(context.Background())
		r.net = new(faultnet.Net)
		r.net.Record(!r.set.silent)
		r.net.Drive(r.news)
		number, logs := r.bubble.ID(), &stdLog().runs
		logs.Store(number, r)
		defer logs.Delete(number)
		f()
	})
	r.journal.closed.Store(false) // the last word is ours
	if r.atEnd != nil {
		r.atEnd()
	}
	r.judge(end)
	r.journal.closed.Store(true) // what stood still may go on behind us
	r.over.Store(true)
}

// news has the driver look again.
func (r *driver) news() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// judge adds what only the end of the bubble shows.
func (r *driver) judge(end bubble.Ending) {
	switch {
	case end.Frozen != nil:
		r.stoodStill = true
		r.journal.add(frozen(end.Frozen, r.net.Pending()))
	case end.Panicked != nil:
		r.journal.add(Failure{Kind: KindPanic, Text: fmt.Sprintf("panic: %v", end.Panicked), Detail: bubble.PanicFrames(end.Stack)})
	case end.Deadlock != nil && !r.journal.failed():
		others := slices.DeleteFunc(end.Left, bubble.Goroutine.Ours)
		unknown := slices.DeleteFunc(slices.Clone(others), r.isBackground)
		if len(others) > len(unknown) && len(unknown) == 0 {
			return
		}
		left := bubble.Lines(unknown)
		for _, line := range left {
			r.journal.add(Failure{Kind: KindGoroutine, Text: "goroutine left: " + line})
		}
		if len(left) == 0 {
			r.journal.add(Failure{Kind: KindGoroutine, Text: end.Deadlock.Error()})
		}
	case end.Goexit && !r.journal.failed():
		r.journal.add(Failure{Kind: KindRace, Text: "the bubble ended early: a data race was detected"})
	}
}

// isBackground reports whether a goroutine may be left.
func (r *driver) isBackground(g bubble.Goroutine) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.ContainsFunc(r.backgrounds, g.Calls)
}

// drive calls the functions that next returns in a goroutine of their own and is, until that ends, the
// goroutine that makes things happen: whenever every goroutine of the bubble is blocked
// it lets the next thing happen, and only when there is none does a verb of
// the body return, or time move.
func (r *driver) drive(next func() func()) {
	done := make(chan struct{})
	r.patient = time.Now()
	go r.live(next, done)
	limit := time.NewTimer(Limit)
	defer limit.Stop()
	asked, steps := nothing, 0
	pending := make([]*faultnet.Event, 0, 8)
	for {
		r.bubble.Wait()
		fresh := r.net.Fresh()
		pending = r.net.AppendPending(pending[:0])
		r.checker.checkQuiet(pending, pending[len(pending)-fresh:])
		if asked == nothing {
			select {
			case asked = <-r.ask:
			default:
			}
		}
		if asked != wantQuiet {
			r.resting = asked == wantRest
			switch r.next(pending) {
			case moved:
				if steps++; steps > r.mostEvents() {
					r.endless(steps)
					return
				}
				continue
			case abandoned:
				return
			case timeMustPass:
			case atRest:
				if asked == wantRest {
					asked = wantQuiet
				}
			}
		}
		if asked == wantQuiet {
			asked = nothing
			if r.patient = time.Now(); !r.set.explored {
				steps = 0
			}
			r.quiet <- struct{}{}
			continue
		}
		select {
		case <-done:
			return
		case <-r.wake:
		case q := <-r.ask:
			asked = q
		case <-limit.C:
			if left := Limit - time.Since(r.patient); left > 0 {
				limit.Reset(left)
				continue
			}
			r.stuck()
			return
		}
	}
}

// next lets the next thing happen.
func (r *driver) next(pending []*faultnet.Event) progress {
	if r.scheduler != nil {
		return r.scheduler.next(pending)
	}
	if r.inHand && r.deliverMoot(pending) || r.releaseNext(pending) {
		return moved
	}
	return atRest
}

// releaseNext releases the first event that no rule holds.
func (r *driver) releaseNext(pending []*faultnet.Event) bool {
	for _, e := range pending {
		v := r.net.Verdict(e)
		if v.IsHold() {
			continue
		}
		r.apply(e, v)
		return true
	}
	return false
}

// deliverMoot lets data arrive that a server still sends to an end which the client
// has closed, and the reset that answers it: no client can tell when that happens.
// Whether it happens may even be chance: crypto/tls leaves its close_notify out when a
// write is under way.
func (r *driver) deliverMoot(pending []*faultnet.Event) bool {
	for _, e := range pending {
		if e.From == nil {
			continue
		}
		client, fromClient := e.From, e.From.Side() == faultnet.Client
		if !fromClient {
			client = e.From.Peer()
		}
		if client.IsClosed() && (!fromClient || e.Kind == faultnet.RST) {
			r.apply(e, faultnet.Pass)
			return true
		}
	}
	return false
}

// apply lets an event happen.
func (r *driver) apply(e *faultnet.Event, v faultnet.Verdict) {
	r.watcher.happens(e, v)
	r.journal.rec.applies(e, v)
	if r.set.explored {
		line := append(append(append(r.line[:0], e.String()...), ' '), v.String()...)
		addBytes(&r.happened, append(strconv.AppendInt(append(line, ' '), time.Now().UnixNano(), 10), '\n'))
	}
	r.faulted = r.faulted || !v.IsPass() && !splits(v)
	r.net.Apply(e, v)
}

// splits reports whether a verdict takes nothing away: TCP is a stream, and what is sent in
// one piece may arrive in two.
func splits(v faultnet.Verdict) bool { return strings.HasPrefix(v.String(), "split") }

// settle returns when every goroutine is blocked and no event is left that may
// happen by itself. In an exploration, where nothing happens by itself, it
// returns as soon as every goroutine is blocked.
func (r *driver) settle() {
	q := wantRest
	if r.scheduler != nil {
		q = wantQuiet
	}
	r.await(q)
}

// rested settles where things happen by themselves. In an exploration nothing else
// happens yet.
func (r *driver) rested() {
	if r.scheduler == nil {
		r.settle()
	}
}

func (r *driver) await(q question) {
	if r.auditing.Load() {
		return // it is quiet, and the driver waits for the caller
	}
	if r.over.Load() {
		if r.stoodStill {
			runtime.Goexit() // the wait that ended the run is over
		}
		panic("harness: a T is used after its test has ended")
	}
	select {
	case r.ask <- q:
		select {
		case <-r.quiet:
		case <-r.ctx.Done():
			runtime.Goexit()
		}
	case <-r.ctx.Done():
		runtime.Goexit()
	}
	r.drain()
}

// stuck ends a run whose body waits for something that will not come.
func (r *driver) stuck() {
	r.snapshot()
	r.journal.add(Failure{Kind: KindStuck, Text: fmt.Sprintf("stuck: nothing moved for %s of virtual time, and the body did not return", Limit)})
}

// mostEvents is how many events a test may have, while its body does nothing, before it
// counts as endless.
var mostEvents = 100_000

// mostEvents returns how many events a run may have before it counts as endless. A
// schedule of an exploration has some dozens.
func (r *driver) mostEvents() int {
	if r.set.explored {
		return 20_000
	}
	return mostEvents
}

// endless ends a run in which things happen without an end: code that tries
// again and again, with no wait in between.
func (r *driver) endless(steps int) {
	r.snapshot()
	r.journal.add(Failure{Kind: KindEndless, Text: fmt.Sprintf("endless: %d events, and more to come", steps-1)})
}

// shutDown leaves nothing in the bubble that could still wait for the network; release
// lifts the holds.
func (r *driver) shutDown(release func()) {
	r.net.Drive(nil)
	r.net.Close()
	release()
	if r.set.hasty {
		if r.bubble.Wait(); r.bubble.Empty() {
			return
		}
	}
	time.Sleep(grace)
	r.bubble.Wait()
}
