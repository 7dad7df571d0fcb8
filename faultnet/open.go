package faultnet

import (
	"net"
	"strconv"
	"syscall"
	"time"
)

// finishDial carries out the verdict on a dial.
func (n *Net) finishDial(e *Event, v Verdict) {
	d := e.dial
	fail := v.row().fail
	if fail == nil && n.dropped(e) {
		n.retransmit(e)
		return
	}
	if fail != nil {
		d.err = fail(e)
	} else {
		d.conn, d.err = n.openAs(e, v)
	}
	outcome := v.name
	if d.conn != nil {
		outcome = "open " + d.conn.ID()
	} else if d.outside && d.err == nil {
		outcome = "open"
	} else if outcome == "" {
		outcome = "failed"
	}
	n.log(e, outcome)
	if d.done != nil {
		close(d.done)
	}
}

// dropped reports whether the SYN of a dial has no answer now: its host is down
// or cut off, or its listener's backlog is full.
func (n *Net) dropped(e *Event) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	d := e.dial
	if d.target == nil || d.done == nil {
		return false
	}
	name := n.names[ipKey(d.target.IP)]
	if n.faults.down[name] || n.faults.parted[name] != 0 {
		return true
	}
	ln := n.listening(d.target)
	if ln == nil {
		return false
	}
	most, ok := n.faults.backlogs[ln.at]
	ln.mu.Lock()
	defer ln.mu.Unlock()
	return ok && len(ln.backlog)-ln.first+len(ln.ignored) >= most
}

// Linux sends a SYN again after 1, 2, 4, ... seconds, six times
// (tcp_syn_retries), and gives up 64 seconds after the last.
const (
	synRetries = 6
	synTimeout = 127 * time.Second
)

// retransmit sends the SYN of a dial, which was dropped, again in a while, until
// the kernel gives up.
func (n *Net) retransmit(e *Event) {
	wait := time.Second << e.late.tries
	e.late.tries++
	n.log(e, "dropped")
	if e.late.tries > synRetries {
		n.later(e, wait, TimeOut)
		return
	}
	n.later(e, wait, Pass)
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
	lost := n.faults.parted[n.names[ipKey(e.dial.target.IP)]]
	n.mu.Unlock()
	if lost != 0 {
		c.setClog(lost&ToClient != 0)
		c.Peer().setClog(lost&ToServer != 0)
	}
	return c, nil
}

// open makes the connection that a dial asked for, if a program listens.
func (n *Net) open(e *Event) (*Conn, error) {
	d := e.dial
	n.mu.Lock()
	defer n.mu.Unlock()
	n.nameDial(e)
	if d.target == nil {
		return nil, NoHost.effect.fail(e)
	}
	ln := n.listening(d.target)
	if ln == nil {
		errno := syscall.ECONNREFUSED
		ip := reached(d.target.IP)
		if _, ok := n.names[ipKey(ip)]; !ok && !ip.IsLoopback() {
			errno = syscall.EHOSTUNREACH
		}
		return nil, connectError(d.network, d.target, errno)
	}
	l := &link{dial: d.number, owner: e.Owner, address: e.Addr, served: ln.address}
	client, server := n.host("client").ip, reached(d.target.IP)
	if server.IsLoopback() {
		client = server
	}
	l.remote = addrKey(server, d.target.Port)
	taken := n.portsTo(l.remote)
	port := n.ephemeral(func(port int) bool { return taken[port] })
	if port == 0 {
		return nil, connectError(d.network, d.target, syscall.EADDRNOTAVAIL)
	}
	l.local, l.v6 = addrKey(client, port), ln.addr.(*net.TCPAddr).IP.To4() == nil
	n.connect(l)
	l.end[Client].network, l.end[Server].network = d.network, ln.network
	ln.deliver(&l.end[Server], d.unaccepted)
	return &l.end[Client], nil
}

// listening returns the listener that dials to an address reach, or nil. It is
// called with mu held.
func (n *Net) listening(addr *net.TCPAddr) *listener {
	at := addrKey(reached(addr.IP), addr.Port)
	if to, ok := n.faults.routes[at]; ok {
		host, port, err := splitAddress(to)
		if err != nil {
			return nil
		}
		at = addrKey(n.host(host).ip, port)
	}
	if l := n.listeners[at]; l != nil {
		return l
	}
	if n.names[at.Addr()] == "" && !at.Addr().IsLoopback() {
		return nil
	}
	return n.listeningEverywhere(int(at.Port()))
}

// reached returns the address that a dial to ip reaches, in the form that a socket has:
// of the address of every host it is the loopback address.
func reached(ip net.IP) net.IP {
	if ip.IsUnspecified() {
		ip = net.IPv4(127, 0, 0, 1)
	}
	if ip4 := ip.To4(); ip4 != nil {
		return ip4
	}
	return ip
}

// connect gives a link its number, its buffers and its ends. It is called with
// mu held.
func (n *Net) connect(l *link) {
	n.numLinks++
	l.net, l.clock, l.number = n, n.clock(), n.numLinks
	l.posted = l.first[:0]
	if i := l.number - 1; i < len(firstNames) {
		l.names, l.id = &firstNames[i], firstNames[i].id
	} else {
		l.id = "c" + strconv.Itoa(l.number)
	}
	for side := range l.end {
		c := &l.end[side]
		c.link, c.side = l, Side(side)
		c.in.window, c.sending = bufferSize(n.ReceiveBuffer), bufferSize(n.SendBuffer)
		c.canRead.L, c.canWrite.L = &l.mu, &l.mu
	}
	if n.links == nil {
		n.links = make(map[*link]struct{})
	}
	n.links[l] = struct{}{}
	if n.driven.Load() {
		l.touched = true
		n.touched = append(n.touched, l)
	}
}

func bufferSize(bytes int) int {
	if bytes <= 0 {
		return 64 << 10
	}
	return bytes
}

// dialsBefore counts the dials that wait and came before e.
func (n *Net) dialsBefore(e *Event) (count int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, waiting := range [...][]*Event{n.pending, n.faults.late} {
		for _, w := range waiting {
			if w.Kind == Dial && w.dial.number < e.dial.number {
				count++
			}
		}
	}
	return count
}
