package faultnet

import (
	"cmp"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"
	"text/tabwriter"
)

// State returns the TCP state of this end (RFC 9293 section 3.3.2), in netstat's
// words. TIME_WAIT is shown as CLOSED, and CLOSING as LAST_ACK.
func (c *Conn) State() string {
	c.link.mu.Lock()
	defer c.link.mu.Unlock()
	return c.state()
}

func (c *Conn) state() string {
	sentFin, gotFin := c.writeShut, c.in.fin == flightArrived
	acked := c.Peer().in.fin == flightArrived
	switch {
	case c.gone():
		return "CLOSED"
	case !sentFin && !gotFin:
		return "ESTABLISHED"
	case !sentFin:
		return "CLOSE_WAIT"
	case !gotFin && !acked:
		return "FIN_WAIT1"
	case !gotFin:
		return "FIN_WAIT2"
	}
	return "LAST_ACK"
}

// IsClosed reports whether Close was called on this end.
func (c *Conn) IsClosed() bool {
	c.link.mu.Lock()
	defer c.link.mu.Unlock()
	return c.closed
}

// Closes returns how often Close was called. A program that has lost count of what
// owns a connection shows it here, and in LateWrites.
func (c *Conn) Closes() int {
	c.link.mu.Lock()
	defer c.link.mu.Unlock()
	return c.closes
}

// LateWrites returns how many calls of Write began after Close.
func (c *Conn) LateWrites() int {
	c.link.mu.Lock()
	defer c.link.mu.Unlock()
	return c.late
}

// Fault returns the name of the first fault that was done to the connection, at
// either end, or "". What is only late, or comes in other pieces than it was sent in,
// is no fault.
func (c *Conn) Fault() string {
	c.link.mu.Lock()
	defer c.link.mu.Unlock()
	return c.link.fault
}

// Ended returns the event by which the peer has ended the connection for this end, FIN or
// RST, or 0 while none has arrived.
func (c *Conn) Ended() Kind {
	c.link.mu.Lock()
	defer c.link.mu.Unlock()
	switch {
	case c.in.reset == flightArrived:
		return RST
	case c.in.fin == flightArrived:
		return FIN
	}
	return 0
}

// Arrived returns how many bytes have arrived at this end, read or not.
func (c *Conn) Arrived() int64 {
	c.link.mu.Lock()
	defer c.link.mu.Unlock()
	return c.in.taken + int64(c.in.arrived)
}

// Unread returns how many bytes arrived at this end and were not read.
func (c *Conn) Unread() int {
	c.link.mu.Lock()
	defer c.link.mu.Unlock()
	return c.in.arrived
}

// Reading reports whether a Read waits at this end.
func (c *Conn) Reading() bool {
	c.link.mu.Lock()
	defer c.link.mu.Unlock()
	return c.waitingReads > 0
}

// Writing reports whether a Write waits at this end.
func (c *Conn) Writing() bool {
	c.link.mu.Lock()
	defer c.link.mu.Unlock()
	return c.waitingWrites > 0
}

// InFlight returns how many bytes are on their way to this end.
func (c *Conn) InFlight() int {
	c.link.mu.Lock()
	defer c.link.mu.Unlock()
	return c.in.buf.n - c.in.arrived
}

// String returns a table of the connections as netstat would show them: for each
// its name, its address and owner, the state of both ends ("*" where the
// program has not closed that end), and for each direction the bytes in
// flight and unread. It names no port that depends on chance. A second table has the flows of
// datagrams: for each its name, its address, whether a socket of the client and of the server
// is open, and for each direction how many datagrams are in flight and unread.
func (n *Net) String() string {
	conns, flows := n.Conns(), n.flowsInOrder()
	if len(conns) == 0 && len(flows) == 0 {
		return "no connections\n"
	}
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	if len(conns) > 0 {
		n.writeConns(w, conns)
		w.Flush()
	}
	if len(flows) > 0 {
		n.writeFlows(w, flows)
		w.Flush()
	}
	lines := strings.Split(b.String(), "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return strings.Join(lines, "\n")
}

func (n *Net) writeConns(w io.Writer, conns []*Conn) {
	fmt.Fprintln(w, "conn\tto\tfor\tclient\tserver\t->server\t->client")
	for _, c := range conns {
		l := c.link
		l.mu.Lock()
		end := func(c *Conn) string {
			if c.closed {
				return c.state()
			}
			return c.state() + "*"
		}
		queue := func(in *inbound) string { return fmt.Sprintf("%d+%d", in.buf.n-in.arrived, in.arrived) }
		owner := l.owner
		if owner == "" {
			owner = "-"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", l.name(), l.address, owner,
			end(c), end(c.Peer()), queue(&c.Peer().in), queue(&c.in))
		l.mu.Unlock()
	}
}

// Flows returns how many pairs of addresses have sent each other datagrams so far.
func (n *Net) Flows() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.collect()
	return n.numFlows
}

// flowsInOrder returns the flows that have a name and an open socket, by their numbers.
func (n *Net) flowsInOrder() (flows []*flow) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, f := range n.flows {
		if f.number > 0 && (n.socketAt(f.at[Server], f.at[Client]) != nil || n.socketAt(f.at[Client], f.at[Server]) != nil) {
			flows = append(flows, f)
		}
	}
	slices.SortFunc(flows, func(a, b *flow) int { return cmp.Compare(a.number, b.number) })
	return flows
}

func (n *Net) writeFlows(w io.Writer, flows []*flow) {
	fmt.Fprintln(w, "flow\tto\tclient\tserver\t->server\t->client")
	coming := append(n.Pending(), n.Delayed()...)
	for _, f := range flows {
		var state, queue [2]string // by the side that gets what is sent
		for side := range f.at {
			inFlight, unread := 0, 0
			for _, e := range coming {
				if p := e.packet; p != nil && p.flow == f && p.side != Side(side) {
					inFlight++
				}
			}
			n.mu.Lock()
			c := n.socketAt(f.at[1-side], f.at[side])
			n.mu.Unlock()
			state[side] = "closed"
			if c != nil {
				state[side], unread = "open", c.waitingFrom(f.at[1-side])
			}
			queue[side] = fmt.Sprintf("%d+%d", inFlight, unread)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", f.name(), f.address, state[Client], state[Server], queue[Server], queue[Client])
	}
}

// waitingFrom returns how many packets of an address have arrived and were not read.
func (c *PacketConn) waitingFrom(from netip.AddrPort) (packets int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, d := range c.queue {
		if d.from == from {
			packets++
		}
	}
	return packets
}

// IsIdle reports whether the connection is open at both ends and nothing is on
// its way or unread in either direction.
func (c *Conn) IsIdle() bool {
	l := c.link
	l.mu.Lock()
	defer l.mu.Unlock()
	for side := range l.end {
		c := &l.end[side]
		if c.closed || c.dead || c.writeShut || c.in.buf.n > 0 || c.in.reset != flightUnsent ||
			c.in.clogged || c.stuckRead != nil || c.stuckWrite != nil {
			return false
		}
	}
	return !l.lost
}
