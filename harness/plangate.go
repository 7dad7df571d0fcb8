package harness

import (
	"slices"

	"github.com/halfopen/halfopen/faultnet"
	"github.com/halfopen/halfopen/harness/internal/search"
)

// The usual gates cost little: a goroutine that comes to one goes on before anything else
// happens, or is held there, which is one delay. What is held goes on when nothing else is
// left that must happen, or when a schedule chooses it.

// atGate returns the choice of a goroutine that has just come to one of the usual gates, or
// nil if there is none.
func (p *plan) atGate() []search.Option {
	i := slices.IndexFunc(p.waiting, func(w *waiting) bool {
		return !w.held && p.net.byItself(w.event) && !p.t.net.Verdict(w.event).IsHold()
	})
	if i < 0 {
		return nil
	}
	e, pass := p.waiting[i].event, p.waiting[i].option
	p.actions = p.actions[:0]
	pass.Kind = search.Pass
	opts := p.add(p.choices.Offer(), action{kind: passAction, event: e}, pass)
	if p.choices.MayDelay() {
		hold := p.holdName(e.String())
		opts = p.add(opts, action{kind: holdAction, event: e},
			search.Option{Name: hold, Kind: search.Optional, Chain: search.Chain{Of: hold}})
	}
	return opts
}

// holdName returns the name of the option to hold a goroutine at a gate. Each run has the same gates.
func (q *queue) holdName(gate string) string {
	name, ok := q.holds[gate]
	if !ok {
		name = "hold " + gate
		setKey(&q.holds, gate, name)
	}
	return name
}

// goesOn notes that a goroutine that was held at a gate goes on. One that was about to look
// for a connection stands in line from now on.
func (p *plan) goesOn(e *faultnet.Event) {
	if i := slices.Index(p.held, e); i >= 0 {
		p.held = slices.Delete(p.held, i, i+1)
		if o := p.census.op(gateOwner(e)); o != nil && gateName(e) == "GetConn" {
			p.census.start(o)
		}
	}
}

// holds reports whether the operation's own goroutine is held. What would end the operation
// meanwhile would come together with what it is held before, and chance would decide.
func (p *plan) holds(o *Op) bool {
	return slices.ContainsFunc(p.held, func(e *faultnet.Event) bool {
		return gateOwner(e) == o.name && gateName(e) != "PutIdleConn"
	})
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}
