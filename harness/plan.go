package harness

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/halfopen/halfopen/faultnet"
)

// plan is the part of one run that is being explored: what may happen next is
// not decided by who came first, but by pick.
type plan struct {
	bounds Bounds
	pick   func(opts []option) int // the option to take; negative abandons the run

	starts    []*Request      // declared, and not yet started
	cancels   []*Request      // may be cancelled
	idles     []idler         // whose CloseIdleConnections may be called
	passes    []time.Duration // may pass
	passed    []time.Time     // deadlines that were waited for, each side of them
	faults    int             // taken so far
	together  int
	delays    int
	tags      []string // outcomes that the body wants told apart
	abandoned bool
	summary   string
	failedAt  int  // the number of steps before the first failure on the way
	over      bool // the body has returned
	scratch
}

// scratch is memory that one run hands on to the next.
type scratch struct {
	trail []step
	slab  []option
}

// step is one choice that was made.
type step struct {
	opts   []option
	chosen int
}

// option is one thing that may happen next.
type option struct {
	name    string
	kind    optionKind
	event   *faultnet.Event
	verdict *faultnet.Verdict // of a fault
	second  *faultnet.Event   // released together with event
	request *Request
	idle    idler
	pass    time.Duration
	until   time.Time // of a deadline that was seen
	chain   chain
}

type optionKind uint8

const (
	startOption  optionKind = iota // a request starts
	eventOption                    // an event of the network, as it comes
	faultOption                    // an event with a fault
	pairOption                     // two events at once
	waitOption                     // nothing; time passes to the next timer
	cancelOption                   // a request is cancelled
	idleOption                     // CloseIdleConnections
	passOption                     // time passes
)

// chain is what an option belongs to: the options of one chain come in one
// order, whatever is chosen.
type chain struct {
	conn   int // of an event
	side   faultnet.Side
	dial   int
	gate   string
	letter byte // 'r' of a request's start, 'x' of its cancellation, ...
	index  int
}

// cost is how far an option departs from what would come next by itself.
func (o option) cost(index int) (delays, faults, together int) {
	switch o.kind {
	case faultOption:
		faults = 1
	case pairOption:
		together = 1
	case cancelOption, idleOption, passOption:
		delays = 1
	case startOption, eventOption:
		if index > 0 {
			delays = 1
		}
	}
	return delays, faults, together
}

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
	i := p.pick(opts)
	if i < 0 {
		p.abandoned = true
		return abandoned
	}
	p.trail = append(p.trail, step{opts, i})
	o := opts[i]
	d, f, c := o.cost(i)
	p.delays, p.faults, p.together = p.delays+d, p.faults+f, p.together+c
	if o.kind == waitOption {
		return timeMustPass
	}
	p.do(t, o)
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

func (p *plan) do(t *T, o option) {
	switch o.kind {
	case startOption:
		for i, r := range p.starts {
			if r == o.request {
				p.starts = append(p.starts[:i:i], p.starts[i+1:]...)
				break
			}
		}
		t.mu.Lock()
		t.markStarted(o.request)
		t.mu.Unlock()
		t.note(o.name)
		go o.request.start()
	case cancelOption:
		p.cancels = remove(p.cancels, o.request)
		t.note(o.name)
		o.request.cancelNow()
	case idleOption:
		p.idles = slices.Delete(p.idles, o.chain.index, o.chain.index+1) // it may be of a type that can't be compared
		t.note(o.name)
		go o.idle.CloseIdleConnections() // it may be parked at a gate
	case passOption:
		if o.until.IsZero() {
			p.passes = remove(p.passes, o.pass)
		} else {
			p.passed = append(p.passed, o.until)
		}
		t.note(o.name)
		t.patient = time.Now().Add(o.pass)
		time.Sleep(o.pass)
	case pairOption:
		t.apply(o.event, faultnet.Pass)
		if o.second != nil {
			t.apply(o.second, faultnet.Pass)
		} else {
			p.cancels = remove(p.cancels, o.request)
			o.request.cancelNow()
		}
	case faultOption:
		t.apply(o.event, *o.verdict)
	default:
		t.apply(o.event, t.Net.verdictOn(o.event))
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

// options is what may happen next. What must happen some time comes first, in
// the order in which it came: starts, then events. Then what may happen.
func (p *plan) options(t *T, pending []*faultnet.Event) []option {
	// All options of a run share one array: a run has some dozens.
	if cap(p.slab)-len(p.slab) < 16 {
		p.slab = make([]option, 0, 64)
	}
	from := len(p.slab)
	opts := p.slab[from:from:cap(p.slab)]
	defer func() { p.slab = p.slab[:min(cap(p.slab), from+len(opts))] }()
	for _, r := range p.starts {
		opts = append(opts, option{name: r.startName, kind: startOption, request: r,
			chain: chain{letter: 'r', index: r.index}})
	}
	opts = p.events(t, opts, pending)
	must := len(opts)
	opts = p.optional(t, opts)
	if must == 0 && len(opts) > 0 {
		if !p.unfinished(t) {
			return nil
		}
		opts = append([]option{{name: waitName, kind: waitOption}}, opts...)
	}
	return opts
}

func (p *plan) events(t *T, opts []option, pending []*faultnet.Event) []option {
	free := pending[:0]
	for _, e := range pending {
		if !t.Net.Verdict(e).IsHold() {
			free = append(free, e)
		}
	}
	for _, e := range free {
		opts = append(opts, option{name: e.String(), kind: eventOption, event: e, chain: chainOf(e)})
	}
	if p.faults < p.bounds.Faults {
		for _, e := range free {
			for i := range p.bounds.verdicts {
				v := &p.bounds.verdicts[i]
				if v.Kinds()&e.Kind != 0 {
					opts = append(opts, option{name: e.String() + " as " + v.String(), kind: faultOption,
						event: e, verdict: v, chain: chainOf(e)})
				}
			}
			opts = p.atEveryByte(opts, e)
		}
	}
	if p.together < p.bounds.Coincidences {
		for i, e := range free {
			for _, f := range free[i+1:] {
				opts = append(opts, option{name: e.String() + " & " + f.String(), kind: pairOption,
					event: e, second: f, chain: chainOf(e)})
			}
			for _, r := range p.cancels {
				if r.cancellable() {
					opts = append(opts, option{name: e.String() + " & cancel " + r.name, kind: pairOption,
						event: e, request: r, chain: chainOf(e)})
				}
			}
		}
	}
	return opts
}

// edge is how many bytes at each end of a long event are tried.
const edge = 512

// atEveryByte adds the faults that are tried at every byte of an event.
func (p *plan) atEveryByte(opts []option, e *faultnet.Event) []option {
	if e.Kind != faultnet.Data || len(p.bounds.every) == 0 {
		return opts
	}
	n := len(e.Arriving(faultnet.Pass))
	for _, base := range p.bounds.every {
		for i := range n {
			if i >= edge && i < n-edge {
				continue
			}
			v, err := faultnet.ParseVerdict(fmt.Sprintf("%s:%d", base, i))
			if err != nil {
				panic("harness: " + err.Error()) // its name was checked
			}
			opts = append(opts, option{name: e.String() + " as " + v.String(), kind: faultOption,
				event: e, verdict: &v, chain: chainOf(e)})
		}
	}
	return opts
}

func chainOf(e *faultnet.Event) chain {
	switch e.Kind {
	case faultnet.Dial:
		return chain{dial: e.DialNumber()}
	case faultnet.Gate:
		return chain{gate: e.Addr}
	}
	return chain{conn: e.From.Number(), side: e.From.Side()}
}

// optional is what may happen or not: each costs a delay, and is not offered
// where no delay is left.
func (p *plan) optional(t *T, opts []option) []option {
	if p.delays >= p.bounds.Delays {
		return opts
	}
	for _, r := range p.cancels {
		if r.cancellable() {
			opts = append(opts, option{name: "cancel " + r.name, kind: cancelOption, request: r,
				chain: chain{letter: 'x', index: r.index}})
		}
	}
	for i, c := range p.idles {
		opts = append(opts, option{name: "close-idle", kind: idleOption, idle: c,
			chain: chain{letter: 'i', index: i}})
	}
	for _, at := range p.deadlines(t) {
		opts = append(opts, option{name: fmt.Sprintf("advance %s", time.Until(at)), kind: passOption, until: at,
			pass: time.Until(at), chain: chain{letter: 'd'}})
	}
	for i, d := range p.passes {
		opts = append(opts, option{name: fmt.Sprintf("advance %s", d), kind: passOption, pass: d,
			chain: chain{letter: 't', index: i}})
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
	for _, r := range t.requests {
		if !r.deadline.IsZero() && r.cancellable() {
			add(r.deadline)
		}
	}
	for _, at := range t.Net.Deadlines() {
		add(at)
	}
	slices.SortFunc(instants, time.Time.Compare)
	return instants
}

func (r *Request) cancellable() bool {
	r.t.mu.Lock()
	defer r.t.mu.Unlock()
	return r.started && !r.cancelled && !(r.returned && r.finished)
}

// unfinished reports whether a request has been started and has no end yet.
func (p *plan) unfinished(t *T) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, r := range t.requests {
		if r.started && !(r.returned && (r.finished || r.dropped || !r.auto)) {
			return true
		}
	}
	return false
}

// MayCancel lets an exploration cancel the request, at any point or not at all.
// Outside of one it does nothing.
func (r *Request) MayCancel() *Request {
	if p := r.t.plan; p != nil && !slices.Contains(p.cancels, r) {
		p.cancels = append(p.cancels, r)
	}
	return r
}

// MayCloseIdle lets an exploration call the transport's CloseIdleConnections
// once, at any point or not at all.
func (t *T) MayCloseIdle(rt interface{ CloseIdleConnections() }) {
	if t.plan != nil {
		t.plan.idles = append(t.plan.idles, rt)
	}
}

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
