package faultnet

import (
	"cmp"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"syscall"
)

// flow is the packets that two addresses send to each other. Its client is the one that sent
// the first.
type flow struct {
	number  int // from 1; 0 until it is named
	address string
	at      [2]netip.AddrPort // by side
	sent    [2]int            // packets, by the side that sends
}

func (f *flow) name() string {
	if f.number == 0 {
		return "u?"
	}
	return "u" + strconv.Itoa(f.number)
}

// flows maps the addresses of a client and a server to their flow. Net.mu guards them.
type flows map[[2]netip.AddrPort]*flow

// forget takes away the flows whose client had an address that another socket gets.
func (fs flows) forget(at netip.AddrPort) {
	for key := range fs {
		if key[Client] == at || at.Addr().IsUnspecified() && key[Client].Port() == at.Port() {
			delete(fs, key)
		}
	}
}

// packet holds the datagram of a Packet event.
type packet struct {
	flow   *flow
	side   Side // that sent it
	number int  // from 1, among those that this side has sent
	from   *PacketConn
	b      []byte
	behind bool // it arrives behind the next one: see Reorder
}

// compare orders the packets of one step: by their flows, those without a name last.
func (p *packet) compare(q *packet, a, b *Event) int {
	if p.flow != q.flow {
		const last = 1 << 62
		return cmp.Or(
			cmp.Compare(cmp.Or(p.flow.number, last), cmp.Or(q.flow.number, last)),
			cmp.Compare(p.flow.address, q.flow.address),
			cmp.Compare(a.seq, b.seq))
	}
	return cmp.Or(cmp.Compare(p.side, q.side), cmp.Compare(p.number, q.number))
}

// namePacket gives a packet's flow its number. It is called with mu held.
func (n *Net) namePacket(e *Event) {
	p := e.packet
	if p.flow.number == 0 {
		n.numFlows++
		p.flow.number = n.numFlows
	}
	e.name = p.String()
}

func (p *packet) String() string {
	return "packet " + p.flow.name() + " " + p.side.String() + "->" + (1 - p.side).String() + " " + strconv.Itoa(p.number)
}

// Flow returns the number of the flow that a Packet event is of, the number of the packet
// among those that its side has sent, both from 1, and the side. Of other events it returns
// zeros.
func (e *Event) Flow() (flow, packet int, from Side) {
	if e.packet == nil {
		return 0, 0, Client
	}
	return e.packet.flow.number, e.packet.number, e.packet.side
}

// send sends a packet. What it brings is copied.
func (n *Net) send(c *PacketConn, to netip.AddrPort, b []byte) {
	e := &Event{Kind: Packet, net: n, packet: &packet{from: c, b: slices.Clone(b)}}
	n.mu.Lock()
	from := c.at
	if from.Addr().IsUnspecified() {
		ip, ok := c.reached[to]
		if !ok {
			ip = n.sourceTo(to.Addr())
		}
		from = netip.AddrPortFrom(ip, from.Port())
	}
	f, side := n.flow(from, to)
	f.sent[side]++
	e.packet.flow, e.packet.side, e.packet.number = f, side, f.sent[side]
	e.Addr = f.address
	n.mu.Unlock()
	if n.controlled.Load() {
		n.post(e)
		return
	}
	n.deliver(e, Pass)
}

// flow returns the flow between two addresses, and the side of the first. It is called with mu
// held.
func (n *Net) flow(from, to netip.AddrPort) (*flow, Side) {
	if f := n.flows[[2]netip.AddrPort{from, to}]; f != nil {
		return f, Client
	}
	if f := n.flows[[2]netip.AddrPort{to, from}]; f != nil {
		return f, Server
	}
	f := &flow{at: [2]netip.AddrPort{from, to}, address: to.String()}
	if name := n.names[to.Addr()]; name != "" {
		f.address = net.JoinHostPort(name, strconv.Itoa(int(to.Port())))
	}
	n.flows = setKey(n.flows, f.at, f)
	return f, Client
}

// What a packet comes to that does not arrive, in the trace.
const (
	packetLost    = "lost"    // a host is down or cut off, or there is none
	packetRefused = "refused" // no socket has the port
	packetDropped = "no room" // the receive buffer is full
)

// deliver carries out the verdict on a packet.
func (n *Net) deliver(e *Event, v Verdict) {
	p, outcome := e.packet, v.name
	if errno := v.row().unreachable; errno != 0 {
		p.from.fail(errno, p.flow.at[1-p.side])
	}
	for _, b := range e.packets(v) {
		outcome = cmp.Or(outcome, n.arrive(p, b))
	}
	n.log(e, outcome)
	n.overtake(p)
}

// packets returns what arrives in place of a packet that happens with that verdict.
func (e *Event) packets(v Verdict) [][]byte {
	b := slices.Clone(e.packet.b)
	switch row := v.row(); {
	case row.later != nil, row.unreachable != 0:
		return nil
	case row.packets != nil:
		return row.packets(v, b)
	case row.change != nil:
		return [][]byte{row.change(v, b)}
	}
	return [][]byte{b}
}

// arrive brings a packet to the socket that it is for, and returns what has come in between,
// or "".
func (n *Net) arrive(p *packet, b []byte) (outcome string) {
	from, to := p.flow.at[p.side], p.flow.at[1-p.side]
	n.mu.Lock()
	sender, receiver := n.names[from.Addr()], n.names[to.Addr()]
	c := n.socketAt(from, to)
	switch {
	case n.faults.down[receiver], n.faults.parted[receiver]&ToServer != 0, n.faults.parted[sender]&ToClient != 0,
		c == nil && receiver == "" && !to.Addr().IsLoopback():
		outcome = packetLost
	case c == nil:
		outcome = packetRefused
	case c.at.Addr().IsUnspecified() && !to.Addr().IsLoopback():
		c.reached = setKey(c.reached, from, to.Addr())
	}
	n.mu.Unlock()
	switch {
	case outcome == packetRefused:
		p.from.fail(syscall.ECONNREFUSED, to)
	case outcome == "" && !c.take(datagram{b, from}):
		outcome = packetDropped
	}
	return outcome
}

// putBehind delays a packet until the next one of its direction has arrived.
func (e *Event) putBehind(v Verdict) delay {
	e.packet.behind = true
	return delay{d: v.d}
}

// overtake ends the delay of those packets that were to arrive behind p.
func (n *Net) overtake(p *packet) {
	n.mu.Lock()
	var due []*Event
	for _, e := range n.faults.late {
		if q := e.packet; q != nil && q.behind && q.flow == p.flow && q.side == p.side && q.number < p.number {
			due = append(due, e)
		}
	}
	n.mu.Unlock()
	for _, e := range due {
		n.due(e)
	}
}
