package faultnet

import (
	"context"
	"errors"
	"net"
	"strconv"
	"syscall"
)

type ownerKey struct{}

// WithOwner names whoever dials with the context, or with one made from it: a
// request, "r1". Events and connections carry the name.
func WithOwner(ctx context.Context, name string) context.Context {
	return context.WithValue(ctx, ownerKey{}, name)
}

// Owner is the name that WithOwner gave the context, or "".
func Owner(ctx context.Context) string {
	name, _ := ctx.Value(ownerKey{}).(string)
	return name
}

// dialing is one call of DialContext.
type dialing struct {
	number  int // from 1; 0 until it is named
	network string
	gone    bool // its context ended; guarded by Net.mu
	done    chan struct{}
	conn    *Conn
	err     error
	target  *net.TCPAddr // nil for a host that does not resolve

	looking    bool // the name is being looked up
	deaf       bool // its context's end is not heeded
	unaccepted bool // no program accepts the connection
	outside    bool // it is made elsewhere: see Net.WrapDialer
	verdict    Verdict
}

func (d *dialing) remote() net.Addr {
	if d.target == nil {
		return nil // not a typed nil
	}
	return d.target
}

// Dial is DialContext without a context.
func (n *Net) Dial(network, address string) (net.Conn, error) {
	return n.DialContext(context.Background(), network, address)
}

// DialContext opens a connection to "host:port", as [net.Dialer.DialContext]
// does. The network is "tcp", "tcp4" or "tcp6". A name that nothing ever
// listened on does not resolve ([net.DNSError]); a host that nothing listens
// on refuses (ECONNREFUSED); an address of no host has no route
// (EHOSTUNREACH). When ctx ends first, the error matches the context's.
func (n *Net) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	switch network {
	case "tcp", "tcp4", "tcp6":
	default:
		return nil, dialError(network, nil, net.UnknownNetworkError(network))
	}
	name, port, err := splitAddress(address)
	if err != nil {
		return nil, dialError(network, nil, err)
	}
	if answer, ok := n.answer(name); ok {
		return n.dialEach(ctx, network, name, answer, port)
	}
	d := &dialing{network: network}
	n.mu.Lock()
	if h := n.hosts[name]; h != nil {
		d.target = &net.TCPAddr{IP: h.ip, Port: port}
	} else if ip := net.ParseIP(name); ip != nil {
		d.target = &net.TCPAddr{IP: ip, Port: port}
	} else if name == "localhost" {
		d.target = &net.TCPAddr{IP: n.host(name).ip, Port: port}
	}
	n.mu.Unlock()
	if d.target != nil && !suits(network, d.target.IP) {
		return nil, dialError(network, nil, unsuitable(name))
	}
	if err := ctx.Err(); err != nil {
		var addr net.Addr // which only an IP address has before it is looked up
		if net.ParseIP(name) != nil {
			addr = d.target
		}
		return nil, dialError(network, addr, contextError(err))
	}

	e := &Event{Kind: Dial, Addr: address, Owner: Owner(ctx), net: n, dial: d}
	if !n.controlled.Load() {
		n.finishDial(e, Pass)
		return d.result()
	}
	return n.awaitDial(ctx, e, name)
}

// awaitDial posts the event of a dial and returns what becomes of it.
func (n *Net) awaitDial(ctx context.Context, e *Event, name string) (net.Conn, error) {
	d := e.dial
	d.done = make(chan struct{})
	n.post(e)
	select {
	case <-d.done:
		return d.result()
	case <-ctx.Done():
	}
	if !n.giveUp(e) {
		<-d.done // it was decided just before
		return d.result()
	}
	return nil, d.ended(name, ctx.Err())
}

// result is what DialContext returns. A nil *Conn must not become a net.Conn.
func (d *dialing) result() (net.Conn, error) {
	if d.err != nil || d.conn == nil {
		return nil, d.err
	}
	return d.conn, nil
}

// giveUp takes the event of a dial whose context ended back. It reports
// whether it came in time.
func (n *Net) giveUp(e *Event) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if e.dial.deaf {
		return false
	}
	if n.hasten(e) {
		e.dial.gone = true
		n.note(e, "cancelled")
		return true
	}
	for _, f := range n.arrivals {
		if f == e {
			e.dial.gone = true // named and noted in its turn
			return true
		}
	}
	for i, f := range n.pending {
		if f == e {
			n.pending = append(n.pending[:i:i], n.pending[i+1:]...)
			e.dial.gone = true
			e.seq = len(n.arrivals)
			if n.wake != nil {
				n.arrivals = append(n.arrivals, e)
			} else {
				n.note(e, "cancelled")
			}
			return true
		}
	}
	return false
}

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

// open makes the connection that a dial asked for, if somebody listens.
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
		if _, ok := n.names[ipKey(d.target.IP)]; !ok && !d.target.IP.IsLoopback() {
			errno = syscall.EHOSTUNREACH
		}
		return nil, connectError(d.network, d.target, errno)
	}
	l := &link{dial: d.number, owner: e.Owner, address: e.Addr, served: ln.address}
	n.connect(l)
	local := &net.TCPAddr{IP: n.host("client").ip, Port: n.ephemeral()}
	if d.target.IP.IsLoopback() {
		local.IP = d.target.IP
	}
	for side := range l.end {
		c := &l.end[side]
		c.network, c.local, c.remote = d.network, local, d.target
		if c.side == Server {
			c.network, c.local, c.remote = ln.network, d.target, local
		}
	}
	ln.deliver(&l.end[Server], d.unaccepted)
	return &l.end[Client], nil
}

// connect gives a link its number, its buffers and its ends. It is called with
// mu held.
func (n *Net) connect(l *link) {
	n.numLinks++
	l.net, l.clock, l.number = n, n.clock(), n.numLinks
	l.window = size(n.ReceiveBuffer)
	l.capacity = l.window + size(n.SendBuffer)
	for side := range l.end {
		c := &l.end[side]
		c.link, c.side = l, Side(side)
		c.canRead.L, c.canWrite.L = &l.mu, &l.mu
	}
	if n.links == nil {
		n.links = make(map[*link]struct{})
	}
	n.links[l] = struct{}{}
}

func size(bytes int) int {
	if bytes <= 0 {
		return 64 << 10
	}
	return bytes
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

// suits reports whether an address can be had on the network.
func suits(network string, ip net.IP) bool {
	switch network {
	case "tcp4":
		return ip.To4() != nil
	case "tcp6":
		return ip.To4() == nil
	}
	return true
}

func unsuitable(host string) error {
	return &net.AddrError{Err: "no suitable address found", Addr: host}
}
