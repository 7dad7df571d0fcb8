package search

import (
	"cmp"
	"slices"
)

// An exploration in order runs one of several schedules that differ only in when events
// came that touch one place each (see [Option.Commutes]): one that departs no further than
// the others. Every schedule that it leaves out has an equal one within the same limits,
// because the program offers, after equal prefixes, the same options in the same order. That
// is what the sleep sets of Godefroid (1996) do where nothing bounds a schedule, and what
// Coons, Musuvathi and McKinley (2013) ask of a reduction where something does.
//
// Two rules are enough. Let e be an event that commutes.
//
//   - If e is the oldest, a schedule that takes o instead, and e later, departs no less than one
//     that takes e first. So e sleeps until something happens that depends on it. An option
//     that is offered only while something else is pending depends on the last event that is.
//   - If e is not the oldest, another choice departs as far before e as after it. So e is taken only
//     if what comes next depends on it. Several may be taken in a row, the older first, if what
//     comes next depends on each; of those that depend on each other only the last needs that.

// reduction says which choices behind a prefix need not be tried.
type reduction struct {
	asleep []Option // by the first rule
	early  []Option // by the second rule: those that were taken last
	whole  bool     // everything is to be tried
}

// allows reports whether the option at that index need be tried.
func (r reduction) allows(opts []Option, i int) bool {
	o := opts[i]
	if o.commutes() && sleeps(r.asleep, o) {
		return false
	}
	if !o.early(i) {
		return !r.misses(o)
	}
	for _, e := range slices.Backward(r.early) {
		if !independent(e, o) {
			break
		}
		if o.before(e) {
			return false
		}
	}
	return true
}

// misses reports whether something was taken early on which neither the option depends nor what
// was taken early behind it.
func (r reduction) misses(o Option) bool {
	for i, e := range r.early {
		depends := func(o Option) bool { return !independent(e, o) }
		if !depends(o) && !slices.ContainsFunc(r.early[i+1:], depends) {
			return true
		}
	}
	return false
}

// after returns what the prefix says once the option at that index was taken. The lists are in
// room, which may be empty.
func (r reduction) after(opts []Option, i int, room reduction) reduction {
	if r.whole {
		return r
	}
	next := reduction{asleep: room.asleep[:0], early: room.early[:0]}
	o := opts[i]
	falls := i > 0 && opts[0].commutes() && !sleeps(r.asleep, opts[0]) // asleep, by the first rule
	awake := func(p Option) bool { return !sleeps(r.asleep, p) && !(falls && p.Name == opts[0].Name) }
	must := func(p Option) bool { return (p.Kind == Start || p.Kind == Event) && awake(p) }
	if o.Kind != Optional || slices.ContainsFunc(opts, must) {
		for _, s := range r.asleep {
			if independent(s, o) {
				next.asleep = append(next.asleep, s)
			}
		}
		if falls && independent(opts[0], o) {
			next.asleep = append(next.asleep, opts[0])
		}
	}
	if o.early(i) {
		next.early = append(append(next.early, r.early...), o)
	}
	return next
}

// clone returns a copy in memory of its own.
func (r reduction) clone() *reduction {
	return &reduction{asleep: slices.Clone(r.asleep), early: slices.Clone(r.early), whole: r.whole}
}

func sleeps(asleep []Option, o Option) bool {
	return slices.ContainsFunc(asleep, func(s Option) bool { return s.Name == o.Name })
}

// blocks reports whether what would come by itself after the prefix need not be tried: the
// option before all others is the one that was it when the last one was taken.
func (r reduction) blocks(oldest Option) bool {
	return len(r.asleep) > 0 || r.misses(oldest)
}

// commutes reports whether the option is an event that touches its place alone.
func (o Option) commutes() bool { return o.Kind == Event && o.Commutes }

// early reports whether the option, at that index, is such an event, and not the oldest.
func (o Option) early(i int) bool { return i > 0 && o.commutes() }

// before reports whether one event comes before another one by itself.
func (o Option) before(p Option) bool {
	return cmp.Or(cmp.Compare(o.Turn, p.Turn), cmp.Compare(o.Place, p.Place)) < 0
}

// independent reports whether the order of two options makes no difference: one of them
// touches its place alone, and the other one does not touch it.
func independent(a, b Option) bool {
	return a.commutes() && b.elsewhere(a) || b.commutes() && a.elsewhere(b)
}

func (o Option) elsewhere(e Option) bool {
	return o.Place != e.Place && !o.Everywhere && o.Kind != Wait && o.Kind != Pair
}
