package pool

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/halfopen/halfopen/clock"
)

// The ledger says who holds which connection since when; a password in a URL
// is not printed.
func TestLedger(t *testing.T) {
	run(t, &Transport{MaxConnsPerHost: 3}, func(s *script) {
		begin := time.Now()
		req := s.request("POST", strings.NewReader("x"))
		req.URL.User = nil
		r1 := s.do("r1", req)
		c1 := s.wantDial().open()
		c1.body(c1.wantRequest())
		time.Sleep(time.Second) // virtual
		r2 := s.get("r2")
		c2 := s.wantDial().open()
		c2.wantRequest()
		c2.send(ok0)
		r2.wantDone("")
		r3, r4 := s.get("r3"), s.get("r4")
		d4 := s.wantDial()
		r5 := s.get("r5")
		c2.wantRequest()
		time.Sleep(time.Second) // virtual

		l := s.tr.Ledger()
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
		if l[0].Remote.String() != "c1" || !l[2].Opened.IsZero() {
			t.Errorf("ledger: got %+v", l)
		}
		const stats = `host                                      dials reuses  waits  again dialing   idle active waiting
http://api.test:80                            3      1      1      0       1      0      2       2
all                                           3      1      1      0       1      0      2       2
`
		if got := s.tr.Stats().String(); got != stats {
			t.Errorf("stats: got\n%swant\n%s", got, stats)
		}
		c1.send(ok0)
		c2.send(ok0)
		for _, r := range []*call{r1, r3} {
			r.wantDone("")
		}
		c1.wantRequest()
		c2.wantRequest()
		c1.send(ok0)
		c2.send(ok0)
		r4.wantDone("")
		r5.wantDone("")
		d4.fail(errRefused)
	})
}

// A request that has failed holds nothing, though its connection takes its time
// to close: its caller may change it.
func TestLedgerAfterFailure(t *testing.T) {
	run(t, &Transport{}, func(s *script) {
		r1 := s.get("r1")
		d1 := s.wantDial()
		client, far := newConnPair("c1")
		s.conns = append(s.conns, client)
		slow := &slowClose{end: client, pass: make(chan struct{})}
		d1.outcome <- func() (net.Conn, error) { return slow, nil }
		c1 := &server{s: s, end: far, client: client, br: bufio.NewReader(far)}
		c1.wantRequest()
		c1.fin()
		r1.wantErr(io.EOF)
		if l := s.tr.Ledger(); len(l) != 1 || l[0].Holder != "" {
			t.Errorf("while it closes: got\n%s, want a connection that nobody holds", l)
		}
		close(slow.pass)
	})
}

// slowClose is a connection whose Close takes until pass is closed.
type slowClose struct {
	*end
	pass chan struct{}
}

func (c *slowClose) Close() error { <-c.pass; return c.end.Close() }

// OnClose tells each connection's end once, with its cause, and may ask the
// transport.
func TestOnClose(t *testing.T) {
	var got []string
	tr := &Transport{}
	tr.OnClose = func(e Entry, why Cause) {
		tr.Stats()
		tr.Ledger()
		got = append(got, e.Host+" "+why.String())
	}
	run(t, tr, func(s *script) {
		r1 := s.get("r1")
		c1 := s.wantDial().open()
		c1.wantRequest()
		c1.send("HTTP/1.1 200 OK\nConnection: close\nContent-Length: 0\n\n")
		r1.wantDone("")
		c1.fin()
		s.warm().fin()
		s.warm()
	})
	want := "http://api.test:80 finished, http://api.test:80 server FIN, http://api.test:80 CloseIdleConnections"
	if all := strings.Join(got, ", "); all != want {
		t.Errorf("got %s\nwant %s", all, want)
	}
}

// Every cause and state has a name of its own.
func TestNames(t *testing.T) {
	seen := map[string]bool{}
	for c := range causes {
		if name := c.String(); name == "" || seen[name] {
			t.Errorf("cause %d: got name %q", uint8(c), name)
		} else {
			seen[name] = true
		}
	}
	if got := causes.String(); got != "Cause(19)" {
		t.Errorf("no cause: got %q", got)
	}
	if got := State(5).String() + " " + Draining.String() + " " + Upgraded.String(); got != "State(5) draining upgraded" {
		t.Errorf("states: got %q", got)
	}
	if got := (Closed{ServerFIN: 2, IdleLimit: 1}).String(); got != "server FIN 2, idle limit 1" {
		t.Errorf("closed: got %q", got)
	}
	err := &CloseError{Cause: ServerFIN, Reused: true, Err: io.EOF}
	if err.Error() != "pool: a reused connection was closed (server FIN): EOF" || !errors.Is(err, io.EOF) || err.Timeout() {
		t.Errorf("error: got %v", err)
	}
	if e := (&CloseError{Err: errHeaderTimeout}); !e.Timeout() {
		t.Errorf("timeout: got %v", e)
	}
}

// On a virtual clock an idle connection lives until the clock says so; one that
// is in use has no timer, and one that is closed leaves none.
func TestVirtualClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := clock.NewVirtual(time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC))
		tr := &Transport{Clock: v, IdleConnTimeout: time.Minute, ResponseHeaderTimeout: time.Second}
		s := &script{T: t, tr: tr}
		tr.DialContext = s.dial
		c1 := s.warm()
		if n := len(v.Timers()); n != 1 {
			t.Errorf("idle: got %d timers, want 1: %v", n, v.Timers())
		}
		r1 := s.get("r1")
		c1.wantRequest()
		if n := len(v.Timers()); n != 1 {
			t.Errorf("awaiting a header: got %d timers, want 1: %v", n, v.Timers())
		}
		c1.send("HTTP/1.1 200 OK\nContent-Length: 5\n\n")
		r1.wantResponse()
		if n := len(v.Timers()); n != 0 {
			t.Errorf("in the body: got %d timers, want 0: %v", n, v.Timers())
		}
		c1.send("hello")
		r1.wantDone("hello")
		v.Advance(time.Minute - 1)
		c1.wantOpen("a nanosecond is missing")
		v.Advance(1)
		c1.wantClosed("a minute has passed")
		if n := len(v.Timers()); n != 0 {
			t.Errorf("closed: got %d timers, want 0: %v", n, v.Timers())
		}
	})
}

// A call of the clock that is held holds nobody else: no lock is held across
// it. What happens to the connection meanwhile leaves no timer behind.
func TestClockHeld(t *testing.T) {
	type moves = func(s *script, c1 *server)
	for name, meanwhile := range map[string]moves{
		"nothing":    func(*script, *server) {},
		"FIN":        func(_ *script, c1 *server) { c1.fin() },
		"CloseIdle":  func(s *script, _ *server) { s.tr.CloseIdleConnections(); s.settle() },
		"books":      func(s *script, _ *server) { s.tr.Stats(); s.tr.Ledger() },
		"other host": func(s *script, _ *server) { req := s.request("GET", nil); req.URL.Host = "b.test"; s.do("b", req) },
	} {
		for _, kind := range []clock.Kind{clock.KindAfterFunc, clock.KindReset, clock.KindStop} {
			t.Run(kind.String()+" "+name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					v := clock.NewVirtual(time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC))
					tr := &Transport{Clock: v, IdleConnTimeout: time.Minute, ResponseHeaderTimeout: time.Minute}
					s := &script{T: t, tr: tr}
					tr.DialContext = s.dial
					if kind != clock.KindAfterFunc {
						s.warm()
					}
					trap := v.Hold(kind, "")
					go readAll(s.get("r1"))
					var c1 *server
					if kind == clock.KindAfterFunc {
						c1 = s.wantDial().open()
					} else {
						c1 = &server{s: s, client: s.conns[0]}
						c1.end = &end{in: c1.client.out, out: c1.client.in}
					}
					for range 10 {
						c1.end.in.change(func() { c1.end.in.buf.Reset() })
						select {
						case call := <-trap.C:
							meanwhile(s, c1)
							call.Release()
						default:
							c1.send(okBody)
						}
						s.settle()
					}
					trap.Lift()
					for len(s.dials) > 0 {
						s.wantDial().fail(errRefused)
					}
					s.settle()
					tr.CloseIdleConnections()
					c1.client.Close()
					s.settle()
					if timers := v.Timers(); len(timers) != 0 {
						t.Errorf("timers left: %v", timers)
					}
				})
			})
		}
	}
}

func readAll(c *call) {
	<-c.done
	if c.err == nil {
		io.Copy(io.Discard, c.resp.Body)
		c.resp.Body.Close()
	}
}

// The books may be read, and idle connections closed, at any time.
func TestConcurrentBooks(t *testing.T) {
	srv := serve(t, func(w http.ResponseWriter, r *http.Request) {})
	tr := idle(t, &Transport{MaxConnsPerHost: 2, IdleConnTimeout: time.Millisecond})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 25 {
				fetch(t, tr, srv.URL)
			}
		})
		wg.Go(func() {
			for range 25 {
				tr.Stats()
				tr.Ledger()
				tr.CloseIdleConnections()
			}
		})
	}
	wg.Wait()
}
