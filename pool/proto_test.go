package pool

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"reflect"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Informational responses are skipped and told to the trace; the final one is
// returned (golang/go#26161, #17739).
func TestInformational(t *testing.T) {
	run(t, &Transport{}, func(s *script) {
		var got []int
		trace := &httptrace.ClientTrace{Got1xxResponse: func(code int, _ textproto.MIMEHeader) error {
			got = append(got, code)
			return nil
		}}
		req := s.request("GET", nil)
		r1 := s.do("r1", req.WithContext(httptrace.WithClientTrace(req.Context(), trace)))
		c1 := s.wantDial().open()
		c1.wantRequest()
		c1.send("HTTP/1.1 103 Early Hints\nLink: </a>\n\nHTTP/1.1 103 Early Hints\n\n")
		c1.send(okBody)
		r1.wantDone("hello")
		if !reflect.DeepEqual(got, []int{103, 103}) {
			t.Errorf("1xx: got %v, want two 103", got)
		}
		r2 := s.get("r2")
		c1.wantRequest()
		c1.send(ok0)
		r2.wantDone("")
	})
}

// The trace may refuse an informational response; unseen ones share the limit
// of the header.
func TestInformationalLimits(t *testing.T) {
	run(t, &Transport{MaxResponseHeaderBytes: 1000}, func(s *script) {
		trace := &httptrace.ClientTrace{Got1xxResponse: func(int, textproto.MIMEHeader) error { return errWhy }}
		req := s.request("GET", nil)
		r1 := s.do("r1", req.WithContext(httptrace.WithClientTrace(req.Context(), trace)))
		c1 := s.wantDial().open()
		c1.wantRequest()
		c1.send("HTTP/1.1 103 Early Hints\n\n")
		r1.wantErr(errWhy)

		r2 := s.get("r2")
		c2 := s.wantDial().open()
		c2.wantRequest()
		c2.send(strings.Repeat("HTTP/1.1 103 Early Hints\nA: b\n\n", 50))
		if !r2.ended() || r2.err == nil || !strings.Contains(r2.err.Error(), "exceeds 1000 bytes") {
			t.Errorf("50 times 103: got %v, want the limit", r2.err)
		}

		r3 := s.get("r3")
		c3 := s.wantDial().open()
		c3.wantRequest()
		c3.send("HTTP/1.1 200 OK\nA: " + strings.Repeat("x", 2000) + "\n\n")
		if !r3.ended() || r3.err == nil || !strings.Contains(r3.err.Error(), "exceeds 1000 bytes") {
			t.Errorf("long header: got %v, want the limit", r3.err)
		}
	})
}

// With Expect: 100-continue the body waits for the server, or for the timeout,
// or for nothing if that is zero.
func TestExpectContinue(t *testing.T) {
	expect := func(s *script) *http.Request {
		req := s.request("POST", strings.NewReader("payload"))
		req.Header.Set("Expect", "100-continue")
		return req
	}
	run(t, &Transport{ExpectContinueTimeout: time.Second}, func(s *script) {
		var events []string
		trace := &httptrace.ClientTrace{
			Wait100Continue: func() { events = append(events, "wait") },
			Got100Continue:  func() { events = append(events, "got") },
		}
		req := expect(s)
		r1 := s.do("r1", req.WithContext(httptrace.WithClientTrace(req.Context(), trace)))
		c1 := s.wantDial().open()
		seen := c1.wantRequest()
		c1.wantNothing("the server has not agreed")
		c1.send("HTTP/1.1 100 Continue\n\n")
		if got := c1.body(seen); got != "payload" {
			t.Errorf("body: got %q", got)
		}
		c1.send(ok0)
		r1.wantDone("")
		if !reflect.DeepEqual(events, []string{"wait", "got"}) {
			t.Errorf("trace: got %v", events)
		}

		r2 := s.do("r2", expect(s))
		seen = c1.wantRequest()
		time.Sleep(time.Second - 1) // virtual
		c1.wantNothing("the timeout has not passed")
		time.Sleep(time.Nanosecond) // virtual
		if got := c1.body(seen); got != "payload" {
			t.Errorf("body after the timeout: got %q", got)
		}
		c1.send(ok0)
		r2.wantDone("")
		c1.wantOpen("all is in step")
	})
	run(t, &Transport{}, func(s *script) {
		r1 := s.do("r1", expect(s))
		c1 := s.wantDial().open()
		if got := c1.body(c1.wantRequest()); got != "payload" {
			t.Errorf("no timeout: got body %q, want it at once", got)
		}
		c1.send(ok0)
		r1.wantDone("")
	})
}

// A body that waits for the server's word is not looked into before, not even to
// see whether there is one: the header goes out at once, of every method.
func TestExpectContinueUnknownLength(t *testing.T) {
	for _, method := range []string{"POST", "GET", "DELETE", "OPTIONS"} {
		for _, length := range []int64{0, -1, 7} {
			run(t, &Transport{ExpectContinueTimeout: time.Hour}, func(s *script) {
				req := s.request(method, &onceBody{Reader: strings.NewReader("payload")})
				req.ContentLength = length
				req.Header.Set("Expect", "100-continue")
				r1 := s.do("r1", req)
				c1 := s.wantDial().open()
				seen := c1.wantRequest()
				if (seen.ContentLength == 7) != (length == 7) {
					t.Errorf("%s, length %d: got %d on the wire", method, length, seen.ContentLength)
				}
				c1.wantNothing("the server has not agreed")
				c1.send("HTTP/1.1 100 Continue\n\n")
				if got := c1.body(seen); got != "payload" {
					t.Errorf("%s, length %d: got body %q", method, length, got)
				}
				c1.send(ok0)
				r1.wantDone("")
			})
		}
	}
}

// A final status in place of 100: the body is sent, so that the next request
// is not taken for it, or the connection ends (golang/go#67555).
func TestExpectContinueFinal(t *testing.T) {
	for _, kind := range []string{"keep", "close"} {
		for _, length := range []string{"known", "unknown"} {
			run(t, &Transport{ExpectContinueTimeout: time.Hour}, func(s *script) {
				body := &onceBody{Reader: strings.NewReader("payload")}
				req := s.request("PUT", body)
				if length == "known" {
					req.ContentLength = 7
				}
				req.Header.Set("Expect", "100-continue")
				r1 := s.do("r1", req)
				c1 := s.wantDial().open()
				seen := c1.wantRequest()
				if kind == "close" {
					c1.send("HTTP/1.1 417 No\nConnection: close\nContent-Length: 2\n\nno")
					if r1.wantResponse().StatusCode != 417 {
						t.Error("got another status")
					}
					c1.wantNothing("the connection ends here")
					r1.wantDone("no")
					c1.wantClosed("the body was withheld")
					c1.wantNothing("the body was withheld")
				} else {
					c1.send("HTTP/1.1 401 No\nContent-Length: 0\n\n")
					if r1.wantResponse().StatusCode != 401 {
						t.Error("got another status")
					}
					if got := c1.body(seen); got != "payload" {
						t.Errorf("body: got %q", got)
					}
					r2 := s.get("r2")
					c1.wantRequest()
					c1.send(ok0)
					r2.wantDone("")
				}
				if n := body.closed.Load(); n != 1 {
					t.Errorf("body: closed %d times, want once", n)
				}
			})
		}
	}
}

// The answer that comes in place of 100 may be long, and take its time.
func TestExpectContinueRefusedAtLength(t *testing.T) {
	run(t, &Transport{ExpectContinueTimeout: time.Hour}, func(s *script) {
		req := s.request("PUT", &onceBody{Reader: strings.NewReader("payload")})
		req.Header.Set("Expect", "100-continue")
		r1 := s.do("r1", req)
		c1 := s.wantDial().open()
		c1.wantRequest()
		half := strings.Repeat("x", 50_000)
		c1.send("HTTP/1.1 413 No\nConnection: close\nContent-Length: 100000\n\n" + half)
		c1.wantOpen("half of the answer is missing")
		c1.send(half)
		r1.wantDone(half + half)
		c1.wantClosed("the answer is over")
	})
}

// 101 hands the connection over: bytes read ahead come first, CloseWrite
// works, the place is free, and the ledger keeps it until it is closed.
func TestUpgrade(t *testing.T) {
	run(t, &Transport{MaxConnsPerHost: 1}, func(s *script) {
		req := s.request("GET", nil)
		req.Header.Set("Connection", "Upgrade")
		req.Header.Set("Upgrade", "chat")
		r1 := s.do("r1", req)
		c1 := s.wantDial().open()
		c1.wantRequest()
		c1.send("HTTP/1.1 101 Switching Protocols\nConnection: Upgrade\nUpgrade: chat\n\nahead")
		resp := r1.wantResponse()
		rw, ok := resp.Body.(io.ReadWriteCloser)
		if !ok {
			t.Fatalf("body: got %T, want a writer", resp.Body)
		}
		r1.stop() // its context no longer matters
		c1.send(" and more")
		got := make([]byte, 14)
		if _, err := io.ReadFull(rw, got); string(got) != "ahead and more" || err != nil {
			t.Errorf("read: got %q, %v", got, err)
		}
		rw.Write([]byte("up"))
		up := make([]byte, 2)
		io.ReadFull(c1.br, up)
		if string(up) != "up" {
			t.Errorf("server: got %q", up)
		}
		if st := s.tr.Stats(); st.Upgraded != 1 || st.Active != 0 || st.Closed[HandedOver] != 1 {
			t.Errorf("stats: got %+v", st.Counts)
		}
		if err := rw.(interface{ CloseWrite() error }).CloseWrite(); err != http.ErrNotSupported {
			t.Errorf("CloseWrite: got %v, want %v from a connection without it", err, http.ErrNotSupported)
		}
		r2 := s.get("r2")
		c2 := s.wantDial().open()
		c2.wantRequest()
		c2.send(ok0)
		r2.wantDone("")
		rw.Close()
		if n := len(s.tr.Ledger()); n != 1 {
			t.Errorf("ledger: got %d entries after Close, want 1", n)
		}
	})
}

// Where nothing was read ahead the first Read is the connection's.
func TestUpgradeNothingAhead(t *testing.T) {
	run(t, &Transport{}, func(s *script) {
		req := s.request("GET", nil)
		req.Header.Set("Connection", "Upgrade")
		req.Header.Set("Upgrade", "chat")
		r1 := s.do("r1", req)
		c1 := s.wantDial().open()
		c1.wantRequest()
		c1.send("HTTP/1.1 101 Switching Protocols\nConnection: Upgrade\nUpgrade: chat\n\n")
		body := r1.wantResponse().Body
		c1.send("hello")
		b := make([]byte, 10)
		if n, err := body.Read(b); string(b[:n]) != "hello" || err != nil {
			t.Errorf("first read: got %q, %v, want what the server said", b[:n], err)
		}
		body.Close()
	})
}

// What the transport asked for it undoes; what the caller asked for it leaves.
func TestGzip(t *testing.T) {
	var z bytes.Buffer
	zw := gzip.NewWriter(&z)
	io.WriteString(zw, "hello, hello")
	zw.Close()
	send := func(c *server) {
		c.send(fmt.Sprintf("HTTP/1.1 200 OK\nContent-Encoding: gzip\nContent-Length: %d\n\n", z.Len()))
		c.end.Write(z.Bytes())
		c.s.settle()
	}
	run(t, &Transport{}, func(s *script) {
		r1 := s.get("r1")
		c1 := s.wantDial().open()
		if got := c1.wantRequest().Header.Get("Accept-Encoding"); got != "gzip" {
			t.Errorf("Accept-Encoding: got %q", got)
		}
		send(c1)
		resp := r1.wantResponse()
		if !resp.Uncompressed || resp.ContentLength != -1 || resp.Header.Get("Content-Encoding") != "" {
			t.Errorf("response: got %v %d %v", resp.Uncompressed, resp.ContentLength, resp.Header)
		}
		r1.wantDone("hello, hello")
		if _, err := resp.Body.Read(make([]byte, 1)); !errors.Is(err, http.ErrBodyReadAfterClose) {
			t.Errorf("read after close: got %v", err)
		}

		for _, req := range []*http.Request{s.request("HEAD", nil), s.request("GET", nil), s.request("GET", nil)} {
			if req.Method == "GET" {
				req.Header.Set("Range", "bytes=0-1")
			}
			r := s.do("r", req)
			if got := c1.wantRequest().Header.Get("Accept-Encoding"); got != "" {
				t.Errorf("%s: Accept-Encoding: got %q, want none", req.Method, got)
			}
			c1.send(ok0)
			r.wantDone("")
		}
		req := s.request("GET", nil)
		req.Header.Set("Accept-Encoding", "gzip")
		r2 := s.do("r2", req)
		c1.wantRequest()
		send(c1)
		r2.wantDone(z.String())

		r3 := s.get("r3")
		c1.wantRequest()
		c1.send("HTTP/1.1 200 OK\nContent-Encoding: gzip\nContent-Length: 4\n\njunk")
		if _, err := io.ReadAll(r3.wantResponse().Body); err == nil {
			t.Error("junk: got no error")
		}
		r3.resp.Body.Close()
	})
	run(t, &Transport{DisableCompression: true}, func(s *script) {
		r1 := s.get("r1")
		c1 := s.wantDial().open()
		if got := c1.wantRequest().Header.Get("Accept-Encoding"); got != "" {
			t.Errorf("DisableCompression: got %q", got)
		}
		c1.send(ok0)
		r1.wantDone("")
	})
}

// Trailers come with the end of the body, in both directions.
func TestTrailers(t *testing.T) {
	run(t, &Transport{}, func(s *script) {
		req := s.request("POST", &onceBody{Reader: strings.NewReader("payload")})
		req.Trailer = http.Header{"Sum": {"7"}}
		r1 := s.do("r1", req)
		c1 := s.wantDial().open()
		seen := c1.wantRequest()
		if got := c1.body(seen); got != "payload" || seen.Trailer.Get("Sum") != "7" {
			t.Errorf("server: got %q, trailer %v", got, seen.Trailer)
		}
		c1.send("HTTP/1.1 200 OK\nTransfer-Encoding: chunked\nTrailer: Sum\n\n5\nhello\n0\nSum: 5\n\n")
		resp := r1.wantResponse()
		r1.wantDone("hello")
		if resp.Trailer.Get("Sum") != "5" {
			t.Errorf("trailer: got %v", resp.Trailer)
		}
	})
}

// Each hook of httptrace is called, in the order in which things happen.
func TestTraceOrder(t *testing.T) {
	run(t, &Transport{}, func(s *script) {
		var events []string
		say := func(f string, args ...any) { events = append(events, fmt.Sprintf(f, args...)) }
		trace := &httptrace.ClientTrace{
			GetConn: func(hp string) { say("GetConn %s", hp) },
			GotConn: func(i httptrace.GotConnInfo) {
				say("GotConn reused=%v idle=%v %v", i.Reused, i.WasIdle, i.IdleTime)
			},
			PutIdleConn:          func(err error) { say("PutIdleConn %v", err) },
			GotFirstResponseByte: func() { say("GotFirstResponseByte") },
			WroteHeaderField:     func(k string, v []string) { say("WroteHeaderField %s %v", k, v) },
			WroteHeaders:         func() { say("WroteHeaders") },
			WroteRequest:         func(i httptrace.WroteRequestInfo) { say("WroteRequest %v", i.Err) },
		}
		traced := func(req *http.Request) *http.Request {
			return req.WithContext(httptrace.WithClientTrace(context.Background(), trace))
		}
		r1 := s.do("r1", traced(s.request("GET", nil)))
		c1 := s.wantDial().open()
		c1.wantRequest()
		c1.send(okBody)
		r1.wantDone("hello")
		want := []string{
			"GetConn api.test:80", "GotConn reused=false idle=false 0s",
			"WroteHeaderField Host [api.test]", "WroteHeaderField User-Agent [Go-http-client/1.1]",
			"WroteHeaderField Accept-Encoding [gzip]", "WroteHeaders", "WroteRequest <nil>",
			"GotFirstResponseByte", "PutIdleConn <nil>",
		}
		if !reflect.DeepEqual(events, want) {
			t.Errorf("first request: got\n%s", strings.Join(events, "\n"))
		}
		events = nil
		time.Sleep(time.Second) // virtual
		r2 := s.do("r2", traced(s.request("GET", nil)))
		c1.wantRequest()
		c1.send("HTTP/1.1 200 OK\nConnection: close\nContent-Length: 0\n\n")
		r2.wantDone("")
		if events[1] != "GotConn reused=true idle=true 1s" {
			t.Errorf("second request: got %q", events[1])
		}
	})
}

// HEAD, 204 and 304 have no body, whatever their header says.
func TestNoBody(t *testing.T) {
	run(t, &Transport{}, func(s *script) {
		c1 := s.warm()
		for _, r := range []struct{ method, response string }{
			{"HEAD", "HTTP/1.1 200 OK\nContent-Length: 100\n\n"},
			{"HEAD", "HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n"},
			{"GET", "HTTP/1.1 204 No Content\n\n"},
			{"GET", "HTTP/1.1 304 Not Modified\nContent-Length: 100\n\n"},
		} {
			call := s.do("r", s.request(r.method, nil))
			c1.wantRequest()
			c1.send(r.response)
			call.wantDone("")
			c1.wantOpen(r.response)
		}
	})
}

// A slow request body goes out as it comes, while the response may come too.
func TestDuplex(t *testing.T) {
	run(t, &Transport{}, func(s *script) {
		pr, pw := io.Pipe()
		r1 := s.do("r1", s.request("POST", pr))
		c1 := s.wantDial().open()
		seen := c1.wantRequest()
		c1.send("HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n")
		resp := r1.wantResponse()
		for _, word := range []string{"ping", "pong"} {
			pw.Write([]byte(word))
			s.settle()
			got := make([]byte, 4)
			io.ReadFull(seen.Body, got)
			c1.send("4\n" + string(got) + "\n")
			io.ReadFull(resp.Body, got)
			if string(got) != word {
				t.Errorf("echo: got %q, want %q", got, word)
			}
		}
		pw.Close()
		c1.body(seen)
		c1.send("0\n\n")
		r1.wantDone("")
		c1.wantOpen("both are whole")
	})
}

// A request whose connection breaks under its body returns when that is closed,
// whoever hears first that it broke.
func TestBrokenUnderTheBody(t *testing.T) {
	for range 50 {
		run(t, &Transport{}, func(s *script) {
			pr, pw := io.Pipe()
			body := &parkedClose{ReadCloser: pr, may: make(chan struct{})}
			r1 := s.do("r1", s.request("POST", body))
			c1 := s.wantDial().open()
			c1.wantRequest()
			c1.reset()
			r1.wantPending("its body is being closed")
			close(body.may)
			r1.wantErr(syscall.ECONNRESET)
			if _, err := pw.Write([]byte("x")); err != io.ErrClosedPipe {
				t.Errorf("request body: got %v, want it closed", err)
			}
		})
	}
}

// A parkedClose is closed when it may be.
type parkedClose struct {
	io.ReadCloser
	may chan struct{}
}

func (b *parkedClose) Close() error {
	<-b.may
	return b.ReadCloser.Close()
}

// A response that is whole before its request is: the connection is closed
// after a grace in which the write may still end.
func TestResponseBeforeRequestEnds(t *testing.T) {
	run(t, &Transport{}, func(s *script) {
		pr, pw := io.Pipe()
		r1 := s.do("r1", s.request("POST", pr))
		c1 := s.wantDial().open()
		c1.wantRequest()
		c1.send(okBody)
		resp := r1.wantResponse()
		if b, err := io.ReadAll(resp.Body); string(b) != "hello" || err != nil {
			t.Errorf("body: got %q, %v", b, err)
		}
		c1.wantClosed("the request would go on")
		s.wantClosed(RequestUnsent, 1)
		if _, err := pw.Write([]byte("x")); err != io.ErrClosedPipe {
			t.Errorf("request body: got %v, want it closed", err)
		}
	})
}
