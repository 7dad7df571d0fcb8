package search

import "slices"

// Order is when events come by themselves. It is first come, first served, but where an event
// commutes (see [Option.Commutes]), its turn must not matter: what it brings about comes as if it
// had come in its own time. So after schedules that differ only in the turns of such events, the
// same is pending, in the same order. The zero value is ready.
//
// It reckons as if each event was under way for the same long time, and as if each choice took
// an instant, one after the other where they do not commute.
type Order struct {
	now    int64   // when the last choice was made that does not commute
	last   int64   // when the last choice was made
	places []int64 // when the last event came at each place
}

// underWay is how long an event is under way, in instants.
const underWay = 1 << 32

// Reset begins again.
func (o *Order) Reset() { *o = Order{places: o.places[:0]} }

// Due returns the turn of an event that the last choice brings about: the lower comes first; of the
// same turn the lower place, and there what a client sends. What needs several choices comes with
// the last of their turns.
func (o *Order) Due() (turn int64) { return o.last + underWay }

// Next returns the first turn behind the last choice.
func (o *Order) Next() (turn int64) { return o.last + 1 }

// Took takes note of a choice.
func (o *Order) Took(c Option) {
	for len(o.places) <= c.Place {
		o.places = append(o.places, 0)
	}
	at := max(c.Turn, o.places[c.Place]+1)
	if !c.commutes() {
		at = max(at, o.now+1)
		if c.Everywhere || c.Kind == Wait || c.Kind == Pair {
			at = max(at, slices.Max(o.places)+1)
		}
		o.now = at
	}
	if c.Place > 0 {
		o.places[c.Place] = at
	}
	o.last = at
}
