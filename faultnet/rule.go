package faultnet

import "slices"

// Rule decides how an event happens. It is asked once about each, when the
// event is first seen: by the driver at quiet, or when it is posted. Rules are
// asked one at a time; a rule may look at any connection, but must not block,
// install or lift.
type Rule func(*Event) Verdict

// On returns the rule that gives verdict v to the events that the pattern selects,
// or to some of them. It panics if the pattern is malformed.
func On(pattern string, v Verdict, which ...Selection) Rule {
	p, err := ParsePattern(pattern)
	if err != nil {
		panic(err.Error())
	}
	r := func(e *Event) Verdict {
		if v.Kinds()&e.Kind != 0 && p.Match(e) {
			return v
		}
		return Pass
	}
	for _, w := range which {
		r = w.wrap(r)
	}
	return r
}

// priority orders the rules of a network: faults come before holds, and holds
// before shapes. Rules of one priority are in the order of their installation.
// The first verdict that is not [Pass] wins.
type priority uint8

const (
	faultPriority priority = iota
	holdPriority
	shapePriority
)

// installed is a rule in the list of a network.
type installed struct {
	rule     Rule
	priority priority
	calls    bool  // it is asked about calls
	once     bool  // it is spent when a verdict of it was carried out
	paces    *Conn // the end to which it slows what is sent, as Rate does
	fired    bool  // a verdict of it was carried out; guarded by Net.asking
}

// ruleAnswer holds the verdict of a rule on an event. The event keeps it.
type ruleAnswer struct {
	by      *installed
	verdict Verdict
	fired   bool // it was carried out
}

// Install adds a rule behind those that are there. The function it returns
// lifts the rule: events that only it held then happen, in the order they
// came, and calls that it blocked go on.
func (n *Net) Install(r Rule) (lift func()) {
	return n.install(&installed{rule: r, priority: faultPriority, calls: true})
}

// Hold keeps the events that the pattern selects pending, unless a rule of
// Install or Arm decides about them; the function it returns lets them go. It
// panics if the pattern is malformed.
func (n *Net) Hold(pattern string) (release func()) {
	return n.install(&installed{rule: On(pattern, Hold), priority: holdPriority})
}

// Shape installs a rule for what a link is like: latency, jitter, bandwidth. It
// decides about events that are let happen in their normal course, also by a
// driver or [Net.Apply], which overrule the rules of Install.
func (n *Net) Shape(r Rule) (lift func()) {
	return n.install(&installed{rule: r, priority: shapePriority})
}

// Arm installs a fault for the first of the events that the pattern selects that
// happens, or for those that are said. It panics if the pattern is malformed. The
// first function it returns lifts the fault, the second reports whether it was
// carried out.
func (n *Net) Arm(pattern string, v Verdict, which ...Selection) (lift func(), fired func() bool) {
	in := &installed{rule: On(pattern, v, which...), calls: v.Kinds()&Calls != 0, once: len(which) == 0}
	return n.install(in), func() bool {
		n.asking.Lock()
		defer n.asking.Unlock()
		return in.fired
	}
}

func (n *Net) install(in *installed) (lift func()) {
	n.mu.Lock()
	i := len(n.rules)
	for i > 0 && (n.rules[i-1].priority > in.priority || in.paces != nil && n.rules[i-1].priority == shapePriority) {
		i--
	}
	n.rules = slices.Insert(slices.Clone(n.rules), i, in) // others may be reading it
	n.setControlled()
	n.mu.Unlock()
	return func() {
		n.mu.Lock()
		lifted := n.remove(func(r *installed) bool { return r == in })
		n.mu.Unlock()
		if lifted {
			n.unblock()
			n.reconsider()
		}
	}
}

// remove takes the rules that are meant from the list, and reports whether
// there was one. It is called with mu held.
func (n *Net) remove(meant func(*installed) bool) bool {
	if !slices.ContainsFunc(n.rules, meant) {
		return false
	}
	n.rules = slices.DeleteFunc(slices.Clone(n.rules), meant)
	n.setControlled()
	return true
}

// pace gives every later Data event on its way to an end the verdict, before
// any Shape.
func (n *Net) pace(to *Conn, v Verdict) {
	n.mu.Lock()
	n.remove(func(r *installed) bool { return r.paces == to })
	n.mu.Unlock()
	n.install(&installed{priority: shapePriority, paces: to, rule: func(e *Event) Verdict {
		if e.Kind == Data && e.From != nil && e.From.Peer() == to {
			return v
		}
		return Pass
	}})
}

// Verdict returns what the rules have decided about e. It is decided when e is first
// seen, and again only by rules that were installed or lifted since. Pass stands
// for the normal course, which a Shape may delay.
func (n *Net) Verdict(e *Event) Verdict { return n.decide(e, false, false) }

// decide returns the verdict of the first rule that has one: of the shapes, or of
// all other rules. If the caller carries it out at once, it counts as fired.
func (n *Net) decide(e *Event, shapes, carriedOut bool) Verdict {
	if e.late.over {
		return e.late.verdict() // it was decided when its delay began
	}
	rules := n.rulesFor(shapes)
	if len(rules) == 0 {
		return Pass
	}
	n.asking.Lock()
	defer n.asking.Unlock()
	a := e.first(rules, shapes)
	if a == nil {
		return Pass
	}
	if carriedOut {
		a.fired, a.by.fired = true, true
	}
	return a.verdict
}

// rulesFor returns the shapes, or all other rules.
func (n *Net) rulesFor(shapes bool) []*installed {
	n.mu.Lock()
	defer n.mu.Unlock()
	i := 0
	for i < len(n.rules) && n.rules[i].priority != shapePriority {
		i++
	}
	if shapes {
		return n.rules[i:]
	}
	return n.rules[:i]
}

// Ruled reports whether there is a rule: of Install, Hold, Shape or Arm.
func (n *Net) Ruled() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.rules) > 0
}

// normalCourse returns v. If that is Pass, or would delay again what was delayed, it
// returns what happens to the event without faults.
func (n *Net) normalCourse(e *Event, v Verdict) Verdict {
	if v.IsPass() || e.late.over && v.row().later != nil {
		return n.decide(e, true, false)
	}
	return v
}

// markFired notes that v was carried out on e, if the rules had decided so.
func (n *Net) markFired(e *Event, v Verdict) {
	rules := n.rulesFor(false)
	if v.IsPass() || len(rules) == 0 {
		return
	}
	n.asking.Lock()
	defer n.asking.Unlock()
	if a := e.first(rules, false); a != nil && a.verdict.name == v.name {
		a.fired, a.by.fired = true, true
	}
}

// first returns the first answer about e that is not Pass. It asks only the rules
// that have not been asked about e. One that is spent says nothing.
func (e *Event) first(rules []*installed, shapes bool) *ruleAnswer {
	passed := &e.passed[0]
	if shapes {
		passed = &e.passed[1]
	}
	for i, r := range rules {
		inOrder := len(*passed) > 0 && &(*passed)[0] == &rules[0] // the list is as it was
		if inOrder && i < len(*passed) || slices.Contains(*passed, r) {
			continue
		}
		k := slices.IndexFunc(e.answers, func(a ruleAnswer) bool { return a.by == r })
		spent := r.once && r.fired
		switch {
		case k >= 0 && (!spent || e.answers[k].fired):
			return &e.answers[k]
		case k < 0 && !spent && (r.calls || e.Kind&Calls == 0):
			if v := r.rule(e); v.Kinds()&e.Kind != 0 && !(shapes && v.IsHold()) {
				e.answers = append(e.answers, ruleAnswer{by: r, verdict: v})
				return &e.answers[len(e.answers)-1]
			}
		}
		if inOrder && i == len(*passed) || i == 0 && len(*passed) == 0 {
			*passed = rules[: i+1 : i+1] // most events: no rule has anything to say
		} else {
			*passed = append(*passed, r)
		}
	}
	return nil
}
