package faultnet_test

import (
	"net"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/nettest"

	"github.com/halfopen/halfopen/faultnet"
)

// pipe opens one connection on a network of its own and returns both ends.
func pipe(t testing.TB, n *faultnet.Net) (client, server *faultnet.Conn) {
	t.Helper()
	l, err := n.Listen("tcp", "api.test:80")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c, err := n.Dial("tcp", "api.test:80")
	if err != nil {
		t.Fatal(err)
	}
	s, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	return c.(*faultnet.Conn), s.(*faultnet.Conn)
}

// The standard battery for a net.Conn, in free-running mode, with a rule that
// looks at every event, and with the ends swapped.
func TestNettest(t *testing.T) {
	makers := map[string]nettest.MakePipe{
		"free": func() (net.Conn, net.Conn, func(), error) {
			c, s := pipe(t, new(faultnet.Net))
			return c, s, func() { c.Close(); s.Close() }, nil
		},
		"swapped": func() (net.Conn, net.Conn, func(), error) {
			c, s := pipe(t, new(faultnet.Net))
			return s, c, func() { c.Close(); s.Close() }, nil
		},
		"ruled": func() (net.Conn, net.Conn, func(), error) {
			n := new(faultnet.Net)
			n.Install(func(*faultnet.Event) faultnet.Verdict { return faultnet.Pass })
			c, s := pipe(t, n)
			return c, s, func() { c.Close(); s.Close() }, nil
		},
		"small buffers": func() (net.Conn, net.Conn, func(), error) {
			c, s := pipe(t, &faultnet.Net{SendBuffer: 3, ReceiveBuffer: 5})
			return c, s, func() { c.Close(); s.Close() }, nil
		},
		"wrapped": func() (net.Conn, net.Conn, func(), error) {
			n := new(faultnet.Net)
			n.Install(func(*faultnet.Event) faultnet.Verdict { return faultnet.Pass })
			c, s := overTCP(t, n)
			return c, n.WrapConn(s, faultnet.Server), func() { c.Close(); n.Close() }, nil
		},
	}
	for name, maker := range makers {
		t.Run(name, func(t *testing.T) { nettest.TestConn(t, maker) })
	}
}

// The same in virtual time. One of the battery's cases keeps both ends busy
// until a timer fires; on a network without latency everything happens in one
// instant, and that instant never ends. So this one is driven, and takes a
// millisecond from one release to the next.
func TestNettestInBubble(t *testing.T) {
	// The battery runs subtests, which the T of a bubble refuses. The outer T
	// does not, and its subtests are goroutines of the bubble.
	synctest.Test(t, func(*testing.T) {
		nettest.TestConn(t, func() (net.Conn, net.Conn, func(), error) {
			n := new(faultnet.Net)
			c, s := pipe(t, n)
			stop := drive(n, time.Millisecond)
			return c, s, func() { c.Close(); s.Close(); stop() }, nil
		})
	})
}

// drive releases what is pending every d, until it is stopped. What is
// pending then is let go.
func drive(n *faultnet.Net, d time.Duration) (stop func()) {
	wake := make(chan struct{}, 1)
	done, ended := make(chan struct{}), make(chan struct{})
	n.Drive(func() {
		select {
		case wake <- struct{}{}:
		default:
		}
	})
	go func() {
		defer close(ended)
		for {
			select {
			case <-wake:
				time.Sleep(d) // virtual
				for _, e := range n.Pending() {
					n.Release(e)
				}
			case <-done:
				n.Drive(nil)
				return
			}
		}
	}()
	return func() {
		close(done)
		<-ended
	}
}
