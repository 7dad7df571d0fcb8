package search

import (
	"cmp"
	"fmt"
	"hash/fnv"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// A reduced search of a program in which some events commute runs at least one schedule of each
// class of equal ones that is within the limits, and none that departs further than the simplest
// of its class: by brute force, for 1,000 programs and limits from a labelled seed.
func TestReduction(t *testing.T) {
	const seed = 16
	all, few := 0, 0
	for i := range 1000 {
		rng := rand.New(rand.NewPCG(seed, uint64(i)))
		g := newParts(rng)
		b := everyOrder()
		b.Limits = Limits{Delays: rng.IntN(4), Faults: rng.IntN(2)}
		if rng.IntN(8) == 0 {
			b.Delays = manyDelays
		}
		if rng.IntN(8) == 0 {
			b.Coincidences = 1
		}
		want, schedules := g.classes(b, false)
		got, reduced := g.classes(b, true)
		all, few = all+schedules, few+reduced
		for class, departs := range want {
			if d, ok := got[class]; !ok || d != departs {
				t.Errorf("seed %d, program %d, %+v: a class of schedules that departs by %d: found %t, with %d\n%s\n%+v", seed, i, b.Limits, departs, ok, d, g.sample[class], g.events)
				break
			}
		}
		if len(got) != len(want) || reduced > schedules {
			t.Errorf("seed %d, program %d: got %d classes in %d schedules, want %d in at most %d", seed, i, len(got), reduced, len(want), schedules)
		}
	}
	if 2*few > all {
		t.Errorf("got %d schedules, want at most half of %d", few, all)
	}
	t.Logf("%d schedules of %d", few, all)
}

// Shards of a reduced search with a bound on its schedules are together one process, also where
// a schedule without room for another departure has others behind it, which cost nothing.
func TestReductionShards(t *testing.T) {
	const seed = 17
	for i := range 400 {
		rng := rand.New(rand.NewPCG(seed, uint64(i)))
		g := newParts(rng)
		b := everyOrder()
		b.Limits = Limits{Delays: rng.IntN(3), Faults: rng.IntN(2)}
		b.Schedules = []int{20, 100, 1_000_000}[rng.IntN(3)]
		want := New(b, g.run)
		want.Explore()
		var parts []Counts
		for index := range 3 {
			b.Shard = Shard{index, 3}
			e := New(b, g.run)
			e.Explore()
			parts = append(parts, e.Counts)
		}
		if got := Merge(parts); !reflect.DeepEqual(got, want.Counts) {
			t.Errorf("seed %d, program %d, %+v: got\n%+v\nwant\n%+v", seed, i, b, got, want.Counts)
		}
	}
}

// What is said to wait is there: there are at least so many more schedules.
func TestReductionWaiting(t *testing.T) {
	const seed = 18
	for i := range 400 {
		rng := rand.New(rand.NewPCG(seed, uint64(i)))
		g := newParts(rng)
		b := everyOrder()
		b.Limits = Limits{Delays: 1 + rng.IntN(3), Faults: rng.IntN(2)}
		all := New(b, g.run)
		all.Explore()
		b.Schedules = 1 + rng.IntN(all.Schedules)
		e := New(b, g.run)
		e.Explore()
		if e.Schedules+e.Waiting > all.Schedules || all.Waiting != 0 {
			t.Errorf("seed %d, program %d: got %d schedules, and %d that wait; there are %d", seed, i, e.Schedules, e.Waiting, all.Schedules)
		}
	}
}

// parts is a program of several: one at place 0, and one at each other place, which sends and
// receives. What arrives at the other places commutes.
type parts struct {
	events  []part
	byPlace []int // their indexes: what comes at the same time comes in the order of places
	cancel  int   // the event that a cancellation takes away, or -1
	sample  map[uint64]string
}

// part is one event.
type part struct {
	name       string
	place      int
	commutes   bool
	everywhere bool
	after      []int // which events bring it about, all of them
	fault      bool
}

// newParts returns a program of up to eight events: what happens at a place is brought about by
// what happened there, or by the part at place 0, which hears of everything.
func newParts(rng *rand.Rand) *parts {
	g := &parts{cancel: -1}
	n := 3 + rng.IntN(5)
	for i := range n {
		e := part{place: rng.IntN(4), fault: rng.IntN(4) == 0}
		e.commutes = e.place > 0 && rng.IntN(2) == 0
		e.everywhere = e.place == 0 && rng.IntN(2) == 0
		e.name = fmt.Sprintf("e%d@%d", i, e.place)
		for k, f := range g.events {
			same := f.place == e.place
			switch {
			case f.commutes && !same: // what commutes brings nothing about elsewhere
			case same && f.commutes == e.commutes, rng.IntN(3) == 0:
				e.after = append(e.after, k) // in a direction nothing overtakes anything
			}
		}
		g.events = append(g.events, e)
	}
	for i := range g.events {
		g.byPlace = append(g.byPlace, i)
	}
	slices.SortStableFunc(g.byPlace, g.compare)
	if rng.IntN(3) == 0 {
		g.cancel = 1 + rng.IntN(3)
	}
	return g
}

func (g *parts) run(c *Choices) Outcome {
	var order Order
	done := make(map[int]bool)
	turns, dues := make(map[int]int64), make(map[int]int64)
	closed, cancelled := -1, g.cancel < 0
	var pending []int
	for {
		for _, i := range g.byPlace {
			e := g.events[i]
			if _, ok := turns[i]; !ok && !slices.ContainsFunc(e.after, func(k int) bool { return !done[k] }) {
				turns[i] = order.Due()
				for _, k := range e.after {
					turns[i] = max(turns[i], dues[k])
				}
				if e.commutes || e.place != closed {
					pending = append(pending, i)
				}
			}
		}
		slices.SortStableFunc(pending, func(a, b int) int { return cmp.Or(cmp.Compare(turns[a], turns[b]), g.compare(a, b)) })
		opts, does := c.Offer(), []int(nil)
		for _, i := range pending {
			opts, does = append(opts, g.option(i, turns[i])), append(does, i)
		}
		if len(opts) == 0 {
			break
		}
		for k, i := range pending {
			if o := opts[k]; g.events[i].fault && c.MayFault() {
				o.Kind, o.Name = Fault, o.Name+" as reset"
				opts, does = append(opts, o), append(does, i)
			}
		}
		second := make(map[int]int) // of a pair, by the index of its option
		for k, i := range pending {
			for _, with := range pending[k+1:] {
				if o := opts[k]; c.MayPair() {
					o.Kind, o.Name = Pair, o.Name+" & "+g.events[with].name
					second[len(opts)] = with
					opts, does = append(opts, o), append(does, i)
				}
			}
		}
		if !cancelled && c.MayDelay() {
			opts, does = append(opts, Option{Name: "cancel", Kind: Optional}), append(does, -1)
		}
		k := c.Take(opts)
		if k < 0 {
			break
		}
		o, i := opts[k], does[k]
		order.Took(o)
		gone := []int{i}
		switch {
		case o.Kind == Pair:
			gone = append(gone, second[k])
		case i < 0: // nothing that a server sends is seen from now on
			closed, cancelled, gone = g.cancel, true, nil
			pending = slices.DeleteFunc(pending, func(i int) bool { return g.events[i].place == closed && !g.events[i].commutes })
		}
		for _, i := range gone {
			done[i], dues[i] = o.Kind != Fault, order.Due()
		}
		pending = slices.DeleteFunc(pending, func(i int) bool { return slices.Contains(gone, i) })
	}
	return Outcome{Summary: "held"}
}

// compare puts events that come at the same time in order: by their place, and there what a client
// sends first.
func (g *parts) compare(a, b int) int {
	sends := map[bool]int{true: 0, false: 1}
	return cmp.Or(cmp.Compare(g.events[a].place, g.events[b].place), cmp.Compare(sends[g.events[a].commutes], sends[g.events[b].commutes]))
}

func (g *parts) option(i int, turn int64) Option {
	e := g.events[i]
	return Option{Name: e.name, Kind: Event, Event: i + 1, Place: e.place, Turn: turn, Commutes: e.commutes, Everywhere: e.everywhere}
}

// classes explores the program and returns how far the simplest schedule of each class departs,
// and how many schedules were run.
func (g *parts) classes(b Bounds, reduces bool) (map[uint64]int, int) {
	b.Whole = !reduces
	e := New(b, g.run)
	least := make(map[uint64]int)
	if g.sample == nil {
		g.sample = make(map[uint64]string)
	}
	e.Watch = func(c *Choices, o Outcome, pruned bool) {
		if pruned {
			return
		}
		class := classOf(c.steps)
		if d, ok := least[class]; !ok || c.taken.sum() < d {
			least[class] = c.taken.sum()
			g.sample[class] = strings.Join(c.Schedule(), " ")
		}
	}
	e.Explore()
	return maps.Clone(least), e.Schedules
}

// classOf returns a hash of a schedule that does not depend on the order of what is independent:
// each choice, with those before it that it depends on.
func classOf(steps []Step) (sum uint64) {
	hashes := make([]uint64, len(steps))
	for i, s := range steps {
		var on []uint64
		for k := range i {
			if !independent(steps[k].Option(), s.Option()) {
				on = append(on, hashes[k])
			}
		}
		slices.Sort(on)
		h := fnv.New64a()
		fmt.Fprintln(h, s.Option().Name, on)
		hashes[i] = h.Sum64()
		sum += hashes[i]
	}
	return sum
}
