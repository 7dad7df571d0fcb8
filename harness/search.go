package harness

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/halfopen/halfopen/harness/internal/bubble"
)

// explorer runs schedules of one body.
type explorer struct {
	x        *Exploration
	body     func(*T)
	shard    Shard
	started  time.Time
	seen     map[string]bool // signatures of findings that are not looked for again
	failing  map[string]failing
	tree     *tree
	length   int // steps of the run in which everything happens as it comes
	skipped  int // schedules that other shards run
	progress func(*Exploration)
	spare    scratch
	within   *Bounds // of a replay, where anything may happen that the schedule says
	frozen   int     // schedules that are undecided
	dog      *bubble.Watchdog
}

// result is one run.
type result struct {
	plan    *plan
	report  *Report
	summary string
	script  string
	reached map[string]bool
}

// one runs the body once; pick decides.
func (e *explorer) one(pick func([]option) int, silent bool) result {
	bounds := e.x.Bounds
	if e.within != nil {
		bounds = *e.within
	}
	p := &plan{bounds: bounds, pick: pick, scratch: e.spare}
	e.spare = scratch{}
	t := runT(nil, e.x.Name, e.body, settings{silent: silent, plan: p, dog: e.dog, hasty: raceEnabled})
	r := result{plan: p, report: t.report(), summary: p.summary, reached: t.reached}
	if !silent {
		r.script = t.script(p)
	}
	return r
}

// recycle takes back the memory of a run that nobody will look at again.
func (e *explorer) recycle(r result) {
	if len(r.report.Failures) == 0 {
		e.spare = scratch{r.plan.trail[:0], r.plan.slab[:0]}
	}
}

// explore explores body within the bounds.
func explore(name string, bounds Bounds, body func(*T), files []string, progress func(*Exploration)) (*Exploration, error) {
	b, err := bounds.normal()
	if err != nil {
		return nil, err
	}
	shard := b.Shard
	if shard.Total == 0 {
		if shard, err = shardFromEnv(); err != nil {
			return nil, err
		}
	}
	b.Shard = Shard{} // a shard reports what the whole is within
	x := &Exploration{Name: name, Bounds: b, Outcomes: make(map[string]int), Delays: -1}
	e := &explorer{x: x, body: body, shard: shard, started: time.Now(), seen: make(map[string]bool),
		failing: make(map[string]failing), progress: progress, dog: newWatchdog()}
	defer e.dog.Stop()
	if err := e.replayAll(files); err != nil {
		return nil, err
	}
	e.run()
	x.Waiting = e.tree.waiting()
	e.conclude()
	return x, nil
}

func (e *explorer) run() {
	b := e.x.Bounds
	e.tree = newTree(e)
	if b.Schedules > 0 {
		first := e.one(func([]option) int { return 0 }, true)
		e.length = len(first.plan.trail)
	}
	for i := 0; e.goesOn(i); i++ {
		switch b.Strategy {
		case "exhaustive":
			if !e.tree.step() {
				return
			}
		case "portfolio":
			// Half of the schedules in order, so that the simplest are all
			// tried; the other half by lot, so that the deepest are not left
			// to the end.
			if i%2 == 0 || i < 8 {
				if !e.tree.step() {
					return
				}
				continue
			}
			e.draw(strategies[2+i/2%3], i)
		default:
			e.draw(b.Strategy, i)
		}
	}
}

// goesOn reports whether there is anything left to explore.
func (e *explorer) goesOn(i int) bool {
	b := e.x.Bounds
	if e.progress != nil && i%256 == 255 {
		e.x.Waiting = e.tree.waiting()
		e.progress(e.x)
	}
	switch {
	case e.x.Schedules+e.skipped >= b.Schedules:
		return false
	case len(e.failing)+len(e.x.Findings) > 0 && !b.KeepGoing:
		return false
	case e.frozen >= mostFrozen:
		return false
	case b.Time > 0 && time.Since(e.started) >= b.Time:
		return false
	}
	return true
}

// mostFrozen is how many undecided schedules end an exploration. Each costs a
// second of real time, and its goroutines are never freed.
const mostFrozen = 2

// draw runs one schedule that a strategy draws, if it is this shard's.
func (e *explorer) draw(strategy string, i int) {
	if !e.shard.owns(i) {
		e.skipped++
		return
	}
	l := newLots(e.x.Bounds, strategy, uint64(i), e.length)
	e.x.Drawn++
	r := e.one(l.pick, true)
	e.count(r)
	e.recycle(r)
}

// count adds a run to what was explored.
func (e *explorer) count(r result) {
	x := e.x
	x.Schedules++
	if r.report.Undecided() {
		e.undecided(r)
		return
	}
	if r.plan.together > 0 {
		r = e.sample(r)
	}
	x.Outcomes[r.summary]++
	x.reach(r.reached)
	if !r.report.Failed() {
		return
	}
	sig := r.report.signature()
	if e.seen[sig] {
		return
	}
	f := failing{r, r.plan.cost(), r.plan.schedule(), x.Schedules}
	if g, ok := e.failing[sig]; ok {
		f.found = g.found
		if !f.simpler(g) {
			return
		}
	}
	e.failing[sig] = f
}

// undecided keeps a schedule that froze, the first of each kind. It is not shrunk:
// each try would freeze too.
func (e *explorer) undecided(r result) {
	e.frozen++
	sig := r.report.signature()
	if !slices.ContainsFunc(e.x.Undecided, func(f *Finding) bool { return f.Report.signature() == sig }) {
		e.x.Undecided = append(e.x.Undecided, &Finding{Schedule: r.plan.schedule().withoutWaits(), Found: e.x.Schedules, Report: r.report})
	}
}

// failing is the simplest schedule so far that shows a failure. Which one that
// is does not depend on the order in which they were run, so that shards come to
// the same as one process.
type failing struct {
	result
	cost     int
	schedule Schedule
	found    int // the number of the first
}

func (f failing) simpler(g failing) bool {
	return cmp.Or(cmp.Compare(f.cost, g.cost), cmp.Compare(len(f.schedule), len(g.schedule)),
		slices.Compare(f.schedule, g.schedule)) < 0
}

// cost is how far a plan departed from what comes by itself.
func (p *plan) cost() int { return p.delays + p.faults + p.together }

// conclude makes findings of what failed.
func (e *explorer) conclude() {
	for _, sig := range slices.Sorted(maps.Keys(e.failing)) {
		f := e.failing[sig]
		finding := e.shrink(f.result, sig, f.found)
		finding.cost, finding.as = f.cost, f.schedule
		e.x.Findings = append(e.x.Findings, finding)
	}
	e.x.Findings = shortest(e.x.Findings)
	if e.x.Schedules > 0 && e.shard.Total <= 1 { // else it is for Merge to say
		e.x.Findings = shortest(append(e.x.Findings, e.x.unreached()...))
	}
}

// samples is how often a schedule with coincidences is run.
const samples = 5

// sample runs a schedule with coincidences again. What it comes to is chance.
func (e *explorer) sample(r result) result {
	e.x.Sampled++
	names := r.plan.schedule()
	for range samples - 1 {
		e.x.Outcomes[r.summary]++
		again := e.one(names.picker().pick, true)
		if r.report.Failed() {
			return r
		}
		r = again
	}
	return r
}

var digits = regexp.MustCompile(`\d+`)

// signature is what two failures have in common that are the same: the kind
// and the text of each, without numbers.
func (r *Report) signature() string {
	f := r.Failures[0]
	return f.Kind + ": " + digits.ReplaceAllString(f.Text, "#")
}

// diverge records that a run did not come out as before after its first
// choices, but with that offer: something is not under control.
func (e *explorer) diverge(choices []uint16, offered string, r result) {
	sig := "uncontrolled"
	if e.seen[sig] {
		return
	}
	e.seen[sig] = true
	f := Failure{Kind: sig, Text: fmt.Sprintf("uncontrolled nondeterminism: the same schedule offers something else at step %d", len(choices)+1)}
	schedule := r.plan.schedule()
	f.Detail = append([]string{"after: " + strings.Join(schedule, "; ")}, e.offers(choices, offered)...)
	rep := &Report{Name: e.x.Name, Failures: []Failure{f}}
	e.x.Findings = append(e.x.Findings, &Finding{Schedule: schedule, Found: e.x.Schedules, Report: rep})
}

// offers runs the same choices again, some times, and returns that offer and
// those that differ from it.
func (e *explorer) offers(choices []uint16, offered string) []string {
	all := []string{offered}
	for range 50 {
		step := 0
		r := e.one(func(opts []option) int {
			step++
			if step <= len(choices) && int(choices[step-1]) < len(opts) {
				return int(choices[step-1])
			}
			if o := offer(opts); step == len(choices)+1 && !slices.Contains(all, o) {
				all = append(all, o)
			}
			return -1
		}, true)
		e.recycle(r)
	}
	slices.Sort(all)
	return all
}

// offer is the names of options in a line.
func offer(opts []option) string {
	names := make([]string, len(opts))
	for i, o := range opts {
		names[i] = o.name
	}
	return "offered: " + strings.Join(names, "; ")
}
