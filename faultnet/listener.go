package faultnet

import (
	"cmp"
	"net"
	"net/netip"
	"os"
	"slices"
	"sync"
	"syscall"
	"time"
)

// Listen listens on "host:port", and makes the host if it is new. Port 0 is
// any free port; an empty host is localhost, and "0.0.0.0" is every host that
// does not listen on the port itself. The listener's Accept returns a
// [*Conn], and it has a SetDeadline as that of [net.TCPListener].
func (n *Net) Listen(network, address string) (net.Listener, error) {
	fail := func(addr net.Addr, err error) (net.Listener, error) {
		return nil, &net.OpError{Op: "listen", Net: network, Addr: addr, Err: err}
	}
	switch network {
	case "tcp", "tcp4", "tcp6":
	default:
		return fail(nil, net.UnknownNetworkError(network))
	}
	name, port, err := splitAddress(address)
	if err != nil {
		return fail(nil, err)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	ip := n.host(name).ip
	if !suitsNetwork(network, ip) {
		return fail(nil, noSuitableAddress(name))
	}
	if port == 0 {
		port = n.ephemeral(func(port int) bool { return n.bound(ip, port) })
	}
	addr := tcpAddr(ip, port)
	if port == 0 || n.bound(ip, port) {
		addr.IP = addr.IP.To16() // as package net reads it
		return fail(addr, os.NewSyscallError("bind", syscall.EADDRINUSE))
	}
	if ip.IsUnspecified() && network == "tcp" {
		addr.IP = slices.Clone(net.IPv6unspecified) // which takes IPv4 as well
	}
	l := &listener{net: n, network: network, addr: addr, at: addrKey(ip, port), address: address}
	l.ready.L = &l.mu
	if n.listeners == nil {
		n.listeners = make(map[netip.AddrPort]*listener)
	}
	n.listeners[l.at] = l
	return l, nil
}

// bound reports whether a program listens on an address, or on the same port of
// every address while this is a local one. It is called with mu held.
func (n *Net) bound(ip net.IP, port int) bool {
	switch {
	case n.listeners[addrKey(ip, port)] != nil:
		return true
	case ip.IsUnspecified():
		return n.listeners[addrKey(net.IPv4(127, 0, 0, 1), port)] != nil
	}
	return ip.IsLoopback() && n.listeningEverywhere(port) != nil
}

// listeningEverywhere returns the listener on a port of every address, or nil. It is
// called with mu held.
func (n *Net) listeningEverywhere(port int) *listener {
	return cmp.Or(n.listeners[addrKey(net.IPv4zero, port)], n.listeners[addrKey(net.IPv6zero, port)])
}

// listenersWith returns the listeners that are wanted, in the order of their
// addresses. It is called with mu held.
func (n *Net) listenersWith(wanted func(*listener) bool) (listeners []*listener) {
	for _, l := range n.listeners {
		if wanted(l) {
			listeners = append(listeners, l)
		}
	}
	slices.SortFunc(listeners, func(a, b *listener) int { return a.at.Compare(b.at) })
	return listeners
}

type listener struct {
	net     *Net
	network string
	addr    net.Addr
	at      netip.AddrPort // where dials reach it
	address string         // as it was asked for
	real    net.Listener   // of another network: see Net.WrapListener

	mu       sync.Mutex
	ready    sync.Cond
	backlog  []*Conn // not accepted yet, from first on
	first    int
	ignored  []*Conn // never accepted
	stuck    *Event  // an Accept that a rule blocks
	deadline deadline
	closed   bool
}

func (l *listener) Addr() net.Addr { return l.addr }

func (l *listener) Accept() (net.Conn, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for {
		switch {
		case l.closed:
			return nil, l.opError("accept", net.ErrClosed)
		case l.deadline.passed(l.net.clock()):
			return nil, l.opError("accept", os.ErrDeadlineExceeded)
		case l.first < len(l.backlog):
			if !l.net.calls.Load() {
				return l.next().outside(), nil
			}
			if c, err := l.ruledNext(); err != nil {
				return nil, err
			} else if c != nil {
				return c.outside(), nil
			}
			continue
		}
		if l.real == nil {
			l.ready.Wait()
		} else if err := l.acceptReal(); err != nil {
			return nil, err
		}
	}
}

// next takes the first of the backlog, which must not keep it from being
// collected.
func (l *listener) next() *Conn {
	c := l.backlog[l.first]
	l.backlog[l.first] = nil
	l.first++
	if l.first == len(l.backlog) {
		l.backlog, l.first = l.backlog[:0], 0
	}
	return c
}

// SetDeadline sets the instant from which Accept fails. Unlike that of a
// connection its error is bare, as in package net.
func (l *listener) SetDeadline(t time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return net.ErrClosed
	}
	l.deadline.move(l.net.clock(), t, &l.ready)
	if d, ok := l.real.(interface{ SetDeadline(time.Time) error }); ok {
		return d.SetDeadline(t)
	}
	return nil
}

// Close stops listening. Connections that were not accepted are reset.
func (l *listener) Close() error {
	l.net.mu.Lock()
	if l.net.listeners[l.at] == l {
		delete(l.net.listeners, l.at)
	}
	l.net.faults.outside = slices.DeleteFunc(l.net.faults.outside, func(o *listener) bool { return o == l })
	l.net.mu.Unlock()
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return l.opError("close", net.ErrClosed)
	}
	l.closed = true
	backlog := append(l.backlog[l.first:], l.ignored...)
	l.backlog, l.ignored, l.first = nil, nil, 0
	l.deadline.stop()
	l.ready.Broadcast()
	l.mu.Unlock()
	for _, c := range backlog {
		c.Reset()
	}
	if l.real != nil {
		return l.real.Close()
	}
	return nil
}

func (l *listener) opError(op string, err error) error {
	return &net.OpError{Op: op, Net: l.network, Addr: l.addr, Err: err}
}

// deliver puts the server's end of a connection into the backlog, and reports
// whether the listener is open. One that is still in the network's list is.
func (l *listener) deliver(c *Conn, unaccepted bool) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.closed:
	case unaccepted:
		l.ignored = append(l.ignored, c)
	default:
		l.backlog = append(l.backlog, c)
	}
	l.ready.Signal()
	return !l.closed
}
