package pool_test

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/halfopen/halfopen/clock"
	"github.com/halfopen/halfopen/harness"
	"github.com/halfopen/halfopen/pool"
)

// The ledger says who holds which connection since when; a password in a URL
// is not printed.
func TestLedger(t *testing.T) {
	harness.Test(t, func(t *harness.T) {
		tr := scripted(t, &pool.Transport{MaxConnsPerHost: 3})
		begin := time.Now()
		r1 := t.Post("r1", tr, url1, "x")
		c1 := t.Net.WantDial().Open()
		content(t, received(t, c1))
		t.Advance(time.Second)
		r2 := t.Get("r2", tr, url1)
		c2 := t.Net.WantDial().Open()
		c2.Respond(200, "")
		r2.WantBody("")
		r3, r4 := t.Get("r3", tr, url1), t.Get("r4", tr, url1)
		d4 := t.Net.WantDial()
		r5 := t.Get("r5", tr, url1)
		c2.WantRequest("GET / HTTP/1.1")
		t.Advance(time.Second)

		l := tr.Ledger()
		const want = `  id  state     served  host                            holder
   1  active         1  http://api.test:80              POST http://api.test/
   2  active         2  http://api.test:80              GET http://api.test/
   3  dialing        0  http://api.test:80              GET http://api.test/
`
		if l.String() != want {
			t.Errorf("ledger: got\n%swant\n%s", l, want)
		}
		if since := l[0].Since.Sub(begin); since != 0 {
			t.Errorf("c1: held since %v after the start, want 0", since)
		}
		if since := l[1].Since.Sub(begin); since != time.Second {
			t.Errorf("c2: held since %v after the start, want 1s", since)
		}
		if l[0].Remote.String() != c1.Client().RemoteAddr().String() || !l[2].Opened.IsZero() {
			t.Errorf("ledger: got %+v", l)
		}
		const stats = `host                                      dials reuses  waits  again dialing   idle active waiting
http://api.test:80                            3      1      1      0       1      0      2       2
all                                           3      1      1      0       1      0      2       2
`
		if got := tr.Stats().String(); got != stats {
			t.Errorf("stats: got\n%swant\n%s", got, stats)
		}
		c1.Send(ok0)
		c2.Send(ok0)
		r1.WantDone(c1)
		r1.Finish()
		r3.WantDone(c2)
		r3.Finish()
		c1.WantRequest("GET / HTTP/1.1")
		c2.WantRequest("GET / HTTP/1.1")
		c1.Send(ok0)
		c2.Send(ok0)
		r4.WantBody("")
		r5.WantBody("")
		d4.Refuse()
	})
}

// OnClose tells each connection's end once, with its cause, and may ask the
// transport.
func TestOnClose(t *testing.T) {
	var got []string
	tr := &pool.Transport{}
	tr.OnClose = func(e pool.Entry, why pool.Cause) {
		tr.Stats()
		tr.Ledger()
		got = append(got, e.Host+" "+why.String())
	}
	harness.Test(t, func(t *harness.T) {
		scripted(t, tr)
		r1 := t.Get("r1", tr, url1)
		c1 := t.Net.WantDial().Open()
		c1.Send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
		r1.WantBody("")
		c2 := warm(t, tr)
		c2.Fin()
		r2 := t.Get("r2", tr, url1)
		t.Net.WantDial().Open().Respond(200, "")
		r2.Finish()
	})
	want := "http://api.test:80 finished, http://api.test:80 server FIN, http://api.test:80 CloseIdleConnections"
	if all := strings.Join(got, ", "); all != want {
		t.Errorf("got %s\nwant %s", all, want)
	}
}

// On a virtual clock an idle connection lives until the clock says so; one that
// is in use has no timer, and one that is closed leaves none.
func TestVirtualClock(t *testing.T) {
	harness.Test(t, func(t *harness.T) {
		v := clock.NewVirtual(time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC))
		tr := scripted(t, &pool.Transport{Clock: v, IdleConnTimeout: time.Minute, ResponseHeaderTimeout: time.Second})
		c1 := warm(t, tr)
		if n := len(v.Timers()); n != 1 {
			t.Errorf("idle: got %d timers, want 1: %v", n, v.Timers())
		}
		r1 := t.Get("r1", tr, url1)
		c1.WantRequest("GET / HTTP/1.1")
		if n := len(v.Timers()); n != 1 {
			t.Errorf("awaiting a header: got %d timers, want 1: %v", n, v.Timers())
		}
		c1.Send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")
		r1.WantDone(nil)
		if n := len(v.Timers()); n != 0 {
			t.Errorf("in the body: got %d timers, want 0: %v", n, v.Timers())
		}
		c1.Send("hello")
		r1.WantBody("hello")
		v.Advance(time.Minute - 1)
		c1.WantOpen("a nanosecond is missing")
		v.Advance(1)
		c1.WantClosed("a minute has passed")
		if n := len(v.Timers()); n != 0 {
			t.Errorf("closed: got %d timers, want 0: %v", n, v.Timers())
		}
	})
}

// A request that has failed holds nothing, though its connection takes its time
// to close: its caller may change it.
func TestLedgerAfterFailure(t *testing.T) {
	harness.Test(t, func(t *harness.T) {
		t.Gates("Close")
		tr := scripted(t, &pool.Transport{})
		t.Net.Hold("gate c1 Close")
		r1 := t.Get("r1", tr, url1)
		c1 := t.Net.WantDial().Open()
		c1.WantRequest("GET / HTTP/1.1")
		c1.Fin()
		r1.WantErr(io.EOF)
		if l := tr.Ledger(); len(l) != 1 || l[0].Holder != "" {
			t.Errorf("while it closes: got\n%s, want a connection without a holder", l)
		}
		t.Net.Release("gate c1 Close")
	})
}

// A call of the clock that is held holds nothing else: no lock is held across
// it. What happens to the connection meanwhile leaves no timer behind.
func TestClockHeld(t *testing.T) {
	for name, meanwhile := range map[string]func(t *harness.T, tr *pool.Transport, c1 *harness.Conn){
		"nothing": func(*harness.T, *pool.Transport, *harness.Conn) {},
		"FIN": func(t *harness.T, _ *pool.Transport, c1 *harness.Conn) {
			if c1.Server().State() == "ESTABLISHED" {
				c1.Fin()
			}
		},
		"CloseIdle": func(_ *harness.T, tr *pool.Transport, _ *harness.Conn) { tr.CloseIdleConnections() },
		"books":     func(_ *harness.T, tr *pool.Transport, _ *harness.Conn) { tr.Stats(); tr.Ledger() },
		"other host": func(t *harness.T, tr *pool.Transport, _ *harness.Conn) {
			t.Get(fmt.Sprint("other", len(t.Requests())), tr, "http://other.test/")
			t.Net.WantDial().Refuse()
		},
	} {
		for _, kind := range []clock.Kind{clock.KindAfterFunc, clock.KindReset, clock.KindStop} {
			t.Run(kind.String()+" "+name, func(t *testing.T) {
				harness.Test(t, func(t *harness.T) { holdClock(t, kind, meanwhile) })
			})
		}
	}
}

// holdClock has a request served while each call of that kind is held, and calls
// meanwhile during each.
func holdClock(t *harness.T, kind clock.Kind, meanwhile func(t *harness.T, tr *pool.Transport, c1 *harness.Conn)) {
	v := clock.NewVirtual(time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC))
	tr := scripted(t, &pool.Transport{Clock: v, IdleConnTimeout: time.Minute, ResponseHeaderTimeout: time.Minute})
	if kind != clock.KindAfterFunc {
		warm(t, tr)
	}
	trap := v.Hold(kind, "")
	// Not by t.Get: what is held here is no gate, and r1 would be said to wait while
	// a connection is idle.
	over := make(chan bool, 1)
	go func() {
		if resp, err := tr.RoundTrip(request("GET", nil)); err == nil {
			io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
		}
		over <- true
	}()
	t.Settle()
	if kind == clock.KindAfterFunc {
		t.Net.WantDial().Open()
	}
	c1, held := t.Conn("c1"), 0
	for range 10 {
		select {
		case call := <-trap.C:
			held++
			meanwhile(t, tr, c1)
			call.Release()
		default:
			if c1.Server().Unread() > 0 && !c1.Client().IsClosed() {
				c1.Respond(200, "hello")
			}
		}
		t.Settle()
	}
	trap.Lift()
	if held == 0 {
		t.Error("got no call held")
	}
	if t.Settle(); len(over) == 0 {
		t.Net.WantDial("the request goes elsewhere").Refuse()
	}
	<-over
	tr.CloseIdleConnections()
	t.Settle()
	if timers := v.Timers(); len(timers) != 0 {
		t.Errorf("timers left: %v", timers)
	}
}
