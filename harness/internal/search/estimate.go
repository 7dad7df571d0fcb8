package search

import (
	"math"
	"math/rand/v2"
	"slices"
)

// A search that its bounds end estimates how many schedules they allow, as Knuth does it
// (Estimating the efficiency of backtrack programs, 1975). A probe begins at a schedule that
// waits, and goes on to one of those behind it until there are none. Each is drawn; what
// is found there stands for as many others as the chance of the draw was small, which is right on
// average. Where more seems to be behind a schedule its chance is greater: that makes the
// error small, and the average is the same.
const (
	// A probe takes one to three runs: one for that many schedules costs little.
	schedulesAProbe = 40
	// leastProbes is how many an estimate takes at least, so that it has an error, and
	// mostProbes at most.
	leastProbes, mostProbes = 8, 64
	// mostRoom is for how many departures pot.guess looks ahead.
	mostRoom = 3
)

// estimate makes the estimate of a search, if it can.
func (e *Engine) estimate() {
	probes := min(e.Schedules/schedulesAProbe, mostProbes)
	if e.Complete || !e.tree.begun || e.bounds.Shard.Total > 1 || e.stopped() || probes < leastProbes {
		return
	}
	left, deviation, ok := e.tree.left(probes)
	if ok {
		e.Estimate = e.Schedules - e.Drawn + int(math.Round(left))
		e.EstimateError = int(math.Ceil(deviation))
	}
}

// stopped reports whether something else than its bounds ends the search.
func (e *Engine) stopped() bool {
	return len(e.failing)+len(e.Findings) > 0 && !e.bounds.KeepGoing || e.Refused != nil || e.frozen >= mostFrozen
}

// left estimates how many schedules wait, or are behind those that wait, with the standard
// error. It is false if a probe did not come to its end.
func (t *tree) left(probes int) (schedules, deviation float64, ok bool) {
	p := pot{limits: t.e.bounds.Limits}
	for _, l := range t.levels {
		p.addAll(l)
	}
	if len(p.nodes) == 0 {
		return float64(p.ends), 0, true
	}
	rng := rand.New(rand.NewPCG(t.e.bounds.Seed, 0))
	var sum, squares float64
	for range probes {
		x, ok := t.probe(rng, p)
		if !ok {
			return 0, 0, false
		}
		sum, squares = sum+x, squares+x*x
	}
	m := float64(probes)
	mean := sum / m
	variance := max(0, squares-m*mean*mean) / (m - 1)
	return float64(p.ends) + mean, math.Sqrt(variance / m), true
}

// probe estimates how many schedules are in a pot, or behind what is in it, without those that
// end there.
func (t *tree) probe(rng *rand.Rand, p pot) (schedules float64, ok bool) {
	for weight := 1.0; len(p.nodes) > 0; {
		n, chance := p.draw(rng)
		weight /= chance
		behind, counts, ok := t.behind(*n)
		if !ok {
			return 0, false
		}
		if counts {
			schedules += weight
		}
		schedules += weight * float64(behind.ends)
		p = behind
	}
	return schedules, true
}

// behind makes the run of a node, and returns the nodes behind it, and whether it is a schedule.
// That counts nothing, but a failure is one as any other.
func (t *tree) behind(n node) (p pot, counts, ok bool) {
	t.e.probed++
	b, r := t.follow(n)
	if b == nil || r.Frozen || r.Undecided {
		return p, false, false
	}
	defer t.e.recycle(r)
	if t.e.note(r); t.e.stopped() {
		return p, false, false
	}
	apart := &tree{e: t.e}
	apart.expand(r, n, len(b.prefix), b.reduced, false, false)
	p.limits = t.e.bounds.Limits
	for _, l := range apart.levels {
		p.addAll(l)
	}
	return p, !r.abandoned, true
}

// A pot has the nodes from which a probe draws: those that may have others behind them, or may be no
// schedules.
type pot struct {
	limits Limits
	nodes  []*node
	sums   []float64 // of the weights, up to each node and with it
	ends   int       // how many more nodes there are: each is a schedule, with nothing behind it
}

// addAll adds the nodes of a level.
func (p *pot) addAll(l level) {
	p.add(l.nodes, 1)
	p.ends += l.behind.ends
	p.add(l.behind.nodes, l.behind.each)
}

// add adds nodes, each of which stands for that many.
func (p *pot) add(nodes []node, each int) {
	for i := range nodes {
		n := &nodes[i]
		if n.last(p.limits) {
			p.ends++
			continue
		}
		p.nodes = append(p.nodes, n)
		p.sums = append(p.sums, p.all()+float64(each)*p.guess(n))
	}
}

// all returns the sum of all weights.
func (p *pot) all() float64 {
	if len(p.sums) == 0 {
		return 0
	}
	return p.sums[len(p.sums)-1]
}

// guess returns about how many schedules are behind a node: at each later step of the run from which
// it departs there may be another departure.
func (p *pot) guess(n *node) float64 {
	room := 0
	for _, r := range []int{p.limits.Delays - n.taken.Delays, p.limits.Faults - n.taken.Faults,
		p.limits.Coincidences - n.taken.Coincidences, p.limits.Inner - n.taken.Inner} {
		room = min(room+min(r, mostRoom), mostRoom)
	}
	return math.Pow(float64(1+len(n.of.choices)-n.at), float64(room))
}

// draw returns a node, and the chance that it had.
func (p *pot) draw(rng *rand.Rand) (*node, float64) {
	i, _ := slices.BinarySearch(p.sums, rng.Float64()*p.all())
	i = min(i, len(p.nodes)-1)
	return p.nodes[i], p.guess(p.nodes[i]) / p.all()
}
