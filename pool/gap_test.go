package pool_test

import (
	"cmp"
	"context"
	"errors"
	"io"
	"net/http"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
	"weak"

	"github.com/halfopen/halfopen/clock"
	"github.com/halfopen/halfopen/harness"
	"github.com/halfopen/halfopen/pool"
)

// A connection that has been idle for too long by the wall is not used, though
// its timer stood still.
func TestTooOldByTheWall(t *testing.T) {
	harness.Test(t, func(t *harness.T) {
		t.Allow("trace", "the clock of the transport jumps, and that of the harness does not")
		slept := &asleep{Clock: clock.System}
		tr := scripted(t, &pool.Transport{IdleConnTimeout: time.Minute, Clock: slept})
		c1 := warm(t, tr)
		slept.by += time.Minute
		r1 := t.Get("r1", tr, url1)
		c1.Respond(200, "")
		r1.WantBody("")
		slept.by += time.Minute + 1
		r2 := t.Get("r2", tr, url1)
		c2 := t.Net.WantDial().Open()
		c2.Respond(200, "")
		r2.WantBody("")
		c1.WantClosed("it is a nanosecond too old")
		wantClosed(t, tr, pool.IdleTimeout, 1)
	})
}

// asleep is a clock that jumps without its timers.
type asleep struct {
	clock.Clock
	by time.Duration
}

func (a *asleep) Now() time.Time { return a.Clock.Now().Add(a.by) }

// A request that was served, failed or called off is not kept reachable by the
// pool, though its connection is (golang/go#50798, #33850).
func TestRequestReleased(t *testing.T) {
	harness.Test(t, func(t *harness.T) {
		tr := scripted(t, &pool.Transport{MaxConnsPerHost: 2})
		c1 := warm(t, tr)
		type key struct{}
		secret := func() (*[]byte, weak.Pointer[[]byte]) {
			b := make([]byte, 1<<10)
			return &b, weak.Make(&b)
		}
		// Not by t.Start: the harness keeps what it has started.
		post := func(c *harness.Conn, response string) weak.Pointer[[]byte] {
			b, w := secret()
			ctx, cancel := context.WithCancel(context.WithValue(context.Background(), key{}, b))
			done := make(chan error, 1)
			go func() {
				resp, err := tr.RoundTrip(request("POST", strings.NewReader("x")).WithContext(ctx))
				if err == nil {
					io.Copy(io.Discard, resp.Body)
					resp.Body.Close()
				}
				done <- err
			}()
			t.Settle()
			if c != nil {
				c.WantRequest("POST / HTTP/1.1")
				c.Send(response)
			} else {
				d := t.Net.WantDial()
				cancel()
				t.Settle()
				d.Open()
			}
			if err := <-done; (err == nil) != (c != nil) {
				t.Errorf("got %v", err)
			}
			cancel()
			return w
		}
		wantReleased := func(what string, w weak.Pointer[[]byte]) {
			for range 5 {
				runtime.GC() // a goroutine that is interrupted may hold it until the next time
			}
			if w.Value() != nil {
				t.Errorf("request that was %s: its context is still reachable", what)
			}
		}
		wantReleased("served", post(c1, okBody))
		hold := t.Get("hold", tr, url1)
		c1.WantRequest("GET / HTTP/1.1")
		wantReleased("called off", post(nil, ""))
		c1.Send(ok0)
		hold.WantBody("")
	})
}

// The second of two reads of one compressed body at once fails; and a
// read that is in progress survives Close.
func TestGzipTwoReads(t *testing.T) {
	harness.Test(t, func(t *harness.T) {
		tr := scripted(t, &pool.Transport{})
		r1 := t.Get("r1", tr, url1)
		c1 := t.Net.WantDial().Open()
		c1.WantRequest("GET / HTTP/1.1")
		c1.Send("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 100\r\n\r\n\x1f\x8b")
		r1.WantDone(nil)
		body := r1.Response().Body
		first := make(chan error)
		go func() { _, err := body.Read(make([]byte, 1)); first <- err }()
		t.Settle()
		if _, err := body.Read(make([]byte, 1)); !errors.Is(err, pool.ErrReadTwice) {
			t.Errorf("second read: got %v", err)
		}
		body.Close()
		if err := <-first; err == nil {
			t.Error("first read: got no error from a closed body")
		}
		if _, err := body.Read(make([]byte, 1)); !errors.Is(err, http.ErrBodyReadAfterClose) {
			t.Errorf("read after close: got %v", err)
		}
	})
}

// A connection that goes from one request straight to another has its new
// holder in the ledger, since then.
func TestLedgerHandedOn(t *testing.T) {
	harness.Test(t, func(t *harness.T) {
		tr := scripted(t, &pool.Transport{MaxConnsPerHost: 1})
		r1 := t.Get("r1", tr, url1)
		c1 := t.Net.WantDial().Open()
		c1.WantRequest("GET / HTTP/1.1")
		r2 := t.Start("r2", tr, request("OPTIONS", nil))
		t.Advance(time.Second)
		handedOn := time.Now()
		c1.Send(ok0)
		r1.WantBody("")
		t.Advance(time.Second)
		if e := tr.Ledger()[0]; e.Holder != "OPTIONS http://api.test/" || !e.Since.Equal(handedOn) || e.Served != 2 {
			t.Errorf("ledger: got %s since %v, want r2's since %v", e.Holder, e.Since, handedOn)
		}
		if n := tr.Stats().Reuses; n != 1 {
			t.Errorf("reuses: got %d, want 1", n)
		}
		c1.Respond(200, "")
		r2.WantBody("")
	})
}

// A few hosts are remembered, used or not.
func TestUnusedHostsRemembered(t *testing.T) {
	harness.Test(t, func(t *harness.T) {
		tr := scripted(t, &pool.Transport{})
		for _, host := range []string{"a.test", "b.test", "c.test"} {
			r := t.Get(host, tr, "http://"+host)
			t.Net.WantDial().Refuse()
			r.WantErr(syscall.ECONNREFUSED)
		}
		if st := tr.Stats(); len(st.Hosts) != 3 || st.Hosts[0].DialErrors != 1 || len(st.Closed) != 0 {
			t.Errorf("got\n%s, want a line for each of three hosts, and nothing closed, not even %v", st, st.Closed)
		}
	})
}

// A TLS connection says good-bye when it is closed in peace. When its response
// does not come in time, or is not wanted any more, it does not: the peer may not
// be reading.
func TestTLSGoodbye(t *testing.T) {
	const upload = "c1 client->server data"
	for _, end := range []string{"idle", "timeout", "canceled"} {
		harness.Test(t, func(t *harness.T) {
			tr := overTLS(t, &pool.Transport{ResponseHeaderTimeout: time.Minute})
			t.ServeTLS("api.test:443", nil, nil)
			if end == "idle" {
				t.Get("r1", tr, "https://api.test/").Finish()
				t.Net.Hold(upload)
				tr.CloseIdleConnections()
				t.Net.WantHeld(upload, "it says good-bye")
			} else {
				r1 := t.Get("r1", tr, "https://api.test/hang")
				t.Net.Hold(upload)
				if end == "timeout" {
					t.Advance(time.Minute)
					r1.WantErr(context.DeadlineExceeded)
				} else {
					r1.Cancel()
					r1.WantErr(context.Canceled)
				}
				t.Net.WantNotHeld(upload, "the peer may not be reading")
			}
			t.Conn("c1").WantClosed()
			t.Net.Release(upload)
		})
	}
}

// Buffers have the size that was asked for, also when they come from a pool.
func TestBufferSizes(t *testing.T) {
	for range 2 {
		for _, size := range []int{0, 16, 1 << 10, 64 << 10} {
			harness.Test(t, func(t *harness.T) {
				tr := scripted(t, &pool.Transport{ReadBufferSize: size, WriteBufferSize: size})
				warm(t, tr)
				want := cmp.Or(size, 4<<10)
				if read, write := pool.BufferSizes(tr); read != want || write != want {
					t.Errorf("buffers: got %d and %d, want %d", read, write, want)
				}
			})
		}
	}
}

// Of several invalid fields the error names the same one each time, and no value.
func TestInvalidFields(t *testing.T) {
	for name, want := range map[string]string{
		"B B": `pool: invalid header field name "B B"`,
		"B":   `pool: invalid header field value for "B"`,
	} {
		for range 20 {
			req := request("GET", nil)
			req.Header = http.Header{"Valid": {"x"}, name: {"sec\nret"}, "C C": {"x"}, "D": {"sec\nret"}}
			if _, err := new(pool.Transport).RoundTrip(req); err == nil || err.Error() != want {
				t.Fatalf("got %v, want %s", err, want)
			}
		}
	}
}
