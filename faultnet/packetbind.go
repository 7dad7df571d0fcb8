package faultnet

import (
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"syscall"
)

// ListenPacket opens a socket for datagrams on "host:port", a [*PacketConn], and makes the
// host if it is new. The network is "udp", "udp4" or "udp6". Port 0 is any free port. An
// empty host is every address, as in package net: such a socket sends from the host "client",
// and gets what is sent to any host where no program has the port.
func (n *Net) ListenPacket(network, address string) (net.PacketConn, error) {
	fail := func(addr net.Addr, err error) (net.PacketConn, error) {
		return nil, &net.OpError{Op: "listen", Net: network, Addr: addr, Err: err}
	}
	if !isPacketNetwork(network) {
		return fail(nil, net.UnknownNetworkError(network))
	}
	name, port, err := splitPacketAddress(network, address)
	if err != nil {
		return fail(nil, err)
	}
	everywhere := strings.HasPrefix(address, ":")
	if everywhere {
		name = "0.0.0.0"
		if network == "udp6" {
			name = "::"
		}
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	ip := n.host(name).ip
	if !suitsNetwork(network, ip) {
		return fail(nil, noSuitableAddress(name))
	}
	c := &PacketConn{network: network, address: address, at: addrKey(ip, port)}
	c.v6 = ip.To4() == nil || network == "udp" && ip.IsUnspecified()
	if err := n.bind(c); err != nil {
		addr := &net.UDPAddr{IP: slices.Clone(ip.To16()), Port: port}
		if everywhere {
			addr.IP = nil
		}
		return fail(addr, os.NewSyscallError("bind", err))
	}
	return c, nil
}

// DialPacket opens a socket for datagrams, a [*PacketConn], that sends to "host:port" and gets
// what comes from there. Nothing is sent: a dial is no event, and one to a host where no
// program has the port succeeds. A name that nothing ever listened on does not resolve
// ([net.DNSError]).
func (n *Net) DialPacket(network, address string) (net.Conn, error) {
	if !isPacketNetwork(network) {
		return nil, dialError(network, nil, net.UnknownNetworkError(network))
	}
	name, port, err := splitPacketAddress(network, address)
	if err != nil {
		return nil, dialError(network, nil, err)
	}
	name, err = n.alias(name)
	if err != nil {
		return nil, dialError(network, nil, err)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	ip := parseIP(name)
	if ip == nil {
		if !n.resolves(name) {
			return nil, dialError(network, nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true})
		}
		ip = n.host(name).ip
	}
	if !suitsNetwork(network, ip) {
		return nil, dialError(network, nil, noSuitableAddress(name))
	}
	ip = reached(ip)
	c := &PacketConn{network: network, address: address, v6: ip.To4() == nil, remote: addrKey(ip, port)}
	c.at = netip.AddrPortFrom(n.sourceTo(c.remote.Addr()), 0)
	c.peer = c.socketAddr(c.remote)
	if err := n.bind(c); err != nil {
		return nil, connectError(network, c.peer, syscall.EADDRNOTAVAIL)
	}
	return c, nil
}

func isPacketNetwork(network string) bool {
	return network == "udp" || network == "udp4" || network == "udp6"
}

// splitPacketAddress splits "host:port" as splitAddress does. A service that has no port is not
// found by a lookup.
func splitPacketAddress(network, address string) (host string, port int, err error) {
	host, port, err = splitAddress(address)
	if e, ok := err.(*net.AddrError); ok && e.Err == "unknown port" {
		_, service, _ := net.SplitHostPort(address)
		err = &net.DNSError{Err: e.Err, Name: network + "/" + service, IsNotFound: true}
	}
	return host, port, err
}

// alias returns the first host of what a lookup of the name answers, see Resolve, or the name
// itself.
func (n *Net) alias(name string) (string, error) {
	for range 8 {
		hosts, ok := n.answer(name)
		switch {
		case !ok:
			return name, nil
		case len(hosts) == 0:
			return "", noSuitableAddress(name)
		}
		name = hosts[0]
	}
	return "", &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
}

// sourceTo returns the address from which a host sends that does not say any. It is called
// with mu held.
func (n *Net) sourceTo(to netip.Addr) netip.Addr {
	switch {
	case to.Is4() && to.IsLoopback():
		return netip.AddrFrom4([4]byte{127, 0, 0, 1})
	case to.IsLoopback():
		return to
	}
	return ipKey(n.host("client").ip)
}

// bind gives a socket its port and its addresses, and puts it on the network. It is called
// with mu held.
func (n *Net) bind(c *PacketConn) error {
	if c.at.Port() == 0 {
		port := n.ephemeral(func(port int) bool { return n.boundPacket(netip.AddrPortFrom(c.at.Addr(), uint16(port))) })
		if port == 0 {
			return syscall.EADDRINUSE
		}
		c.at = netip.AddrPortFrom(c.at.Addr(), uint16(port))
	} else if n.boundPacket(c.at) {
		return syscall.EADDRINUSE
	}
	c.net, c.canRead.L = n, &c.mu
	c.room = defaultBuffer
	if n.ReceiveBuffer > 0 {
		c.room = n.ReceiveBuffer
	}
	local := c.socketAddr(c.at)
	if c.v6 && c.at.Addr().IsUnspecified() {
		local.IP = slices.Clone(net.IPv6unspecified)
	}
	c.local = local
	n.flows.forget(c.at)
	n.sockets = setKey(n.sockets, c.at, c)
	return nil
}

// boundPacket reports whether a socket has an address, or the port of every one. It is called
// with mu held.
func (n *Net) boundPacket(at netip.AddrPort) bool {
	if at.Addr().IsUnspecified() {
		for other := range n.sockets {
			if other.Port() == at.Port() && (other.Addr().IsLoopback() || other.Addr().IsUnspecified()) {
				return true
			}
		}
		return false
	}
	return n.sockets[at] != nil || at.Addr().IsLoopback() && n.boundEverywhere(at.Port()) != nil
}

// boundEverywhere returns the socket on a port of every address, or nil. It is called with mu
// held.
func (n *Net) boundEverywhere(port uint16) *PacketConn {
	if c := n.sockets[netip.AddrPortFrom(netip.IPv4Unspecified(), port)]; c != nil {
		return c
	}
	return n.sockets[netip.AddrPortFrom(netip.IPv6Unspecified(), port)]
}

// unbind takes a socket from the network.
func (n *Net) unbind(c *PacketConn) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.sockets[c.at] == c {
		delete(n.sockets, c.at)
	}
}

// socketAt returns the socket that gets a packet from one address to another, or nil. It is
// called with mu held.
func (n *Net) socketAt(from, to netip.AddrPort) *PacketConn {
	c := n.sockets[to]
	if c == nil && (n.names[to.Addr()] != "" || to.Addr().IsLoopback()) {
		c = n.boundEverywhere(to.Port())
	}
	if c == nil || c.remote.IsValid() && c.remote != from {
		return nil
	}
	return c
}

// PacketConns returns the sockets for datagrams that are open, in the order of their
// addresses.
func (n *Net) PacketConns() []*PacketConn {
	return n.socketsWith(func(*PacketConn) bool { return true })
}

func (n *Net) socketsWith(wanted func(*PacketConn) bool) (sockets []*PacketConn) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, c := range n.sockets {
		if wanted(c) {
			sockets = append(sockets, c)
		}
	}
	slices.SortFunc(sockets, func(a, b *PacketConn) int { return a.at.Compare(b.at) })
	return sockets
}
