package faultnet

import (
	"errors"
	"net"
	"net/netip"
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
	a := new(ownAddr)
	a.set(ip, port)
	return &a.TCPAddr
}

// ownAddr is an address with its bytes.
type ownAddr struct {
	net.TCPAddr
	bytes [16]byte
}

func (a *ownAddr) set(ip net.IP, port int) {
	if n := copy(a.bytes[:], ip); n > 0 {
		a.IP = a.bytes[:n:n]
	}
	a.Port = port
}

// addresses are those of one end, which no other end shares. Few programs ask for them.
type addresses struct {
	local, remote net.Addr
	ours          [2]ownAddr // what these are, but for a connection of another network
}

// addresses returns the same ones each time, as the kernel's connections do.
func (c *Conn) addresses() *addresses {
	if a := c.addrs.Load(); a != nil {
		return a
	}
	l, a := c.link, new(addresses)
	l.socketAddr(&a.ours[0], l.local, c.side)
	l.socketAddr(&a.ours[1], l.remote, c.side)
	a.local, a.remote = &a.ours[c.side].TCPAddr, &a.ours[1-c.side].TCPAddr
	c.addrs.CompareAndSwap(nil, a)
	return c.addrs.Load()
}

// socketAddr sets an address in the form that the socket of a side has it.
func (l *link) socketAddr(to *ownAddr, at netip.AddrPort, side Side) {
	ip := at.Addr()
	if ip.Is4() && !(side == Server && l.v6) {
		four := ip.As4()
		to.set(four[:], int(at.Port()))
		return
	}
	sixteen := ip.As16()
	to.set(sixteen[:], int(at.Port()))
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
