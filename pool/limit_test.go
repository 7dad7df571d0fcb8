package pool_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/halfopen/halfopen/harness"
	"github.com/halfopen/halfopen/pool"
)

// The time in line is counted; so is that of a request which gave up.
func TestWaitTime(t *testing.T) {
	harness.Test(t, func(t *harness.T) {
		tr := scripted(t, &pool.Transport{MaxConnsPerHost: 1})
		r1 := t.Get("r1", tr, url1)
		c1 := t.Net.WantDial().Open()
		c1.WantRequest("GET / HTTP/1.1")
		r2 := t.Get("r2", tr, url1)
		r3 := t.Get("r3", tr, url1)
		t.Advance(time.Second)
		r3.Cancel()
		r3.WantErr(context.Canceled)
		t.Advance(time.Second)
		c1.Send(ok0)
		r1.WantBody("")
		c1.Respond(200, "")
		r2.WantBody("")
		if st := tr.Stats(); st.Waits != 2 || st.WaitTime != 3*time.Second {
			t.Errorf("waits: got %d in %v, want 2 in 3s", st.Waits, st.WaitTime)
		}
	})
}

// Dials whose requests are gone are bounded: a dialer that hangs cannot pile
// them up (golang/go#76784). The oldest go on: they are nearest to their end.
func TestOrphanBound(t *testing.T) {
	harness.Test(t, func(t *harness.T) {
		tr := scripted(t, &pool.Transport{MaxOrphanDialsPerHost: 3})
		var first []*harness.Dial
		for i := range 100 {
			r := t.Get(fmt.Sprintf("r%d", i), tr, url1)
			d := t.Net.WantDial()
			r.Cancel()
			r.WantErr(context.Canceled)
			if len(first) < 3 {
				first = append(first, d)
			} else {
				d.WantGone("three go on already")
			}
		}
		if st := tr.Stats(); st.Dialing != 3 || st.Orphans != 3 {
			t.Errorf("dials in flight: got %d, %d orphans, want 3", st.Dialing, st.Orphans)
		}
		for _, d := range first {
			d.Refuse()
		}
	})
	for _, tr := range []*pool.Transport{{MaxOrphanDialsPerHost: -1}, {DisableKeepAlives: true}, {MaxIdleConnsPerHost: -1}} {
		harness.Test(t, func(t *harness.T) {
			scripted(t, tr)
			r1 := t.Get("r1", tr, url1)
			d1 := t.Net.WantDial()
			r1.Cancel()
			d1.WantGone("its connection could not be kept")
		})
	}
}

// A dialer that ignores its context is reported until it returns.
func TestOrphanReported(t *testing.T) {
	harness.Test(t, func(t *harness.T) {
		tr := scripted(t, &pool.Transport{MaxOrphanDialsPerHost: -1})
		held := tr.DialContext
		tr.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
			return held(context.WithoutCancel(ctx), network, addr)
		}
		r1 := t.Get("r1", tr, url1)
		d1 := t.Net.WantDial()
		r1.Cancel()
		r1.WantErr(context.Canceled)
		if l := tr.Ledger(); len(l) != 1 || l[0].State != pool.Dialing || l[0].Holder != "" {
			t.Errorf("ledger: got\n%s", l)
		}
		d1.Open().WantOpen("it came after all")
	})
}

// A request that finds no connection leaves nothing behind once it is over, be
// it served, failed or called off (golang/go#33849, #33850, #50798).
func TestNothingLeftInLine(t *testing.T) {
	harness.Test(t, func(t *harness.T) {
		tr := scripted(t, &pool.Transport{MaxConnsPerHost: 1})
		r1 := t.Get("r1", tr, url1)
		c1 := t.Net.WantDial().Open()
		c1.WantRequest("GET / HTTP/1.1")
		for i := range 50 {
			r := t.Get(fmt.Sprintf("r%d", i+2), tr, url1)
			r.Cancel()
			r.WantErr(context.Canceled)
		}
		if n := pool.Queued(tr); n != 0 {
			t.Errorf("got %d in line, for a place or dialing, want none", n)
		}
		c1.Send(ok0)
		r1.WantBody("")
	})
}

// Hosts without a connection are forgotten in time; what they counted is not.
func TestUnusedHosts(t *testing.T) {
	tr := &pool.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) { return nil, errWhy }}

	const n = pool.MaxHosts + 10
	for i := range n {
		req := request("GET", nil)
		req.URL.Host = "h" + string(rune('a'+i%26)) + time.Duration(i).String() + ".test"
		if _, err := tr.RoundTrip(req); !errors.Is(err, errWhy) {
			t.Fatal(err)
		}
	}
	st := tr.Stats()
	if len(st.Hosts) > pool.MaxHosts || st.Dials != n || st.DialErrors != n {
		t.Errorf("got %d hosts, %d dials, %d errors", len(st.Hosts), st.Dials, st.DialErrors)
	}
}
