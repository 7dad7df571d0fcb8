package faultnet_test

import (
	"context"
	"io"
	"net"
	"testing"
	"time"

	"github.com/halfopen/halfopen/faultnet"
)

// Each measure runs on faultnet, on net.Pipe and on loopback TCP in one run.
// peers/net has more measures and more to compare with.

func BenchmarkPingPong(b *testing.B) { compareNets(b, benchPingPong) }
func BenchmarkStream(b *testing.B)   { compareNets(b, benchStream) }
func BenchmarkOpen(b *testing.B)     { compareNets(b, benchOpen) }
func BenchmarkDeadline(b *testing.B) { compareNets(b, benchDeadline) }

// opener opens connections, until it is stopped.
type opener struct {
	open func() (client, server net.Conn)
	stop func()
}

func compareNets(b *testing.B, measure func(*testing.B, opener)) {
	for _, s := range []struct {
		name string
		make func(testing.TB) opener
	}{
		{"faultnet", func(t testing.TB) opener {
			n := new(faultnet.Net)
			l, err := n.Listen("tcp", "api.test:80")
			return newOpener(t, l, err, n.DialContext, "api.test:80")
		}},
		{"pipe", func(testing.TB) opener {
			return opener{net.Pipe, func() {}}
		}},
		{"tcp", func(t testing.TB) opener {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			return newOpener(t, l, err, new(net.Dialer).DialContext, l.Addr().String())
		}},
	} {
		b.Run(s.name, func(b *testing.B) {
			b.ReportAllocs()
			o := s.make(b)
			defer o.stop()
			measure(b, o)
		})
	}
}

func newOpener(t testing.TB, l net.Listener, err error,
	dial func(ctx context.Context, network, address string) (net.Conn, error), address string) opener {
	must := func(c net.Conn, err error) net.Conn {
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	must(nil, err)
	return opener{
		func() (net.Conn, net.Conn) {
			c := must(dial(context.Background(), "tcp", address))
			return c, must(l.Accept())
		},
		func() { l.Close() },
	}
}

// echo answers each 128 bytes until the connection ends.
func echo(c net.Conn, done chan struct{}) {
	defer close(done)
	buf := make([]byte, 128)
	for {
		if _, err := io.ReadFull(c, buf); err != nil {
			return
		}
		if _, err := c.Write(buf); err != nil {
			return
		}
	}
}

func benchPingPong(b *testing.B, o opener) {
	c, s := o.open()
	done := make(chan struct{})
	go echo(s, done)
	buf := make([]byte, 128)
	for b.Loop() {
		c.Write(buf)
		if _, err := io.ReadFull(c, buf); err != nil {
			b.Fatal(err)
		}
	}
	c.Close()
	<-done
	s.Close()
}

// One write of 32 KiB after another, to a goroutine that reads all of it.
func benchStream(b *testing.B, o opener) {
	c, s := o.open()
	done := make(chan struct{})
	go func() {
		defer close(done)
		io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{s}, make([]byte, 32<<10))
	}()
	buf := make([]byte, 32<<10)
	b.SetBytes(int64(len(buf)))
	for b.Loop() {
		if _, err := c.Write(buf); err != nil {
			b.Fatal(err)
		}
	}
	c.Close()
	<-done
	s.Close()
}

// A connection is opened, and closed on both sides.
func benchOpen(b *testing.B, o opener) {
	for b.Loop() {
		c, s := o.open()
		if l, ok := c.(interface{ SetLinger(int) error }); ok {
			l.SetLinger(0) // or loopback TCP runs out of ports
		}
		c.Close()
		s.Close()
	}
}

// A deadline that is far away is moved.
func benchDeadline(b *testing.B, o opener) {
	c, s := o.open()
	at := time.Now().Add(time.Hour)
	for b.Loop() {
		at = at.Add(time.Millisecond)
		if err := c.SetDeadline(at); err != nil {
			b.Fatal(err)
		}
	}
	c.Close()
	s.Close()
}

// What an idle pair of ends costs, before and after it was used once.
func BenchmarkIdlePair(b *testing.B) {
	const pairs = 1000
	for _, used := range []bool{false, true} {
		b.Run(map[bool]string{false: "fresh", true: "used"}[used], func(b *testing.B) {
			for b.Loop() {
				h := newHeld(b)
				h.conns = make([]net.Conn, 0, 2*pairs)
				before := heap()
				h.open(pairs)
				if used {
					h.use()
				}
				b.ReportMetric(float64(heap()-before)/pairs, "B/pair")
				h.close()
				h.l.Close()
			}
		})
	}
}

// A message there and back allocates nothing.
func TestPingPongAllocates(t *testing.T) {
	c, s := pipe(t, new(faultnet.Net))
	done := make(chan struct{})
	go echo(s, done)
	buf := make([]byte, 128)
	if got := testing.AllocsPerRun(1000, func() {
		c.Write(buf)
		if _, err := io.ReadFull(c, buf); err != nil {
			t.Fatal(err)
		}
	}); got != 0 {
		t.Errorf("got %v allocations for a message there and back, want none", got)
	}
	c.Close()
	<-done
	s.Close()
}
