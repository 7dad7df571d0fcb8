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
	levels   []level // by delays and faults
	level    int
	begun    bool     // the first run, without a prefix, was made
	first    []uint64 // fingerprints of the options that it is to have: those of a run before it
	branches bool     // shards take whole branches
	number   int      // of the schedule that is next
	waiting  int      // how many schedules are known and not yet run; the sum over shards counts
	extra    []node   // to be run in this turn
}

// node is a prefix: that of a run up to a step, or up to an inner choice before that
// step, and another choice there.
type node struct {
	of    *track
	at    int
	inner int       // the number of the inner choice, from 1; 0 for a choice among options
	print pointHash // of the inner choices before that step, up to that one, as they are before it is another one
	alt   int
	taken Limits
	known *reduction // by the prefix
	// blocked says that what would come by itself behind the prefix need not be tried.
	blocked bool
	extra   bool    // it has no turn of its own: see tree.runExtra
	ahead   *branch // its run, if that was handed out
}

// level is the nodes of a level, the next one first.
type level struct {
	nodes  []node
	sure   int // of these: those that count whatever happens
	handed int // of these: those whose turn will come, and what runs was handed out
	behind remote
}

// remote has the nodes behind the bound. They are never run, but an estimate draws from them. Of very
// many it keeps some, in equal steps.
type remote struct {
	ends  int // how many are schedules with nothing behind them
	nodes []node
	each  int // how many others each of these stands for, and itself
	seen  int // others, since the last of these
}

// mostRemote is how many nodes behind the bound are kept.
const mostRemote = 1 << 16

func (r *remote) add(n node, limits Limits) {
	if n.last(limits) {
		r.ends++
		return
	}
	r.each = max(r.each, 1)
	if r.seen++; r.seen < r.each {
		return
	}
	r.nodes, r.seen = append(r.nodes, n.kept()), 0
	if len(r.nodes) == mostRemote {
		for i := range mostRemote / 2 {
			r.nodes[i] = r.nodes[2*i+1]
		}
		clear(r.nodes[mostRemote/2:])
		r.nodes, r.each = r.nodes[:mostRemote/2], 2*r.each
	}
}

// first removes the next node.
func (l *level) first() node {
	n := l.nodes[0]
	l.nodes[0] = node{} // its run is not kept
	l.nodes = l.nodes[1:]
	l.handed = max(0, l.handed-1)
	if n.counts() {
		l.sure--
	}
	return n
}

// track keeps of a run its choices, and fingerprints of the options and the inner choices
// that it had.
type track struct {
	choices  []uint16
	prints   []uint64
	insides  []uint64   // of each segment
	departed []departed // the inner departures
}

// departed is an inner departure before a step.
type departed struct {
	before int
	Departure
}

// choices returns the choices among options of the prefix.
func (n node) choices() []uint16 {
	switch {
	case n.of == nil:
		return nil
	case n.inner > 0:
		return n.of.choices[:n.at]
	}
	return append(slices.Clone(n.of.choices[:n.at]), uint16(n.alt))
}

// inside returns the departures of the prefix before a step.
func (n node) inside(step int) (list []Departure) {
	if n.of == nil || step > n.at {
		return nil
	}
	for _, d := range n.of.departed {
		if d.before == step && (step < n.at || n.inner == 0 || d.At < n.inner) {
			list = append(list, d.Departure)
		}
	}
	if step == n.at && n.inner > 0 {
		list = append(list, Departure{At: n.inner, Take: n.alt})
	}
	return list
}

func newTree(e *Engine) *tree {
	return &tree{e: e, branches: e.bounds.Strategy == "exhaustive" && e.bounds.Schedules == math.MaxInt}
}

// next runs the next schedule; it reports whether there was one.
func (t *tree) next() bool {
	if !t.begun {
		t.begun = true
		t.number++
		root := node{known: &reduction{whole: t.e.bounds.Whole}}
		root.ahead = t.branch(root)
		root.ahead.like = t.first
		t.run(root, true, t.e.bounds.Shard.owns(0))
		return true
	}
	for t.level < len(t.levels) && len(t.levels[t.level].nodes) == 0 {
		t.e.Delays = t.level
		t.levels[t.level].nodes = nil
		t.level++
	}
	if t.level == len(t.levels) {
		t.e.Complete = true
		t.e.Delays = max(0, t.level-1)
		return false
	}
	n := t.levels[t.level].first()
	mine := t.owns(t.number)
	t.number++
	if !mine && t.barren(n, t.levels[t.level].sure) {
		t.e.skipped++
		return true
	}
	if mine && n.counts() {
		t.waiting--
	}
	t.run(n, false, mine)
	t.runExtra()
	return true
}

// over reports whether every schedule was run.
func (t *tree) over() bool { return t.e.Complete }

// owns reports whether the schedule of that number is this shard's.
func (t *tree) owns(number int) bool { return t.branches || t.e.bounds.Shard.owns(number) }

// counts reports whether the run of a node is a schedule, whatever happens in it.
func (n node) counts() bool { return !n.blocked && len(n.known.early) == 0 }

// kept returns the node with what is known in memory of its own.
func (n node) kept() node {
	n.known = n.known.clone()
	return n
}

// last reports whether a node is a schedule that has no room for another departure. All that can be
// behind it are events that come early, which costs nothing.
func (n node) last(l Limits) bool { return n.of != nil && n.counts() && n.taken.full(l) }

// barren reports whether nothing is behind a node that has a turn of its own, or nothing that is
// within the bound; so many are known that come before what would be behind it. Whether one behind
// an event that was taken early, or one that is blocked, counts as a schedule only its run shows.
func (t *tree) barren(n node, known int) bool {
	return n.last(t.e.bounds.Limits) || n.counts() && known >= t.turnsLeft()-1
}

// turnsLeft returns how many turns there are up to the bound.
func (t *tree) turnsLeft() int { return t.e.bounds.Schedules - t.e.turned() }

// runExtra runs what is behind a schedule that has no room for another departure. It has no
// turns of its own, and does not count for the bound: shards do not run the last schedules of each
// other, so they do not know what is behind them.
func (t *tree) runExtra() {
	for len(t.extra) > 0 {
		n := t.extra[0]
		t.extra = t.extra[1:]
		before := t.e.Schedules
		t.run(n, false, true)
		t.e.extra += t.e.Schedules - before
	}
}

// hand hands out the run of the next node of which that was not done, and reports whether
// there was one.
func (t *tree) hand() bool {
	for i := t.level; i < len(t.levels); i++ {
		l := &t.levels[i]
		if l.handed == len(l.nodes) {
			continue
		}
		n := &l.nodes[l.handed]
		if i > t.level || t.owns(t.number+l.handed) || !t.barren(*n, l.sure-1) {
			n.ahead = t.branch(*n)
			t.e.crew.hand(n.ahead.attempt)
		}
		l.handed++
		return true
	}
	return false
}

// branch is the run of a node: it follows the prefix, and takes then at each step what comes
// by itself.
type branch struct {
	*attempt
	node
	prefix   []uint16
	like     []uint64 // the options behind the prefix, if that is known
	step     int
	reduced  []reduction // before each step behind the prefix, and behind the last one
	begun    int
	diverged int   // the step at which the prefix no longer fits, or -1
	saw      sight // there
}

// branch returns the run of a node, which is to be made.
func (t *tree) branch(n node) *branch {
	b := &branch{node: n, prefix: n.choices(), reduced: append(make([]reduction, 0, 40), *n.known), diverged: -1}
	b.attempt = t.e.attempt(t.e.bounds.Limits, chooser{b.pick, b.inside, b.happened}, false)
	return b
}

// pick picks the next option.
func (b *branch) pick(opts []Option) int {
	i := b.step
	b.step++
	if b.diverged >= 0 {
		return -1
	}
	if i < len(b.prefix) {
		if b.of.prints[i] != fingerprint(opts) || int(b.prefix[i]) >= len(opts) {
			b.diverged, b.saw = i, sight{options: offer(opts)}
			return -1
		}
		return int(b.prefix[i])
	}
	if b.like != nil && (i >= len(b.like) || b.like[i] != fingerprint(opts)) {
		b.diverged, b.saw = i, sight{options: offer(opts)}
		return -1
	}
	now := b.reduced[len(b.reduced)-1]
	for c, o := range opts {
		if now.allows(opts, c) && b.taken().plus(o.cost(c)).within(b.limits) {
			b.reduced = append(b.reduced, now.after(opts, c, reduction{}))
			return c
		}
	}
	return -1
}

// taken returns how far the run has departed.
func (b *branch) taken() Limits { return b.attempt.Choices.taken }

// inside returns the inner departures of the coming step.
func (b *branch) inside() Inside {
	b.begun++
	return Inside{Departures: b.node.inside(b.begun - 1)}
}

// happened notes whether the inner choices are still those of the prefix.
func (b *branch) happened(points []Point) {
	if b.diverged < 0 && !b.fits(b.begun-1, segment{points: points}) {
		b.diverged, b.saw = b.begun-1, sight{inside: slices.Clone(points)}
	}
}

// run runs the schedule of a node and finds the nodes behind it. It counts only what is
// this shard's.
func (t *tree) run(n node, root, mine bool) {
	b, r := t.follow(n)
	if b == nil {
		return
	}
	defer t.e.recycle(r)
	switch {
	case r.abandoned && mine:
		t.e.Pruned++
		t.e.watch(r)
	case r.abandoned:
	case mine:
		t.e.count(r)
	default:
		t.e.skipped++
		if r.Frozen {
			t.e.frozen++
		}
	}
	t.expand(r, n, len(b.prefix), b.reduced, root, mine)
}

// follow makes the run of a node. It returns none if the run did not do as the prefix says.
func (t *tree) follow(n node) (*branch, result) {
	b := n.ahead
	if b == nil {
		b = t.branch(n)
	}
	r := t.e.take(b.attempt)
	if len(r.steps) < len(b.like) && b.diverged < 0 && !r.Failed && !r.Undecided {
		b.diverged, b.saw = len(r.steps), sight{options: offer(nil)}
	}
	if b.diverged >= 0 {
		t.e.diverge(n, b.diverged, b.saw, r)
		return nil, r
	}
	return b, r
}
