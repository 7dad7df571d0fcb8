package search

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"strings"
	"time"
)

// Bounds limits a search.
type Bounds struct {
	Limits
	Schedules int           // how many schedules are run at most, by all shards together
	Time      time.Duration // how long, in real time, the search goes on; 0 is for ever
	Strategy  string        // one of Strategies
	Seed      uint64        // of the strategies that draw
	Whole     bool          // run equal schedules too
	Exact     bool          // what a coincidence comes to is no chance
	KeepGoing bool          // after the first finding
	AsFound   bool          // do not shrink
	Tries     int           // how many runs are spent to shrink a failure; 0 means 300
	Shard     Shard
}

// Strategies returns the names that Bounds.Strategy can have, the default first.
func Strategies() []string { return []string{"portfolio", "exhaustive", "pct", "pos", "random"} }

// Run runs the program once.
type Run func(*Choices) Outcome

// Outcome is the result of a run.
type Outcome struct {
	// Summary tells outcomes apart.
	Summary string
	// Failed is whether something went wrong, and Undecided whether the run could not
	// be run to its end. Then two failures with the same Account are the same; those with
	// the same Signature may be the same with other numbers. No Account is the Signature.
	Failed, Undecided bool
	// Frozen is whether the run was given up because it stood still: it took long, and
	// what is left of it is never freed.
	Frozen             bool
	Signature, Account string
	// Refused is why the program cannot be run at all: that ends the search.
	Refused error
	// FailedAt is the number of steps after which the failure was seen, or 0.
	FailedAt int
	// Trace is a hash of all that happened, and when. Two runs of a schedule have the same.
	Trace uint64
	// Reached is the states that the run is to reach, and whether it did.
	Reached map[string]bool
	// Report is the caller's own.
	Report any
}

// account returns what tells failures apart.
func (o Outcome) account() string { return cmp.Or(o.Account, o.Signature) }

// Finding is one distinct failure.
type Finding struct {
	// Schedule is the shortest schedule that shows it, without its waits and passes. After the
	// first Told choices everything comes by itself.
	Schedule []string
	Told     int
	// Found is the number of the schedule that showed it first, from 1.
	Found int
	// As is the simplest schedule that failed, before it was shrunk, and Cost how far
	// it departs from what would come by itself.
	As   []string
	Cost int
	// Account is the failure's own, or, of one that did not come again with the same
	// Account, its Signature.
	Account string
	// NotShortest says that shrinking was stopped: it may go on with more tries.
	NotShortest bool
	// Holds is where the nearest schedule that holds differs first, or nil if none is known.
	Holds *Fork
	// Outcome is that of the shortest schedule, which was run with Tell if it was
	// shrunk. It did not fail again if Unsteady has the outcome that failed.
	Outcome  Outcome
	Unsteady *Outcome
	// Diverged says that the finding is no failure of a run.
	Diverged *Divergence
}

// Engine searches. The zero value is not ready: see [New].
type Engine struct {
	Counts
	Findings  []Finding
	Undecided []Finding // the first of each kind; not shrunk: each try would freeze too
	// Repeated is how many schedules were run again, Differed how many of these came out
	// otherwise, and Difference the first difference, or nil.
	Repeated, Differed int
	Difference         *Divergence
	// Program is a fingerprint of the options of a run in the default order. It is 0 if
	// nothing was explored.
	Program uint64
	// Refused is that of the first run that was refused.
	Refused error
	// Progress is called now and then, unless it is nil.
	Progress func(Counts)
	// Describe says what an inner choice was about, unless it is nil.
	Describe func(Point) string
	// Watch is called with each schedule that counts, and with those that were left out as
	// equal to others, unless it is nil.
	Watch func(c *Choices, o Outcome, pruned bool)

	runs    []Run // the first is for the goroutine of the search
	bounds  Bounds
	started time.Time
	seen    map[string]bool // accounts of findings that are not looked for again
	failing map[string]failure
	tree    *tree
	plain   result // the run in which each choice is the oldest option
	length  int    // its steps
	inner   int    // its inner choices
	insides bool   // some run had inner choices
	draws   int    // schedules that were drawn, by any shard
	extra   int    // schedules that had no turn of their own: see tree.runExtra
	skipped int    // schedules that other shards run
	spare   []*Choices
	frozen  int   // schedules that stood still
	probed  int   // runs of the estimate
	crew    *crew // or nil: the goroutine of the search makes all runs
	turns   turns
}

// New returns an engine that searches within the bounds. It runs the program in as many
// goroutines as there are runs, which share nothing, and comes to the same with any number.
func New(bounds Bounds, runs ...Run) *Engine {
	e := &Engine{Counts: Counts{Outcomes: make(map[string]int), Delays: -1}, runs: runs, bounds: bounds,
		turns: turns{draws: make(map[int]*attempt)}, started: time.Now(), seen: make(map[string]bool), failing: make(map[string]failure)}
	e.tree = newTree(e)
	return e
}

// result is one run, with its choices.
type result struct {
	*Choices
	Outcome
}

func (e *Engine) once(pick func([]Option) int) result {
	return e.onceWithin(e.bounds.Limits, chooser{pick: pick}, false)
}

// drawn returns the limits of schedules that are drawn. A bound on delays is for those
// that are tried in order, where it keeps their number small: what is drawn departs any
// number of times, unless nothing may depart at all.
func (e *Engine) drawn() Limits {
	l := e.bounds.Limits
	if l.Delays > 0 {
		l.Delays = math.MaxInt
	}
	if l.Inner > 0 && e.insides {
		l.Inner = math.MaxInt
	}
	return l
}

// again runs a schedule again, with room for all that a schedule of this search may have.
func (e *Engine) again(schedule []string, tell bool) result {
	return e.take(e.following(schedule, tell))
}

// by runs the program once.
func (e *Engine) by(c chooser) result { return e.onceWithin(e.bounds.Limits, c, false) }

// onceWithin runs the program once.
func (e *Engine) onceWithin(limits Limits, by chooser, tell bool) result {
	return e.take(e.attempt(limits, by, tell))
}

// Explore runs schedules until the bounds are reached.
func (e *Engine) Explore() {
	e.crew = muster(e.runs[1:])
	defer e.crew.dismiss()
	e.explore()
	e.crew.drop()
	e.Waiting = e.tree.waiting
	e.estimate()
	e.conclude()
}

// Try runs the one schedule that pick picks.
func (e *Engine) Try(pick func([]Option) int) {
	e.count(e.once(pick))
	e.conclude()
}

func (e *Engine) explore() {
	if e.bounds.Schedules > 0 {
		e.plain = e.once(func([]Option) int { return 0 })
		for _, s := range e.plain.steps {
			e.tree.first = append(e.tree.first, fingerprint(s.Options))
		}
		e.length, e.inner, e.Program = len(e.plain.steps), len(e.plain.points), e.plain.print()
	}
	for i := 0; e.goesOn(i); i++ {
		e.ahead(i)
		strategy := e.strategy(i)
		if strategy == inOrder {
			if e.tree.next() {
				continue
			}
			if e.bounds.Strategy == inOrder || e.drawn() == e.bounds.Limits {
				return // nothing is left that a draw could show
			}
			strategy = e.lot(i)
		}
		e.draw(strategy, i)
	}
}

// inOrder is the strategy of the tree.
const inOrder = "exhaustive"

// strategy returns the strategy of a turn. Of a portfolio half of the schedules come in
// order, so that the simplest are all tried; the other half at random, so that the
// deepest are not left to the end.
func (e *Engine) strategy(i int) string {
	switch {
	case e.bounds.Strategy != "portfolio":
		return e.bounds.Strategy
	case i%2 == 0 || i < 8:
		return inOrder
	}
	return e.lot(i)
}

// lot returns the strategy of a turn of a portfolio that draws.
func (e *Engine) lot(i int) string { return [...]string{"pct", "pos", "random"}[i/2%3] }

// watch tells the watcher of a run.
func (e *Engine) watch(r result) {
	if e.Watch != nil {
		e.Watch(r.Choices, r.Outcome, r.abandoned)
	}
}

// Show runs a schedule again, with Tell, and counts nothing.
func (e *Engine) Show(schedule []string) Outcome {
	return e.onceWithin(e.bounds.Limits, follow(schedule).chooser(), true).Outcome
}

// goesOn reports whether there is anything left to explore.
func (e *Engine) goesOn(i int) bool {
	b := e.bounds
	if e.Progress != nil && i%256 == 255 {
		e.Waiting = e.tree.waiting
		e.Progress(e.Counts)
	}
	switch {
	case e.turned() >= b.Schedules:
		return false
	case e.stopped():
		return false
	case b.Time > 0 && time.Since(e.started) >= b.Time:
		return false
	}
	return true
}

// turned returns how many turns the search has had, with those that other shards took.
func (e *Engine) turned() int { return e.Schedules - e.extra + e.skipped }

// mostFrozen is how many schedules that stood still end a search. Each costs a second of
// real time, or more, and its goroutines are never freed.
const mostFrozen = 2

// draw runs one schedule that a strategy draws, if it is this shard's.
func (e *Engine) draw(strategy string, i int) {
	number := e.draws
	e.draws++
	if !e.bounds.Shard.owns(number) {
		e.skipped++
		return
	}
	e.Drawn++
	a := e.turns.draws[i]
	delete(e.turns.draws, i)
	if a == nil || a.limits != e.drawn() {
		a = e.drawing(strategy, i)
	}
	r := e.take(a)
	e.count(r)
	e.recycle(r)
}

// drawing returns the schedule that a strategy draws in a turn.
func (e *Engine) drawing(strategy string, i int) *attempt {
	return e.attempt(e.drawn(), newSampler(e.bounds, strategy, uint64(i), e.length, e.inner).chooser(), false)
}

// count adds a run to what was explored.
func (e *Engine) count(r result) {
	e.Schedules++
	e.watch(r)
	if r.Frozen {
		e.frozen++
	}
	if r.Undecided {
		e.undecided(r)
		return
	}
	e.repeat(r)
	if e.chance(r) {
		r = e.sample(r)
	}
	e.Outcomes[r.Summary]++
	e.reach(r.Reached)
	e.note(r)
}

// note keeps a run if it failed.
func (e *Engine) note(r result) {
	if !r.Failed || e.seen[r.account()] {
		return
	}
	f := failure{r, r.schedule(), e.Schedules}
	if g, ok := e.failing[r.account()]; ok {
		f.found = g.found
		if !f.simpler(g) {
			return
		}
	}
	e.failing[r.account()] = f
}

func (e *Engine) undecided(r result) {
	if !slices.ContainsFunc(e.Undecided, func(f Finding) bool { return f.Outcome.Signature == r.Signature }) {
		e.Undecided = append(e.Undecided, Finding{Schedule: r.printed(len(r.steps)), Told: r.told(), Found: e.Schedules, Outcome: r.Outcome, Account: r.Signature})
	}
}

// failure is the simplest schedule so far that shows a failure. Which one that
// is does not depend on the order in which they were run, so that shards come to
// the same as one process.
type failure struct {
	result
	as    []string
	found int // the number of the first
}

func (f failure) simpler(g failure) bool {
	return Key{"", f.taken.sum(), f.as}.compare(Key{"", g.taken.sum(), g.as}) < 0
}

// Key describes a finding: which failure it is, and how simple the schedule was.
type Key struct {
	Account string
	Cost    int
	As      []string
}

func (k Key) compare(l Key) int {
	return cmp.Or(strings.Compare(k.Account, l.Account), cmp.Compare(k.Cost, l.Cost),
		cmp.Compare(len(k.As), len(l.As)), slices.Compare(k.As, l.As))
}

// Distinct returns of each distinct failure the finding from the simplest schedule,
// in an order that does not depend on which process found it.
func Distinct[F any](fs []F, key func(F) Key) []F {
	fs = slices.Clone(fs)
	slices.SortStableFunc(fs, func(a, b F) int { return key(a).compare(key(b)) })
	return slices.CompactFunc(fs, func(a, b F) bool { return key(a).Account == key(b).Account })
}

// conclude makes findings of what failed, the simplest of each signature first. What has
// another account each time is one finding.
func (e *Engine) conclude() {
	failing := slices.Collect(maps.Values(e.failing))
	slices.SortFunc(failing, func(f, g failure) int {
		return cmp.Or(strings.Compare(f.Signature, g.Signature), Key{"", f.taken.sum(), f.as}.compare(Key{"", g.taken.sum(), g.as}),
			strings.Compare(f.account(), g.account()))
	})
	found := make(map[string]bool) // signatures
	for _, f := range failing {
		finding := e.shrink(f.result)
		if finding.Account == f.Signature && found[f.Signature] {
			continue
		}
		found[f.Signature] = true
		finding.Found, finding.Cost, finding.As = f.found, f.taken.sum(), f.as
		e.Findings = append(e.Findings, finding)
	}
}
