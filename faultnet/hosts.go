package faultnet

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"github.com/halfopen/halfopen/clock"
)

// disturbance is what a network remembers of the faults of its hosts. All of it
// is guarded by the network's mutex.
type disturbance struct {
	late     []*Event                  // who waits for a delay to be over
	parted   map[string]Direction      // by host: see Net.Partition
	down     map[string]bool           // by host: see Net.Crash
	backlogs map[netip.AddrPort]int    // by the listener's address: see Net.Backlog
	routes   map[netip.AddrPort]string // from address to address: see Net.Route
	answers  map[string][]string       // by name: see Net.Resolve
	outside  []*listener               // see Net.WrapListener
}

// any reports whether anything of it can change what happens.
func (d *disturbance) any() bool {
	return len(d.late) > 0 || len(d.parted) > 0 || len(d.down) > 0 || len(d.backlogs) > 0
}

// Direction is one direction of connections, or both.
type Direction uint8

const (
	ToServer Direction = 1 << iota // what clients send to the host
	ToClient                       // what the host sends to its clients
	BothWays = ToServer | ToClient
)

// String is "client->server", "server->client" or "both".
func (d Direction) String() string {
	switch d {
	case ToServer:
		return "client->server"
	case ToClient:
		return "server->client"
	}
	return "both"
}

// ParseDirection reads the name of a direction.
func ParseDirection(s string) (Direction, error) {
	for _, d := range [...]Direction{ToServer, ToClient, BothWays} {
		if d.String() == s {
			return d, nil
		}
	}
	return 0, fmt.Errorf("bad direction %q: want client->server or server->client", s)
}

// Partition cuts a host off, in one direction or both: no SYN gets an answer,
// and nothing arrives on its connections any more. Nobody is told. TCP sends
// again what was lost: after [Net.Heal] everything arrives.
func (n *Net) Partition(host string, lost Direction) {
	n.mu.Lock()
	n.disturbed.parted = with(n.disturbed.parted, host, lost)
	n.setControlled()
	n.mu.Unlock()
	for _, c := range n.to(host) {
		c.setClog(lost&ToClient != 0)
		c.Peer().setClog(lost&ToServer != 0)
	}
}

// Heal ends a Partition. Dials that wait get through when their next SYN is
// sent.
func (n *Net) Heal(host string) {
	n.mu.Lock()
	delete(n.disturbed.parted, host)
	n.setControlled()
	n.mu.Unlock()
	for _, c := range n.to(host) {
		c.Unclog()
		c.Peer().Unclog()
	}
}

// to is the connections to a host, or to "host:port".
func (n *Net) to(name string) []*Conn {
	return slices.DeleteFunc(n.Conns(), func(c *Conn) bool {
		host, _, _ := net.SplitHostPort(c.link.served)
		return host != name && c.link.served != name
	})
}

// Crash stops a machine without a word: no FIN, no reset. Its listeners and its
// ends of connections are gone, with net.ErrClosed for the program that has
// them, and whatever is sent to it is lost, until [Net.Restart].
func (n *Net) Crash(host string) {
	n.mu.Lock()
	n.disturbed.down = with(n.disturbed.down, host, true)
	n.setControlled()
	var listeners []*listener
	for addr, l := range n.listeners {
		if n.names[addr.Addr()] == host {
			listeners = append(listeners, l)
			delete(n.listeners, addr)
		}
	}
	n.mu.Unlock()
	for _, c := range n.to(host) {
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
	delete(n.disturbed.down, host)
	n.setControlled()
	n.mu.Unlock()
	for _, c := range n.to(host) {
		c.Peer().Unclog()
	}
}

// die is the end of an end whose machine has stopped.
func (c *Conn) die() {
	c.link.mu.Lock()
	defer c.link.unlock()
	if !c.closed {
		c.closed = true
		c.readDeadline.stop()
		c.writeDeadline.stop()
	}
	// What was sent before is on its way. What comes waits at a dead machine.
	c.in.arrived = 0
	c.clog(true)
	c.canRead.Broadcast()
	c.canWrite.Broadcast()
	c.link.advance()
}

// die is Close without a word to those in the backlog.
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
	for _, c := range n.to(address) {
		c.Peer().closeNow()
	}
}

// Sever resets every connection to an address at once, as a load balancer
// does that was restarted. Its listener stays.
func (n *Net) Sever(address string) {
	for _, c := range n.to(address) {
		c.SetLinger(0)
		c.link.mu.Lock()
		c.breakBoth()
		c.link.advance()
		c.link.unlock()
	}
}

// Unlisten closes the listener on an address. Connections that were not
// accepted are reset; the others stay.
func (n *Net) Unlisten(address string) {
	n.mu.Lock()
	var found *listener
	for _, l := range n.listeners {
		if l.address == address {
			found = l
		}
	}
	n.mu.Unlock()
	if found != nil {
		found.Close()
	}
}

// Pause stops the program that listens on an address, as SIGSTOP does: its
// kernel still accepts into the backlog and takes bytes into its buffers, but
// the program does nothing. The function it returns lets it go on.
func (n *Net) Pause(address string) (resume func()) {
	resume = n.Install(func(e *Event) Verdict {
		switch {
		case e.Kind == Accept && e.Addr == address:
			return Block
		case e.Kind&(Read|Write|Close) != 0 && e.From != nil && e.From.side == Server && e.From.link.served == address:
			return Block
		}
		return Pass
	})
	for _, c := range n.to(address) {
		// Calls that have begun stand still as well.
		end := c.Peer()
		end.block(&end.stuckRead, &Event{Kind: Read, From: end, net: n})
		end.block(&end.stuckWrite, &Event{Kind: Write, From: end, net: n})
	}
	return resume
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
	n.disturbed.backlogs = with(n.disturbed.backlogs, key(n.host(host).ip, port), most)
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
	at := key(n.host(host).ip, port)
	if to == "" {
		delete(n.disturbed.routes, at)
		return
	}
	n.disturbed.routes = with(n.disturbed.routes, at, to)
}

// listening is the listener that dials to an address reach, or nil. It is
// called with mu held.
func (n *Net) listening(addr *net.TCPAddr) *listener {
	at := key(addr.IP, addr.Port)
	if to, ok := n.disturbed.routes[at]; ok {
		host, port, err := splitAddress(to)
		if err != nil {
			return nil
		}
		at = key(n.host(host).ip, port)
	}
	return n.listeners[at]
}

// Resolve is what a lookup of the name answers from now on: hosts or IP
// addresses, which a dial tries one after the other. No host is an answer
// without an address.
func (n *Net) Resolve(name string, hosts ...string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.disturbed.answers = with(n.disturbed.answers, name, slices.Clone(hosts))
}

func (n *Net) answer(name string) ([]string, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	a, ok := n.disturbed.answers[name]
	return a, ok
}

// dialEach dials the hosts of an answer in their order until one opens, as
// net.Dialer does with addresses of one family: each has its share of the time
// that the context leaves, but at least two seconds, and the first error is the
// one that is returned.
func (n *Net) dialEach(ctx context.Context, network, name string, hosts []string, port int) (net.Conn, error) {
	if len(hosts) == 0 {
		return nil, dialError(network, nil, unsuitable(name))
	}
	var first error
	for i, host := range hosts {
		try, cancel := ctx, context.CancelFunc(func() {})
		if deadline, ok := ctx.Deadline(); ok && i < len(hosts)-1 {
			share := n.clock().Until(deadline) / time.Duration(len(hosts)-i)
			try, cancel = clock.WithTimeout(ctx, n.clock(), max(share, 2*time.Second))
		}
		c, err := n.DialContext(try, network, net.JoinHostPort(host, strconv.Itoa(port)))
		cancel()
		if err == nil {
			return c, nil
		}
		if first == nil {
			first = err
		}
		if ctx.Err() != nil {
			break
		}
	}
	return nil, first
}

// Descriptors leaves the clients of a network most descriptors: a dial beyond
// that fails with EMFILE. A dial that waits has a descriptor as well.
func (n *Net) Descriptors(most int) (lift func()) {
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

// dialsBefore is how many dials wait that came before e.
func (n *Net) dialsBefore(e *Event) (count int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, waiting := range [...][]*Event{n.pending, n.disturbed.late} {
		for _, w := range waiting {
			if w.Kind == Dial && w.dial.number < e.dial.number {
				count++
			}
		}
	}
	return count
}

// openAs opens the connection of a dial, and does to it what the verdict says.
func (n *Net) openAs(e *Event, v Verdict) (*Conn, error) {
	if e.dial.verdict = v; e.dial.outside {
		return nil, nil
	}
	e.dial.unaccepted = v.row().opened != nil
	c, err := n.open(e)
	if err != nil {
		return c, err
	}
	if opened := v.row().opened; opened != nil {
		opened(c)
	}
	n.mu.Lock()
	lost := n.disturbed.parted[n.names[ipKey(e.dial.target.IP)]]
	n.mu.Unlock()
	if lost != 0 {
		c.setClog(lost&ToClient != 0)
		c.Peer().setClog(lost&ToServer != 0)
	}
	return c, nil
}

// ended is the error of a dial whose context ended.
func (d *dialing) ended(name string, err error) error {
	if !d.looking {
		return dialError(d.network, d.remote(), contextError(err))
	}
	dns := &net.DNSError{Err: errCanceled.Error(), Name: name, UnwrapErr: errCanceled}
	if errors.Is(err, context.DeadlineExceeded) {
		dns.Err, dns.UnwrapErr, dns.IsTimeout, dns.IsTemporary = errDialTimeout.Error(), errDialTimeout, true, true
	}
	return dialError(d.network, nil, dns)
}

// with is m with a key more; m may be nil.
func with[K comparable, V any](m map[K]V, key K, v V) map[K]V {
	if m == nil {
		m = make(map[K]V)
	}
	m[key] = v
	return m
}
