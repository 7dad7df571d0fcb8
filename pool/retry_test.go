package pool

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// warm is a connection that has served a request, so that a failure on it may
// be retried.
func (s *script) warm() *server {
	r := s.get("warm-up")
	c := s.wantDial().open()
	c.wantRequest()
	c.send(ok0)
	r.wantDone("")
	return c
}

// onceBody counts how often it is closed.
type onceBody struct {
	io.Reader
	closed atomic.Int32
}

func (b *onceBody) Close() error { b.closed.Add(1); return nil }

// The retry table (golang/go#4677, #18241, #15723, #18239, #19943, #22158,
// #30938): a request whose warm connection fails is sent again if nothing of it
// was written or if it is idempotent, and if its body can be had again. No
// request that is not idempotent reaches a server twice.
func TestRetryTable(t *testing.T) {
	type row struct {
		method string
		key    string // Idempotency-Key, X-Idempotency-Key or none
		body   string // none, memory, GetBody, stream, memory without GetBody
		when   string // FIN: before, half, after; RST: reset
		again  bool

		harmless bool // twice
	}
	var rows []row
	harmless := []string{"GET", "HEAD", "OPTIONS", "TRACE"}
	for _, method := range append([]string{"", "POST", "PUT", "DELETE", "PATCH"}, harmless...) {
		for _, key := range []string{"", "Idempotency-Key", "X-Idempotency-Key"} {
			for _, body := range []string{"none", "memory", "GetBody", "stream", "memory once"} {
				for _, when := range []string{"before", "half", "after", "reset"} {
					idempotent := method == "" || slices.Contains(harmless, method) || key != ""
					again := when == "before" || (idempotent && body != "stream" && body != "memory once")
					rows = append(rows, row{method, key, body, when, again, idempotent})
				}
			}
		}
	}
	for _, r := range rows {
		t.Run(fmt.Sprintf("%s key=%s body=%s FIN=%s", r.method, r.key, r.body, r.when), func(t *testing.T) {
			run(t, &Transport{}, func(s *script) {
				c1 := s.warm()
				g := s.gateGotConn()
				req, bodies := retryRequest(s, r.method, r.body)
				if req.Method = r.method; r.key != "" {
					req.Header[r.key] = []string{}
				}
				r1 := s.do("r1", g.on(req))
				copies := 0
				switch r.when {
				case "before":
					c1.fin()
					g.open()
				case "half":
					c1.stall(20)
					g.open()
					c1.end.reset()
				case "after", "reset":
					g.open()
					c1.body(c1.wantRequest())
					copies++
					if r.when == "after" {
						c1.fin()
					} else {
						c1.reset()
					}
				}
				if r.again {
					c2 := s.wantDial().open()
					again := c2.wantRequest()
					if got := c2.body(again); got != wantBody(r.body) {
						t.Errorf("second copy: got body %q, want it whole", got)
					}
					if _, sent := again.Header[r.key]; sent {
						t.Errorf("an empty %s was sent", r.key)
					}
					copies++
					c2.send(ok0)
					r1.wantDone("")
				} else {
					if !r1.ended() || r1.err == nil {
						t.Fatalf("got (%v, %v), want an error", r1.resp, r1.err)
					}
					var e *CloseError
					if !errors.As(r1.err, &e) && !errors.Is(r1.err, errCannotRewind) {
						t.Errorf("error: got %v, want one that says why", r1.err)
					}
				}
				if !r.harmless && copies > 1 {
					t.Errorf("server: got %d copies of a %s, want at most one", copies, r.method)
				}
				for i, b := range *bodies {
					if n := b.closed.Load(); n != 1 {
						t.Errorf("body %d: closed %d times, want once", i+1, n)
					}
				}
			})
		})
	}
}

func retryRequest(s *script, method, body string) (*http.Request, *[]*onceBody) {
	var bodies []*onceBody
	fresh := func() io.ReadCloser {
		b := &onceBody{Reader: strings.NewReader("payload")}
		bodies = append(bodies, b)
		return b
	}
	var req *http.Request
	switch body {
	case "none":
		req = s.request(method, nil)
	case "memory":
		req = s.request(method, strings.NewReader("payload"))
	case "GetBody":
		req = s.request(method, fresh())
		req.ContentLength = 7
		req.GetBody = func() (io.ReadCloser, error) { return fresh(), nil }
	case "memory once":
		req = s.request(method, strings.NewReader("payload"))
		req.GetBody = nil
	case "stream":
		req = s.request(method, fresh())
		req.ContentLength = 7
	}
	return req, &bodies
}

func wantBody(kind string) string {
	if kind == "none" {
		return ""
	}
	return "payload"
}

// A connection that fails on its first use is not retried: a server that hangs
// up each time would be dialed for ever (golang/go#52459).
func TestNoRetryOnFirstUse(t *testing.T) {
	run(t, &Transport{}, func(s *script) {
		r1 := s.get("r1")
		c1 := s.wantDial().open()
		c1.wantRequest()
		c1.fin()
		r1.wantErr(io.EOF)
		s.wantNoDial("it was new")
	})
}

// A connection that was pooled and closed while it was given out costs a new
// dial and nothing else.
func TestRetryManyStale(t *testing.T) {
	run(t, &Transport{MaxIdleConnsPerHost: 5}, func(s *script) {
		var calls []*call
		var conns []*server
		for range 5 {
			calls = append(calls, s.get("warm"))
			conns = append(conns, s.wantDial().open())
		}
		for i, c := range conns {
			c.wantRequest()
			c.send(ok0)
			calls[i].wantDone("")
		}
		r1 := s.get("r1")
		for i := len(conns) - 1; i >= 0; i-- {
			conns[i].wantRequest()
			conns[i].fin()
		}
		c := s.wantDial().open()
		c.wantRequest()
		c.send(ok0)
		r1.wantDone("")
		if n := s.tr.Stats().Retries; n != 5 {
			t.Errorf("retries: got %d, want 5", n)
		}
	})
}

// A malformed response is the server's answer: the request is not sent again.
func TestNoRetryOnBadResponse(t *testing.T) {
	run(t, &Transport{}, func(s *script) {
		c1 := s.warm()
		r1 := s.get("r1")
		c1.wantRequest()
		c1.send("SSH-2.0-OpenSSH\n\n")
		if !r1.ended() || r1.err == nil {
			t.Fatal("got no error")
		}
		s.wantClosed(BadResponse, 1)
	})
}

// The body of a request that never reaches a write loop is closed, once
// (golang/go#49621, #35015, #40382).
func TestBodyClosedOnce(t *testing.T) {
	run(t, &Transport{}, func(s *script) {
		post := func() (*http.Request, *onceBody) {
			b := &onceBody{Reader: strings.NewReader("x")}
			return s.request("POST", b), b
		}
		want := func(what string, b *onceBody) {
			t.Helper()
			if n := b.closed.Load(); n != 1 {
				t.Errorf("%s: body closed %d times, want once", what, n)
			}
		}
		for what, spoil := range map[string]func(*http.Request){
			"no URL":     func(r *http.Request) { r.URL = nil },
			"no header":  func(r *http.Request) { r.Header = nil },
			"bad name":   func(r *http.Request) { r.Header["a b"] = []string{"x"} },
			"bad value":  func(r *http.Request) { r.Header["A"] = []string{"x\n"} },
			"bad method": func(r *http.Request) { r.Method = "G T" },
			"no host":    func(r *http.Request) { r.URL.Host = "" },
			"bad scheme": func(r *http.Request) { r.URL.Scheme = "ftp" },
			"trailer":    func(r *http.Request) { r.Trailer = http.Header{"A\n": nil} },
		} {
			req, b := post()
			spoil(req)
			if _, err := s.tr.RoundTrip(req); err == nil {
				t.Errorf("%s: got no error", what)
			}
			want(what, b)
		}

		c1 := s.warm()
		g := s.gateGotConn()
		req, b := post()
		r1 := s.do("r1", g.on(req))
		c1.fin()
		r1.stop()
		g.open()
		r1.wantErr(context.Canceled)
		want("called off with a closed connection", b)

		req, b = post()
		r2 := s.do("r2", req)
		s.wantDial().fail(errRefused)
		r2.wantErr(errRefused)
		want("dial error", b)

		// A request that cannot be written is the caller's mistake.
		req, b = post()
		req.ContentLength = 99
		r3 := s.do("r3", req)
		s.wantDial().open()
		if !r3.ended() || r3.err == nil || !strings.Contains(r3.err.Error(), "ContentLength") {
			t.Errorf("short body: got %v", r3.err)
		}
		want("short body", b)
	})
}

// A request that fails again when it is sent again closes each of its bodies
// once (golang/go#40382).
func TestBodyClosedOnceEach(t *testing.T) {
	run(t, &Transport{}, func(s *script) {
		c1 := s.warm()
		req, bodies := retryRequest(s, "PUT", "GetBody")
		req.Header.Set("Idempotency-Key", "1")
		r1 := s.do("r1", req)
		c1.body(c1.wantRequest())
		c1.fin()
		c2 := s.wantDial().open()
		c2.body(c2.wantRequest())
		c2.fin()
		r1.wantErr(io.EOF)
		for i, b := range *bodies {
			if n := b.closed.Load(); n != 1 {
				t.Errorf("body %d of %d: closed %d times, want once", i+1, len(*bodies), n)
			}
		}
	})
}

// A request that cannot be written as its caller describes it is not sent
// again, however harmless that would be.
func TestNoRetryOfWrongRequest(t *testing.T) {
	for _, body := range []string{"GetBody", "memory"} {
		run(t, &Transport{}, func(s *script) {
			c1 := s.warm()
			req, _ := retryRequest(s, "PUT", body)
			req.Header.Set("Idempotency-Key", "1")
			req.ContentLength = 99
			r1 := s.do("r1", req)
			s.wantNoDial("it would be as wrong again")
			if !r1.ended() || r1.err == nil || errors.As(r1.err, new(*CloseError)) || !strings.Contains(r1.err.Error(), "ContentLength") {
				t.Errorf("%s: got %v, want the mistake itself", body, r1.err)
			}
			c1.wantClosed("half a request is on it")
		})
	}
}

// A connection that ends while a request waits for 100 Continue is no fault of
// the request's body: the request is sent again.
func TestRetryWhileExpecting(t *testing.T) {
	run(t, &Transport{ExpectContinueTimeout: time.Minute}, func(s *script) {
		c1 := s.warm()
		req, _ := retryRequest(s, "PUT", "GetBody")
		req.Header.Set("Idempotency-Key", "1")
		req.Header.Set("Expect", "100-continue")
		r1 := s.do("r1", req)
		c1.wantRequest()
		c1.fin()
		c2 := s.wantDial().open()
		again := c2.wantRequest()
		c2.wantNothing("it waits for this server's word too")
		c2.send("HTTP/1.1 100 Continue\n\n")
		if got := c2.body(again); got != "payload" {
			t.Errorf("second copy: got body %q, want it whole", got)
		}
		c2.send(ok0)
		r1.wantDone("")
	})
}

// A body that is stopped is not read any more, and a Read in progress ends
// without an error of the body's own.
func TestStoppedBody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pr, pw := io.Pipe()
		b := &sentBody{src: pr}
		got := make(chan error)
		go func() { _, err := b.Read(make([]byte, 1)); got <- err }()
		synctest.Wait()
		if !b.stop() {
			t.Error("stop: got it not stuck in Read")
		}
		if err := <-got; err != errBodyStopped || b.readError() != nil {
			t.Errorf("read in progress: got %v and, of the body, %v, want %v and none", err, b.readError(), errBodyStopped)
		}
		if _, err := pw.Write([]byte("x")); err != io.ErrClosedPipe {
			t.Errorf("source: got %v, want it closed", err)
		}
		src := strings.NewReader("payload")
		b = &sentBody{src: io.NopCloser(src)}
		if b.stop() {
			t.Error("stop: got it stuck before any Read")
		}
		if _, err := b.Read(make([]byte, 1)); err != errBodyStopped || src.Len() != len("payload") {
			t.Errorf("read after stop: got %v and %d bytes left, want %v and all", err, src.Len(), errBodyStopped)
		}
	})
}

// An error of the caller's body is the error of the request, whatever the
// network says when the connection is closed for it (golang/go#16049).
func TestBodyReadError(t *testing.T) {
	run(t, &Transport{}, func(s *script) {
		r1 := s.do("r1", s.request("POST", io.MultiReader(strings.NewReader("some"), badReader{})))
		c1 := s.wantDial().open()
		c1.wantClosed("the server must not wait for the rest")
		r1.wantErr(errWhy)
	})
}

type badReader struct{}

func (badReader) Read([]byte) (int, error) { return 0, errWhy }

// An early response is delivered although the request breaks off, at any
// offset, and its connection is not kept (golang/go#11745, #51109).
func TestEarlyResponse(t *testing.T) {
	const early = "HTTP/1.1 413 Content Too Large\nContent-Length: 3\n\nbig"
	payload := bytes.Repeat([]byte("x"), 100<<10)
	for _, room := range []int{200, 4096, 4097, 8192, 40000, 100 << 10} {
		for _, end := range []string{"FIN", "RST", "RST first", "nothing"} {
			t.Run(fmt.Sprintf("%d bytes then %s", room, end), func(t *testing.T) {
				run(t, &Transport{}, func(s *script) {
					req := s.request("POST", bytes.NewReader(payload))
					r1 := s.do("r1", req)
					d1 := s.wantDial()
					client, far := newConnPair("c1")
					far.in.room = room
					s.conns = append(s.conns, client)
					c1 := openOn(d1, client, far)
					raw := []byte(strings.ReplaceAll(early, "\n", "\r\n"))
					switch end {
					case "FIN":
						c1.send(early)
						c1.fin()
					case "RST":
						c1.send(early)
						c1.reset()
					case "RST first": // in one instant: the write may notice first
						far.in.change(func() { far.in.broken = syscall.ECONNRESET })
						far.Write(raw)
						far.reset()
					case "nothing":
						c1.send(early)
					}
					resp := r1.wantResponse()
					if b, err := io.ReadAll(resp.Body); string(b) != "big" || err != nil || resp.StatusCode != 413 {
						t.Errorf("got %d %q, %v, want 413 and its body", resp.StatusCode, b, err)
					}
					resp.Body.Close()
					c1.wantClosed("half a request is on it")
				})
			})
		}
	}
}

// A server that hangs up on the rest of a request may answer a moment later: that
// is waited for. Where it has heard nothing there is nothing to wait for.
func TestLastWord(t *testing.T) {
	for _, room := range []int{5000, 0} {
		run(t, &Transport{}, func(s *script) {
			r1 := s.do("r1", s.request("POST", bytes.NewReader(make([]byte, 100<<10))))
			d1 := s.wantDial()
			client, far := newConnPair("c1")
			far.in.room = room
			s.conns = append(s.conns, client)
			c1 := openOn(d1, client, far)
			far.in.change(func() { far.in.broken = syscall.EPIPE })
			if room == 0 {
				r1.wantErr(syscall.EPIPE)
				return
			}
			time.Sleep(lastWord - 1) // virtual
			r1.wantPending("the server may have more to say")
			c1.send("HTTP/1.1 413 Content Too Large\nContent-Length: 0\n\n")
			if resp := r1.wantResponse(); resp.StatusCode != 413 {
				t.Errorf("status: got %s, want 413", resp.Status)
			}
			c1.wantClosed("half a request is on it")
		})
	}
}

// A write that fails while the server says nothing is an error in bounded time.
func TestWriteFailsAlone(t *testing.T) {
	run(t, &Transport{}, func(s *script) {
		r1 := s.do("r1", s.request("POST", bytes.NewReader(make([]byte, 100<<10))))
		d1 := s.wantDial()
		client, far := newConnPair("c1")
		far.in.room = 5000
		s.conns = append(s.conns, client)
		openOn(d1, client, far)
		far.in.change(func() { far.in.broken = syscall.EPIPE })
		<-r1.done
		r1.wantErr(syscall.EPIPE)
		s.wantClosed(WriteFailed, 1)
	})
}
