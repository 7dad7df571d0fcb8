package pool

//lint:file-ignore SA1019 Request.Cancel is part of what net/http promises, deprecated or not.

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// closeEarly gets a response that begins with head, and closes its body. The
// rest of it is missing.
func (s *script) closeEarly(head string) *server {
	r := s.get("early")
	c := s.wantDial().open()
	c.wantRequest()
	c.send(head)
	r.wantResponse().Body.Close()
	return c
}

// wantDraining wants the only connection to be nobody's, and not idle.
func (s *script) wantDraining(c *server, why string) {
	s.Helper()
	c.wantOpen(why)
	l, st := s.tr.Ledger(), s.tr.Stats()
	if len(l) != 1 || l[0].State != Draining || l[0].Holder != "" || st.Draining != 1 || st.Active+st.Idle != 0 {
		s.Fatalf("%s: got\n%s%s, want one that is drained", why, l, st)
	}
}

const (
	headHel    = "HTTP/1.1 200 OK\nContent-Length: 5\n\nhel"
	headChunks = "HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n"
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
		"one ns too early": {headHel, "lo", drainTime - 1},
		"gzip":             {"HTTP/1.1 200 OK\nContent-Encoding: gzip\nContent-Length: 3\n\n\x1f", "\x8b\x08", 0},
		"an error status":  {"HTTP/1.1 503 Busy\nContent-Length: 5\n\nhel", "lo", 0},
	} {
		t.Run(name, func(t *testing.T) {
			run(t, &Transport{IdleConnTimeout: time.Minute}, func(s *script) {
				c1 := s.closeEarly(tt.head)
				if tt.rest != "" {
					s.wantDraining(c1, "something is missing")
					time.Sleep(tt.after) // virtual
					s.wantDraining(c1, "it is still waited for")
					c1.send(tt.rest)
				}
				if s.settle(); s.tr.Stats().Idle != 1 {
					t.Errorf("after the rest: got\n%s, want it idle", s.tr.Ledger())
				}
				time.Sleep(drainTime) // virtual
				r2 := s.get("r2")
				s.wantNoDial("c1 is idle")
				c1.wantRequest()
				c1.send(okBody)
				r2.wantDone("hello")
				time.Sleep(time.Minute) // virtual
				s.wantClosed(IdleTimeout, 1)
			})
		})
	}
}

// Close waits for nothing, and where the rest is there the connection is back
// when it returns.
func TestDrainBeforeCloseReturns(t *testing.T) {
	run(t, &Transport{}, func(s *script) {
		r1 := s.get("r1")
		c1 := s.wantDial().open()
		c1.wantRequest()
		c1.send(okBody)
		body := r1.wantResponse().Body
		begin := time.Now()
		body.Close()
		if st := s.tr.Stats(); st.Idle != 1 {
			t.Errorf("after Close: got\n%s, want c1 idle", s.tr.Ledger())
		}
		body = s.closeEarlyOn(c1, headHel)
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
		s.wantDraining(c1, "neither touches the drain")
		c1.send("lo")
		s.warmAgain(c1)
	})
}

// closeEarlyOn is closeEarly on a connection that is idle. It returns the body.
func (s *script) closeEarlyOn(c *server, head string) io.ReadCloser {
	s.Helper()
	r := s.get("early")
	c.wantRequest()
	c.send(head)
	body := r.wantResponse().Body
	body.Close()
	s.wantDraining(c, "the rest is missing")
	return body
}

// warmAgain wants c to serve a request.
func (s *script) warmAgain(c *server) {
	s.Helper()
	r := s.get("again")
	s.wantNoDial("a connection is idle")
	c.wantRequest()
	c.send(okBody)
	r.wantDone("hello")
}

// The rest never comes: after 50 ms, and not before, the connection is closed.
// Until then its place is taken; then the request that waits for it dials.
func TestDrainGivesUp(t *testing.T) {
	for name, head := range map[string]string{"content length": headHel, "chunks": headChunks + "5\nhel"} {
		t.Run(name, func(t *testing.T) {
			run(t, &Transport{MaxConnsPerHost: 1}, func(s *script) {
				c1 := s.closeEarly(head)
				r2 := s.get("r2")
				s.wantNoDial("c1 has the place")
				time.Sleep(drainTime - 1) // virtual
				s.wantDraining(c1, "its time is not over")
				s.wantNoDial("c1 has the place")
				c1.send("l")                // that it goes on gives it no more time
				time.Sleep(time.Nanosecond) // virtual
				c1.wantClosed("its time is over")
				s.wantClosed(BodyUnread, 1)
				c2 := s.wantDial().open()
				c2.wantRequest()
				c2.send(okBody)
				r2.wantDone("hello")
			})
		})
	}
}

// A request that waits at the limit is served by the connection that was
// drained.
func TestDrainServesWaiter(t *testing.T) {
	run(t, &Transport{MaxConnsPerHost: 1}, func(s *script) {
		c1 := s.closeEarly(headHel)
		r2 := s.get("r2")
		r2.wantPending("c1 has the place")
		c1.send("lo")
		s.wantNoDial("c1 is free")
		c1.wantRequest()
		c1.send(okBody)
		r2.wantDone("hello")
	})
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
		{"the most", length(drainBytes), 0, strings.Repeat("x", drainBytes), true, true},
		{"more", length(drainBytes + 1), 0, "", false, false},
		{"the most is left", length(drainBytes+3) + "abc", 3, strings.Repeat("x", drainBytes), true, true},
		{"more is left", length(drainBytes+3) + "abc", 2, "", false, false},
		{"chunks, the most", headChunks + "40000\n", 0, strings.Repeat("x", drainBytes) + "\n0\n\n", true, true},
		{"chunks, more", headChunks + "40001\n", 0, strings.Repeat("x", drainBytes+1), true, false},
		{"chunks, the most is left", headChunks + "40003\nabc", 3, strings.Repeat("x", drainBytes) + "\n0\n\n", true, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			run(t, &Transport{}, func(s *script) {
				r1 := s.get("r1")
				c1 := s.wantDial().open()
				c1.wantRequest()
				c1.send(tt.head)
				body := r1.wantResponse().Body
				if _, err := io.ReadFull(body, make([]byte, tt.first)); err != nil {
					t.Fatal(err)
				}
				body.Close()
				if tt.drained {
					s.wantDraining(c1, "it may be short enough")
					c1.send(tt.rest)
				}
				if tt.kept {
					s.warmAgain(c1)
				} else {
					c1.wantClosed("there is too much")
					s.wantClosed(BodyUnread, 1)
				}
			})
		})
	}
}

// What the connection meets while it is drained ends it at once.
func TestDrainBroken(t *testing.T) {
	for name, tt := range map[string]struct {
		head  string
		event func(c *server)
		why   Cause
	}{
		"FIN":           {headHel, (*server).fin, ServerFIN},
		"FIN in chunks": {headChunks + "5\nhel", (*server).fin, ServerFIN},
		"reset":         {headHel, (*server).reset, ReadFailed},
		"no chunk":      {headChunks + "5\nhel", func(c *server) { c.send("loXX") }, ReadFailed},
		"more than it":  {headHel, func(c *server) { c.send("lo!") }, Unsolicited},
		"FIN behind it": {headHel, func(c *server) { c.end.Write([]byte("lo")); c.fin() }, ServerFIN},
	} {
		t.Run(name, func(t *testing.T) {
			run(t, &Transport{MaxConnsPerHost: 1}, func(s *script) {
				c1 := s.closeEarly(tt.head)
				s.wantDraining(c1, "the rest is missing")
				tt.event(c1)
				c1.wantClosed("it is of no more use")
				s.wantClosed(tt.why, 1)
				r2 := s.get("r2")
				s.wantDial().fail(errRefused) // the place is free
				r2.wantErr(errRefused)
			})
		})
	}
}

// That the request is called off after its body was closed does nothing: almost
// every caller does that next, and http.Client with a Timeout always. Before that
// it closes the connection, also if the two come in one instant.
func TestDrainCanceled(t *testing.T) {
	run(t, &Transport{}, func(s *script) {
		var c1 *server
		for range 3 {
			r := s.get("r")
			if c1 == nil {
				c1 = s.wantDial().open()
			}
			c1.wantRequest()
			c1.send(headHel)
			body := r.wantResponse().Body
			body.Close()
			r.stop()
			s.wantDraining(c1, "the response was over")
			c1.send("lo")
		}
		req := s.request("GET", nil)
		legacy := make(chan struct{})
		req.Cancel = legacy
		r := s.do("legacy", req)
		c1.wantRequest()
		c1.send(headHel)
		r.wantResponse().Body.Close()
		close(legacy)
		s.wantDraining(c1, "the response was over")
		c1.send("lo")

		r = s.get("before")
		c1.wantRequest()
		c1.send(headHel)
		body := r.wantResponse().Body
		r.cancel(errWhy)
		body.Close()
		c1.wantClosed("it was called off first")
		s.wantClosed(Canceled, 1)
	})
	run(t, &Transport{}, func(s *script) {
		client := &http.Client{Transport: s.tr, Timeout: time.Minute}
		done := make(chan error, 1)
		go func() {
			resp, err := client.Get("http://api.test/")
			if err == nil {
				err = resp.Body.Close()
			}
			done <- err
		}()
		c1 := s.wantDial().open()
		c1.wantRequest()
		c1.send(headHel)
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		s.wantDraining(c1, "the client is done with it")
		c1.send("lo")
		s.warmAgain(c1)
	})
}

// CloseIdleConnections while a connection is drained closes it when that ends,
// for good or not, and whatever is asked for meanwhile.
func TestDrainCloseIdle(t *testing.T) {
	for _, limit := range []int{0, 1} {
		for _, comes := range []bool{true, false} {
			t.Run(fmt.Sprintf("limit %d, comes %v", limit, comes), func(t *testing.T) {
				run(t, &Transport{MaxConnsPerHost: limit}, func(s *script) {
					c1 := s.closeEarly(headHel)
					s.tr.CloseIdleConnections()
					s.wantDraining(c1, "it is not idle")
					r2 := s.get("r2")
					why := ClosedIdle
					if limit == 0 {
						s.wantDial().fail(errRefused)
						r2.wantErr(errRefused)
					}
					if comes {
						c1.send("lo")
					} else {
						why = BodyUnread
						time.Sleep(drainTime) // virtual
					}
					c1.wantClosed("it may not become idle")
					s.wantClosed(why, 1)
					if limit == 1 {
						s.wantDial().fail(errRefused)
						r2.wantErr(errRefused)
					}
				})
			})
		}
	}
}

// CloseIdleConnections says nothing about a connection that a request is using: it
// is drained and kept as ever, if another request has come since.
func TestDrainAfterCloseIdle(t *testing.T) {
	run(t, &Transport{}, func(s *script) {
		r1 := s.get("r1")
		c1 := s.wantDial().open()
		c1.wantRequest()
		c1.send(headHel)
		body := r1.wantResponse().Body
		s.tr.CloseIdleConnections()
		r2 := s.get("r2")
		s.wantDial().fail(errRefused)
		r2.wantErr(errRefused)
		body.Close()
		c1.send("lo")
		s.warmAgain(c1)
	})
}

// A body that is closed while another goroutine reads it ends that Read, and
// with it the connection: there is one reader, and it is the caller's. Neither
// waits for time to pass.
func TestCloseWhileRead(t *testing.T) {
	for name, head := range map[string]string{
		"content length": headHel,
		"chunks":         headChunks + "5\nhel",
		"gzip":           "HTTP/1.1 200 OK\nContent-Encoding: gzip\nContent-Length: 100\n\n\x1f\x8b",
		"until FIN":      "HTTP/1.1 200 OK\n\nhel",
	} {
		t.Run(name, func(t *testing.T) {
			run(t, &Transport{}, func(s *script) {
				r1 := s.get("r1")
				c1 := s.wantDial().open()
				c1.wantRequest()
				c1.send(head)
				body := r1.wantResponse().Body
				begin := time.Now()
				read := make(chan error, 1)
				go func() {
					_, err := io.Copy(io.Discard, body)
					read <- err
				}()
				s.settle()
				body.Close()
				if err := <-read; !errors.Is(err, http.ErrBodyReadAfterClose) {
					t.Errorf("read: got %v, want http.ErrBodyReadAfterClose", err)
				}
				c1.wantClosed("a Read was under way")
				s.wantClosed(BodyUnread, 1)
				if d := time.Since(begin); d != 0 {
					t.Errorf("got %v, want no time at all", d)
				}
			})
		})
	}
}

// A body whose Read has failed has nothing left to drain: Close does nothing.
func TestCloseAfterError(t *testing.T) {
	run(t, &Transport{}, func(s *script) {
		r1 := s.get("r1")
		c1 := s.wantDial().open()
		c1.wantRequest()
		c1.send(headChunks + "5\nhelloXX")
		body := r1.wantResponse().Body
		if _, err := io.ReadAll(body); err == nil || errors.Is(err, io.EOF) {
			t.Errorf("read: got %v, want an error of the framing", err)
		}
		s.wantClosed(ReadFailed, 1)
		if err := body.Close(); err != nil {
			t.Errorf("Close: got %v", err)
		}
		if st := s.tr.Stats(); st.Draining+st.Active != 0 || len(st.Closed) != 1 {
			t.Errorf("after Close: got\n%s%v, want nothing more", st, st.Closed)
		}
	})
	run(t, &Transport{}, func(s *script) {
		r1 := s.get("r1")
		c1 := s.wantDial().open()
		c1.wantRequest()
		c1.send(headHel)
		body := r1.wantResponse().Body
		c1.reset()
		if _, err := io.ReadAll(body); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("read: got %v, want ECONNRESET", err)
		}
		body.Close()
		s.wantClosed(ReadFailed, 1)
	})
}

// Response and request are the caller's from Close on: the trailer that a drain
// finds is given to nobody, and the request is not looked at again.
func TestDrainTouchesNothing(t *testing.T) {
	run(t, &Transport{}, func(s *script) {
		req := s.request("GET", nil)
		r1 := s.do("r1", req)
		c1 := s.wantDial().open()
		c1.wantRequest()
		c1.send("HTTP/1.1 200 OK\nTransfer-Encoding: chunked\nTrailer: Sum\n\n5\nhel")
		resp := r1.wantResponse()
		announced := resp.Trailer
		resp.Body.Close()
		begun := make(chan bool)
		go func() { // the race detector sees it if the transport touches them too
			c1.end.Write([]byte("lo\r\n0\r\nSum: 5\r\nOther: 6\r\n\r\n"))
			close(begun)
		}()
		r1.cancel(errWhy)
		announced["Mine"] = []string{"x"}
		resp.ContentLength, resp.Trailer["Sum"] = 7, nil
		*resp.Request = http.Request{}
		<-begun
		s.settle()
		if len(announced) != 2 || announced["Sum"] != nil {
			t.Errorf("trailer: got %v, want it as the caller left it", announced)
		}
		s.warmAgain(c1)
	})
	run(t, &Transport{}, func(s *script) {
		r1 := s.get("r1")
		c1 := s.wantDial().open()
		c1.wantRequest()
		c1.send(headChunks + "5\nhello\n0\nOther: 6\n\n")
		resp := r1.wantResponse()
		io.Copy(io.Discard, resp.Body)
		if got := resp.Trailer.Get("Other"); got != "6" {
			t.Errorf("trailer of a body that was read: got %v, want it whole", resp.Trailer)
		}
	})
}

// Where the connection could not be kept, or the request is still being sent, a
// body that is closed early closes it at once.
func TestNotDrained(t *testing.T) {
	for name, tt := range map[string]struct {
		tr   *Transport
		head string
	}{
		"until FIN":         {&Transport{}, "HTTP/1.1 200 OK\n\nhel"},
		"Connection: close": {&Transport{}, "HTTP/1.1 200 OK\nConnection: close\nContent-Length: 5\n\nhel"},
		"HTTP/1.0":          {&Transport{}, "HTTP/1.0 200 OK\nContent-Length: 5\n\nhel"},
		"DisableKeepAlives": {&Transport{DisableKeepAlives: true}, headHel},
		"none may be idle":  {&Transport{MaxIdleConnsPerHost: -1}, headHel},
	} {
		t.Run(name, func(t *testing.T) {
			run(t, tt.tr, func(s *script) {
				c1 := s.closeEarly(tt.head)
				c1.wantClosed("it can't be kept")
				s.wantClosed(BodyUnread, 1)
			})
		})
	}
	t.Run("upload", func(t *testing.T) {
		run(t, &Transport{}, func(s *script) {
			pr, pw := io.Pipe()
			r1 := s.do("r1", s.request("POST", pr))
			c1 := s.wantDial().open()
			c1.wantRequest()
			c1.send(headHel)
			r1.wantResponse().Body.Close()
			c1.wantClosed("the request is the caller's again")
			if _, err := pw.Write([]byte("x")); err != io.ErrClosedPipe {
				t.Errorf("request body: got %v, want it closed", err)
			}
		})
	})
}

// A CONNECT of the caller's is the last request of its connection, whatever the
// answer: what follows may be a tunnel.
func TestConnectNeverPooled(t *testing.T) {
	for name, tt := range map[string]struct {
		head string
		read bool
		why  Cause
	}{
		"200":             {"HTTP/1.1 200 Connected\nContent-Length: 0\n\n", true, Finished},
		"200 with a body": {okBody, true, Finished},
		"407":             {"HTTP/1.1 407 Proxy Authentication Required\nContent-Length: 5\n\nhello", true, Finished},
		"407 unread":      {"HTTP/1.1 407 Proxy Authentication Required\nContent-Length: 5\n\nhello", false, BodyUnread},
		"204":             {ok204, true, Finished},
	} {
		t.Run(name, func(t *testing.T) {
			run(t, &Transport{}, func(s *script) {
				req := s.request("CONNECT", nil)
				req.URL.Path = ""
				r1 := s.do("r1", req)
				c1 := s.wantDial().open()
				c1.wantRequest()
				c1.send(tt.head)
				body := r1.wantResponse().Body
				if tt.read {
					io.Copy(io.Discard, body)
				}
				body.Close()
				c1.wantClosed("it was a CONNECT")
				s.wantClosed(tt.why, 1)
			})
		})
	}
}

// Many callers close their bodies early at once, while the books are read and
// idle connections are closed; each is answered, and nothing is left.
func TestDrainStress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mem := newMemNet()
		srv := &http.Server{ErrorLog: quiet, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, strings.Repeat("x", 5000))
			w.(http.Flusher).Flush()
			if r.URL.Path == "/late" {
				time.Sleep(time.Millisecond) // virtual
			}
			w.Write(make([]byte, 5000))
		})}
		go srv.Serve(mem)
		defer srv.Close()
		tr := &Transport{DialContext: mem.DialContext, MaxConnsPerHost: 3, IdleConnTimeout: time.Minute}
		done := make(chan bool)
		for i := range 8 {
			go func() {
				defer func() { done <- true }()
				for j := range 20 {
					resp, err := (&http.Client{Transport: tr, Timeout: time.Minute}).Get("http://api.test/" + [...]string{"", "late"}[j%2])
					if err != nil {
						t.Error(err)
						return
					}
					io.CopyN(io.Discard, resp.Body, int64(i*1000))
					resp.Body.Close()
					if tr.Stats(); i == 0 && j%8 == 7 {
						tr.CloseIdleConnections()
					}
				}
			}()
		}
		for range 8 {
			<-done
		}
		time.Sleep(drainTime) // virtual
		tr.CloseIdleConnections()
		synctest.Wait()
		if st := tr.Stats(); st.Draining+st.Active+st.Idle+st.Dialing+st.Waiting != 0 || st.Reuses == 0 || st.Dials > 20 {
			t.Errorf("at the end: got\n%s, want nothing left, and connections that served again", st)
		}
	})
}
