package pool

import (
	"context"
	"errors"
	"net"
	"testing"
	"time"
)

var errRefused = errors.New("refused by the script")

// Dialing, active and idle connections together stay within MaxConnsPerHost,
// and the next in line gets the place of one that closed (golang/go#29889).
func TestLimit(t *testing.T) {
	run(t, &Transport{MaxConnsPerHost: 1}, func(s *script) {
		r1 := s.get("r1")
		d1 := s.wantDial()
		r2 := s.get("r2")
		s.wantNoDial("the limit is one")
		c1 := d1.open()
		c1.wantRequest()
		c1.send("HTTP/1.1 200 OK\nConnection: close\nContent-Length: 0\n\n")
		r1.wantDone("")
		r3 := s.get("r3")
		c2 := s.wantDial().open()
		s.wantNoDial("the limit is still one")
		c2.wantRequest()
		c2.send(ok0)
		r2.wantDone("")
		c2.wantRequest()
		c2.send(ok0)
		r3.wantDone("")
		if st := s.tr.Stats(); st.Dials != 2 || st.Waits != 2 || st.Idle != 1 {
			t.Errorf("stats: got\n%s", st)
		}
	})
}

// A place that was given to a request which has ended comes back
// (golang/go#65705), whether its dial had begun or not.
func TestLimitCanceledBeforeDial(t *testing.T) {
	run(t, &Transport{MaxConnsPerHost: 1}, func(s *script) {
		r1 := s.get("r1")
		d1 := s.wantDial()
		r2 := s.get("r2")
		r3 := s.get("r3")
		r2.stop()
		r2.wantErr(context.Canceled)
		d1.fail(errRefused)
		r1.wantErr(errRefused)
		d3 := s.wantDial()
		c3 := d3.open()
		c3.wantRequest()
		c3.send(ok0)
		r3.wantDone("")
		if n := s.tr.Stats().InLine; n != 0 {
			t.Errorf("in line: got %d, want 0", n)
		}
	})
}

// Dials that fail at the limit let every request in line have its turn
// (golang/go#10886).
func TestLimitDialErrors(t *testing.T) {
	run(t, &Transport{MaxConnsPerHost: 2}, func(s *script) {
		var calls []*call
		for range 7 {
			calls = append(calls, s.get("r"))
		}
		for range 7 {
			s.wantDial().fail(errRefused)
		}
		for _, c := range calls {
			c.wantErr(errRefused)
		}
		if st := s.tr.Stats(); st.DialErrors != 7 {
			t.Errorf("stats: got\n%s", st)
		}
	})
}

// The time in line is counted; so is that of a request which gave up.
func TestWaitTime(t *testing.T) {
	run(t, &Transport{MaxConnsPerHost: 1}, func(s *script) {
		r1 := s.get("r1")
		c1 := s.wantDial().open()
		c1.wantRequest()
		r2 := s.get("r2")
		r3 := s.get("r3")
		time.Sleep(time.Second) // virtual
		r3.stop()
		r3.wantErr(context.Canceled)
		time.Sleep(time.Second) // virtual
		c1.send(ok0)
		r1.wantDone("")
		c1.wantRequest()
		c1.send(ok0)
		r2.wantDone("")
		if st := s.tr.Stats(); st.Waits != 2 || st.WaitTime != 3*time.Second {
			t.Errorf("waits: got %d in %v, want 2 in 3s", st.Waits, st.WaitTime)
		}
	})
}

// An idle connection that comes in the instant in which a place does serves
// the request; the place is not lost (golang/go#32336).
func TestLimitIdleWhileInLine(t *testing.T) {
	run(t, &Transport{MaxConnsPerHost: 2}, func(s *script) {
		r1, r2 := s.get("r1"), s.get("r2")
		c1, c2 := s.wantDial().open(), s.wantDial().open()
		c1.wantRequest()
		c2.wantRequest()
		r3 := s.get("r3")
		c1.send(ok0)
		c2.send("HTTP/1.1 200 OK\nConnection: close\nContent-Length: 0\n\n")
		r1.wantDone("")
		r2.wantDone("")
		s.wantNoDial("c1 serves r3")
		c1.wantRequest()
		r4 := s.get("r4")
		c3 := s.wantDial().open()
		c3.wantRequest()
		c1.send(ok0)
		c3.send(ok0)
		r3.wantDone("")
		r4.wantDone("")
	})
}

// A dial goes on without its request, and its connection is pooled
// (golang/go#59017, #66442).
func TestOrphanDial(t *testing.T) {
	run(t, &Transport{}, func(s *script) {
		r1 := s.get("r1")
		d1 := s.wantDial()
		r1.stop()
		r1.wantErr(context.Canceled)
		if st := s.tr.Stats(); st.Orphans != 1 || st.Dialing != 1 {
			t.Errorf("stats: got %d orphans of %d, want 1 of 1", st.Orphans, st.Dialing)
		}
		r2 := s.get("r2")
		d2 := s.wantDial()
		c1 := d1.open()
		c1.wantRequest()
		c1.send(ok0)
		r2.wantDone("") // the orphan was free
		d2.open()
	})
}

// Dials whose requests are gone are bounded: a dialer that hangs cannot pile
// them up (golang/go#76784). The oldest go on: they are nearest to their end.
func TestOrphanBound(t *testing.T) {
	run(t, &Transport{MaxOrphanDialsPerHost: 3}, func(s *script) {
		var first []*heldDial
		for range 100 {
			r := s.get("r")
			d := s.wantDial()
			r.stop()
			r.wantErr(context.Canceled)
			if len(first) < 3 {
				first = append(first, d)
			} else {
				d.wantCanceled("three go on already")
			}
		}
		if st := s.tr.Stats(); st.Dialing != 3 || st.Orphans != 3 {
			t.Errorf("dials in flight: got %d, %d orphans, want 3", st.Dialing, st.Orphans)
		}
		for _, d := range first {
			d.fail(errRefused)
		}
	})
	for _, tr := range []*Transport{{MaxOrphanDialsPerHost: -1}, {DisableKeepAlives: true}, {MaxIdleConnsPerHost: -1}} {
		run(t, tr, func(s *script) {
			r1 := s.get("r1")
			d1 := s.wantDial()
			r1.stop()
			d1.wantCanceled("its connection could not be kept")
		})
	}
}

// A dialer that ignores its context is reported until it returns.
func TestOrphanReported(t *testing.T) {
	run(t, &Transport{MaxOrphanDialsPerHost: -1}, func(s *script) {
		held := s.tr.DialContext
		s.tr.DialContext = func(_ context.Context, network, addr string) (net.Conn, error) {
			return held(context.Background(), network, addr)
		}
		r1 := s.get("r1")
		d1 := s.wantDial()
		r1.stop()
		r1.wantErr(context.Canceled)
		if l := s.tr.Ledger(); len(l) != 1 || l[0].State != Dialing || l[0].Holder != "" {
			t.Errorf("ledger: got\n%s", l)
		}
		d1.open().wantOpen("it came after all")
	})
}

// A request that finds no connection leaves nothing behind once it is over, be
// it served, failed or called off (golang/go#33849, #33850, #50798).
func TestNothingLeftInLine(t *testing.T) {
	run(t, &Transport{MaxConnsPerHost: 1}, func(s *script) {
		r1 := s.get("r1")
		c1 := s.wantDial().open()
		c1.wantRequest()
		for range 50 {
			r := s.get("r")
			r.stop()
			r.wantErr(context.Canceled)
		}
		for _, h := range s.tr.hosts {
			if h.line.n+h.permits.n+h.dials.n != 0 {
				t.Errorf("got %d in line, %d for a place, %d dials, want none", h.line.n, h.permits.n, h.dials.n)
			}
		}
		c1.send(ok0)
		r1.wantDone("")
	})
}

// Hosts without a connection are forgotten in time; what they counted is not.
func TestQuietHosts(t *testing.T) {
	tr := &Transport{DialContext: func(context.Context, string, string) (net.Conn, error) { return nil, errRefused }}
	s := &script{T: t, tr: tr}
	const n = maxHosts + 10
	for i := range n {
		req := s.request("GET", nil)
		req.URL.Host = "h" + string(rune('a'+i%26)) + time.Duration(i).String() + ".test"
		if _, err := tr.RoundTrip(req); !errors.Is(err, errRefused) {
			t.Fatal(err)
		}
	}
	st := tr.Stats()
	if len(st.Hosts) > maxHosts || st.Dials != n || st.DialErrors != n {
		t.Errorf("got %d hosts, %d dials, %d errors", len(st.Hosts), st.Dials, st.DialErrors)
	}
}
