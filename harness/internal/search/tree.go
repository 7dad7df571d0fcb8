package search

import (
	"math"
	"slices"
)

// tree is the exhaustive search: each schedule within the bounds exactly once,
// those that depart least from what would come by itself first.
//
// A run follows a prefix and then makes the default choice at each step. Each
// choice that it did not make there is the prefix of another schedule.
//
// Shards divide the tree in one of two ways. Without a bound on the number of schedules
// each takes whole branches of the first run, and knows nothing of the others. With one,
// or where draws take turns with the tree, the number of a schedule matters: each shard
// goes through all of them in the same order, counts its own, and runs others only for
// what is behind them, not at all if nothing is, or if the bound comes first. Together
// they do then exactly what one process does.
type tree struct {
	e        *Engine
	levels   [][]node // by delays and faults
	level    int
	begun    bool // the first run, without a prefix, was made
	branches bool // shards take whole branches
	number   int  // of the schedule that is next
	waiting  int  // how many schedules are known and not yet run; the sum over shards counts
}

// node is a prefix: that of a run up to a step, and another choice there.
type node struct {
	of    *track
	at    int
	alt   int
	taken Limits
	sleep []Option
}

// track keeps of a run its choices, and fingerprints of the options that it had.
type track struct {
	choices []uint16
	prints  []uint32
}

func newTree(e *Engine) *tree {
	return &tree{e: e, branches: e.bounds.Strategy == "exhaustive" && e.bounds.Schedules == math.MaxInt}
}

// next runs the next schedule; it reports whether there was one.
func (t *tree) next() bool {
	if !t.begun {
		t.begun = true
		t.number++
		t.run(node{}, true, t.e.bounds.Shard.owns(0))
		return true
	}
	for t.level < len(t.levels) && len(t.levels[t.level]) == 0 {
		t.e.Delays = t.level
		t.levels[t.level] = nil
		t.level++
	}
	if t.level == len(t.levels) {
		t.e.Complete = true
		t.e.Delays = max(0, t.level-1)
		return false
	}
	nodes := t.levels[t.level]
	n := nodes[0]
	t.levels[t.level] = nodes[1:]
	mine := t.branches || t.e.bounds.Shard.owns(t.number)
	t.number++
	switch {
	case mine:
		t.waiting--
	case !t.e.bounds.SleepSets && (n.taken.full(t.e.bounds.Limits) || len(t.levels[t.level]) >= t.e.bounds.Schedules-t.e.Schedules-t.e.skipped-1):
		t.e.skipped++ // nothing is behind it, or nothing that is within the bound
		return true
	}
	t.run(n, false, mine)
	return true
}

// run runs the schedule of a node and finds the nodes behind it. It counts only what is
// this shard's.
func (t *tree) run(n node, root, mine bool) {
	var prefix []uint16
	if n.of != nil {
		prefix = append(slices.Clone(n.of.choices[:n.at]), uint16(n.alt))
	}
	step, asleep := 0, n.sleep
	var sleeps [][]Option // the sleep set before each step behind the prefix
	diverged, offered := -1, ""
	pick := func(opts []Option) int {
		i := step
		step++
		if i < len(prefix) {
			if n.of.prints[i] != fingerprint(opts) || int(prefix[i]) >= len(opts) {
				if diverged < 0 {
					diverged, offered = i, offer(opts)
				}
				return -1
			}
			return int(prefix[i])
		}
		if !t.e.bounds.SleepSets {
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
	r := t.e.once(pick)
	if diverged >= 0 {
		t.e.diverge(prefix[:diverged], offered, r)
		return
	}
	defer t.e.recycle(r)
	switch {
	case r.abandoned:
		if mine {
			t.e.Pruned++
			t.e.watch(r)
		}
		return
	case mine:
		t.e.count(r)
	default:
		t.e.skipped++
		if r.Frozen {
			t.e.frozen++
		}
	}
	t.expand(r, len(prefix), sleeps, root, mine)
}

// expand adds the nodes behind a run: each choice that it did not make.
func (t *tree) expand(r result, from int, sleeps [][]Option, root, mine bool) {
	b := t.e.bounds
	w := &track{choices: make([]uint16, 0, len(r.steps)), prints: make([]uint32, 0, len(r.steps))}
	var taken Limits
	child := 0
	for i, s := range r.steps {
		w.choices = append(w.choices, uint16(s.Chosen))
		w.prints = append(w.prints, fingerprint(s.Options))
		if i >= from {
			var before []Option
			if b.SleepSets && i-from < len(sleeps) {
				before = append(slices.Clone(sleeps[i-from]), s.Option())
			}
			for alt, o := range s.Options {
				with := taken.plus(o.cost(alt))
				if alt == s.Chosen || b.SleepSets && sleeping(before, o) || !with.within(b.Limits) {
					continue
				}
				n := node{of: w, at: i, alt: alt, taken: with}
				if b.SleepSets {
					n.sleep = stillAsleep(before, o)
					before = append(before, o)
				}
				child++
				if root && t.branches && !b.Shard.owns(child) {
					continue
				}
				if mine || t.branches {
					t.waiting++
				}
				t.push(with.sum(), n)
			}
		}
		taken = taken.plus(s.cost())
	}
}

func (t *tree) push(level int, n node) {
	for len(t.levels) <= level {
		t.levels = append(t.levels, nil)
	}
	t.levels[level] = append(t.levels[level], n)
}

// sleeping reports whether o is in the sleep set (Godefroid, 1996): every schedule
// that takes it here is equal to one that is explored elsewhere.
func sleeping(set []Option, o Option) bool {
	return slices.ContainsFunc(set, func(s Option) bool { return s.Name == o.Name })
}

// stillAsleep returns the options of the set that stay in it when o has happened:
// those that could as well have happened after o.
func stillAsleep(set []Option, o Option) []Option {
	var out []Option
	for _, s := range set {
		if independent(s, o) {
			out = append(out, s)
		}
	}
	return out
}
