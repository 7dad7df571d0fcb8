package faultnet

import (
	"net"
	"net/netip"
	"slices"
)

// faultState is the state of a network's faults that are no rules. The network's
// mutex guards it.
type faultState struct {
	late     []*Event                  // that wait for a delay to be over
	parted   map[string]Direction      // by host: see Net.Partition
	down     map[string]bool           // by host: see Net.Crash
	backlogs map[netip.AddrPort]int    // by the listener's address: see Net.Backlog
	routes   map[netip.AddrPort]string // from address to address: see Net.Route
	answers  map[string][]string       // by name: see Net.Resolve
	outside  []*listener               // see Net.WrapListener
}

// any reports whether anything of it can change what happens.
func (d *faultState) any() bool {
	return len(d.late) > 0 || len(d.parted) > 0 || len(d.down) > 0 || len(d.backlogs) > 0
}

// Direction is one direction of connections, or both.
type Direction uint8

const (
	ToServer Direction             = 1 << iota // what clients send to the host
	ToClient                                   // what the host sends to its clients
	BothWays = ToServer | ToClient             // what either sends
)

// String returns "client->server", "server->client" or "both".
func (d Direction) String() string {
	switch d {
	case ToServer:
		return "client->server"
	case ToClient:
		return "server->client"
	}
	return "both"
}

// Partition cuts a host off, in one direction or both: no SYN gets an answer,
// and nothing arrives on its connections any more. Neither end notices. TCP sends
// again what was lost: after [Net.Heal] everything arrives. Datagrams that come meanwhile
// are lost.
func (n *Net) Partition(host string, lost Direction) {
	n.mu.Lock()
	n.faults.parted = setKey(n.faults.parted, host, lost)
	n.setControlled()
	n.mu.Unlock()
	for _, c := range n.connsTo(host) {
		c.setClog(lost&ToClient != 0)
		c.Peer().setClog(lost&ToServer != 0)
	}
}

// Heal ends a Partition. Dials that wait get through when their next SYN is
// sent.
func (n *Net) Heal(host string) {
	n.mu.Lock()
	delete(n.faults.parted, host)
	n.setControlled()
	n.mu.Unlock()
	for _, c := range n.connsTo(host) {
		c.Unclog()
		c.Peer().Unclog()
	}
}

// connsTo returns the connections to a host, or to "host:port".
func (n *Net) connsTo(name string) []*Conn {
	return slices.DeleteFunc(n.Conns(), func(c *Conn) bool {
		host, _, _ := net.SplitHostPort(c.link.served)
		if isAny(host) {
			host, _, _ = net.SplitHostPort(c.link.address)
		}
		return host != name && c.link.served != name
	})
}

// Crash stops a machine without a word: no FIN, no reset. Its listeners and its
// ends of connections are gone, with net.ErrClosed for the program that has
// them, and whatever is sent to it is lost, until [Net.Restart].
func (n *Net) Crash(host string) {
	n.mu.Lock()
	n.faults.down = setKey(n.faults.down, host, true)
	n.setControlled()
	listeners := n.listenersWith(func(l *listener) bool { return n.names[l.at.Addr()] == host })
	for _, l := range listeners {
		delete(n.listeners, l.at)
	}
	n.mu.Unlock()
	for _, c := range n.socketsWith(func(c *PacketConn) bool { return n.names[c.at.Addr()] == host }) {
		c.Close()
	}
	for _, c := range n.connsTo(host) {
		c.Peer().die()
	}
	for _, l := range listeners {
		l.die()
	}
}

// Restart brings a machine back that Crash stopped. It knows nothing of its old
// connections: whatever their clients send is answered with a reset. Programs
// have to listen again.
func (n *Net) Restart(host string) {
	n.mu.Lock()
	delete(n.faults.down, host)
	n.setControlled()
	n.mu.Unlock()
	for _, c := range n.connsTo(host) {
		c.Peer().Unclog()
	}
}

// die stops an end whose machine has stopped.
func (c *Conn) die() {
	c.link.mu.Lock()
	defer c.link.unlock()
	c.link.mark("crash")
	if !c.closed {
		c.closed = true
		c.readDeadline.stop()
		c.writeDeadline.stop()
	}
	// What it had sent is on its way and arrives. What had arrived here is gone, and
	// what comes waits until the machine is back.
	c.in.arrived = 0
	c.clog(true)
	c.canRead.Broadcast()
	c.canWrite.Broadcast()
	c.link.advance()
}

// die closes the listener without a word to the connections of the backlog.
func (l *listener) die() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	l.backlog, l.ignored, l.first = nil, nil, 0
	l.deadline.stop()
	l.ready.Broadcast()
}

// Kill ends a program that listens on an address, as its kernel does: the
// listener is closed, and each of its connections with a FIN, or with a reset
// where bytes were not read.
func (n *Net) Kill(address string) {
	n.Unlisten(address)
	for _, c := range n.connsTo(address) {
		c.Peer().closeNow()
	}
}

// ResetAll resets every connection to an address at once, as a load balancer
// does that was restarted. Its listener stays.
func (n *Net) ResetAll(address string) {
	for _, c := range n.connsTo(address) {
		c.SetLinger(0)
		c.link.mu.Lock()
		c.breakBoth()
		c.link.advance()
		c.link.unlock()
	}
}

// Unlisten closes the listener on an address, and the socket for datagrams. Connections that
// were not accepted are reset; the others stay.
func (n *Net) Unlisten(address string) {
	for _, c := range n.socketsOn(address) {
		c.Close()
	}
	n.mu.Lock()
	listeners := n.listenersWith(func(l *listener) bool { return l.address == address })
	n.mu.Unlock()
	for _, l := range listeners {
		l.Close()
	}
}

// Pause stops the program that listens on an address, as SIGSTOP does: its
// kernel still accepts into the backlog and takes bytes into its buffers, but
// the program does nothing. The function it returns lets it go on.
func (n *Net) Pause(address string) (resume func()) {
	goOn := n.Install(func(e *Event) Verdict {
		switch {
		case e.Kind == Accept && e.Addr == address:
			return Block
		case e.Kind&(Read|Write|Close) != 0 && e.From != nil && e.From.side == Server && e.From.link.served == address:
			return Block
		}
		return Pass
	})
	for _, c := range n.connsTo(address) {
		// Calls that have begun stand still as well.
		end := c.Peer()
		end.block(&end.stuckRead, &Event{Kind: Read, From: end, net: n})
		end.block(&end.stuckWrite, &Event{Kind: Write, From: end, net: n})
	}
	sockets := n.socketsOn(address)
	for _, c := range sockets {
		c.pause(true)
	}
	return func() {
		goOn()
		for _, c := range sockets {
			c.pause(false)
		}
	}
}

// socketsOn returns the sockets for datagrams that listen on an address.
func (n *Net) socketsOn(address string) []*PacketConn {
	return n.socketsWith(func(c *PacketConn) bool { return c.address == address && c.peer == nil })
}

// Backlog bounds how many connections wait on an address to be accepted.
// Beyond that SYNs are dropped: a dial tries again after 1, 2, 4, ... seconds.
// Linux holds one more than the number that listen(2) is given.
func (n *Net) Backlog(address string, most int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	host, port, err := splitAddress(address)
	if err != nil {
		panic("faultnet: " + err.Error())
	}
	n.faults.backlogs = setKey(n.faults.backlogs, addrKey(n.host(host).ip, port), most)
	n.setControlled()
}

// Route sends the dials for one address to another, as a load balancer that
// changes its backend; an empty second address ends this. Open connections stay.
func (n *Net) Route(from, to string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	host, port, err := splitAddress(from)
	if err != nil {
		panic("faultnet: " + err.Error())
	}
	at := addrKey(n.host(host).ip, port)
	if to == "" {
		delete(n.faults.routes, at)
		return
	}
	n.faults.routes = setKey(n.faults.routes, at, to)
}

// Resolve sets what a lookup of the name answers from now on: hosts or IP
// addresses, which a dial tries one after the other. No host is an answer
// without an address.
func (n *Net) Resolve(name string, hosts ...string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.faults.answers = setKey(n.faults.answers, name, slices.Clone(hosts))
}

// MaxDescriptors leaves the clients of a network most descriptors: a dial beyond
// that fails with EMFILE. A dial that waits has a descriptor as well.
func (n *Net) MaxDescriptors(most int) (lift func()) {
	return n.install(&installed{rule: func(e *Event) Verdict {
		if e.Kind != Dial {
			return Pass
		}
		open := n.dialsBefore(e)
		for _, c := range n.Conns() {
			if !c.IsClosed() {
				open++
			}
		}
		if open < most {
			return Pass
		}
		return NoDescriptor
	}})
}

// setKey returns m with a key more; m may be nil.
func setKey[K comparable, V any](m map[K]V, key K, v V) map[K]V {
	if m == nil {
		m = make(map[K]V)
	}
	m[key] = v
	return m
}
