package faultnet

import (
	"context"
	"io"
	"net"
	"os"
	"strconv"
	"sync"
	"syscall"
)

// DialFunc has the signature of [net.Dialer.DialContext].
type DialFunc = func(ctx context.Context, network, address string) (net.Conn, error)

// WrapDialer is a dialer of any network, such as that of [net.Dialer], whose
// dials and connections are subject to the rules of n. Each connection is a
// client's: "c1 client write", "c1 server->client data". Dials are events like
// any other; that what arrives is given a verdict needs no driver. Hold, Split
// and Ignored do nothing to what really travels: a kernel has it already.
func (n *Net) WrapDialer(dial DialFunc) DialFunc {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		d := &dialing{network: network, outside: true}
		host, port, err := net.SplitHostPort(address)
		if ip := net.ParseIP(host); err == nil && ip != nil {
			d.target = &net.TCPAddr{IP: ip}
			d.target.Port, _ = strconv.Atoi(port)
		}
		e := &Event{Kind: Dial, Addr: address, Owner: Owner(ctx), net: n, dial: d}
		v := Pass
		if n.controlled.Load() {
			v = n.Verdict(e)
			if _, err := n.awaitDial(ctx, e, host); err != nil {
				return nil, err
			}
			if d.deaf {
				ctx = context.WithoutCancel(ctx)
			}
		}
		c, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		w := n.wrap(c, Client)
		switch v.effect {
		case resetFirst:
			w.breakOff(syscall.ECONNRESET)
		case closeFirst:
			w.ended = io.EOF
		}
		return w, nil
	}
}

// WrapListener is a listener of any network whose connections are subject to
// the rules of n, and each Accept as well. Each connection is a server's: "c1
// server write", "c1 client->server data".
func (n *Net) WrapListener(l net.Listener) net.Listener {
	return &wrappedListener{Listener: l, n: n}
}

type wrappedListener struct {
	net.Listener
	n    *Net
	mu   sync.Mutex
	kept net.Conn // accepted by the kernel, and not by the program
}

func (l *wrappedListener) Accept() (net.Conn, error) {
	for {
		l.mu.Lock()
		c := l.kept
		l.kept = nil
		l.mu.Unlock()
		if c == nil {
			var err error
			if c, err = l.Listener.Accept(); err != nil {
				return nil, err
			}
		}
		e := &Event{Kind: Accept, Addr: l.Addr().String(), net: l.n}
		v := l.n.ask(e)
		w := l.n.wrap(c, Server)
		switch v.effect {
		case failing:
			l.mu.Lock()
			l.kept = c
			l.mu.Unlock()
			return nil, &net.OpError{Op: "accept", Net: c.LocalAddr().Network(), Addr: l.Addr(),
				Err: os.NewSyscallError("accept4", v.errno)}
		case delay:
			l.n.clock().Sleep(v.d)
		case closeFirst:
			c.Close()
			continue
		case resetFirst:
			w.breakOff(syscall.ECONNRESET)
			continue
		case block:
			w.mu.Lock()
			w.pause(e, new(deadline))
			w.mu.Unlock()
		}
		return w, nil
	}
}

// Close closes the listener, and the connection that Accept was made to keep.
func (l *wrappedListener) Close() error {
	l.mu.Lock()
	if l.kept != nil {
		l.kept.Close()
	}
	l.mu.Unlock()
	return l.Listener.Close()
}
