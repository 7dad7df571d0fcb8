package faultnet

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Kind classifies an [Event]. Kinds are bits: a set of kinds is their union.
type Kind uint16

const (
	Dial Kind = 1 << iota // a dial reaches its host
	Data                  // bytes arrive
	FIN                   // the end of one direction arrives
	RST                   // a reset arrives
	Gate                  // a goroutine of the program goes on: see Net.Gate

	// Calls. Rules are asked about a call when it begins, but it cannot be held.
	Read   // the program reads from an end
	Write  // the program writes to an end
	Close  // the program closes an end
	Accept // the program accepts the first connection of a backlog

	Packet // a datagram arrives: see Net.ListenPacket

	// Calls is all of those.
	Calls = Read | Write | Close | Accept
)

// String returns "dial", "data", "fin" and so on, joined by "|" for a set.
func (k Kind) String() string {
	var words []string
	for i, w := range [...]string{"dial", "data", "fin", "rst", "gate", "read", "write", "close", "accept", "packet"} {
		if k == 1<<i {
			return w
		}
		if k&(1<<i) != 0 {
			words = append(words, w)
		}
	}
	return strings.Join(words, "|")
}

// Event is something that is about to happen on a [Net]: a dial that reaches
// its host, or bytes, a FIN, a reset or a datagram that arrive. Bytes that were written
// before the event is released arrive together: TCP is a stream. Each datagram is an event
// of its own, and any of them may be released first.
type Event struct {
	Kind Kind
	// From is the end that sent what arrives, or whose call it is. It is nil for
	// a dial, a gate, an Accept and a datagram.
	From *Conn
	// Addr is the address that a dial asked for, that was listened on or that the client of
	// a flow of datagrams sends to, or the name of a gate.
	Addr string
	// Owner names the operation that asked for the dial or the connection: see
	// [WithOwner].
	Owner string

	net  *Net
	name string // made when it is first needed
	dial *dialing
	open chan struct{} // of a gate; closed when it is released
	seq  int           // among what came since the driver last looked

	packet *packet // of a datagram

	limit int // how many bytes it brings at most; 0 for all
	late  delayState
	// What the rules said that were asked. Net.asking guards it.
	passed  [2][]*installed // those that said Pass: shapes apart from the others
	answers []ruleAnswer    // of the others
}

// String returns the event's name. It does not depend on how often the program
// ran, on ports or sizes:
//
//	dial d2 api.test:80
//	c1 server->client data
//	c1 client fin
//	c1 server rst
//	gate r1 PutIdleConn
//	c1 client read
//	accept api.test:80
//	packet u1 client->server 3
//
// The last is the third datagram that the client of a flow has sent. The flow u1 is the first
// pair of addresses between which one was sent, and its client the end that began.
func (e *Event) String() string {
	switch {
	case e.name != "":
		return e.name
	case e.packet != nil:
		return e.packet.String()
	case e.Kind == Gate || e.Kind == Accept:
		return e.Kind.String() + " " + e.Addr
	case e.Kind == Dial:
		return "dial " + e.DialID() + " " + e.Addr
	}
	return e.From.eventName(e.Kind)
}

// eventName returns the name of an event that brings what an end sends.
func (c *Conn) eventName(k Kind) string {
	i := slices.Index(arrivingKinds[:], k)
	if names := c.link.names; names != nil && i >= 0 {
		return names.events[c.side][i]
	}
	return nameOf(c.ID(), c.side, k)
}

func nameOf(id string, from Side, k Kind) string {
	if k == Data {
		return id + " " + from.String() + "->" + (1 - from).String() + " data"
	}
	return id + " " + from.String() + " " + k.String()
}

// arrivingKinds is the kinds of events that bring what an end sends.
var arrivingKinds = [...]Kind{Data, FIN, RST}

// connNames is the names of a connection, and of the events that bring what its ends send.
type connNames struct {
	id     string
	events [2][len(arrivingKinds)]string // by side
}

// firstNames is those of the first connections of each network: they are the same everywhere.
var firstNames = func() (all [16]connNames) {
	for i := range all {
		id := "c" + strconv.Itoa(i+1)
		all[i].id = id
		for side := range all[i].events {
			for k, kind := range arrivingKinds {
				all[i].events[side][k] = nameOf(id, Side(side), kind)
			}
		}
	}
	return all
}()

// DialID returns the name of the dial, "d1" for the first, or "" for other events.
func (e *Event) DialID() string {
	if e.dial == nil {
		return ""
	}
	if e.dial.number == 0 {
		return "d?"
	}
	return "d" + strconv.Itoa(e.dial.number)
}

// DialNumber returns the number in DialID, or 0.
func (e *Event) DialNumber() int {
	if e.dial == nil {
		return 0
	}
	return e.dial.number
}

// Opened returns the client's end of the connection that a dial opened, once the
// event was released; nil if it failed.
func (e *Event) Opened() *Conn {
	if e.dial == nil {
		return nil
	}
	return e.dial.conn
}

// Bytes returns a copy of what a Data or Packet event brings if it is released now.
func (e *Event) Bytes() []byte {
	if e.packet != nil {
		return slices.Clone(e.packet.b)
	}
	if e.Kind != Data {
		return nil
	}
	e.From.link.mu.Lock()
	defer e.From.link.mu.Unlock() // looking changes nothing
	return e.bytes()
}

// bytes does what Bytes does. It is called with the link's mutex held.
func (e *Event) bytes() []byte {
	in := &e.From.Peer().in
	k := max(0, min(in.buf.n, in.window)-in.arrived)
	b := make([]byte, min(k, cmp.Or(e.limit, k)))
	in.buf.peek(b, in.arrived, in.arrived+len(b))
	return b
}

// Arriving returns the bytes of a Data or Packet event that arrive at once when it happens
// with that verdict: less than Bytes if the verdict cuts it, and nothing if it is delayed.
func (e *Event) Arriving(v Verdict) []byte {
	if e.packet != nil {
		return slices.Concat(e.packets(e.net.normalCourse(e, v))...)
	}
	if e.Kind != Data {
		return nil
	}
	v = e.net.normalCourse(e, v)
	b := e.Bytes()
	switch row := v.row(); {
	case row.later != nil:
		return nil
	case row.firstOnly:
		return b[:min(len(b), v.bytes)]
	case row.change != nil:
		return row.change(v, b)
	}
	return b
}

// endAt ends the event at that byte of the stream at the latest: what follows is an
// event of its own. It reports whether the byte is still to come.
func (e *Event) endAt(b int64) bool {
	to := e.From.Peer()
	to.link.mu.Lock()
	defer to.link.mu.Unlock()
	before := b - to.in.taken - int64(to.in.arrived)
	if before > 0 && (e.limit == 0 || before < int64(e.limit)) {
		e.limit = int(min(before, math.MaxInt))
	}
	return before > 0
}

// offset returns how many bytes have arrived in the direction of an event before it.
func (e *Event) offset() int64 {
	if e.Kind&arriving == 0 {
		return 0
	}
	to := e.From.Peer()
	to.link.mu.Lock()
	defer to.link.mu.Unlock()
	return to.in.taken + int64(to.in.arrived)
}

// compareEvents orders the events of one step: they came in no order that means
// anything, so names decide.
func compareEvents(a, b *Event) int {
	if a.packet != nil && b.packet != nil {
		return a.packet.compare(b.packet, a, b)
	}
	if a.From == nil || b.From == nil {
		return cmp.Or(
			cmp.Compare(a.Kind, b.Kind),
			cmp.Compare(a.Addr, b.Addr),
			compareOwners(a.Owner, b.Owner),
			cmp.Compare(a.seq, b.seq))
	}
	return cmp.Or(
		cmp.Compare(a.From.link.number, b.From.link.number),
		cmp.Compare(a.From.side, b.From.side))
}

// compareOwners puts r2 before r10.
func compareOwners(a, b string) int {
	return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b))
}

// Record is an event that happened, and its outcome.
type Record struct {
	At      time.Time
	Event   string // the event's name
	Outcome string // the verdict's name, "open c1" for a dial that opened, or "" for the normal course
}

// String returns the event and its outcome, without the time.
func (r Record) String() string {
	if r.Outcome == "" {
		return r.Event
	}
	return r.Event + " " + r.Outcome
}
