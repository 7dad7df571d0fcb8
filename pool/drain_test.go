package pool_test

//lint:file-ignore SA1019 Request.Cancel is part of what net/http promises, deprecated or not.

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/halfopen/halfopen/harness"
	"github.com/halfopen/halfopen/pool"
)

// closeEarly gets a response that begins with head, and closes its body. The
// rest of it is missing.
func closeEarly(t *harness.T, tr *pool.Transport, head string) *harness.Conn {
	r := t.Get("early", tr, url1)
	c := t.Net.WantDial().Open()
	c.Send(crlf(head))
	r.CloseBody()
	return c
}

// wantDraining expects that the only connection has no holder, and is not idle.
func wantDraining(t *harness.T, tr *pool.Transport, c *harness.Conn, why string) {
	c.WantOpen(why)
	l, st := tr.Ledger(), tr.Stats()
	if len(l) != 1 || l[0].State != pool.Draining || l[0].Holder != "" || st.Draining != 1 || st.Active+st.Idle != 0 {
		t.Fatalf("%s: got\n%s%s, want one that is drained", why, l, st)
	}
}

const (
	headHel    = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel"
	headChunks = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
)

// A body is closed before its end, and the rest comes in time: the connection
// serves the next request, which does not dial (golang/go#77370).
func TestDrain(t *testing.T) {
	const soon = 49 * time.Millisecond
	for name, tt := range map[string]struct {
		head, rest string
		after      time.Duration
	}{
		"content length":   {headHel, "lo", 0},
		"chunks":           {headChunks + "5\nhel", "lo\n0\n\n", 0},
		"between chunks":   {headChunks + "5\nhello\n", "0\n\n", 0},
		"all of the body":  {"HTTP/1.1 200 OK\nContent-Length: 5\n\n", "hello", 0},
		"at once":          {okBody, "", 0},
		"at once, chunks":  {headChunks + "5\nhello\n0\n\n", "", 0},
		"after 49 ms":      {headHel, "lo", soon},
		"chunks, 49 ms":    {headChunks, "5\nhello\n0\n\n", soon},
		"one ns too early": {headHel, "lo", pool.DrainTime - 1},
		"gzip":             {"HTTP/1.1 200 OK\nContent-Encoding: gzip\nContent-Length: 3\n\n\x1f", "\x8b\x08", 0},
		"an error status":  {"HTTP/1.1 503 Busy\nContent-Length: 5\n\nhel", "lo", 0},
	} {
		t.Run(name, func(t *testing.T) {
			harness.Test(t, func(t *harness.T) {
				tr := scripted(t, &pool.Transport{IdleConnTimeout: time.Minute})
				c1 := closeEarly(t, tr, tt.head)
				if tt.rest != "" {
					wantDraining(t, tr, c1, "something is missing")
					t.Advance(tt.after)
					wantDraining(t, tr, c1, "it is still waited for")
					c1.Send(crlf(tt.rest))
				}
				if t.Settle(); tr.Stats().Idle != 1 {
					t.Errorf("after the rest: got\n%s, want it idle", tr.Ledger())
				}
				t.Advance(pool.DrainTime)
				r2 := t.Get("r2", tr, url1)
				t.Net.WantNoDial("c1 is idle")
				c1.Respond(200, "hello")
				r2.WantBody("hello")
				t.Advance(time.Minute)
				wantClosed(t, tr, pool.IdleTimeout, 1)
			})
		})
	}
}

// Close waits for nothing, and where the rest is there the connection is back
// when it returns.
func TestDrainBeforeCloseReturns(t *testing.T) {
	harness.Test(t, func(t *harness.T) {
		tr := scripted(t, &pool.Transport{})
		r1 := t.Get("r1", tr, url1)
		c1 := t.Net.WantDial().Open()
		c1.Respond(200, "hello")
		r1.WantDone(nil)
		body := r1.Response().Body
		begin := time.Now()
		body.Close()
		if st := tr.Stats(); st.Idle != 1 {
			t.Errorf("after Close: got\n%s, want c1 idle", tr.Ledger())
		}
		for _, n := range []int{3, 5} {
			read := t.Get(fmt.Sprint("read", n), tr, url1)
			c1.Respond(200, "hello")
			read.WantDone(c1)
			body := read.Response().Body
			io.ReadFull(body, make([]byte, n)) // and not its end
			body.Close()
			if st := tr.Stats(); st.Idle != 1 {
				t.Errorf("after %d bytes and Close: got\n%s, want c1 idle", n, tr.Ledger())
			}
		}
		body = closeEarlyOn(t, tr, c1, headHel)
		if d := time.Since(begin); d != 0 {
			t.Errorf("Close: got %v, want no time at all", d)
		}
		for range 2 {
			if n, err := body.Read(make([]byte, 1)); n != 0 || !errors.Is(err, http.ErrBodyReadAfterClose) {
				t.Errorf("read after Close: got %d, %v, want http.ErrBodyReadAfterClose", n, err)
			}
			if err := body.Close(); err != nil {
				t.Errorf("Close again: got %v", err)
			}
		}
		wantDraining(t, tr, c1, "neither touches the drain")
		c1.Send("lo")
		warmAgain(t, tr, c1)
	})
}

// closeEarlyOn is closeEarly on a connection that is idle. It returns the body.
func closeEarlyOn(t *harness.T, tr *pool.Transport, c *harness.Conn, head string) io.ReadCloser {
	r := t.Get("early", tr, url1)
	c.Send(crlf(head))
	r.WantDone(nil)
	body := r.Response().Body
	body.Close()
	wantDraining(t, tr, c, "the rest is missing")
	return body
}

// warmAgain wants c to serve a request.
func warmAgain(t *harness.T, tr *pool.Transport, c *harness.Conn) {
	r := t.Get("again", tr, url1)
	t.Net.WantNoDial("a connection is idle")
	c.Respond(200, "hello")
	r.WantBody("hello")
}

// The rest never comes: after 50 ms, and not before, the connection is closed.
// Until then its place is taken; then the request that waits for it dials.
func TestDrainGivesUp(t *testing.T) {
	for name, head := range map[string]string{
		"content length": headHel,
		"chunks":         headChunks + "5\nhel",
		"gzip":           "HTTP/1.1 200 OK\nContent-Encoding: gzip\nContent-Length: 100\n\n\x1f\x8b",
	} {
		t.Run(name, func(t *testing.T) {
			harness.Test(t, func(t *harness.T) {
				tr := scripted(t, &pool.Transport{MaxConnsPerHost: 1})
				c1 := closeEarly(t, tr, head)
				r2 := t.Get("r2", tr, url1)
				t.Net.WantNoDial("c1 has the place")
				t.Advance(pool.DrainTime - 1)
				wantDraining(t, tr, c1, "its time is not over")
				t.Net.WantNoDial("c1 has the place")
				c1.Send("l") // that it goes on gives it no more time
				t.Advance(time.Nanosecond)
				c1.WantClosed("its time is over")
				wantClosed(t, tr, pool.BodyUnread, 1)
				c2 := t.Net.WantDial().Open()
				c2.Respond(200, "hello")
				r2.WantBody("hello")
			})
		})
	}
}

// What is left of a body may be 256 KiB and no more. A body that says that it is
// longer is not asked for, and one that does not say is given up there.
func TestDrainBound(t *testing.T) {
	length := func(n int) string { return fmt.Sprintf("HTTP/1.1 200 OK\nContent-Length: %d\n\n", n) }
	for _, tt := range []struct {
		name, head string
		first      int // bytes that the caller reads
		rest       string
		drained    bool // at first
		kept       bool
	}{
		{"the most", length(pool.DrainBytes), 0, strings.Repeat("x", pool.DrainBytes), true, true},
		{"more", length(pool.DrainBytes + 1), 0, "", false, false},
		{"the most is left", length(pool.DrainBytes+3) + "abc", 3, strings.Repeat("x", pool.DrainBytes), true, true},
		{"more is left", length(pool.DrainBytes+3) + "abc", 2, "", false, false},
		{"chunks, the most", headChunks + "40000\n", 0, strings.Repeat("x", pool.DrainBytes) + "\n0\n\n", true, true},
		{"chunks, more", headChunks + "40001\n", 0, strings.Repeat("x", pool.DrainBytes+1), true, false},
		{"chunks, the most is left", headChunks + "40003\nabc", 3, strings.Repeat("x", pool.DrainBytes) + "\n0\n\n", true, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			harness.Test(t, func(t *harness.T) {
				t.Net.Raw().SendBuffer = 2 * pool.DrainBytes
				tr := scripted(t, &pool.Transport{})
				r1 := t.Get("r1", tr, url1)
				c1 := t.Net.WantDial().Open()
				c1.Send(crlf(tt.head))
				r1.WantDone(nil)
				body := r1.Response().Body
				if _, err := io.ReadFull(body, make([]byte, tt.first)); err != nil {
					t.Fatal(err)
				}
				body.Close()
				if tt.drained {
					wantDraining(t, tr, c1, "it may be short enough")
					c1.Send(crlf(tt.rest))
				}
				if tt.kept {
					warmAgain(t, tr, c1)
				} else {
					c1.WantClosed("there is too much")
					wantClosed(t, tr, pool.BodyUnread, 1)
				}
			})
		})
	}
}

// What the connection meets while it is drained ends it at once.
func TestDrainBroken(t *testing.T) {
	for name, tt := range map[string]struct {
		head  string
		event func(c *harness.Conn)
		why   pool.Cause
	}{
		"FIN":           {headHel, (*harness.Conn).Fin, pool.ServerFIN},
		"FIN in chunks": {headChunks + "5\nhel", (*harness.Conn).Fin, pool.ServerFIN},
		"reset":         {headHel, (*harness.Conn).Reset, pool.ReadFailed},
		"no chunk":      {headChunks + "5\nhel", func(c *harness.Conn) { c.Send("loXX") }, pool.ReadFailed},
		"more than it":  {headHel, func(c *harness.Conn) { c.Send("lo!") }, pool.Unsolicited},
		"FIN behind it": {headHel, func(c *harness.Conn) { io.WriteString(c.Server(), "lo"); c.Fin() }, pool.ServerFIN},
	} {
		t.Run(name, func(t *testing.T) {
			harness.Test(t, func(t *harness.T) {
				tr := scripted(t, &pool.Transport{MaxConnsPerHost: 1})
				c1 := closeEarly(t, tr, tt.head)
				wantDraining(t, tr, c1, "the rest is missing")
				tt.event(c1)
				c1.WantClosed("it is of no more use")
				wantClosed(t, tr, tt.why, 1)
				r2 := t.Get("r2", tr, url1)
				t.Net.WantDial().Refuse() // the place is free
				r2.WantErr(syscall.ECONNREFUSED)
			})
		})
	}
}

// That the request is called off after its body was closed does nothing: almost
// every caller does that next, and http.Client with a Timeout always. Before that
// it closes the connection, also if the two come in one instant.
func TestDrainCanceled(t *testing.T) {
	harness.Test(t, func(t *harness.T) {
		tr := scripted(t, &pool.Transport{})
		var c1 *harness.Conn
		for _, name := range []string{"r1", "r2", "r3"} {
			r := t.Get(name, tr, url1)
			if c1 == nil {
				c1 = t.Net.WantDial().Open()
			}
			c1.Send(headHel)
			r.WantDone(nil)
			body := r.Response().Body
			body.Close()
			r.Cancel()
			wantDraining(t, tr, c1, "the response was over")
			c1.Send("lo")
		}
		req := request("GET", nil)
		legacy := make(chan struct{})
		req.Cancel = legacy
		r := t.Start("legacy", tr, req)
		c1.Send(headHel)
		r.CloseBody()
		close(legacy)
		wantDraining(t, tr, c1, "the response was over")
		c1.Send("lo")

		req, cancel := cancelable(request("GET", nil))
		r = t.Start("before", tr, req)
		c1.Send(headHel)
		r.WantDone(nil)
		body := r.Response().Body
		cancel()
		body.Close()
		c1.WantClosed("it was called off first")
		wantClosed(t, tr, pool.Canceled, 1)
	})
	harness.Test(t, func(t *harness.T) {
		tr := scripted(t, &pool.Transport{})
		client := &http.Client{Transport: tr, Timeout: time.Minute}
		done := make(chan error, 1)
		go func() {
			resp, err := client.Get(url1)
			if err == nil {
				err = resp.Body.Close()
			}
			done <- err
		}()
		c1 := t.Net.WantDial().Open()
		c1.Send(headHel)
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		wantDraining(t, tr, c1, "the client is done with it")
		c1.Send("lo")
		warmAgain(t, tr, c1)
	})
}

// CloseIdleConnections while a connection is drained closes it when that ends,
// for good or not, and whatever is asked for meanwhile.
func TestDrainCloseIdle(t *testing.T) {
	for _, limit := range []int{0, 1} {
		for _, comes := range []bool{true, false} {
			t.Run(fmt.Sprintf("limit %d, comes %v", limit, comes), func(t *testing.T) {
				harness.Test(t, func(t *harness.T) {
					tr := scripted(t, &pool.Transport{MaxConnsPerHost: limit})
					c1 := closeEarly(t, tr, headHel)
					tr.CloseIdleConnections()
					wantDraining(t, tr, c1, "it is not idle")
					r2 := t.Get("r2", tr, url1)
					why := pool.ClosedIdle
					if limit == 0 {
						t.Net.WantDial().Refuse()
						r2.WantErr(syscall.ECONNREFUSED)
					}
					if comes {
						c1.Send("lo")
					} else {
						why = pool.BodyUnread
						t.Advance(pool.DrainTime)
					}
					c1.WantClosed("it may not become idle")
					wantClosed(t, tr, why, 1)
					if limit == 1 {
						t.Net.WantDial().Refuse()
						r2.WantErr(syscall.ECONNREFUSED)
					}
				})
			})
		}
	}
}
