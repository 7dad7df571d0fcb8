package faultnet_test

import (
	"net"
	"runtime"
	"testing"

	"github.com/halfopen/halfopen/faultnet"
)

// held is a network with a listener, and the connections that are open on it.
type held struct {
	t     testing.TB
	net   *faultnet.Net
	l     net.Listener
	conns []net.Conn
}

func newHeld(t testing.TB) *held {
	n := new(faultnet.Net)
	l, err := n.Listen("tcp", "api.test:80")
	if err != nil {
		t.Fatal(err)
	}
	return &held{t: t, net: n, l: l}
}

// open opens n more connections. All are dialed before the first is accepted,
// so that the backlog has held them all.
func (h *held) open(n int) {
	h.t.Helper()
	first := len(h.conns)
	for range n {
		c, err := h.net.Dial("tcp", "api.test:80")
		if err != nil {
			h.t.Fatal(err)
		}
		h.conns = append(h.conns, c, nil)
	}
	for i := range n {
		s, err := h.l.Accept()
		if err != nil {
			h.t.Fatal(err)
		}
		h.conns[first+2*i+1] = s
	}
}

// use sends a message each way over every connection.
func (h *held) use() {
	h.t.Helper()
	b := make([]byte, 1<<10)
	for i, c := range h.conns {
		if _, err := c.Write(b[:100]); err != nil {
			h.t.Fatal(err)
		}
		if n, err := h.conns[i^1].Read(b); n != 100 || err != nil {
			h.t.Fatalf("got %d, %v, want 100 bytes", n, err)
		}
	}
}

func (h *held) close() {
	for _, c := range h.conns {
		c.Close()
	}
	h.conns = h.conns[:0]
}

// heap is the bytes in use. The second collection empties what the first one
// left in a sync.Pool.
func heap() int {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

// Ten thousand connections at once cost little, idle or used, and nothing
// once they are closed.
func TestTenThousand(t *testing.T) {
	const pairs = 10_000
	h := newHeld(t)
	h.conns = make([]net.Conn, 0, 2*pairs) // so that it does not count
	empty := heap()
	h.open(pairs)
	if got := (heap() - empty) / pairs; got > 4<<10 {
		t.Errorf("got %d bytes for an idle pair, want at most 4 KiB", got)
	}
	h.use()
	if got := (heap() - empty) / pairs; got > 4<<10 {
		t.Errorf("got %d bytes for an idle pair that was used, want at most 4 KiB", got)
	}
	if got := len(h.net.Conns()); got != pairs {
		t.Errorf("got %d connections, want %d", got, pairs)
	}
	h.close()
	clear(h.conns[:cap(h.conns)])
	if got := (heap() - empty) / pairs; got >= 64 {
		t.Errorf("got %d bytes left by each closed connection, want less than 64", got)
	}
	if got := h.net.String(); got != "no connections\n" {
		t.Errorf("got connections left: %.1000s", got)
	}
	h.l.Close()
}

// A hundred thousand connections, one after another, leave nothing, in
// whichever way they end.
func TestHundredThousand(t *testing.T) {
	const pairs = 100_000
	h := newHeld(t)
	round := func(i int) {
		h.open(1)
		c, s := h.conns[0].(*faultnet.Conn), h.conns[1].(*faultnet.Conn)
		c.Write([]byte("hello"))
		switch i % 4 {
		case 0:
			s.CloseWrite()
		case 1:
			s.Reset()
		case 2:
			c.Vanish()
		}
		h.close()
		clear(h.conns[:cap(h.conns)])
	}
	round(0)
	empty := heap()
	for i := range pairs {
		round(i)
	}
	if got := heap() - empty; got > 64*pairs/100 {
		t.Errorf("got %d bytes left by %d connections, want less than one in a hundred would keep", got, pairs)
	}
	h.l.Close()
	runtime.KeepAlive(h)
}
