package search

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// toy is a program of which everything is known: chains of events, each in its
// order, all of which happen.
type toy struct {
	chains [][]string
	// place is where each chain's events are; nil is a place of its own for each.
	place []int
	local bool
	// commutes is whether the events do, with those of other places.
	commutes bool
	// effects is the faults that an event may have, by its name, and cancel an option
	// that need not happen.
	effects map[string][]string
	cancel  bool
	pairs   bool
	// inside is the number of alternatives of each inner choice before a step, by what has
	// happened so far.
	inside func(order []string) []int
	// fails reports whether a run that came to that order fails, and how.
	fails func(order []string) string

	orders [][]string // of the runs so far
}

func (g *toy) run(c *Choices) Outcome {
	at := make([]int, len(g.chains))
	cancelled := false
	var order []string
	var inner insides
	for {
		if g.inside != nil {
			order = inner.step(c, g.inside(order), order)
		}
		opts, does := c.Offer(), [][2]int(nil)
		add := func(o Option, chain, second int) {
			opts, does = append(opts, o), append(does, [2]int{chain, second})
		}
		var ready []int
		for i, chain := range g.chains {
			if at[i] < len(chain) {
				ready = append(ready, i)
				add(g.event(i, at[i]), i, -1)
			}
		}
		if len(opts) == 0 {
			break
		}
		for _, i := range ready {
			for _, effect := range g.effects[g.chains[i][at[i]]] {
				o := g.event(i, at[i])
				if o.Kind, o.Effect, o.Name = Fault, effect, o.Name+" as "+effect; c.MayFault() {
					add(o, i, -1)
				}
			}
		}
		if g.pairs && c.MayPair() && len(ready) > 1 {
			o, p := g.event(ready[0], at[ready[0]]), g.event(ready[1], at[ready[1]])
			o.Kind, o.Name = Pair, o.Name+" & "+p.Name
			add(o, ready[0], ready[1])
		}
		if g.cancel && !cancelled && c.MayDelay() {
			add(Option{Name: "cancel", Kind: Optional, Chain: Chain{Of: "cancel"}}, -1, -1)
		}
		i := c.Take(opts)
		if i < 0 {
			break
		}
		for _, chain := range does[i] {
			if chain >= 0 {
				at[chain]++
			}
		}
		cancelled = cancelled || opts[i].Kind == Optional
		order = append(order, opts[i].Name)
	}
	g.orders = append(g.orders, order)
	o := Outcome{Summary: strings.Join(order, " ")}
	if g.fails != nil {
		o.Signature = g.fails(order)
		o.Failed = o.Signature != ""
	}
	return o
}

// insides makes the inner choices of a run.
type insides struct{ rng *rand.Rand }

// step makes those of a step, which have that many alternatives, and adds the delays to
// the order: "i2:1" is the alternative 1 of the second.
func (s *insides) step(c *Choices, of []int, order []string) []string {
	in := c.Inside()
	if in.Draw != nil {
		s.rng = rand.New(rand.NewPCG(in.Draw.Seed, 0))
	}
	var points []Point
	for i, n := range of {
		took := 0
		if s.rng != nil {
			took = s.rng.IntN(n)
		}
		for _, d := range in.Departures {
			if d.At == i+1 && d.Take < n {
				took = d.Take
			}
		}
		if took > 0 {
			order = append(order, fmt.Sprintf("i%d:%d", i+1, took))
		}
		points = append(points, Point{Of: uint16(n), Took: uint16(took)})
	}
	c.Happened(points, func(at int) string { return fmt.Sprintf("the note of %d", at) })
	return order
}

func (g *toy) event(chain, i int) Option {
	o := Option{Name: g.chains[chain][i], Kind: Event, Chain: Chain{Of: "toy", Number: chain}, Event: chain + 1, Place: chain + 1, Local: g.local, Commutes: g.commutes}
	if g.place != nil {
		o.Place = g.place[chain]
	}
	return o
}

// chainsOf returns chains of those lengths: a1 a2, b1 b2, and so on.
func chainsOf(lengths ...int) (chains [][]string) {
	for i, n := range lengths {
		var chain []string
		for k := range n {
			chain = append(chain, fmt.Sprintf("%c%d", 'a'+i, k+1))
		}
		chains = append(chains, chain)
	}
	return chains
}

// before reports whether one event happened before another one.
func before(order []string, a, b string) bool {
	i, j := slices.Index(order, a), slices.Index(order, b)
	return i >= 0 && j >= 0 && i < j
}

const manyDelays = 1 << 20

// everyOrder returns the bounds of all orders without faults.
func everyOrder() Bounds {
	return Bounds{Limits: Limits{Delays: manyDelays}, Schedules: 1 << 20, Strategy: "exhaustive", KeepGoing: true}
}

// explored returns an engine that has explored the toy.
func explored(b Bounds, g *toy) *Engine {
	e := New(b, g.run)
	e.Explore()
	return e
}
