package search

// expand adds the nodes behind a run of a node's prefix, of that many choices among
// options: each choice that it did not make.
func (t *tree) expand(r result, of node, from int, reduced []reduction, root, mine bool) {
	x := expansion{tree: t, of: of, w: &track{choices: make([]uint16, 0, len(r.steps)), prints: make([]uint64, 0, len(r.steps))}, root: root, mine: mine}
	for i := range len(r.steps) + 1 {
		if i >= from {
			after := 0 // the inner choices that are of the prefix
			if i == from && of.inner > 0 {
				after = of.inner
			}
			x.inside(i, r.segment(i), after, &reduced[i-from])
		} else {
			x.keep(i, r.segment(i))
		}
		if i == len(r.steps) {
			break
		}
		s := r.steps[i]
		x.w.choices = append(x.w.choices, uint16(s.Chosen))
		if i < from {
			x.w.prints = append(x.w.prints, of.of.prints[i]) // the run follows the prefix
		} else {
			x.w.prints = append(x.w.prints, fingerprint(s.Options))
			x.options(i, s, &reduced[i-from])
		}
		x.taken = x.taken.plus(s.cost())
	}
}

// expansion is one expand that is under way.
type expansion struct {
	*tree
	of         node
	w          *track
	root, mine bool
	taken      Limits // by the choices so far
	child      int
	room       reduction // what is known behind the option that is looked at
}

// keep adds a segment to the track.
func (x *expansion) keep(i int, s segment) {
	x.w.insides = append(x.w.insides, s.print())
	for _, d := range s.departed {
		x.w.departed = append(x.w.departed, departed{i, d})
	}
	x.taken.Inner += len(s.departed)
}

// inside adds the nodes of a segment, after the inner choices that are of the prefix.
func (x *expansion) inside(i int, s segment, after int, known *reduction) {
	taken := x.taken
	taken.Inner += len(s.departed) // those of the prefix: it made no others
	taken.Inner++
	if taken.within(x.e.bounds.Limits) {
		print := noChoice
		for k, p := range s.points {
			if print = print.and(p); k < after {
				continue
			}
			for alt := 1; alt < int(p.Of); alt++ {
				x.add(node{of: x.w, at: i, inner: k + 1, print: print, alt: alt, taken: taken, known: known})
			}
		}
	}
	x.keep(i, s)
}

// options adds the nodes of the options of a step, of which the choices before say that much.
func (x *expansion) options(i int, s Step, known *reduction) {
	limits := x.e.bounds.Limits
	for alt := range s.Options {
		with := x.taken.plus(s.Options[alt].cost(alt))
		if alt == s.Chosen || !with.within(limits) {
			continue
		}
		if known.allows(s.Options, alt) {
			x.room = known.after(s.Options, alt, x.room)
			n := node{of: x.w, at: i, alt: alt, taken: with, known: &x.room}
			if n.blocked = n.known.blocks(s.Options[0]); !n.blocked || !with.full(limits) {
				x.add(n)
				continue
			}
		}
		if x.mine {
			x.e.Pruned++
		}
	}
}

// add adds a node, if it is this shard's.
func (x *expansion) add(n node) {
	x.child++
	if x.root && x.branches && !x.e.bounds.Shard.owns(x.child) {
		return
	}
	if n.extra = x.of.extra || x.of.last(x.e.bounds.Limits); n.extra {
		x.tree.extra = append(x.tree.extra, n.kept())
		return
	}
	if n.counts() && (x.mine || x.branches) {
		x.waiting++
	}
	x.push(n.taken.sum(), n)
}

// push keeps a node for its turn, if it has one before the bound.
func (t *tree) push(at int, n node) {
	for len(t.levels) <= at {
		t.levels = append(t.levels, level{})
	}
	sure := 0
	for _, l := range t.levels[:at+1] {
		sure += l.sure
	}
	if sure >= t.turnsLeft() {
		t.levels[at].behind.add(n, t.e.bounds.Limits)
		return
	}
	t.levels[at].nodes = append(t.levels[at].nodes, n.kept())
	if n.counts() {
		t.levels[at].sure++
	}
}
