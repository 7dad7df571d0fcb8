package faultnet

import (
	"context"
	"errors"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/halfopen/halfopen/clock"
)

type ownerKey struct{}

// WithOwner names the operation that dials with the context, or with one made from
// it: a request, "r1". Events and connections carry the name.
func WithOwner(ctx context.Context, name string) context.Context {
	return context.WithValue(ctx, ownerKey{}, name)
}

// Owner returns the name that WithOwner gave the context, or "".
func Owner(ctx context.Context) string {
	name, _ := ctx.Value(ownerKey{}).(string)
	return name
}

// aliasesKey is the key, in the context of a dial, of the names that were resolved to come
// to the one that is dialed.
type aliasesKey struct{}

// dialing is one call of DialContext.
type dialing struct {
	number  int // from 1; 0 until it is named
	network string
	gone    bool // its context ended; guarded by Net.mu
	done    chan struct{}
	conn    *Conn
	err     error
	target  *net.TCPAddr // nil for a host that does not resolve

	looking        bool // the name is being looked up
	ignoresContext bool // its context's end is not heeded
	unaccepted     bool // no program accepts the connection
	outside        bool // it is made elsewhere: see Net.WrapDialer
	verdict        Verdict
}

func (d *dialing) remote() net.Addr {
	if d.target == nil {
		return nil // not a typed nil
	}
	return d.target
}

// Dial calls DialContext without a context.
func (n *Net) Dial(network, address string) (net.Conn, error) {
	return n.DialContext(context.Background(), network, address)
}

// DialContext opens a connection to "host:port", as [net.Dialer.DialContext]
// does. The network is "tcp", "tcp4" or "tcp6". A name that nothing ever
// listened on does not resolve ([net.DNSError]); a host that nothing listens
// on refuses (ECONNREFUSED); an address of no host has no route
// (EHOSTUNREACH). When ctx ends first, the error matches the context's. The networks "udp",
// "udp4" and "udp6" are those of DialPacket.
func (n *Net) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	switch network {
	case "tcp", "tcp4", "tcp6":
	case "udp", "udp4", "udp6":
		return n.DialPacket(network, address)
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
	if ip := parseIP(name); ip != nil {
		d.target = &net.TCPAddr{IP: ip, Port: port}
	} else if n.resolves(name) {
		d.target = tcpAddr(n.host(name).ip, port)
	}
	n.mu.Unlock()
	if d.target != nil && !suitsNetwork(network, d.target.IP) {
		return nil, dialError(network, nil, noSuitableAddress(name))
	}
	if err := ctx.Err(); err != nil {
		var addr net.Addr // which only an IP address has before it is looked up
		if parseIP(name) != nil {
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

// resolves reports whether a name has an address: that of a host, or of one that
// a listener on every host makes. A socket for datagrams does so if it asked for its port:
// others are clients. It is called with mu held.
func (n *Net) resolves(name string) bool {
	for at, c := range n.sockets {
		if at.Addr().IsUnspecified() && !strings.HasSuffix(c.address, ":0") {
			return true
		}
	}
	return n.hosts[name] != nil || name == "localhost" ||
		len(n.listenersWith(func(l *listener) bool { return l.at.Addr().IsUnspecified() })) > 0
}

// awaitDial posts the event of a dial, waits until it is decided and returns its result.
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

// result returns what DialContext returns. A nil *Conn must not become a net.Conn.
func (d *dialing) result() (net.Conn, error) {
	if d.err != nil || d.conn == nil {
		return nil, d.err
	}
	return d.conn, nil
}

// GivenUp reports whether the dial of a Dial event was given up by its caller: its context
// ended before the dial did.
func (n *Net) GivenUp(e *Event) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return e.dial.gone
}

// giveUp takes the event of a dial whose context ended back. It reports
// whether it came in time.
func (n *Net) giveUp(e *Event) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if e.dial.ignoresContext {
		return false
	}
	if n.cancelDelay(e) {
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

// ended returns the error of a dial whose context ended.
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

func (n *Net) answer(name string) ([]string, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	a, ok := n.faults.answers[name]
	return a, ok
}

// dialEach dials the hosts of an answer in their order until one opens, as
// net.Dialer does with addresses of one family: each has its share of the time
// that the context leaves, but at least two seconds, and the first error is the
// one that is returned.
func (n *Net) dialEach(ctx context.Context, network, name string, hosts []string, port int) (net.Conn, error) {
	if len(hosts) == 0 {
		return nil, dialError(network, nil, noSuitableAddress(name))
	}
	aliases, _ := ctx.Value(aliasesKey{}).([]string)
	if slices.Contains(aliases, name) {
		return nil, dialError(network, nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true})
	}
	ctx = context.WithValue(ctx, aliasesKey{}, append(slices.Clip(aliases), name))
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
