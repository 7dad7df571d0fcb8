package faultnet

import (
	"errors"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

type host struct {
	name string
	ip   net.IP
}

// host returns the host of that name, and makes it if it is new. An IP address is
// its own name. It is called with mu held.
func (n *Net) host(name string) *host {
	if h := n.hosts[name]; h != nil {
		return h
	}
	if n.hosts == nil {
		n.hosts = make(map[string]*host)
		n.names = make(map[netip.Addr]string)
	}
	ip := parseIP(name)
	switch {
	case ip.To4() != nil:
		ip = ip.To4()
	case ip != nil:
	case name == "localhost":
		ip = net.IPv4(127, 0, 0, 1).To4()
	default:
		// 198.18.0.0/15 is set aside for tests of networks: RFC 2544.
		n.numHosts++
		ip = net.IPv4(198, byte(18+n.numHosts>>16), byte(n.numHosts>>8), byte(n.numHosts)).To4()
	}
	h := &host{name: name, ip: ip}
	n.hosts[name] = h
	n.names[ipKey(ip)] = name
	return h
}

// addrKey returns an address as the key of a map.
func addrKey(ip net.IP, port int) netip.AddrPort { return netip.AddrPortFrom(ipKey(ip), uint16(port)) }

func ipKey(ip net.IP) netip.Addr {
	a, _ := netip.AddrFromSlice(ip)
	return a.Unmap()
}

// tcpAddr returns an address with bytes of its own: a program may change it.
func tcpAddr(ip net.IP, port int) *net.TCPAddr {
	return &net.TCPAddr{IP: slices.Clone(ip), Port: port}
}

// addresses are those of one end, which no other end shares. Few programs ask for them.
type addresses struct {
	local, remote net.Addr
}

// addresses returns the same ones each time, as the kernel's connections do.
func (c *Conn) addresses() *addresses {
	if a := c.addrs.Load(); a != nil {
		return a
	}
	l := c.link
	a := &addresses{l.socketAddr(l.local, c.side), l.socketAddr(l.remote, c.side)}
	if c.side == Server {
		a.local, a.remote = a.remote, a.local
	}
	c.addrs.CompareAndSwap(nil, a)
	return c.addrs.Load()
}

// socketAddr returns an address in the form that the socket of a side has it.
func (l *link) socketAddr(at netip.AddrPort, side Side) *net.TCPAddr {
	ip := at.Addr()
	if side == Server && l.v6 {
		ip = netip.AddrFrom16(ip.As16())
	}
	return &net.TCPAddr{IP: ip.AsSlice(), Port: int(at.Port())}
}

// parseIP returns the address that name is, or nil. For the name of a host, which is the
// common case, it makes no error to throw away.
func parseIP(name string) net.IP {
	if name == "" || (name[0] < '0' || name[0] > '9') && !strings.Contains(name, ":") {
		return nil
	}
	return net.ParseIP(name)
}

// isAny reports whether name is the address of every host: "0.0.0.0" or "::".
func isAny(name string) bool { return parseIP(name).IsUnspecified() }

// Linux's default range of local ports: 32768 to 60999.
const (
	firstPort = 32768
	portRange = 61000 - firstPort
)

// portsTo returns the local ports of the connections to an address. While no port
// can have been given twice it looks at none. It is called with mu held.
func (n *Net) portsTo(remote netip.AddrPort) map[int]bool {
	if n.numPorts < portRange {
		return nil
	}
	taken := make(map[int]bool)
	for l := range n.links {
		if l.remote == remote {
			taken[int(l.local.Port())] = true
		}
	}
	return taken
}

// ephemeral returns the next local port that is free, or 0 if each is taken. It is
// called with mu held.
func (n *Net) ephemeral(taken func(port int) bool) int {
	for range portRange {
		port := firstPort + n.numPorts%portRange
		n.numPorts++
		if !taken(port) {
			return port
		}
	}
	return 0
}

// splitAddress splits "host:port" with a numeric or a well-known port.
func splitAddress(address string) (host string, port int, err error) {
	host, service, err := net.SplitHostPort(address)
	if err != nil {
		return "", 0, err
	}
	switch service {
	case "http":
		service = "80"
	case "https":
		service = "443"
	}
	if service == "" {
		service = "0"
	}
	port, err = strconv.Atoi(service)
	switch {
	case errors.Is(err, strconv.ErrSyntax):
		return "", 0, &net.AddrError{Err: "unknown port", Addr: address}
	case err != nil, port < 0, port > 65535:
		return "", 0, &net.AddrError{Err: "invalid port", Addr: service}
	}
	if host == "" {
		host = "localhost"
	}
	return host, port, nil
}

// suitsNetwork reports whether an address can be had on the network.
func suitsNetwork(network string, ip net.IP) bool {
	switch network {
	case "tcp4", "udp4":
		return ip.To4() != nil
	case "tcp6", "udp6":
		return ip.To4() == nil
	}
	return true
}

func noSuitableAddress(host string) error {
	return &net.AddrError{Err: "no suitable address found", Addr: host}
}
