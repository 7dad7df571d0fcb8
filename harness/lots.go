package harness

import (
	"math/rand/v2"
)

// lots is a strategy that draws its choices: from the seed and the number of
// the schedule, and from nothing else.
type lots struct {
	rng      *rand.Rand
	strategy string
	faultAt  map[int]bool // the steps from which on a fault is due
	due      int
	step     int
	prio     map[chain]float64  // pct
	changeAt map[int]bool       // pct
	weight   map[string]float64 // pos
	low      float64
}

func newLots(b Bounds, strategy string, number uint64, length int) *lots {
	l := &lots{rng: rand.New(rand.NewPCG(b.Seed, number)), strategy: strategy}
	length = max(length, 8)
	if n := b.Faults + b.Coincidences; n > 0 {
		l.faultAt = make(map[int]bool)
		for range l.rng.IntN(min(n, 3) + 1) {
			l.faultAt[l.rng.IntN(length)] = true
		}
	}
	switch strategy {
	case "pos":
		l.weight = make(map[string]float64)
		return l
	case "pct":
		l.prio, l.changeAt = make(map[chain]float64), make(map[int]bool)
	default:
		return l
	}
	for range min(b.Delays, 4) {
		l.changeAt[l.rng.IntN(length)] = true
	}
	return l
}

func (l *lots) pick(opts []option) int {
	if l.faultAt[l.step] {
		l.due++
	}
	var i int
	switch l.strategy {
	case "pct":
		i = l.byPriority(opts)
	case "pos":
		i = l.byWeight(opts)
	default:
		i = l.anyOf(opts)
	}
	l.step++
	if l.due > 0 {
		if f := l.faultOf(opts, i); f >= 0 {
			l.due--
			return f
		}
	}
	return i
}

// ordinary reports whether the option is neither a fault nor a coincidence:
// those are drawn apart.
func (o option) ordinary() bool { return o.kind != faultOption && o.kind != pairOption }

// anyOf is a random walk: each option with the same chance.
func (l *lots) anyOf(opts []option) int {
	n := 0
	for _, o := range opts {
		if o.ordinary() {
			n++
		}
	}
	k := l.rng.IntN(n)
	for i, o := range opts {
		if o.ordinary() {
			if k == 0 {
				return i
			}
			k--
		}
	}
	return 0
}

// byPriority is probabilistic concurrency testing (Burckhardt et al., 2010):
// each chain has a priority that is drawn once; at a few steps that are drawn
// the chain that would come next falls behind all others.
func (l *lots) byPriority(opts []option) int {
	best := l.highest(opts)
	if l.changeAt[l.step] {
		l.low--
		l.prio[opts[best].chain] = l.low
		best = l.highest(opts)
	}
	return best
}

func (l *lots) highest(opts []option) int {
	best := -1
	for i, o := range opts {
		if !o.ordinary() {
			continue
		}
		if _, ok := l.prio[o.chain]; !ok {
			l.prio[o.chain] = l.rng.Float64()
		}
		if best < 0 || l.prio[o.chain] > l.prio[opts[best].chain] {
			best = i
		}
	}
	return best
}

// byWeight is partial order sampling (Yuan, Yang and Gu, 2018): each event has
// a weight that is drawn when it is first seen, and again when one that it
// races with has happened.
func (l *lots) byWeight(opts []option) int {
	best := -1
	for i, o := range opts {
		if !o.ordinary() {
			continue
		}
		if _, ok := l.weight[o.name]; !ok {
			l.weight[o.name] = l.rng.Float64()
		}
		if best < 0 || l.weight[o.name] > l.weight[opts[best].name] {
			best = i
		}
	}
	for _, o := range opts {
		if o.name == opts[best].name || o.ordinary() && !independent(o, opts[best]) {
			delete(l.weight, o.name)
		}
	}
	return best
}

// faultOf is a fault, or a coincidence, of the event that was picked; -1 if
// there is none.
func (l *lots) faultOf(opts []option, picked int) int {
	if opts[picked].event == nil {
		return -1
	}
	var of []int
	for i, o := range opts {
		if !o.ordinary() && o.event == opts[picked].event {
			of = append(of, i)
		}
	}
	if len(of) == 0 {
		return -1
	}
	return of[l.rng.IntN(len(of))]
}
