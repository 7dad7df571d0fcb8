package harness

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/halfopen/halfopen/faultnet"
	"github.com/halfopen/halfopen/harness/internal/bubble"
)

// question is what the body waits for.
type question uint8

const (
	nothing   question = iota
	wantQuiet          // every goroutine is blocked
	wantRest           // and nothing is left that may happen
)

// drive runs body in a goroutine of its own and is, until that ends, the one
// that makes things happen: whenever every goroutine of the bubble is blocked
// it lets the next thing happen, and only when there is none does a verb of
// the body return, or time move.
func (t *T) drive(body func(*T)) {
	done := make(chan struct{})
	t.patient = time.Now()
	go t.live(body, done)
	limit := time.NewTimer(Limit)
	defer limit.Stop()
	asked, steps := nothing, 0
	pending := make([]*faultnet.Event, 0, 8)
	for {
		t.bubble.Wait()
		pending = t.Net.net.AppendPending(pending[:0])
		t.checkQuiet(pending)
		if asked == nothing {
			select {
			case asked = <-t.ask:
			default:
			}
		}
		if asked != wantQuiet {
			switch t.next(pending) {
			case moved:
				if steps++; steps > t.mostSteps() {
					t.endless(steps)
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
			t.patient = time.Now()
			t.quiet <- struct{}{}
			continue
		}
		select {
		case <-done:
			return
		case <-t.wake:
		case q := <-t.ask:
			asked = q
		case <-limit.C:
			if left := Limit - time.Since(t.patient); left > 0 {
				limit.Reset(left)
				continue
			}
			t.stuck()
			return
		}
	}
}

// progress is what a driver's step came to.
type progress uint8

const (
	moved        progress = iota // something happened
	atRest                       // nothing is left that may happen
	timeMustPass                 // somebody waits for a timer
	abandoned                    // this run is not wanted any more
)

// next lets the next thing happen.
func (t *T) next(pending []*faultnet.Event) progress {
	if t.plan != nil {
		return t.plan.next(t, pending)
	}
	if t.inHand && t.clearAway(pending) || t.releaseNext(pending) {
		return moved
	}
	return atRest
}

// live is the body, then the clean-up functions, then the last checks. Each
// runs to its end even if the one before failed, except that nothing is
// checked for leaks in a test that has failed. A Goexit ends the goroutine that
// a stage runs in: the next one gets a new one then.
func (t *T) live(body func(*T), done chan struct{}) {
	stage := func() func() { // the next one, or nil
		switch f := body; {
		case f != nil:
			body = nil
			return func() { f(t) }
		case t.plan != nil && !t.plan.over && !t.Failed():
			t.plan.over = true
			return func() { t.await(wantRest) }
		case t.plan != nil:
			t.plan.summary = t.outcome(t.plan)
			t.plan = nil // what is left happens as it comes
		}
		if f := t.takeCleanup(); f != nil {
			return f
		}
		if t.Failed() || t.checked || t.notAsked != nil {
			return nil
		}
		t.checked = true
		return t.leftovers
	}
	var goOn func()
	goOn = func() {
		ended := false
		defer func() {
			if !ended {
				go goOn()
			}
		}()
		for f := stage(); f != nil; f = stage() {
			t.protect(f)
		}
		ended = true
		close(done)
	}
	goOn()
}

// takeCleanup is the clean-up function that was added last, or nil.
func (t *T) takeCleanup() func() {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := len(t.cleanups)
	if n == 0 {
		return nil
	}
	f := t.cleanups[n-1]
	t.cleanups = t.cleanups[:n-1]
	return f
}

// protect calls f and takes a panic as the end of f alone. What a Goexit ends
// as well is for the caller to take up again.
func (t *T) protect(f func()) {
	finished := false
	defer func() {
		if !finished && !t.Failed() && t.notAsked == nil {
			t.add(Failure{Kind: "goexit", Text: "the body called runtime.Goexit"})
		}
	}()
	defer t.caught("")
	f()
	finished = true
}

// caught turns a panic of the function that defers it into a failure.
func (t *T) caught(who string) {
	if r := recover(); r != nil {
		detail := bubble.PanicFrames(debug.Stack())
		t.snapshot()
		t.add(Failure{Kind: "panic", Text: fmt.Sprintf("%spanic: %v", who, r), Detail: detail})
	}
}

// releaseNext releases the first event that no rule holds.
func (t *T) releaseNext(pending []*faultnet.Event) bool {
	for _, e := range pending {
		v := t.Net.net.Verdict(e)
		if v.IsHold() {
			continue
		}
		t.apply(e, v)
		return true
	}
	return false
}

// apply lets an event happen and takes note of what it tells about requests.
func (t *T) apply(e *faultnet.Event, v faultnet.Verdict) {
	switch {
	case e.Kind != faultnet.Data:
	case e.From.Side() == faultnet.Client:
		if !v.IsPass() {
			t.loses(e)
		}
		t.readWire(e, e.Arriving(v))
	default:
		t.readResponse(e, e.Arriving(v))
	}
	t.faulted = t.faulted || !v.IsPass()
	t.Net.net.Apply(e, v)
}

// settle returns when every goroutine is blocked and no event is left that may
// happen by itself. In an exploration, where nothing happens by itself, it
// returns as soon as every goroutine is blocked.
func (t *T) settle() {
	q := wantRest
	if t.plan != nil {
		q = wantQuiet
	}
	t.await(q)
}

func (t *T) await(q question) {
	if t.auditing.Load() {
		return // it is quiet, and the driver waits for who asks
	}
	gaveUp := t.ctx.Done()
	select {
	case t.ask <- q:
		select {
		case <-t.quiet:
		case <-gaveUp:
			runtime.Goexit()
		}
	case <-gaveUp:
		runtime.Goexit()
	}
	t.drain()
}

// step records a verb and its arguments.
func (t *T) step(words ...string) {
	if t.set.silent {
		return
	}
	t.drain()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.trace = append(t.trace, line{kind: stepLine, text: stepText(words)})
}

// drain moves what the network recorded into the trace.
func (t *T) drain() {
	if t.set.silent {
		return
	}
	events := t.Net.net.Events()
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, r := range events {
		t.trace = append(t.trace, line{kind: eventLine, text: r.String()})
	}
}

// Settle waits, without letting time pass, until nothing moves any more. All
// verbs do this; it is for a body that started something by itself.
func (t *T) Settle() {
	t.step("settle")
	t.settle()
}

// Rest ends every hold and lets everything happen, and time pass, until every
// request that the harness started has its end, its body included where bodies
// are read as they come. In an exploration things happen in the order that is
// being tried. A request without an end is a run that is stuck.
func (t *T) Rest() {
	t.step("rest")
	if t.ctx.Err() != nil {
		runtime.Goexit() // it was stuck, and the run is over
	}
	t.Net.letAll()
	if t.plan != nil {
		t.await(wantRest)
		return
	}
	for _, o := range t.ops {
		o.await()
	}
	t.settle()
}

// Advance lets d of virtual time pass, and everything happen that it brings.
func (t *T) Advance(d time.Duration) {
	t.step("advance", d.String())
	t.patient = time.Now().Add(d)
	time.Sleep(d)
	t.settle()
}

// stuck ends a run whose body waits for something that will not come.
func (t *T) stuck() {
	t.snapshot()
	t.add(Failure{Kind: "stuck", Text: fmt.Sprintf("stuck: nothing moved for %s of virtual time, and the body did not return", Limit)})
}

// mostSteps is how many events a run may have before it counts as endless. A
// schedule of an exploration has some dozens.
func (t *T) mostSteps() int {
	if t.set.plan != nil {
		return 20_000
	}
	return 1_000_000
}

// endless ends a run in which things happen for ever: somebody who tries
// again and again, without waiting in between.
func (t *T) endless(steps int) {
	t.snapshot()
	t.add(Failure{Kind: "endless", Text: fmt.Sprintf("endless: %d events, and more to come", steps-1)})
}

// shutDown leaves nothing in the bubble that could still wait for the network.
func (t *T) shutDown() {
	t.drain()
	t.mu.Lock()
	t.ended = true
	t.mu.Unlock()
	t.cancel()
	t.mu.Lock()
	ops, servers := t.ops, t.servers
	t.mu.Unlock()
	for _, o := range ops {
		o.cancel()
	}
	for _, s := range servers {
		s.Close()
	}
	t.Net.net.Drive(nil)
	t.Net.net.Close()
	t.Net.letAll()
	if t.set.hasty {
		if t.bubble.Wait(); t.bubble.Empty() {
			return
		}
	}
	time.Sleep(grace)
	t.bubble.Wait()
}
