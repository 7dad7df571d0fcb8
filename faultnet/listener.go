package faultnet

import (
	"net"
	"os"
	"sync"
	"syscall"
)

// Listen listens on "host:port", and makes the host if it is new. Port 0 is
// any free port; an empty host is localhost. The listener's Accept returns a
// [*Conn].
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
	if port == 0 {
		port = n.ephemeral()
	}
	addr := &net.TCPAddr{IP: n.host(name).ip, Port: port}
	if n.listeners[addr.String()] != nil {
		return fail(addr, os.NewSyscallError("bind", syscall.EADDRINUSE))
	}
	l := &listener{net: n, addr: addr}
	l.ready.L = &l.mu
	if n.listeners == nil {
		n.listeners = make(map[string]*listener)
	}
	n.listeners[addr.String()] = l
	return l, nil
}

type listener struct {
	net  *Net
	addr *net.TCPAddr

	mu      sync.Mutex
	ready   sync.Cond
	backlog []*Conn
	closed  bool
}

func (l *listener) Addr() net.Addr { return l.addr }

func (l *listener) Accept() (net.Conn, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.backlog) == 0 && !l.closed {
		l.ready.Wait()
	}
	if l.closed {
		return nil, l.errClosed("accept")
	}
	c := l.backlog[0]
	l.backlog = l.backlog[1:]
	return c, nil
}

// Close stops listening. Connections that nobody accepted are reset.
func (l *listener) Close() error {
	l.net.mu.Lock()
	if l.net.listeners[l.addr.String()] == l {
		delete(l.net.listeners, l.addr.String())
	}
	l.net.mu.Unlock()
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return l.errClosed("close")
	}
	l.closed = true
	backlog := l.backlog
	l.backlog = nil
	l.ready.Broadcast()
	l.mu.Unlock()
	for _, c := range backlog {
		c.Reset()
	}
	return nil
}

func (l *listener) errClosed(op string) error {
	return &net.OpError{Op: op, Net: "tcp", Addr: l.addr, Err: net.ErrClosed}
}

// deliver is called with the network's mutex held, so that a listener that is
// still in the network's list is open.
func (l *listener) deliver(c *Conn) {
	l.mu.Lock()
	l.backlog = append(l.backlog, c)
	l.ready.Signal()
	l.mu.Unlock()
}
