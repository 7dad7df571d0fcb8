package faultnet

import (
	"net/netip"
	"slices"
	"sync"
	"syscall"

	"github.com/halfopen/halfopen/clock"
)

// link is a connection: two ends and what travels between them. Each
// direction is one queue: bytes, then a FIN or a reset. Only the head of a
// queue can arrive, so nothing overtakes anything, as in TCP.
type link struct {
	net     *Net
	clock   clock.Clock
	number  int
	id      string     // "c1"
	names   *connNames // or nil
	dial    int        // the number of the dial that opened it
	owner   string
	address string         // what the client asked for
	served  string         // what the server listened on
	local   netip.AddrPort // of its client
	remote  netip.AddrPort // the address that a dial reached
	v6      bool           // the server's socket is one of IPv6, which has IPv4 addresses in its own form
	wrapped *wrapped       // the end of a program whose connection is of another network

	mu        sync.Mutex
	end       [2]Conn
	posted    []*Event  // events to hand to the network once mu is free
	first     [2]*Event // where that list begins
	lost      bool      // nothing arrives any more, in either direction
	forgotten bool      // closed on both sides, and nothing is on its way
	touched   bool      // something has happened since a driver has asked: see Net.AppendTouched
	fault     string    // the first one that was done to the connection
}

// inbound is one direction of a link, seen from the end that it leads to.
type inbound struct {
	buf     buffer // the first `arrived` bytes can be read, the rest is in flight
	arrived int
	window  int // the receive buffer: bytes that arrived and are unread
	void    int // bytes that were dropped here, which the sender does not know
	fin     flight
	reset   flight
	event   *Event // the head of the queue, while it waits to be released
	data    string // the name of the events that bring bytes, once there was one

	taken   int64 // bytes that were read
	clogged bool  // nothing arrives: see Conn.Clog
	marking bool  // what is written behind a delayed event is noted
	marks   []mark

	dst    []byte // of a Read that sleeps, with nothing to read
	handed int    // how many bytes it was given while it slept
}

// flight says how far a FIN or a reset has come.
type flight uint8

const (
	flightUnsent flight = iota
	flightSent
	flightArrived
)

func (l *link) name() string { return l.id }

// unlock frees the link and hands the events that the step produced to the
// network.
func (l *link) unlock() {
	l.touch()
	if len(l.posted) == 0 {
		l.mu.Unlock()
	} else {
		l.post()
	}
}

// touch notes, with mu held, that something has happened to the link.
func (l *link) touch() {
	if !l.touched && l.net.driven.Load() {
		l.touched = true
		l.net.touch(l)
	}
}

// post frees the link and hands its events out. It holds no lock meanwhile: a rule
// may look at any connection.
func (l *link) post() {
	var room [4]*Event
	posted := append(room[:0], l.posted...)
	l.posted = l.posted[:0]
	l.mu.Unlock()
	for _, e := range posted {
		l.net.post(e)
	}
}

// wait sleeps on cond until something changed for its calls. Events that the
// caller's step produced are handed out first, instead: what releases them may be
// what wakes it.
func (l *link) wait(cond *sync.Cond, waiting *int) {
	l.touch() // what it could do it has done
	if len(l.posted) > 0 {
		l.post()
		l.mu.Lock()
		return
	}
	*waiting++
	cond.Wait()
	*waiting--
}

// head returns the kind of what can arrive next at c, or 0.
func (c *Conn) head() Kind {
	in := &c.in
	inFlight := in.buf.n > in.arrived
	shut := in.arrived >= in.window && !c.closed // a closed window
	switch {
	case c.link.lost, in.clogged:
		return 0
	case inFlight && !shut:
		return Data
	case in.fin == flightSent && !inFlight:
		return FIN
	case in.reset == flightSent:
		return RST
	}
	return 0
}

// eventName returns the name of an event that is to arrive.
func (in *inbound) eventName(k Kind, from *Conn) string {
	if k != Data {
		return from.eventName(k)
	}
	if in.data == "" {
		in.data = from.eventName(Data)
	}
	return in.data
}

// waits reports whether anything has not arrived.
func (in *inbound) waits() bool {
	return in.buf.n > in.arrived || in.fin == flightSent || in.reset == flightSent
}

// carry lets bytes arrive at an end, and does what advance does if anything but
// bytes is on its way there. Most bytes take this path, or the next.
func (l *link) carry(to *Conn) {
	if !l.clear(to) {
		l.advance()
		return
	}
	to.in.fill()
	to.wakeReaders()
}

// fill lets bytes arrive up to the window. What arrived before that was made smaller
// stays.
func (in *inbound) fill() { in.arrived = max(in.arrived, min(in.buf.n, in.window)) }

// hand gives bytes that are sent to an end straight to the Read that sleeps
// there, and returns how many it took.
func (l *link) hand(to *Conn, b []byte) int {
	if to.in.dst == nil || to.in.buf.n > 0 || !l.clear(to) || to.readDeadline.passed(l.clock) {
		return 0
	}
	n := copy(to.in.dst, b[:min(len(b), to.in.window)])
	to.in.dst, to.in.handed = nil, n
	to.canRead.Broadcast()
	return n
}

// clear reports whether bytes on their way to an end arrive at once, and only
// bytes are on their way there.
func (l *link) clear(to *Conn) bool {
	return to.in.event == nil && to.in.fin != flightSent && to.in.reset != flightSent &&
		!to.closed && !to.dead && !to.readShut && !l.lost && !to.in.clogged && !l.net.controlled.Load()
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
				c.in.note(l.clock)
				continue
			}
			if free {
				c.arrive(kind)
				moved = true
				continue
			}
			c.in.event = &Event{Kind: kind, From: c.Peer(), net: l.net, name: c.in.eventName(kind, c.Peer())}
			c.in.resume(c.in.event)
			l.posted = append(l.posted, c.in.event)
		}
	}
	if l.end[Client].closed && l.end[Server].closed && !l.forgotten &&
		l.end[Client].head() == 0 && l.end[Server].head() == 0 {
		l.forgotten = true
		l.net.forget(l)
	}
}

// lastAck reports whether both ends sent a FIN, and c got its peer's. What
// Linux calls LAST_ACK or CLOSING is this until the peer has c's.
func (c *Conn) lastAck() bool { return c.writeShut && c.in.fin == flightArrived }

// gone reports whether c is no connection any more, be it by resets or by
// FINs: only what arrived is left to be read.
func (c *Conn) gone() bool {
	return c.dead || c.lastAck() && c.Peer().in.fin == flightArrived
}

// sendFin queues a FIN behind what was written.
func (c *Conn) sendFin() {
	if !c.writeShut {
		c.writeShut = true
		c.Peer().in.fin = flightSent
	}
}

// sendReset queues a reset behind what is on its way. What the peer's window
// kept back is lost, and so is a FIN behind it.
func (c *Conn) sendReset() {
	c.dead = true
	c.discard()
	c.link.withdraw(c)
	out := &c.Peer().in
	if most := max(out.window, out.arrived); out.buf.n > most {
		out.buf.truncate(most)
		if out.fin == flightSent {
			out.fin = flightUnsent
		}
	}
	out.reset = flightSent
}

// discard drops what no program at c will read. It fills the peer's send buffer
// until the peer gets the reset, as nothing acknowledges it.
func (c *Conn) discard() {
	in := &c.in
	if c.closed {
		in.arrived = 0
	}
	in.void += in.buf.n - in.arrived
	in.buf.truncate(in.arrived)
}

// takeReset ends c as a reset does that arrives: what the peer sent before can still
// be read, what this end sent is lost.
func (c *Conn) takeReset() {
	c.report()
	c.dead = true
	for _, end := range [...]*Conn{c, c.Peer()} {
		end.dropFlight()
	}
	c.link.withdraw(c.Peer())
	c.canRead.Broadcast()
	c.canWrite.Broadcast()
}

// report leaves the error of a reset for a blocked call, or for the next one. Of a
// blocked Read and a blocked Write the Write gets it: Go's poller wakes it first.
func (c *Conn) report() {
	if c.dead || c.closed {
		return
	}
	c.pending = syscall.ECONNRESET
	if c.in.fin == flightArrived && !c.writeShut {
		// The peer had sent its FIN: CLOSE-WAIT, where Linux says EPIPE.
		c.pending = syscall.EPIPE
	}
	switch {
	case c.waitingWrites > 0 && c.stuckWrite == nil:
		c.pendingFor = forWrites
	case c.waitingReads > 0 && c.stuckRead == nil:
		c.pendingFor = forReads
	}
}

// dropFlight forgets what is on its way to c.
func (c *Conn) dropFlight() {
	in := &c.in
	c.discard()
	in.void = 0
	if in.fin == flightSent {
		in.fin = flightUnsent
	}
	if in.reset == flightSent {
		in.reset = flightUnsent
	}
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
	l.lose()
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
