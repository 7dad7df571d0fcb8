package faultnet

import (
	"slices"
	"strconv"
	"sync"
	"syscall"

	"github.com/halfopen/halfopen/clock"
)

// link is a connection: two ends and what travels between them. Each
// direction is one queue: bytes, then a FIN or a reset. Only the head of a
// queue can arrive, so nothing overtakes anything, as in TCP.
type link struct {
	net      *Net
	clock    clock.Clock
	number   int
	dial     int // the number of the dial that opened it
	owner    string
	address  string // what the client asked for
	capacity int    // bytes in flight and unread, a direction
	window   int    // bytes unread, a direction

	mu        sync.Mutex
	end       [2]Conn
	posted    []*Event // events to hand to the network once mu is free
	lost      bool     // nothing arrives any more, in either direction
	forgotten bool     // closed on both sides, and nothing is on its way
}

// inbound is one direction of a link, seen from the end that it leads to.
type inbound struct {
	buf     buffer // the first `arrived` bytes can be read, the rest is in flight
	arrived int
	fin     flight
	reset   flight
	event   *Event // the head of the queue, while it waits to be released
}

// flight is how far a FIN or a reset has come.
type flight uint8

const (
	unsent flight = iota
	sent
	arrived
)

func (l *link) name() string { return "c" + strconv.Itoa(l.number) }

// unlock frees the link and hands the events that the step produced to the
// network. It holds no lock while it does: a rule may look at any connection.
func (l *link) unlock() {
	if l.posted == nil {
		l.mu.Unlock()
		return
	}
	posted := l.posted
	l.posted = nil
	l.mu.Unlock()
	for _, e := range posted {
		l.net.post(e)
	}
}

// wait sleeps on c, or hands out pending events instead and returns.
func (l *link) wait(c *sync.Cond) {
	if l.posted != nil {
		l.unlock()
		l.mu.Lock()
		return
	}
	c.Wait()
}

// head is what can arrive next at c, or 0.
func (c *Conn) head() Kind {
	in := &c.in
	inFlight := in.buf.n > in.arrived
	shut := in.arrived >= c.link.window && !c.closed // a closed window
	switch {
	case c.link.lost:
		return 0
	case inFlight && !shut:
		return Data
	case in.fin == sent && !inFlight:
		return FIN
	case in.reset == sent:
		return RST // also past what a closed window keeps out
	}
	return 0
}

// advance lets everything that can arrive do so. On a network that is held
// or ruled, it posts the head of each direction as an event instead.
func (l *link) advance() {
	free := !l.net.controlled.Load()
	for moved := true; moved; {
		moved = false
		for side := range l.end {
			c := &l.end[side]
			kind := c.head()
			if kind == 0 || c.in.event != nil {
				continue
			}
			if free {
				c.arrive(kind)
				moved = true
				continue
			}
			c.in.event = &Event{Kind: kind, From: c.Peer(), net: l.net}
			l.posted = append(l.posted, c.in.event)
		}
	}
	if l.end[Client].closed && l.end[Server].closed && !l.forgotten &&
		l.end[Client].head() == 0 && l.end[Server].head() == 0 {
		l.forgotten = true
		l.net.forget(l)
	}
}

// arrive makes the head of the queue to c arrive there.
func (c *Conn) arrive(kind Kind) {
	in := &c.in
	switch kind {
	case Data:
		if c.closed || c.dead {
			// Nobody is there to take the bytes: RFC 9293 section 3.10.7.1.
			in.buf.truncate(in.arrived)
			if !c.dead {
				c.sendReset()
			}
			return
		}
		in.arrived = min(in.buf.n, c.link.window)
	case FIN:
		in.fin = arrived
	case RST:
		in.reset = arrived
		c.takeReset()
	}
	c.canRead.Broadcast()
}

// sendFin queues a FIN behind what was written.
func (c *Conn) sendFin() {
	if !c.writeShut {
		c.writeShut = true
		c.Peer().in.fin = sent
	}
}

// sendReset queues a reset behind what was written; what is on its way to
// this end will find nobody.
func (c *Conn) sendReset() {
	c.dead = true
	c.in.buf.truncate(0)
	c.in.arrived = 0
	c.link.withdraw(c)
	c.Peer().in.reset = sent
}

// takeReset is the arrival of a reset: what the peer sent before can still be
// read, what this end sent is lost.
func (c *Conn) takeReset() {
	if !c.dead && !c.closed {
		c.pending = syscall.ECONNRESET
		if c.in.fin == arrived && !c.writeShut {
			// The peer had sent its FIN: CLOSE-WAIT, where Linux says EPIPE.
			c.pending = syscall.EPIPE
		}
		switch {
		case c.waitingReads > 0:
			c.pendingFor = reads
		case c.waitingWrites > 0:
			c.pendingFor = writes
		}
	}
	c.dead = true
	c.in.buf.truncate(c.in.arrived) // what a closed window kept out
	if c.in.fin == sent {
		c.in.fin = unsent
	}
	peer := c.Peer()
	peer.in.buf.truncate(peer.in.arrived)
	if peer.in.fin == sent {
		peer.in.fin = unsent
	}
	if peer.in.reset == sent {
		peer.in.reset = unsent
	}
	c.link.withdraw(peer)
	c.canWrite.Broadcast()
}

// withdraw takes back the event that waits to arrive at c: it is void.
func (l *link) withdraw(c *Conn) {
	e := c.in.event
	if e == nil {
		return
	}
	c.in.event = nil
	if i := slices.Index(l.posted, e); i >= 0 {
		l.posted = slices.Delete(l.posted, i, i+1)
		return
	}
	l.net.withdraw(e)
}

// vanish makes everything on its way, now and later, never arrive.
func (l *link) vanish() {
	l.mu.Lock()
	defer l.unlock()
	l.lost = true
	for side := range l.end {
		l.withdraw(&l.end[side])
	}
	l.advance()
}

// release lets the posted event of kind arrive at c.
func (l *link) release(e *Event, do func(c *Conn)) {
	l.mu.Lock()
	defer l.unlock()
	c := e.From.Peer()
	if c.in.event != e {
		return // withdrawn meanwhile
	}
	c.in.event = nil
	do(c)
	l.advance()
}

// breakBoth resets both ends at once: c is one of them.
func (c *Conn) breakBoth() {
	for _, end := range []*Conn{c, c.Peer()} {
		end.in.reset = arrived
		end.takeReset()
	}
}
