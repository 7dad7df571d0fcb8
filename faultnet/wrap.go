package faultnet

import (
	"context"
	"errors"
	"io"
	"net"
	"strconv"
	"syscall"
)

// A connection of another network is given the rules of this one by a link
// between: the program has one end of it, and two goroutines copy between the
// far end and the connection itself. Nothing here knows what a verdict does.

// dialFunc has the signature of [net.Dialer.DialContext].
type dialFunc = func(ctx context.Context, network, address string) (net.Conn, error)

// WrapDialer returns a dialer of any network, such as that of [net.Dialer], whose
// dials and connections are subject to the rules of n. Each connection is a
// client's: "c1 client write", "c1 server->client data". A dial is made when its
// event has happened.
func (n *Net) WrapDialer(dial dialFunc) dialFunc {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		d := &dialing{network: network, outside: true}
		host, port, err := net.SplitHostPort(address)
		if ip := net.ParseIP(host); err == nil && ip != nil {
			d.target = &net.TCPAddr{IP: ip}
			d.target.Port, _ = strconv.Atoi(port)
		}
		e := &Event{Kind: Dial, Addr: address, Owner: Owner(ctx), net: n, dial: d}
		if n.controlled.Load() {
			if _, err := n.awaitDial(ctx, e, host); err != nil {
				return nil, err
			}
			if d.ignoresContext {
				ctx = context.WithoutCancel(ctx)
			}
		}
		real, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		c := n.wrap(real, &link{dial: d.number, owner: e.Owner, address: address, served: address}, Client)
		if opened := d.verdict.row().opened; opened != nil {
			opened(c)
		}
		return c.outside(), nil
	}
}

// WrapListener returns a listener of any network whose connections are subject to
// the rules of n, and each Accept as well. Each connection is a server's: "c1
// server write", "c1 client->server data".
func (n *Net) WrapListener(real net.Listener) net.Listener {
	l := &listener{net: n, real: real, network: real.Addr().Network(), addr: real.Addr(), address: real.Addr().String()}
	l.ready.L = &l.mu
	n.mu.Lock()
	defer n.mu.Unlock()
	n.faults.outside = append(n.faults.outside, l)
	return l
}

// acceptReal puts the next connection of the listener itself into the backlog.
// It is called with mu held, and frees it meanwhile.
func (l *listener) acceptReal() error {
	l.mu.Unlock()
	defer l.mu.Lock()
	real, err := l.real.Accept()
	if err != nil {
		return err
	}
	if c := l.net.wrap(real, &link{address: l.address, served: l.address}, Server); !l.deliver(c, false) {
		c.Reset()
	}
	return nil
}

// WrapConn returns a connection of any network that is subject to the rules of n, as
// that side's end: the calls on it, and the bytes that it reads and writes. It
// is named as the network's own connections are, and closing it returns before
// what was written is handed on.
func (n *Net) WrapConn(c net.Conn, side Side) net.Conn {
	server := c.RemoteAddr().String()
	if side == Server {
		server = c.LocalAddr().String()
	}
	return n.wrap(c, &link{address: server, served: server}, side).outside()
}

// wrap opens the link, and copies between its far end and the connection.
func (n *Net) wrap(real net.Conn, l *link, side Side) *Conn {
	near := &l.end[side]
	near.network = real.LocalAddr().Network()
	near.addrs.Store(&addresses{local: real.LocalAddr(), remote: real.RemoteAddr()})
	l.wrapped = &wrapped{near, real}
	n.mu.Lock()
	n.connect(l)
	n.mu.Unlock()
	go l.wrapped.send()
	go l.wrapped.receive()
	return near
}

// wrapped is the program's end of a link to a connection of another network.
type wrapped struct {
	*Conn
	real net.Conn
}

// outside returns c as the program gets it.
func (c *Conn) outside() net.Conn {
	if w := c.link.wrapped; w != nil {
		return w
	}
	return c
}

// NetConn returns the connection that is wrapped.
func (w *wrapped) NetConn() net.Conn { return w.real }

// Close closes the program's end; the connection follows when all is sent.
func (w *wrapped) Close() error {
	err := w.Conn.Close()
	w.link.mu.Lock()
	defer w.link.unlock()
	w.link.abandon()
	w.link.advance()
	return err
}

// abandon closes the far end of a link when nothing can reach it any more. It is
// called with the mutex held.
func (l *link) abandon() {
	if l.wrapped == nil || !l.lost || !l.wrapped.closed {
		return
	}
	far := l.wrapped.Peer()
	far.closed = true
	far.canRead.Broadcast()
	far.canWrite.Broadcast()
}

// send copies what reaches the far end to the connection, and closes that as the
// program closes its end.
func (w *wrapped) send() {
	far := w.Peer()
	b := make([]byte, 32<<10)
	var err error
	for err == nil {
		var k int
		if k, err = far.readNow(b); k > 0 {
			if _, failed := w.real.Write(b[:k]); failed != nil {
				w.end(failed)
				return
			}
		}
	}
	if err == io.EOF {
		if c, ok := w.real.(interface{ CloseWrite() error }); ok && !w.IsClosed() {
			c.CloseWrite()
		}
		w.link.mu.Lock()
		for !w.closed && !w.dead {
			w.canRead.Wait()
		}
		reset := w.dead
		w.link.mu.Unlock()
		if !reset {
			w.real.Close()
			far.closeNow()
			return
		}
	}
	if !errors.Is(err, net.ErrClosed) {
		w.resetReal()
	}
	w.real.Close()
	far.closeNow()
}

// receive copies what comes from the connection to the far end.
func (w *wrapped) receive() {
	far := w.Peer()
	b := make([]byte, 32<<10)
	for {
		k, err := w.real.Read(b)
		if k > 0 {
			if _, failed := far.writeNow(b[:k]); failed != nil {
				w.resetReal() // the program's end was reset
				far.closeNow()
				return
			}
		}
		switch {
		case err == io.EOF:
			far.CloseWrite()
			return
		case err != nil:
			w.end(err)
			return
		}
	}
}

// end gives the program's end the error of the connection itself.
func (w *wrapped) end(err error) {
	var errno syscall.Errno
	switch far := w.Peer(); {
	case errors.As(err, &errno) && errno != syscall.ECONNRESET && errno != syscall.EPIPE:
		w.Break(errno)
		far.closeNow()
	default: // behind what came before
		far.SetLinger(0)
		far.closeNow()
	}
	w.real.Close()
}

func (w *wrapped) resetReal() {
	if c, ok := w.real.(interface{ SetLinger(int) error }); ok {
		c.SetLinger(0)
	}
	w.real.Close()
}
