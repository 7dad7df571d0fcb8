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

// heap returns how many bytes are in use. The second collection empties what the first one
// left in a sync.Pool.
func heap() int {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

// started returns how many more goroutines there are than before. Those of earlier
// tests may end meanwhile.
func started(before int) int { return max(0, runtime.NumGoroutine()-before) }

// Ten thousand connections at once cost little, idle or used, and nothing
// once they are closed. None needs a goroutine.
func TestTenThousand(t *testing.T) {
	const pairs = 10_000
	h := newHeld(t)
	h.conns = make([]net.Conn, 0, 2*pairs) // so that it does not count
	goroutines, empty := runtime.NumGoroutine(), heap()
	h.open(pairs)
	idle := (heap() - empty) / pairs
	h.use()
	used := (heap() - empty) / pairs
	if idle > 4<<10 || used > 4<<10 {
		t.Errorf("got %d bytes for an idle pair, and %d for one that was used, want at most 4 KiB", idle, used)
	}
	if got := started(goroutines); got > 0 {
		t.Errorf("got %d goroutines for %d pairs, want none", got, pairs)
	}
	if got := len(h.net.Conns()); got != pairs {
		t.Errorf("got %d connections, want %d", got, pairs)
	}
	h.close()
	clear(h.conns[:cap(h.conns)])
	left := (heap() - empty) / pairs
	if left >= 64 {
		t.Errorf("got %d bytes left by each closed connection, want less than 64", left)
	}
	t.Logf("%d open: %d bytes an idle pair, %d a used one, %d a closed one, %d goroutines",
		pairs, idle, used, max(0, left), started(goroutines))
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
	goroutines, empty := runtime.NumGoroutine(), heap()
	for i := range pairs {
		round(i)
	}
	left := heap() - empty
	if left > 64*pairs/100 {
		t.Errorf("got %d bytes left by %d connections, want less than one in a hundred would keep", left, pairs)
	}
	if got := started(goroutines); got > 0 {
		t.Errorf("got %d goroutines left by %d connections, want none", got, pairs)
	}
	t.Logf("%d opened and closed: %d bytes left, %d goroutines", pairs, max(0, left), started(goroutines))
	h.l.Close()
	runtime.KeepAlive(h)
}
