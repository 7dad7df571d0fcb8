package faultnet_test

import (
	"errors"
	"net"
	"syscall"
	"testing"
	"testing/synctest"

	"github.com/halfopen/halfopen/faultnet"
)

// mustListen listens on an address, and closes the listener at the end.
func mustListen(t *testing.T, n *faultnet.Net, address string) net.Listener {
	t.Helper()
	l, err := n.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// The local port of an open connection is not given to another one to the same
// address. When each of Linux's 28,232 has one, a dial fails.
func TestLocalPorts(t *testing.T) {
	const ports = 61000 - 32768
	n := new(faultnet.Net)
	mustListen(t, n, "api.test:80")
	mustListen(t, n, "other.test:80")
	seen := make(map[string]bool)
	for range ports {
		c, err := n.Dial("tcp", "api.test:80")
		if err != nil {
			t.Fatal(err)
		}
		seen[c.LocalAddr().String()] = true
	}
	if len(seen) != ports {
		t.Errorf("got %d local ports for %d connections", len(seen), ports)
	}
	if _, err := n.Dial("tcp", "api.test:80"); !errors.Is(err, syscall.EADDRNOTAVAIL) {
		t.Errorf("got %v, want EADDRNOTAVAIL", err)
	}
	if _, err := n.Dial("tcp", "other.test:80"); err != nil {
		t.Errorf("got %v, want a connection to another address", err)
	}
	free := n.Conns()[1000]
	free.Peer().Reset()
	free.Close()
	if c, err := n.Dial("tcp", "api.test:80"); err != nil || c.LocalAddr().String() != free.LocalAddr().String() {
		t.Errorf("got %v, want the port of the connection that was closed", err)
	}
}

// Each name reaches a listener on every host, unless its host has a listener of its
// own. What befalls the host befalls these connections alone.
func TestListenEverywhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := new(faultnet.Net)
		defer n.Close()
		if _, err := n.Dial("tcp", "a.test:80"); err == nil {
			t.Error("got a connection before any host was there")
		}
		everywhere := mustListen(t, n, "0.0.0.0:80")
		own := mustListen(t, n, "own.test:80")
		accept := func(l net.Listener, address string) (c net.Conn) {
			t.Helper()
			c, err := n.Dial("tcp", address)
			if err != nil {
				t.Fatal(err)
			}
			s, err := l.Accept()
			if err != nil || s.RemoteAddr().String() != c.LocalAddr().String() {
				t.Errorf("%s: got %v, %v", address, s, err)
			}
			return c
		}
		a := accept(everywhere, "a.test:80")
		b := accept(everywhere, "b.test:80")
		accept(everywhere, "localhost:80")
		accept(own, "own.test:80")
		if a.RemoteAddr().String() == b.RemoteAddr().String() {
			t.Errorf("got %v for two hosts", a.RemoteAddr())
		}
		if _, err := n.Dial("tcp", "a.test:81"); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("got %v, want ECONNREFUSED at another port", err)
		}
		if _, err := n.Dial("tcp", "192.0.2.1:80"); !errors.Is(err, syscall.EHOSTUNREACH) {
			t.Errorf("got %v, want EHOSTUNREACH for the address of no host", err)
		}
		n.Partition("a.test", faultnet.BothWays)
		for c, want := range map[net.Conn]int{a: 0, b: 2} {
			c.Write([]byte("hi"))
			if s := c.(*faultnet.Conn).Peer(); s.Unread() != want {
				t.Errorf("%v: got %d bytes, want %d", s.Address(), s.Unread(), want)
			}
		}
	})
}
