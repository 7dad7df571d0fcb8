package suites

import (
	"fmt"
	"slices"
	"strings"

	"github.com/halfopen/halfopen/harness"
)

// State is what a case came to for a subject.
type State string

const (
	Held          State = "held"
	Failed        State = "FAILED"
	Quirky        State = "quirk" // it does not hold, and that is known
	NotApplicable State = "n/a"   // it cannot be asked of the subject
)

// Result is a case put to a subject. Nothing is left out silently: there is one
// for each.
type Result struct {
	Case    Case
	Subject Subject
	State   State
	// Reason is why the case is not applicable, or the quirk.
	Reason string
	// Schedules is how many orders were tried: 1 for a script.
	Schedules int
	// Report is what failed, with the shortest script that shows it; of a quirk
	// too.
	Report string
	// Script is the shortest script that shows it, if there is one.
	Script string
}

// Run puts the case to a subject.
func (c Case) Run(s Subject) Result {
	r := Result{Case: c, Subject: s}
	if c.Protocols != 0 && c.Protocols&s.Protocol == 0 {
		r.State, r.Reason = NotApplicable, "it is about "+c.Protocols.String()
		return r
	}
	refused := c.try(s, &r)
	i := slices.IndexFunc(s.Quirks, func(q Quirk) bool { return q.of(c, s.Protocol) })
	switch {
	case refused != nil:
		r.State, r.Reason = NotApplicable, strings.TrimPrefix(refused.Error(), "not applicable: ")
	case i < 0 && r.Report == "":
		r.State = Held
	case i < 0:
		r.State = Failed
	case r.Report == "":
		r.State = Failed
		r.Report = fmt.Sprintf("%s: has a quirk (%s), and holds: remove the quirk\n", c.Name, s.Quirks[i])
	default:
		r.State, r.Reason = Quirky, s.Quirks[i].String()
	}
	return r
}

// try runs the case, or explores it. The error says that the maker refused.
func (c Case) try(s Subject, r *Result) (refused error) {
	r.Schedules = 1
	if c.Script != nil {
		rep, err := c.Script.Run(s.Maker)
		if err == nil && rep.Failed() {
			r.Report = rep.String()
		}
		return err
	}
	body := func(t *harness.T) {
		rt, err := s.Maker(t, c.Settings)
		if err != nil {
			refused = err
			return
		}
		c.Body(&Env{T: t, Transport: rt, Protocol: s.Protocol})
	}
	if c.Bounds.Schedules == 0 {
		if rep := harness.Run(c.Name, body); rep.Failed() {
			r.Report = rep.String()
		}
		return refused
	}
	bounds := c.Bounds
	if s.Protocol == H2 {
		bounds.Schedules = max(1, bounds.Schedules/4) // handshakes take their time
	}
	x, err := harness.Search(c.Name, bounds, nil, body)
	switch {
	case refused != nil:
	case err != nil:
		r.Report = err.Error()
	default:
		r.Schedules = x.Schedules
		if len(x.Findings) > 0 {
			r.Report, r.Script = x.String(), x.Findings[0].Script
		}
	}
	return refused
}
