package search

import (
	"cmp"
	"iter"
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
	due  []Departure // of the step that is under way

	missed []missed // inner departures that did not come
}

// missed has an inner departure that did not come, and the number of steps before it.
type missed struct {
	after int
	Departure
}

// lost is where a choice was looked for: the step, from 1, and its options.
type lost struct {
	step    int
	offered []Option
}

func follow(schedule []string) *picker { return &picker{left: slices.Clone(schedule)} }

// chooser returns the picker as what decides a run.
func (p *picker) chooser() chooser {
	return chooser{pick: p.pick, inside: p.inside, happened: p.happened}
}

// inside returns the inner departures that are next in the schedule.
func (p *picker) inside() Inside {
	p.due = innerBefore(&p.left)
	return Inside{Departures: p.due}
}

// happened notes which of the departures that were due did not come.
func (p *picker) happened(points []Point) {
	for _, d := range p.due {
		if d.At > len(points) || int(points[d.At-1].Took) != d.Take {
			p.missed = append(p.missed, missed{p.step, d})
		}
	}
	p.due = nil
}

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
	r := e.onceWithin(within, p.chooser(), true)
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
	if len(p.due) > 0 { // no step came
		p.happened(nil)
	}
	if len(p.missed) > 0 {
		m := p.missed[0]
		again.Left = append([]string{m.String()}, p.left...)
		again.Step, again.Offered = m.after+1, []string{"other inner choices"}
	} else if len(p.left) > 0 {
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
const mostTries = 300

// shrink finds the shortest schedule with the same failure: it takes away what
// is optional, then faults, then delays, as long as the failure stays: its account,
// where that is the same in a second run, else its signature.
func (e *Engine) shrink(r result) Finding {
	return (&shrinker{Engine: e, left: cmp.Or(e.bounds.Tries, mostTries)}).shrink(r)
}

func (e *shrinker) shrink(r result) Finding {
	if e.chance(r) || r.Frozen || e.bounds.AsFound {
		// Where there is chance nothing shorter is known to be the same, and one that
		// stands still would do so at each try.
		return Finding{Schedule: r.printed(len(r.steps)), Told: r.told(), Outcome: r.Outcome, Account: r.account()}
	}
	again := e.again(r.schedule(), false)
	e.exact = again.Failed && again.account() == r.account()
	for again := true; again; {
		r, again = e.withoutInner(r)
		for _, departs := range []func(Step) bool{isOptional, isPair, isFault, isLate} {
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
	if f.Unsteady == nil && !e.stopped {
		f.Holds = e.nearest(final)
	}
	if f.Unsteady == nil && r.taken.Inner > 0 {
		f.Schedule = final.printed(len(final.steps)) // it says what the inner departures mean
	}
	return f
}

// Fork is the first choice in which two schedules differ: its number, from 1, and what
// each of them takes.
type Fork struct {
	Choice      int
	Here, There string
}

// mostNear is how many schedules beside the shortest are tried.
const mostNear = 8

// nearest looks for a schedule that holds and is r's up to a departure, the last one that
// there is such a schedule for. It returns where the two differ first, or nil.
func (e *shrinker) nearest(r result) *Fork {
	tries := mostNear
	for i, s := range slices.Backward(r.steps) {
		if !isOptional(s) && !isFault(s) && !isLate(s) {
			continue
		}
		without := r.schedule()[:i] // and then in the default order
		if !isLate(s) {
			without = r.withoutStep(i)
		}
		if tries--; tries < 0 {
			break
		}
		near := e.again(without, false)
		if near.Failed || near.Undecided {
			continue
		}
		for k := range min(len(r.steps), len(near.steps)) {
			if here, there := r.steps[k].Option().Name, near.steps[k].Option().Name; here != there {
				return &Fork{k + 1, here, there}
			}
		}
	}
	return nil
}

// first returns the first of the schedules whose run is a shorter one with r's failure. It
// reports whether there is one. Those behind it are handed out, and dropped.
func (e *shrinker) first(r result, schedules iter.Seq[[]string]) (shorter result, ok bool) {
	defer e.crew.drop()
	var ahead []*attempt
	next := func() bool {
		e.left--
		shorter, ahead = e.take(ahead[0]), ahead[1:]
		same := shorter.Signature == r.Signature && (!e.exact || shorter.account() == r.account())
		return shorter.Failed && same && shorter.weight() < r.weight()
	}
	cut := false
	for s := range schedules {
		if cut = len(ahead) == e.left; cut {
			break
		}
		ahead = append(ahead, e.following(s, false))
		e.crew.hand(ahead[len(ahead)-1])
		if len(ahead) == e.crew.room() && next() {
			return shorter, true
		}
	}
	for len(ahead) > 0 {
		if next() {
			return shorter, true
		}
	}
	e.stopped = e.stopped || cut
	return r, false
}

// try runs a schedule, and reports whether it is a shorter one with r's failure.
func (e *shrinker) try(r result, schedule []string) (result, bool) {
	return e.first(r, slices.Values([][]string{schedule}))
}

// following returns a run of a schedule, with room for all that a schedule of this search may
// have.
func (e *Engine) following(schedule []string, tell bool) *attempt {
	return e.attempt(e.drawn(), follow(schedule).chooser(), tell)
}

// withoutInner takes inner departures away that the failure can do without: many at once
// first, as there may be hundreds. It reports whether there was one.
func (e *shrinker) withoutInner(r result) (result, bool) {
	found := false
	for size := r.taken.Inner; size > 0; size /= 2 {
		for i := 0; ; {
			list := r.entries(len(r.steps))
			n, from := 0, 0 // go on after the first i
			for from < len(list) && n < i {
				if list[from].isInner() {
					n++
				}
				from++
			}
			if n = 0; !slices.ContainsFunc(list[from:], entry.isInner) {
				break
			}
			rest := slices.DeleteFunc(list[from:], func(x entry) bool {
				if !x.isInner() || n == size {
					return false
				}
				n++
				return true
			})
			if shorter, ok := e.try(r, names(list[:from+len(rest)])); ok {
				r, found = shorter, true
			} else {
				i += size
			}
		}
	}
	return r, found
}

// without takes every such departure away that the failure can do without. It reports
// whether there was one.
func (e *shrinker) without(r result, departs func(Step) bool) (shorter result, found bool) {
	for ok := true; ok; found = found || ok {
		r, ok = e.first(r, func(yield func([]string) bool) {
			for i, s := range r.steps {
				if departs(s) && (!yield(r.withoutStep(i)) || isLate(s) && !yield(r.inOrder(i))) {
					return
				}
			}
		})
	}
	return r, found
}

// earlier moves each departure as far forward as the failure allows: a script
// need not contain the steps that follow then.
func (e *shrinker) earlier(r result) result {
	for ok := true; ok; {
		r, ok = e.first(r, r.movedForward)
	}
	return r
}

// movedForward yields the schedules in which a departure comes at an earlier step.
func (c *Choices) movedForward(yield func([]string) bool) {
	for i, st := range c.steps {
		if !isOptional(st) && !isFault(st) {
			continue
		}
		list := c.entries(len(c.steps))
		at := func(step int) int { return slices.IndexFunc(list, func(x entry) bool { return x.step == step }) }
		s := names(list)
		for j := range i {
			name, ok := sameIn(c.steps[j].Options, st.Option())
			if !ok {
				continue
			}
			to, from := at(j), at(i)
			moved := slices.Concat(s[:to], []string{name}, s[to:from], s[from+1:])
			if isFault(st) {
				// The event that is a fault now is not also one that comes.
				moved = append(slices.Clone(s[:to]), name)
			}
			if !yield(moved) {
				return
			}
		}
	}
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
	for _, s := range r.steps {
		if s.early() {
			n += 100
		}
	}
	return 1000*r.taken.Faults + 100*(r.taken.Delays+r.taken.Inner) + n
}

func isOptional(s Step) bool { return s.Option().Kind == Optional }
func isPair(s Step) bool     { return s.Option().Kind == Pair }
func isFault(s Step) bool    { return s.Option().Kind == Fault }
func isLate(s Step) bool     { return (s.cost().Delays > 0 || s.early()) && !isOptional(s) }

// withoutStep returns the schedule without the departure at step i. A fault becomes
// its event in the normal course.
func (c *Choices) withoutStep(i int) []string {
	list, st := c.entries(len(c.steps)), c.steps[i]
	s, at := names(list), slices.IndexFunc(list, func(x entry) bool { return x.step == i })
	if !isFault(st) {
		return slices.Delete(s, at, at+1)
	}
	for _, o := range st.Options {
		if o.Kind == Event && o.Event == st.Option().Event {
			s[at] = o.Name
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
