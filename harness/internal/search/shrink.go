package search

import (
	"cmp"
	"slices"
)

// WaitName is the name of the option to wait.
const WaitName = "wait"

// picker follows a schedule as far as it can. Options that the schedule does not
// have are taken as they come, so that a schedule outlives changes that do not
// concern it.
type picker struct {
	left []string
	lost map[string]lost // of each choice that was next and not offered: the first time
	step int
}

// lost is where a choice was looked for: the step, from 1, and its options.
type lost struct {
	step    int
	offered []Option
}

func follow(schedule []string) *picker { return &picker{left: slices.Clone(schedule)} }

func (p *picker) pick(opts []Option) int {
	p.step++
	if len(p.left) > 0 {
		for i, o := range opts {
			if o.Name == p.left[0] {
				p.left = p.left[1:]
				return i
			}
		}
		if _, ok := p.lost[p.left[0]]; !ok {
			if p.lost == nil {
				p.lost = make(map[string]lost)
			}
			p.lost[p.left[0]] = lost{p.step, opts}
		}
	}
	// The schedule's next choice is not offered, and the oldest option is taken. If the
	// schedule has that one later, it need not come again.
	if i := slices.Index(p.left, opts[0].Name); i >= 0 {
		p.left = slices.Delete(p.left, i, i+1)
	}
	return 0
}

// Replayed is the result of a schedule that was run again.
type Replayed struct {
	Outcome
	// Left is the choices of the schedule that never came; the first of them was first
	// looked for at Step, from 1, where other options were Offered. At the end of the run
	// there were none.
	Left    []string
	Step    int
	Offered []string
}

// Replay runs one schedule again, with Tell, within limits of its own. If it fails it
// is a finding, and its failure is not looked for again.
func (e *Engine) Replay(schedule []string, within Limits) Replayed {
	p := follow(schedule)
	r := e.onceWithin(within, p.pick, true)
	if r.Frozen {
		e.frozen++
	}
	if r.Undecided {
		e.undecided(r)
	}
	if r.Failed && !e.seen[r.account()] {
		e.seen[r.account()] = true
		e.Findings = append(e.Findings, Finding{Schedule: r.printed(len(r.steps)), Told: r.told(), Outcome: r.Outcome, Account: r.account()})
	}
	again := Replayed{Outcome: r.Outcome, Left: p.left}
	if len(p.left) > 0 {
		at, ok := p.lost[p.left[0]]
		if !ok {
			at.step = p.step + 1
		}
		again.Step = at.step
		for _, o := range at.offered {
			again.Offered = append(again.Offered, o.Name)
		}
	}
	return again
}

// shrinker looks for the shortest schedule of a failure.
type shrinker struct {
	*Engine
	left    int  // tries
	stopped bool // at the last one
	exact   bool // the account has to stay, not only the signature
}

// mostTries is how many runs are spent to shrink a failure.
const mostTries = 2000

// shrink finds the shortest schedule with the same failure: it takes away what
// is optional, then faults, then delays, as long as the failure stays: its account,
// where that is the same in a second run, else its signature.
func (e *Engine) shrink(r result) Finding {
	return (&shrinker{Engine: e, left: cmp.Or(e.bounds.Tries, mostTries)}).shrink(r)
}

func (e *shrinker) shrink(r result) Finding {
	if r.taken.Coincidences > 0 || r.Frozen || e.bounds.AsFound {
		// Where there is chance nothing shorter is known to be the same, and one that
		// stands still would do so at each try.
		return Finding{Schedule: r.printed(len(r.steps)), Told: r.told(), Outcome: r.Outcome, Account: r.account()}
	}
	again := e.again(r.schedule(), false)
	e.exact = again.Failed && again.account() == r.account()
	for again := true; again; {
		again = false
		for _, departs := range []func(Step) bool{isOptional, isFault, isLate} {
			if shorter, ok := e.without(r, departs); ok {
				r, again = shorter, true
			}
		}
	}
	r = e.earlier(r)
	s := r.schedule()
	final := e.again(s, true)
	f := Finding{Schedule: r.printed(len(r.steps)), Told: r.told(), Outcome: final.Outcome, Account: r.Signature, NotShortest: e.stopped}
	switch {
	case !final.Failed || final.Signature != r.Signature:
		f.Unsteady, f.Account = &r.Outcome, r.account()
	case e.exact && final.account() == r.account():
		f.Account = r.account()
	}
	return f
}

// try runs a schedule, and reports whether it is a shorter one with r's failure.
func (e *shrinker) try(r result, schedule []string) (result, bool) {
	if e.left == 0 {
		e.stopped = true
		return r, false
	}
	e.left--
	again := e.again(schedule, false)
	same := again.Signature == r.Signature && (!e.exact || again.account() == r.account())
	return again, again.Failed && same && again.weight() < r.weight()
}

// without takes every such departure away that the failure can do without. It reports
// whether there was one.
func (e *shrinker) without(r result, departs func(Step) bool) (result, bool) {
	found := false
	for i := 0; i < len(r.steps); i++ {
		if !departs(r.steps[i]) {
			continue
		}
		shorter, ok := e.try(r, r.withoutStep(i))
		if !ok && isLate(r.steps[i]) {
			shorter, ok = e.try(r, r.inOrder(i))
		}
		if ok {
			r, found = shorter, true
			i = -1
		}
	}
	return r, found
}

// earlier moves each departure as far forward as the failure allows: a script
// need not contain the steps that follow then.
func (e *shrinker) earlier(r result) result {
	for i := 0; i < len(r.steps); i++ {
		st := r.steps[i]
		if !isOptional(st) && !isFault(st) {
			continue
		}
		for j := range i {
			name, ok := sameIn(r.steps[j].Options, st.Option())
			if !ok {
				continue
			}
			s := r.schedule()
			moved := slices.Concat(s[:j], []string{name}, s[j:i], s[i+1:])
			if isFault(st) {
				// The event that is a fault now is not also one that comes.
				moved = append(slices.Clone(s[:j]), name)
			}
			if shorter, ok := e.try(r, moved); ok {
				return e.earlier(shorter)
			}
		}
	}
	return r
}

// sameIn returns the option among opts that is of the same kind as o: the same
// choice, or the same fault of another event.
func sameIn(opts []Option, o Option) (string, bool) {
	for _, p := range opts {
		if p.Name == o.Name || p.Kind == Fault && o.Kind == Fault && p.Effect == o.Effect {
			return p.Name, true
		}
	}
	return "", false
}

// weight returns how much of a run's schedule a script has to contain.
func (r result) weight() int {
	n, _ := r.ToTell(r.FailedAt)
	return 1000*r.taken.Faults + 100*r.taken.Delays + n
}

func isOptional(s Step) bool { return s.Option().Kind == Optional }
func isFault(s Step) bool    { return s.Option().Kind == Fault }
func isLate(s Step) bool     { return s.cost().Delays > 0 && !isOptional(s) }

// withoutStep returns the schedule without the departure at step i. A fault becomes
// its event in the normal course.
func (c *Choices) withoutStep(i int) []string {
	s, st := c.schedule(), c.steps[i]
	if !isFault(st) {
		return slices.Delete(s, i, i+1)
	}
	for _, o := range st.Options {
		if o.Kind == Event && o.Event == st.Option().Event {
			s[i] = o.Name
		}
	}
	return s
}

// inOrder returns the schedule with what was passed over at step i before that step, and
// not again where it came later.
func (c *Choices) inOrder(i int) []string {
	s := c.schedule()
	first, later := c.steps[i].Options[0].Name, slices.Clone(s[i:])
	if k := slices.Index(later, first); k >= 0 {
		later = slices.Delete(later, k, k+1)
	}
	return slices.Concat(s[:i], []string{first}, later)
}
