package faultnet

import (
	"cmp"
	"slices"
)

// This file has what a driver asks at each quiet point: the events that are pending, and what
// has changed since the last one.

// AppendPending serves a driver. It appends to b the events that wait to be
// released, in the order in which they came. Events that came since the last
// call are put in the order of their names, and dials are given their numbers:
// a driver that calls this whenever everything is quiet, and then only, sees the
// same events in the same order each time.
func (n *Net) AppendPending(b []*Event) []*Event {
	n.mu.Lock()
	n.collect()
	seen := len(b)
	b = append(b, n.pending...)
	n.fresh = 0
	rules := len(n.rules) > 0
	n.mu.Unlock()
	if rules {
		for _, e := range b[seen:] {
			n.Verdict(e) // decided now, and in this order
		}
	}
	return b
}

// Fresh serves a driver. It returns how many events have come since the last call of
// AppendPending, which puts them last.
func (n *Net) Fresh() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.collect()
	return n.fresh
}

// AppendTouched serves a driver. It appends to b the clients' ends of the connections to which
// something has happened since the last call, or which were opened since then, in the order
// in which they were opened.
func (n *Net) AppendTouched(b []*Conn) []*Conn {
	from := len(b)
	n.mu.Lock()
	for _, l := range n.touched {
		b = append(b, &l.end[Client])
	}
	n.touched = n.touched[:0]
	n.mu.Unlock()
	touched := b[from:]
	slices.SortFunc(touched, func(a, b *Conn) int { return cmp.Compare(a.link.number, b.link.number) })
	for _, c := range touched {
		c.link.mu.Lock()
		c.link.touched = false
		c.link.mu.Unlock()
	}
	return b
}

// touch notes that something has happened to a connection.
func (n *Net) touch(l *link) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.touched = append(n.touched, l)
}

// Gated serves a driver. It reports whether a goroutine has ever come to a gate.
func (n *Net) Gated() bool { return n.gated.Load() }
