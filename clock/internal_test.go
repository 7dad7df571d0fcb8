package clock

import (
	"context"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// The queue returns events in the order of a sorted list, whatever is armed,
// moved and stopped in between, with few events and with many.
func TestQueueKeepsOrder(t *testing.T) {
	for seed := range uint64(20) {
		random := rand.New(rand.NewPCG(seed, 0))
		var q queue
		events := make([]*event, 1+random.IntN(6000))
		for i := range events {
			events[i] = new(event)
		}
		spread := int64(1) << random.IntN(57)
		some := func() *event { return events[random.IntN(len(events))] }
		now := int64(0)
		for range 30 {
			for range random.IntN(len(events)) {
				q.arm(some(), now+1+random.Int64N(spread))
			}
			for range random.IntN(4) { // top is called in between, so dead entries stay
				for _, ev := range events[:len(events)/2] {
					if ev.armed && ev.when > now+1 {
						q.arm(ev, ev.when-1)
					}
				}
				q.top(forever)
				wantCounted(t, seed, &q, len(armedInOrder(&q, events)))
			}
			for range random.IntN(len(events)) {
				q.disarm(some())
			}
			for range random.IntN(3) { // a burst of timers that are stopped at once
				for _, ev := range events[:len(events)/4] {
					q.arm(ev, now+1+random.Int64N(spread))
					q.disarm(ev)
				}
			}
			want := armedInOrder(&q, events)
			wantCounted(t, seed, &q, len(want))
			for i := range random.IntN(len(want) + 1) {
				ev := q.top(want[i].when)
				if ev != want[i] {
					t.Fatalf("seed %d: got %v, want %v", seed, *ev, *want[i])
				}
				if early := q.top(ev.when - 1); early != nil {
					t.Fatalf("seed %d: got %v too early", seed, *early)
				}
				now = ev.when
				q.take(ev)
			}
			want = armedInOrder(&q, events)
			wantCounted(t, seed, &q, len(want))
			if len(want) == 0 {
				continue
			}
			// Take the last of the tied events, as Tie might choose.
			tied := q.tied()
			now = tied[0].when
			if !slices.Equal(tied, want[:len(tied)]) || len(want) > len(tied) && want[len(tied)].when == now {
				t.Fatalf("seed %d: got %d tied", seed, len(tied))
			}
			q.take(tied[len(tied)-1])
			wantCounted(t, seed, &q, len(want)-1)
		}
	}
}

// The queue is right after each single step.
func TestQueueStepByStep(t *testing.T) {
	for seed := range uint64(400) {
		random := rand.New(rand.NewPCG(seed, 1))
		var q queue
		events := make([]*event, 1+random.IntN(1<<random.IntN(9)))
		for i := range events {
			events[i] = &event{target: make(chan time.Time)}
		}
		spread := int64(1) << random.IntN(12)
		now := int64(0)
		for range 600 {
			ev := events[random.IntN(len(events))]
			switch random.IntN(8) {
			case 0, 1, 2:
				q.arm(ev, now+1+random.Int64N(spread))
			case 3:
				if ev.armed { // later each time, as a connection's idle timer
					q.arm(ev, ev.when+random.Int64N(spread))
				}
			case 4:
				q.disarm(ev)
			case 5:
				for _, ev := range events { // so that fresh has many entries at once
					q.arm(ev, now+1+random.Int64N(spread))
				}
			}
			if random.IntN(3) > 0 {
				continue
			}
			want := armedInOrder(&q, events)
			wantCounted(t, seed, &q, len(want))
			var first *event
			if len(want) > 0 {
				first = want[0]
			}
			if got := q.top(forever); got != first {
				t.Fatalf("seed %d: got %v, want %v", seed, got, first)
			}
			if first != nil && random.IntN(2) > 0 {
				now = first.when
				q.take(first)
			}
		}
	}
}

// Events that fastPop removes fire in order among the others, and afterwards
// they are not armed.
func TestQueueFastPop(t *testing.T) {
	popped := 0
	for seed := range uint64(500) {
		p := newQueueModel(t, seed)
		for range 40 {
			p.disturb()
			if p.random.IntN(8) == 0 {
				wantCounted(t, seed, &p.q, len(p.due))
			}
			popped += p.advance()
		}
	}
	if popped == 0 {
		t.Error("fastPop returned nothing")
	}
}

// queueModel does the same to a queue and to a map of the events that are due,
// and compares the two.
type queueModel struct {
	t      *testing.T
	seed   uint64
	random *rand.Rand
	q      queue
	events []*event
	due    map[*event]entry
	spread int64 // how far ahead an event is armed, at most
	now    int64
	armed  uint64 // how many times an event was armed
}

func newQueueModel(t *testing.T, seed uint64) *queueModel {
	random := rand.New(rand.NewPCG(seed, 2))
	p := &queueModel{t: t, seed: seed, random: random, due: make(map[*event]entry)}
	p.events = make([]*event, 1+random.IntN(1<<random.IntN(12)))
	for i := range p.events {
		p.events[i] = &event{target: make(chan time.Time)}
		if random.IntN(20) == 0 {
			p.events[i].target = func() {}
		}
	}
	p.spread = int64(1) << random.IntN(12)
	return p
}

func (p *queueModel) arm(ev *event, when int64) {
	p.armed++
	p.due[ev] = entry{when: when, seq: p.armed, ev: ev}
	p.q.arm(ev, when)
}

// soon returns an instant to come.
func (p *queueModel) soon() int64 { return p.now + 1 + p.random.Int64N(p.spread) }

// disturb arms, moves, disarms or asks for events, or does nothing.
func (p *queueModel) disturb() {
	switch p.random.IntN(8) {
	case 0:
		for _, ev := range p.events {
			p.arm(ev, p.soon())
		}
	case 1:
		for _, ev := range p.events {
			if e := p.due[ev]; e.when > p.now+1 && p.random.IntN(3) == 0 {
				p.arm(ev, e.when-1)
			}
		}
	case 2:
		p.arm(p.some(), p.soon())
	case 3:
		ev := p.some()
		if _, want := p.due[ev]; p.q.disarm(ev) != want {
			p.t.Fatalf("seed %d: disarmed %v, want %v", p.seed, !want, want)
		}
		delete(p.due, ev)
	case 4:
		ev := p.some()
		if _, want := p.due[ev]; p.q.holds(ev) != want {
			p.t.Fatalf("seed %d: holds %v, want %v", p.seed, !want, want)
		}
	}
}

func (p *queueModel) some() *event { return p.events[p.random.IntN(len(p.events))] }

// advance moves the queue to a later instant, compares what fires with what was
// due, and returns how many events fastPop returned.
func (p *queueModel) advance() (popped int) {
	to := p.now + p.random.Int64N(1+p.spread/int64(1+p.random.IntN(16)))
	var want, got []*event
	for _, e := range slices.SortedFunc(maps.Values(p.due), compare) {
		if e.when <= to {
			want = append(want, e.ev)
			delete(p.due, e.ev)
		}
	}
	for p.now = to; ; {
		for e, ok := p.q.fastPop(to); ok; e, ok = p.q.fastPop(to) {
			got = append(got, e.ev)
			popped++
		}
		ev := p.q.top(to)
		if ev == nil {
			break
		}
		got = append(got, ev)
		p.q.take(ev)
	}
	if !slices.Equal(got, want) {
		p.t.Fatalf("seed %d: got %d events %v, want %d %v", p.seed, len(got), got, len(want), want)
	}
	return popped
}

// The clock stands at the instant of each timer that sendDue fires.
func TestSendDueMovesTheClock(t *testing.T) {
	var v Virtual
	for i := range 2 * runFrom {
		v.NewTimer(time.Duration(1 + i))
	}
	v.Next()
	v.limit = runFrom
	v.sendDue()
	if got := v.now.Load(); got != runFrom {
		t.Errorf("got %d, want %d", got, runFrom)
	}
}

// armedInOrder returns the events that are armed, in the order they will fire.
func armedInOrder(q *queue, events []*event) []*event {
	var armed []*event
	for _, ev := range events {
		if q.holds(ev) {
			armed = append(armed, ev)
		}
	}
	slices.SortFunc(armed, func(a, b *event) int {
		return compare(a.entry(), b.entry())
	})
	return armed
}

// wantCounted checks that q counts its armed events right, and that no more than
// half of its entries are dead.
func wantCounted(t *testing.T, seed uint64, q *queue, armed int) {
	t.Helper()
	n, live := q.size(), len(q.list())
	if live != armed || q.armed != armed || n-live > max(sweepFrom, n/2) {
		t.Fatalf("seed %d: got %d entries, %d live and %d counted, for %d events", seed, n, live, q.armed, armed)
	}
}

// When the last trap is lifted, the clock has no list of traps any more.
func TestLiftedTrapsAreForgotten(t *testing.T) {
	var v Virtual
	first, second := v.Hold(KindAll, ""), v.Hold(KindAll, "")
	first.Lift()
	if got := *v.traps.Load(); len(got) != 1 || got[0] != second {
		t.Errorf("got %d traps, want the second", len(got))
	}
	second.Lift()
	if v.traps.Load() != nil {
		t.Error("got a list of no traps")
	}
}

// Followers of an ending can be removed in any order, and each can be stopped
// once.
func TestFollowers(t *testing.T) {
	var v Virtual
	ctx, cancel := WithTimeout(context.Background(), &v, time.Hour)
	e := &ctx.(*deadline).ending
	var got []int
	var stops []func() bool
	for i := range 6 {
		stops = append(stops, e.AfterFunc(func() { got = append(got, i) }))
	}
	for _, i := range []int{0, 5, 2, 2, 0, 5} {
		got = append(got, -i)
		if stops[i]() {
			got = append(got, 1)
		}
	}
	cancel()
	if stops[3]() {
		t.Error("stop after the end: got true")
	}
	if want := []int{0, 1, -5, 1, -2, 1, -2, 0, -5, 1, 3, 4}; !slices.Equal(got, want) {
		t.Errorf("got %d, want %d", got, want)
	}
}
