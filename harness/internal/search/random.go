package search

import (
	"math/rand/v2"
	"slices"
	"strings"
)

// sampler draws the choices of one schedule: from the seed and the number of the
// schedule, and from nothing else.
type sampler struct {
	rng      *rand.Rand
	strategy string
	faultAt  map[int]bool // the steps from which on a fault is due
	due      int
	step     int
	prio     map[Chain]float64  // pct
	changeAt map[int]bool       // pct
	weight   map[string]float64 // pos
	low      float64
	inside   *Draw // of inner choices; nil if there are none, or once the run has it
}

// chooser returns the sampler as what decides a run.
func (s *sampler) chooser() chooser {
	return chooser{pick: s.pick, inside: func() Inside {
		draw := s.inside
		s.inside = nil
		return Inside{Draw: draw}
	}}
}

// newSampler returns a sampler for a schedule of about that many steps and inner choices.
func newSampler(b Bounds, strategy string, number uint64, length, inner int) *sampler {
	s := &sampler{rng: rand.New(rand.NewPCG(b.Seed, number)), strategy: strategy}
	length = max(length, 8)
	if n := b.Faults + b.Coincidences; n > 0 {
		s.faultAt = make(map[int]bool)
		for range s.rng.IntN(min(n, 3) + 1) {
			s.faultAt[s.rng.IntN(length)] = true
		}
	}
	switch strategy {
	case "pos":
		s.weight = make(map[string]float64)
	case "pct":
		s.prio, s.changeAt = make(map[Chain]float64), make(map[int]bool)
		for range min(b.Delays, 4) {
			s.changeAt[s.rng.IntN(length)] = true
		}
	}
	if b.Inner > 0 {
		s.inside = s.draw(max(inner, 8))
	}
	return s
}

// rates is how often a random walk preempts goroutines, of 256 times: how often is best
// depends on the defect.
var rates = []int{4, 16, 64, 128}

// draw returns how the inner choices of a run are drawn that has about that many.
func (s *sampler) draw(inner int) *Draw {
	d := &Draw{Strategy: s.strategy, Seed: s.rng.Uint64(), Rate: rates[s.rng.IntN(len(rates))]}
	for range s.rng.IntN(4) {
		d.Changes = append(d.Changes, 1+s.rng.IntN(inner))
	}
	slices.Sort(d.Changes)
	return d
}

func (s *sampler) pick(opts []Option) int {
	if s.faultAt[s.step] {
		s.due++
	}
	var i int
	switch s.strategy {
	case "pct":
		i = s.byPriority(opts)
	case "pos":
		i = s.byWeight(opts)
	default:
		i = s.anyOf(opts)
	}
	s.step++
	if s.due > 0 {
		if f := s.faultOf(opts, i); f >= 0 {
			s.due--
			return f
		}
	}
	return i
}

// anyOf picks each option with the same chance: a random walk.
func (s *sampler) anyOf(opts []Option) int {
	n := 0
	for _, o := range opts {
		if o.ordinary() {
			n++
		}
	}
	k := s.rng.IntN(n)
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
func (s *sampler) byPriority(opts []Option) int {
	best := s.highest(opts)
	if s.changeAt[s.step] {
		s.low--
		s.prio[opts[best].Chain] = s.low
		best = s.highest(opts)
	}
	return best
}

func (s *sampler) highest(opts []Option) int {
	best, most := -1, 0.0
	for i, o := range opts {
		if !o.ordinary() {
			continue
		}
		p, ok := s.prio[o.Chain]
		if !ok {
			p = s.rng.Float64()
			s.prio[o.Chain] = p
		}
		if best < 0 || p > most {
			best, most = i, p
		}
	}
	return best
}

// byWeight is partial order sampling (Yuan, Yang and Gu, 2018): each event has
// a weight that is drawn when it is first seen, and again when one that it
// races with has happened.
func (s *sampler) byWeight(opts []Option) int {
	best, most := -1, 0.0
	for i, o := range opts {
		if !o.ordinary() {
			continue
		}
		w, ok := s.weight[o.Name]
		if !ok {
			w = s.rng.Float64()
			s.weight[o.Name] = w
		}
		if best < 0 || w > most {
			best, most = i, w
		}
	}
	for _, o := range opts {
		if o.Name == opts[best].Name || o.ordinary() && races(o, opts[best]) {
			delete(s.weight, o.Name)
		}
	}
	return best
}

// faultOf returns a fault, or a coincidence, of the event that was picked; -1 if
// there is none. Each effect has the same chance, at however many bytes it is tried.
func (s *sampler) faultOf(opts []Option, picked int) int {
	if opts[picked].Event == 0 {
		return -1
	}
	var kinds []string
	of := make(map[string][]int)
	for i, o := range opts {
		if !o.ordinary() && o.Event == opts[picked].Event {
			kind, _, _ := strings.Cut(o.Effect, ":")
			if of[kind] == nil {
				kinds = append(kinds, kind)
			}
			of[kind] = append(of[kind], i)
		}
	}
	if len(kinds) == 0 {
		return -1
	}
	same := of[kinds[s.rng.IntN(len(kinds))]]
	return same[s.rng.IntN(len(same))]
}
