package harness

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/halfopen/halfopen/faultnet"
	"github.com/halfopen/halfopen/harness/internal/search"
)

// plan is the part of one run that is being explored: which of the events happens
// next is not decided by the order in which they came, but by the search.
type plan struct {
	t       *driver
	census  *census
	net     *Net
	choices *search.Choices
	inside  *inside // the choices inside steps; nil if there are none
	effects effects
	gates   []string // the usual ones that are tried
	cancel  bool     // every operation may be cancelled

	*queue

	independent bool // the handlers of the test share nothing among connections
	audited     bool // the test looks at each quiet point

	starts   []*Op             // declared, and not yet started
	first    [4]*Op            // where that list begins
	cancels  []*Op             // may be cancelled
	calls    []call            // may be made
	passes   []time.Duration   // may pass
	longest  time.Duration     // of those that the test has said
	waits    int               // how often time may still pass
	passed   []time.Time       // deadlines that were waited for, each side of them
	held     []*faultnet.Event // of the usual gates: those at which a goroutine is held
	tags     []string          // outcomes that the body wants told apart
	summary  string
	summedUp bool
	failedAt int          // the number of steps before the first failure on the way
	actions  []action     // those of the options of this step
	taken    []action     // of each step, in a run that is to be printed
	verbs    []move       // of the body, in such a run
	made     atomic.Int32 // choices; the body reads it, which time alone may have woken
}

// action carries an option out.
type action struct {
	kind    actionKind
	event   *faultnet.Event
	verdict *faultnet.Verdict // of a fault, or of a rule of the test's own
	second  *faultnet.Event   // released together with event
	op      *Op
	call    int // its index
	pass    time.Duration
	until   *time.Time // of a deadline that was seen
}

type actionKind uint8

const (
	startAction  actionKind = iota // an operation starts
	eventAction                    // an event of the network, in its normal course
	faultAction                    // an event with a fault
	pairAction                     // two events at once
	waitAction                     // nothing; time passes to the next timer
	cancelAction                   // an operation is cancelled
	callAction                     // a call of the test's own
	timeAction                     // time passes
	passAction                     // a goroutine goes on at a gate
	holdAction                     // it is held there
)

// failed implements scheduler.
func (p *plan) failed() {
	if p.failedAt == 0 {
		p.failedAt = len(p.choices.Steps())
	}
}

// move is a verb of the body, with the number of steps before it.
type move struct {
	after int
	words []string
}

// verb implements scheduler.
func (p *plan) verb(words []string) {
	p.verbs = append(p.verbs, move{int(p.made.Load()), words})
}

// end ends the exploring of the run: the events that are left happen in their order.
func (p *plan) end() {
	p.sumUp()
	p.t.scheduler = nil
	p.net.exploring.Store(false)
}

// sumUp notes the outcome of the run, once: a run that is cut short is summed up before its
// operations are cancelled, each of which ends then or later.
func (p *plan) sumUp() {
	if p.summedUp {
		return
	}
	p.summedUp = true
	p.inside.end()
	p.summary = p.census.outcome(p.tags)
}

// declare has an operation start when it is chosen.
func (p *plan) declare(o *Op) {
	o.startName = "start " + o.name
	o.plan = p
	if p.starts == nil {
		p.starts = p.first[:0]
	}
	p.starts = append(p.starts, o)
	if p.cancel {
		p.mayCancel(o)
	}
}

// mayCancel has the operation cancelled when that is chosen.
func (p *plan) mayCancel(o *Op) {
	if !slices.Contains(p.cancels, o) {
		p.cancels = append(p.cancels, o)
	}
}

// call is something that an exploration may call.
type call struct {
	name string
	call func()
}

// closeIdle is the name of the call of CloseIdleConnections.
const closeIdle = "close-idle"

// next makes one choice.
func (p *plan) next(pending []*faultnet.Event) progress {
	if p.t.deliverMoot(pending) {
		return moved
	}
	p.meet(pending)
	opts := p.atGate()
	if opts == nil {
		opts = p.options()
	}
	if len(opts) == 0 {
		if p.census.unfinished() {
			return timeMustPass
		}
		return atRest
	}
	p.inside.happened()
	i := p.choices.Take(opts)
	if i < 0 {
		return abandoned
	}
	p.order.Took(opts[i])
	p.made.Add(1)
	p.inside.step()
	a := p.actions[i]
	if p.choices.Tell {
		p.taken = append(p.taken, a)
	}
	if a.kind == waitAction {
		return timeMustPass
	}
	p.do(a, opts[i].Name)
	return moved
}

// do carries an option out.
func (p *plan) do(a action, name string) {
	t := p.t
	switch a.kind {
	case startAction:
		p.starts = removeOne(p.starts, a.op)
		p.census.start(a.op)
		p.note(name)
		go p.call(a.op)
	case cancelAction:
		p.cancels = removeOne(p.cancels, a.op)
		p.note(name)
		a.op.cancelNow()
	case callAction:
		c := p.calls[a.call]
		p.calls = slices.Delete(p.calls, a.call, a.call+1)
		p.note(name)
		go t.callback(c.name, c.call) // it may be parked at a gate
	case timeAction:
		p.waits--
		if a.until == nil {
			p.passes = removeOne(p.passes, a.pass)
		} else {
			p.passed = append(p.passed, *a.until)
		}
		p.note(name)
		t.patient = time.Now().Add(a.pass)
		time.Sleep(a.pass)
	case pairAction:
		t.apply(a.event, faultnet.Pass)
		if a.second != nil {
			t.apply(a.second, faultnet.Pass)
		} else {
			p.cancels = removeOne(p.cancels, a.op)
			a.op.cancelNow()
		}
	case faultAction:
		t.apply(a.event, *a.verdict)
	case holdAction:
		p.held = append(p.held, a.event)
		p.of(a.event).held = true
		p.note(name)
	case passAction:
		t.drain()
		t.apply(a.event, faultnet.Pass)
		t.drainBut(a.event.String()) // the test did not ask for that gate
	default:
		p.goesOn(a.event)
		v := t.net.Verdict(a.event)
		if w := p.of(a.event); w != nil && v.IsPass() {
			v = w.alone()
		}
		if p.choices.Tell && !v.IsPass() {
			told := v
			p.taken[len(p.taken)-1].verdict = &told
		}
		t.apply(a.event, v)
	}
}

// call makes the call of an operation.
func (p *plan) call(o *Op) {
	if p.choices.Tell && p.inside != nil {
		p.inside.named(o)
	}
	o.start()
}

// note records something that the plan did.
func (p *plan) note(name string) {
	if !p.t.set.silent {
		p.t.note(strings.Fields(name)...)
	}
}

// removeOne returns s without the first element that is e.
func removeOne[E comparable](s []E, e E) []E {
	for i, x := range s {
		if x == e {
			return append(s[:i:i], s[i+1:]...)
		}
	}
	return s
}

// options returns what may happen next. What must happen some time comes first, in
// the order in which it came: starts, then events. Then what may happen.
func (p *plan) options() []search.Option {
	p.actions = p.actions[:0]
	opts := p.choices.Offer()
	for _, o := range p.starts {
		opts = p.add(opts, action{kind: startAction, op: o},
			search.Option{Name: o.startName, Kind: search.Start, Chain: search.Chain{Of: "start", Number: o.index}})
	}
	opts = p.events(opts)
	must := len(opts)
	opts = p.optional(opts)
	if must == 0 && len(opts) > 0 {
		if !p.census.unfinished() {
			return nil
		}
		opts = append([]search.Option{{Name: search.WaitName, Kind: search.Wait}}, opts...)
		p.actions = append([]action{{kind: waitAction}}, p.actions...)
	}
	return opts
}

// add adds an option, and the action that carries it out.
func (p *plan) add(opts []search.Option, a action, o search.Option) []search.Option {
	p.actions = append(p.actions, a)
	return append(opts, o)
}

// events adds what the pending events may come to.
func (p *plan) events(opts []search.Option) []search.Option {
	free := p.inOrder()
	from := len(opts)
	for i, w := range free {
		opts = p.add(opts, action{kind: eventAction, event: w.event}, w.option)
		o := &opts[len(opts)-1]
		o.Event, o.Commutes, o.Turn, o.Everywhere = i+1, w.commutes, w.turn, w.again
	}
	plain := opts[from:]
	if len(free) > 0 {
		plain[0].Overtakes = p.overtakes(free[0])
	}
	if p.choices.MayFault() {
		ruled := p.t.net.Ruled()
		for i, w := range free {
			if w.unseen() {
				continue
			}
			for _, f := range p.faultsOf(w, ruled) {
				opts = p.add(opts, action{kind: faultAction, event: w.event, verdict: f.verdict}, plain[i])
				o := &opts[len(opts)-1]
				o.Kind, o.Name, o.Effect = search.Fault, f.name, f.effect
			}
		}
	}
	if p.choices.MayPair() {
		pair := func(o search.Option, with string, a action) {
			o.Name, o.Kind = o.Name+" & "+with, search.Pair
			opts = p.add(opts, a, o)
		}
		for i, w := range free {
			e := w.event
			for k, f := range free[i+1:] {
				pair(plain[i], plain[i+1+k].Name, action{kind: pairAction, event: e, second: f.event})
			}
			for _, o := range p.cancels {
				if o.cancellable() && !p.holds(o) {
					pair(plain[i], "cancel "+o.name, action{kind: pairAction, event: e, op: o})
				}
			}
		}
	}
	return opts
}

// optional adds what may happen or not: each costs a delay, and is not offered
// where no delay is left.
func (p *plan) optional(opts []search.Option) []search.Option {
	if !p.choices.MayDelay() {
		return opts
	}
	add := func(a action, name, of string, number int) {
		opts = p.add(opts, a, search.Option{Name: name, Kind: search.Optional, Chain: search.Chain{Of: of, Number: number},
			Everywhere: a.kind == timeAction || a.kind == callAction && name != closeIdle})
	}
	for _, o := range p.cancels {
		if o.cancellable() && !p.holds(o) {
			add(action{kind: cancelAction, op: o}, "cancel "+o.name, "cancel", o.index)
		}
	}
	for i, c := range p.calls {
		add(action{kind: callAction, call: i}, c.name, "call", i)
	}
	if p.waits == 0 || slices.ContainsFunc(p.census.allOps(), func(o *Op) bool { return !o.deadline.IsZero() && p.holds(o) }) {
		return opts // the deadline of an operation that is held would pass meanwhile
	}
	for _, at := range p.deadlines() {
		d := time.Until(at)
		add(action{kind: timeAction, until: &at, pass: d}, fmt.Sprintf("advance %s", d), "deadline", 0)
	}
	for i, d := range p.passes {
		add(action{kind: timeAction, pass: d}, fmt.Sprintf("advance %s", d), "advance", i)
	}
	return opts
}

// deadlines returns the instants at, just before and just after each deadline that
// can be seen and has not come. Each is waited for once. Those of the contexts of
// operations are the test's own. Those of connections, as of a handshake, are the client's:
// they are waited for if the test lets as much time pass.
func (p *plan) deadlines() (instants []time.Time) {
	now := time.Now()
	add := func(at time.Time) {
		for _, side := range [...]time.Duration{-1, 0, 1} {
			if i := at.Add(side); i.After(now) && !slices.Contains(p.passed, i) && !slices.Contains(instants, i) {
				instants = append(instants, i)
			}
		}
	}
	for _, o := range p.census.allOps() {
		if !o.deadline.IsZero() && o.cancellable() {
			add(o.deadline)
		}
	}
	for _, at := range p.t.net.Deadlines() {
		if at.Sub(now) <= p.longest {
			add(at)
		}
	}
	slices.SortFunc(instants, time.Time.Compare)
	return instants
}
