package harness

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/halfopen/halfopen/faultnet"
	"github.com/halfopen/halfopen/harness/internal/search"
)

// plan is the part of one run that is being explored: which of the events happens
// next is not decided by the order in which they came, but by the search.
type plan struct {
	choices *search.Choices
	effects effects
	cancel  bool // every request may be cancelled

	starts   []*Op           // declared, and not yet started
	cancels  []*Op           // may be cancelled
	calls    []call          // may be made
	passes   []time.Duration // may pass
	passed   []time.Time     // deadlines that were waited for, each side of them
	tags     []string        // outcomes that the body wants told apart
	summary  string
	failedAt int      // the number of steps before the first failure on the way
	over     bool     // the body has returned
	actions  []action // those of the options of this step
	taken    []action // of each step, in a run that is told
}

// action carries an option out.
type action struct {
	kind    actionKind
	event   *faultnet.Event
	verdict *faultnet.Verdict // of a fault
	second  *faultnet.Event   // released together with event
	op      *Op
	call    int // its index
	pass    time.Duration
	until   time.Time // of a deadline that was seen
}

type actionKind uint8

const (
	startAction  actionKind = iota // a request starts
	eventAction                    // an event of the network, as it comes
	faultAction                    // an event with a fault
	pairAction                     // two events at once
	waitAction                     // nothing; time passes to the next timer
	cancelAction                   // a request is cancelled
	callAction                     // a call of the test's own
	passAction                     // time passes
)

// next makes one choice.
func (p *plan) next(t *T, pending []*faultnet.Event) progress {
	if t.clearAway(pending) {
		return moved
	}
	opts := p.options(t, pending)
	if len(opts) == 0 {
		if p.unfinished(t) {
			return timeMustPass
		}
		return atRest
	}
	i := p.choices.Take(opts)
	if i < 0 {
		return abandoned
	}
	a := p.actions[i]
	if p.choices.Tell {
		p.taken = append(p.taken, a)
	}
	if a.kind == waitAction {
		return timeMustPass
	}
	p.do(t, a, opts[i].Name)
	return moved
}

// clearAway lets what a server still sends to an end that the client has
// closed arrive, and the reset that answers it: it concerns no client, and when
// it happens makes no difference. Whether it happens may even be chance:
// crypto/tls leaves its close_notify out when a write is under way.
func (t *T) clearAway(pending []*faultnet.Event) bool {
	for _, e := range pending {
		if e.From == nil {
			continue
		}
		client, fromClient := e.From, e.From.Side() == faultnet.Client
		if !fromClient {
			client = e.From.Peer()
		}
		if client.IsClosed() && (!fromClient || e.Kind == faultnet.RST) {
			t.apply(e, faultnet.Pass)
			return true
		}
	}
	return false
}

func (p *plan) do(t *T, a action, name string) {
	switch a.kind {
	case startAction:
		p.starts = remove(p.starts, a.op)
		t.mu.Lock()
		t.markStarted(a.op)
		t.mu.Unlock()
		t.note(name)
		go a.op.start()
	case cancelAction:
		p.cancels = remove(p.cancels, a.op)
		t.note(name)
		a.op.cancelNow()
	case callAction:
		c := p.calls[a.call]
		p.calls = slices.Delete(p.calls, a.call, a.call+1)
		t.note(name)
		go c.call() // it may be parked at a gate
	case passAction:
		if a.until.IsZero() {
			p.passes = remove(p.passes, a.pass)
		} else {
			p.passed = append(p.passed, a.until)
		}
		t.note(name)
		t.patient = time.Now().Add(a.pass)
		time.Sleep(a.pass)
	case pairAction:
		t.apply(a.event, faultnet.Pass)
		if a.second != nil {
			t.apply(a.second, faultnet.Pass)
		} else {
			p.cancels = remove(p.cancels, a.op)
			a.op.cancelNow()
		}
	case faultAction:
		t.apply(a.event, *a.verdict)
	default:
		t.apply(a.event, t.Net.net.Verdict(a.event))
	}
}

// note records something that the plan did.
func (t *T) note(name string) {
	if !t.set.silent {
		t.step(strings.Fields(name)...)
	}
}

func remove[E comparable](s []E, e E) []E {
	for i, x := range s {
		if x == e {
			return append(s[:i:i], s[i+1:]...)
		}
	}
	return s
}

// options returns what may happen next. What must happen some time comes first, in
// the order in which it came: starts, then events. Then what may happen.
func (p *plan) options(t *T, pending []*faultnet.Event) []search.Option {
	p.actions = p.actions[:0]
	opts := p.choices.Offer()
	for _, o := range p.starts {
		opts = p.add(opts, action{kind: startAction, op: o},
			search.Option{Name: o.startName, Kind: search.Start, Chain: search.Chain{Of: "start", Number: o.index}})
	}
	opts = p.events(t, opts, pending)
	must := len(opts)
	opts = p.optional(t, opts)
	if must == 0 && len(opts) > 0 {
		if !p.unfinished(t) {
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

func (p *plan) events(t *T, opts []search.Option, pending []*faultnet.Event) []search.Option {
	free := pending[:0]
	for _, e := range pending {
		if !t.Net.net.Verdict(e).IsHold() {
			free = append(free, e)
		}
	}
	from := len(opts)
	for i, e := range free {
		opts = p.add(opts, action{kind: eventAction, event: e}, optionOf(e, i+1))
	}
	plain := opts[from:]
	if p.choices.MayFault() {
		for i, e := range free {
			for k := range p.effects.verdicts {
				if v := &p.effects.verdicts[k]; v.Kinds()&e.Kind != 0 {
					opts = p.addFault(opts, plain[i], e, v)
				}
			}
			opts = p.atEveryByte(opts, plain[i], e)
		}
	}
	if p.choices.MayPair() {
		pair := func(o search.Option, with string, a action) {
			o.Name, o.Kind = o.Name+" & "+with, search.Pair
			opts = p.add(opts, a, o)
		}
		for i, e := range free {
			for k, f := range free[i+1:] {
				pair(plain[i], plain[i+1+k].Name, action{kind: pairAction, event: e, second: f})
			}
			for _, o := range p.cancels {
				if o.cancellable() {
					pair(plain[i], "cancel "+o.name, action{kind: pairAction, event: e, op: o})
				}
			}
		}
	}
	return opts
}

// optionOf returns the option to let the event happen in its normal course; the
// number tells it from the other events of the step. The arrival at a server's end is
// local, if handlers share nothing across connections.
func optionOf(e *faultnet.Event, number int) search.Option {
	o := search.Option{Name: e.String(), Kind: search.Event, Event: number,
		Local: e.From != nil && e.From.Side() == faultnet.Client}
	switch e.Kind {
	case faultnet.Dial:
		o.Chain = search.Chain{Of: "dial", Number: e.DialNumber()}
	case faultnet.Gate:
		o.Chain = search.Chain{Of: e.Addr}
	default:
		o.Place = e.From.Number()
		o.Chain = search.Chain{Of: "client", Number: o.Place}
		if e.From.Side() == faultnet.Server {
			o.Chain.Of = "server"
		}
	}
	return o
}

func (p *plan) addFault(opts []search.Option, o search.Option, e *faultnet.Event, v *faultnet.Verdict) []search.Option {
	o.Kind, o.Effect = search.Fault, v.String()
	o.Name += " as " + o.Effect
	return p.add(opts, action{kind: faultAction, event: e, verdict: v}, o)
}

// endBytes is how many bytes at each end of a long event are tried.
const endBytes = 512

// atEveryByte adds the faults that are tried at every byte of an event.
func (p *plan) atEveryByte(opts []search.Option, o search.Option, e *faultnet.Event) []search.Option {
	if e.Kind != faultnet.Data || len(p.effects.every) == 0 {
		return opts
	}
	n := len(e.Arriving(faultnet.Pass))
	for _, base := range p.effects.every {
		for i := range n {
			if i >= endBytes && i < n-endBytes {
				continue
			}
			v, err := faultnet.ParseVerdict(fmt.Sprintf("%s:%d", base, i))
			if err != nil {
				panic("harness: " + err.Error()) // its name was checked
			}
			opts = p.addFault(opts, o, e, &v)
		}
	}
	return opts
}

// optional adds what may happen or not: each costs a delay, and is not offered
// where no delay is left.
func (p *plan) optional(t *T, opts []search.Option) []search.Option {
	if !p.choices.MayDelay() {
		return opts
	}
	add := func(a action, name, of string, number int) {
		opts = p.add(opts, a, search.Option{Name: name, Kind: search.Optional, Chain: search.Chain{Of: of, Number: number}})
	}
	for _, o := range p.cancels {
		if o.cancellable() {
			add(action{kind: cancelAction, op: o}, "cancel "+o.name, "cancel", o.index)
		}
	}
	for i, c := range p.calls {
		add(action{kind: callAction, call: i}, c.name, "call", i)
	}
	for _, at := range p.deadlines(t) {
		d := time.Until(at)
		add(action{kind: passAction, until: at, pass: d}, fmt.Sprintf("advance %s", d), "deadline", 0)
	}
	for i, d := range p.passes {
		add(action{kind: passAction, pass: d}, fmt.Sprintf("advance %s", d), "advance", i)
	}
	return opts
}

// deadlines is the instants at, just before and just after each deadline that
// can be seen and has not come: of contexts and of connections. Each is waited
// for once.
func (p *plan) deadlines(t *T) (instants []time.Time) {
	now := time.Now()
	add := func(at time.Time) {
		for _, side := range [...]time.Duration{-1, 0, 1} {
			if i := at.Add(side); i.After(now) && !slices.Contains(p.passed, i) && !slices.Contains(instants, i) {
				instants = append(instants, i)
			}
		}
	}
	for _, o := range t.ops {
		if !o.deadline.IsZero() && o.cancellable() {
			add(o.deadline)
		}
	}
	for _, at := range t.Net.net.Deadlines() {
		add(at)
	}
	slices.SortFunc(instants, time.Time.Compare)
	return instants
}

// unfinished reports whether an operation has been started and has no end yet.
func (p *plan) unfinished(t *T) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.ContainsFunc(t.ops, (*Op).unfinished)
}

// MayCloseIdle lets an exploration call the transport's CloseIdleConnections
// once, at any point or not at all.
func (t *T) MayCloseIdle(rt interface{ CloseIdleConnections() }) {
	if t.plan != nil {
		t.plan.calls = append(t.plan.calls, call{closeIdle, rt.CloseIdleConnections})
	}
}

// MayCall lets an exploration make the call once, in a goroutine of its own, at any point
// or not at all. The name is its own.
func (t *T) MayCall(name string, f func()) {
	if t.plan != nil {
		t.plan.calls = append(t.plan.calls, call{name, f})
	}
}

// call is something that an exploration may call.
type call struct {
	name string
	call func()
}

const closeIdle = "close-idle"

// MayPass lets an exploration have virtual time pass, once, at any point or
// not at all: one nanosecond less than d, d, or one more, so that each side of
// every tie is tried. The timeouts that a transport's fields say may pass anyhow.
func (t *T) MayPass(d time.Duration) {
	if t.plan != nil {
		t.plan.passes = append(t.plan.passes, d-1, d, d+1)
	}
}

// Outcome adds to what an exploration tells two outcomes apart by: by
// default the fate of each request and the number of connections.
func (t *T) Outcome(format string, args ...any) {
	if t.plan != nil {
		t.plan.tags = append(t.plan.tags, fmt.Sprintf(format, args...))
	}
}
