package harness

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"time"

	"github.com/halfopen/halfopen/faultnet"
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
}

// result is one run.
type result struct {
	plan    *plan
	report  *Report
	summary string
	script  string
}

// one runs the body once; pick decides.
func (e *explorer) one(pick func([]option) int, silent bool) result {
	p := &plan{bounds: e.x.Bounds, pick: pick}
	t := runT(nil, e.x.Name, e.body, settings{silent: silent, plan: p})
	r := result{plan: p, report: t.report(), summary: p.summary}
	if !silent {
		r.script = t.script(p)
	}
	return r
}

// explore explores body within the bounds.
func explore(name string, bounds Bounds, body func(*T), files []string, progress func(*Exploration)) (*Exploration, error) {
	b, err := bounds.normal()
	if err != nil {
		return nil, err
	}
	shard, err := shardFromEnv()
	if err != nil {
		return nil, err
	}
	x := &Exploration{Name: name, Bounds: b, Outcomes: make(map[string]int), Delays: -1}
	e := &explorer{x: x, body: body, shard: shard, started: time.Now(), seen: make(map[string]bool),
		failing: make(map[string]failing), progress: progress}
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
	case b.Time > 0 && time.Since(e.started) >= b.Time:
		return false
	}
	return true
}

// draw runs one schedule that a strategy draws, if it is this shard's.
func (e *explorer) draw(strategy string, i int) {
	if !e.shard.owns(i) {
		e.skipped++
		return
	}
	l := newLots(e.x.Bounds, strategy, uint64(i), e.length)
	e.x.Drawn++
	e.count(e.one(l.pick, true))
}

// count adds a run to what was explored.
func (e *explorer) count(r result) {
	x := e.x
	x.Schedules++
	if r.plan.together > 0 {
		r = e.sample(r)
	}
	x.Outcomes[r.summary]++
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

// tree is the exhaustive search: each schedule within the bounds exactly once,
// those that depart least from what comes by itself first.
//
// A run follows a prefix and then makes the default choice at each step. Each
// choice that it did not make there is the prefix of another schedule.
type tree struct {
	e      *explorer
	levels [][]node // by delays and faults
	level  int
	root   bool // the first run, without a prefix, was made
	indep  bool
}

// node is a prefix: that of a run up to a step, and another choice there.
type node struct {
	of    *walk
	at    int
	alt   int
	sleep []option
}

// walk is what is kept of a run: its choices, and fingerprints of what it chose
// from.
type walk struct {
	choices []uint16
	prints  []uint32
}

func newTree(e *explorer) *tree { return &tree{e: e, indep: e.x.Bounds.Independent} }

// step runs the next schedule; it reports whether there was one.
func (t *tree) step() bool {
	if !t.root {
		t.root = true
		t.run(node{}, 0, true)
		return true
	}
	for t.level < len(t.levels) && len(t.levels[t.level]) == 0 {
		t.e.x.Delays = t.level
		t.levels[t.level] = nil
		t.level++
	}
	if t.level == len(t.levels) {
		t.e.x.Complete = true
		t.e.x.Delays = max(0, t.level-1)
		return false
	}
	nodes := t.levels[t.level]
	n := nodes[0]
	t.levels[t.level] = nodes[1:]
	t.run(n, t.level, false)
	return true
}

// run runs the schedule of a node and finds the nodes behind it.
func (t *tree) run(n node, level int, root bool) {
	var prefix []uint16
	if n.of != nil {
		prefix = append(slices.Clone(n.of.choices[:n.at]), uint16(n.alt))
	}
	step, asleep := 0, n.sleep
	var sleeps [][]option // the sleep set before each step behind the prefix
	diverged := ""
	pick := func(opts []option) int {
		i := step
		step++
		if i < len(prefix) {
			if n.of.prints[i] != hash(opts) || int(prefix[i]) >= len(opts) {
				if diverged == "" {
					diverged = fmt.Sprintf("step %d", i+1)
				}
				return -1
			}
			return int(prefix[i])
		}
		if !t.indep {
			return 0
		}
		sleeps = append(sleeps, asleep)
		for c, o := range opts {
			if !sleeping(asleep, o) {
				asleep = stillAsleep(asleep, o)
				return c
			}
		}
		return -1
	}
	r := t.e.one(pick, true)
	if diverged != "" {
		t.e.diverge(n, diverged, r)
		return
	}
	if r.plan.abandoned {
		t.e.x.Pruned++
		return
	}
	if !root || t.e.shard.first() {
		t.e.count(r)
	}
	t.expand(r, len(prefix), level, sleeps, root)
}

// expand adds the nodes behind a run: each choice that it did not make.
func (t *tree) expand(r result, from, level int, sleeps [][]option, root bool) {
	b := t.e.x.Bounds
	w := &walk{}
	delays, faults, together := 0, 0, 0
	child := 0
	for i, s := range r.plan.trail {
		w.choices = append(w.choices, uint16(s.chosen))
		w.prints = append(w.prints, hash(s.opts))
		if i >= from {
			var before []option
			if t.indep && i-from < len(sleeps) {
				before = append(slices.Clone(sleeps[i-from]), s.opts[s.chosen])
			}
			for alt, o := range s.opts {
				d, f, c := o.cost(alt)
				if alt == s.chosen || t.indep && sleeping(before, o) ||
					delays+d > b.Delays || faults+f > b.Faults || together+c > b.Coincidences {
					continue
				}
				n := node{of: w, at: i, alt: alt}
				if t.indep {
					n.sleep = stillAsleep(before, o)
					before = append(before, o)
				}
				child++
				if root && !t.e.shard.owns(child) {
					continue
				}
				t.push(delays+d+faults+f+together+c, n)
			}
		}
		d, f, c := s.opts[s.chosen].cost(s.chosen)
		delays, faults, together = delays+d, faults+f, together+c
	}
}

func (t *tree) push(level int, n node) {
	for len(t.levels) <= level {
		t.levels = append(t.levels, nil)
	}
	t.levels[level] = append(t.levels[level], n)
}

// waiting is how many schedules are known and not yet run.
func (t *tree) waiting() int {
	n := 0
	for _, level := range t.levels {
		n += len(level)
	}
	return n
}

// sleeping reports whether o is in the sleep set: every schedule that takes it
// here is equal to one that is explored elsewhere.
func sleeping(set []option, o option) bool {
	return slices.ContainsFunc(set, func(s option) bool { return s.name == o.name })
}

// stillAsleep is what of the set is still asleep when o has happened: what
// could as well have happened after it.
func stillAsleep(set []option, o option) []option {
	var out []option
	for _, s := range set {
		if independent(s, o) {
			out = append(out, s)
		}
	}
	return out
}

// independent reports whether the order of two options makes no difference, if
// handlers share nothing across connections: one of them is an arrival at a
// server's end, the other one is neither on that connection nor a choice that
// can touch every connection.
func independent(a, b option) bool {
	return atServer(a) && elsewhere(b, a) || atServer(b) && elsewhere(a, b)
}

func atServer(o option) bool {
	return o.kind == eventOption && o.event.From != nil && o.event.From.Side() == faultnet.Client
}

func elsewhere(o, server option) bool {
	switch o.kind {
	case startOption:
		return true
	case eventOption:
		return o.chain.conn != server.chain.conn
	}
	return false
}

var digits = regexp.MustCompile(`\d+`)

// signature is what two failures have in common that are the same: the kind
// and the text of each, without numbers.
func (r *Report) signature() string {
	f := r.Failures[0]
	return f.Kind + ": " + digits.ReplaceAllString(f.Text, "#")
}

// diverge records that a prefix did not come out as before: something is not
// under control.
func (e *explorer) diverge(n node, where string, r result) {
	sig := "uncontrolled"
	if e.seen[sig] {
		return
	}
	e.seen[sig] = true
	last := r.plan.trail
	var now []string
	if len(last) > 0 {
		for _, o := range last[len(last)-1].opts {
			now = append(now, o.name)
		}
	}
	rep := &Report{Name: e.x.Name, Failures: []Failure{{Kind: "uncontrolled",
		Text: fmt.Sprintf("uncontrolled nondeterminism: the same schedule offers something else at %s; after [%s]", where, joinNames(now))}}}
	e.x.Findings = append(e.x.Findings, &Finding{Schedule: r.plan.schedule(), Found: e.x.Schedules, Report: rep})
}
