package faultnet

import "slices"

// Rule decides what becomes of an event. Rules are asked in the order they
// were installed; the first verdict that is not [Pass] wins. A rule runs with
// no lock held, but must not block. It may be asked about the same event more
// than once.
type Rule func(*Event) Verdict

// On is the rule that gives verdict v to the events that the pattern selects.
// It panics if the pattern is malformed.
func On(pattern string, v Verdict) Rule {
	p, err := ParsePattern(pattern)
	if err != nil {
		panic(err.Error())
	}
	return func(e *Event) Verdict {
		if v.kinds&e.Kind != 0 && p.Match(e) {
			return v
		}
		return Pass
	}
}

// installed gives each rule an identity, so that lifting one twice is harmless.
type installed struct {
	rule  Rule
	calls bool // it is asked about calls
}

// Install adds a rule behind those that are there. The function it returns
// lifts the rule: events that only it held then happen, in the order they
// came, and calls that it blocked go on.
func (n *Net) Install(r Rule) (lift func()) {
	return n.install(&installed{r, true})
}

func (n *Net) install(in *installed) (lift func()) {
	n.mu.Lock()
	n.rules = append(slices.Clip(n.rules), in)
	n.setControlled()
	n.mu.Unlock()
	return func() {
		n.mu.Lock()
		i := slices.Index(n.rules, in)
		if i < 0 {
			n.mu.Unlock()
			return
		}
		n.rules = slices.Delete(slices.Clone(n.rules), i, i+1)
		n.setControlled()
		n.mu.Unlock()
		n.unblock()
		n.reconsider()
	}
}

// Hold keeps the events that the pattern selects pending; the function it
// returns lets them go. It panics if the pattern is malformed.
func (n *Net) Hold(pattern string) (release func()) {
	return n.install(&installed{On(pattern, Hold), false}) // no call can be held
}

// Verdict is what the installed rules say of e now. A verdict that is not for
// such events counts as [Pass].
func (n *Net) Verdict(e *Event) Verdict {
	if e.late.over {
		return e.late.verdict() // it was decided when its delay began
	}
	n.mu.Lock()
	rules := n.rules
	n.mu.Unlock()
	for _, in := range rules {
		if v := in.rule(e); !v.IsPass() && v.kinds&e.Kind != 0 {
			return v
		}
	}
	return Pass
}
