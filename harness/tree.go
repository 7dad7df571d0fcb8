package harness

import (
	"slices"

	"github.com/halfopen/halfopen/faultnet"
)

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
	diverged, offered := -1, ""
	pick := func(opts []option) int {
		i := step
		step++
		if i < len(prefix) {
			if n.of.prints[i] != hash(opts) || int(prefix[i]) >= len(opts) {
				if diverged < 0 {
					diverged, offered = i, offer(opts)
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
	if diverged >= 0 {
		t.e.diverge(prefix[:diverged], offered, r)
		return
	}
	defer t.e.recycle(r)
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
	w := &walk{choices: make([]uint16, 0, len(r.plan.trail)), prints: make([]uint32, 0, len(r.plan.trail))}
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
