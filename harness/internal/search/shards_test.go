package search

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// A search divided among 2, 3, 5 and 7 shards, whose counts come in any order, is exactly
// the search of one process, and both counted what was run: everything is tried by brute force, too. 200 combinations are drawn
// from a labelled seed: strategies, programs, limits, bounds on the number of schedules.
func TestShardsAreOneProcess(t *testing.T) {
	const seed = 20
	rng := rand.New(rand.NewPCG(seed, 1))
	for i := range 200 {
		shape := shapes[rng.IntN(len(shapes))]
		b := Bounds{
			Limits:    Limits{Delays: []int{0, 1, 2, 3, manyDelays}[rng.IntN(5)], Faults: rng.IntN(3)},
			Schedules: []int{1, 2, 7, 40, 200, math.MaxInt}[rng.IntN(6)],
			Strategy:  Strategies()[rng.IntN(5)],
			Seed:      uint64(i) + 1, KeepGoing: rng.IntN(4) > 0,
		}
		commutes := rng.IntN(2) == 0
		if b.Schedules == math.MaxInt && b.Strategy != "exhaustive" {
			b.Schedules = 300
		}
		cancel := rng.IntN(2) == 0
		program := func() *toy {
			return &toy{chains: chainsOf(shape...), commutes: commutes, cancel: cancel, effects: map[string][]string{"b1": {"cut"}}, fails: func(order []string) string {
				if before(order, "b1", "a1") {
					return "early " + order[len(order)-1]
				}
				return ""
			}}
		}
		total := []int{2, 3, 5, 7}[rng.IntN(4)]
		name := fmt.Sprintf("seed %d, %d: %v, cancel %t, %+v, %d shards", seed, i, shape, cancel, b, total)

		whole := explored(b, program())
		findings := whole.Findings
		claims(t, name, b, whole.Counts, program)
		var parts []Counts
		var found []Finding
		for index := range total {
			b.Shard = Shard{index, total}
			e := explored(b, program())
			parts, found = append(parts, e.Counts), append(found, e.Findings...)
		}
		rng.Shuffle(total, func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
		merged := Merge(parts)
		claims(t, name, b, merged, program)
		if !b.KeepGoing && len(findings) > 0 {
			continue // each shard ends at a finding of its own
		}
		if got := merged; !reflect.DeepEqual(got, whole.Counts) {
			t.Errorf("%s: got\n%+v\nwant\n%+v", name, got, whole.Counts)
		}
		key := func(f Finding) Key { return Key{f.Account, f.Cost, f.As} }
		got, want := Distinct(found, key), Distinct(findings, key)
		if !slices.EqualFunc(got, want, func(a, b Finding) bool {
			return key(a).compare(key(b)) == 0 && slices.Equal(a.Schedule, b.Schedule)
		}) {
			t.Errorf("%s: got %+v\nwant %+v", name, got, want)
		}
	}
}

var shapes = [][]int{{3}, {1, 1}, {2, 2}, {1, 1, 1}, {2, 2, 1}, {3, 2}, {1, 4}}

// claims compares what the counts of a search claim with what was run, of everything that
// there is.
func claims(t *testing.T, name string, b Bounds, c Counts, program func() *toy) {
	t.Helper()
	n := 0
	for _, k := range c.Outcomes {
		n += k
	}
	if n != c.Schedules || b.KeepGoing && n > b.Schedules {
		t.Errorf("%s: got %d outcomes of %d schedules", name, n, c.Schedules)
	}
	all := everyOrderOf(program(), b.Limits)
	for order := range c.Outcomes {
		if _, ok := all[order]; !ok && b.Strategy == "exhaustive" {
			t.Errorf("%s: got %s, which is not within the limits", name, order)
		}
	}
	if program().commutes {
		return // some are left out
	}
	for order, departs := range all {
		if c.Outcomes[order] == 0 && (c.Complete || departs <= c.Delays) {
			t.Errorf("%s: got complete: %t, everything up to %d; %s was not run", name, c.Complete, c.Delays, order)
		}
	}
	if c.Complete && c.Schedules-c.Drawn != len(all) {
		t.Errorf("%s: got %d schedules, want %d", name, c.Schedules-c.Drawn, len(all))
	}
}

// everyOrderOf returns every order of the program within the limits, and how far each
// departs from what comes by itself, by brute force: it knows nothing of the search.
func everyOrderOf(g *toy, limits Limits) map[string]int {
	all := make(map[string]int)
	queue := [][]int{nil}
	for len(queue) > 0 {
		prefix := queue[0]
		queue = queue[1:]
		step := 0
		var next []int // how many options each step behind the prefix has
		c := &Choices{limits: limits}
		c.by.pick = func(opts []Option) int {
			i := 0
			if step < len(prefix) {
				i = prefix[step]
			} else {
				next = append(next, len(opts))
			}
			step++
			return i
		}
		o := g.run(c)
		if !c.taken.within(limits) {
			continue
		}
		all[o.Summary] = c.taken.sum()
		for i, n := range next {
			for alt := 1; alt < n; alt++ {
				queue = append(queue, append(append(slices.Clone(prefix), make([]int, i)...), alt))
			}
		}
	}
	return all
}

// The bound of merged shards is the least of those that did not come to their end,
// whatever their order.
func TestMergeBound(t *testing.T) {
	all := []Counts{{Complete: true, Delays: 3}, {Delays: 1}, {Delays: 2}, {Complete: true}}
	for range len(all) {
		if got := Merge(all); got.Complete || got.Delays != 1 {
			t.Errorf("got complete: %t, %d delays for %+v, want 1", got.Complete, got.Delays, all)
		}
		all = append(all[1:], all[0])
	}
	if got := Merge([]Counts{{Complete: true, Delays: 1}, {Complete: true, Delays: 2}}); !got.Complete || got.Delays != 2 {
		t.Errorf("got %+v", got)
	}
}

// Programs that are offered something else have other fingerprints.
func TestProgram(t *testing.T) {
	seen := make(map[uint64]string)
	for _, g := range []*toy{{chains: chainsOf(2, 2)}, {chains: chainsOf(2, 1)}, {chains: chainsOf(2, 2), cancel: true}} {
		b := everyOrder()
		b.Schedules = 1
		e, again := explored(b, g), explored(b, g)
		name := strings.Join(slices.Concat(g.chains...), " ") + fmt.Sprint(g.cancel)
		if other, ok := seen[e.Program]; ok || e.Program == 0 || e.Program != again.Program {
			t.Errorf("%s: got %x, then %x, as for %q", name, e.Program, again.Program, other)
		}
		seen[e.Program] = name
	}
}
