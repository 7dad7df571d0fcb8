package pool_test

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

	"github.com/halfopen/halfopen/harness"
	"github.com/halfopen/halfopen/pool"
)

// Informational responses are skipped and told to the trace; the final one is
// returned (golang/go#26161, #17739).
func TestInformational(t *testing.T) {
	harness.Test(t, func(t *harness.T) {
		tr := scripted(t, &pool.Transport{})
		var got []int
		trace := &httptrace.ClientTrace{Got1xxResponse: func(code int, _ textproto.MIMEHeader) error {
			got = append(got, code)
			return nil
		}}
		req := request("GET", nil)
		r1 := t.Start("r1", tr, req.WithContext(httptrace.WithClientTrace(req.Context(), trace)))
		c1 := t.Net.WantDial().Open()
		c1.Send("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n")
		c1.Send(okBody)
		r1.WantBody("hello")
		if !reflect.DeepEqual(got, []int{103, 103}) {
			t.Errorf("1xx: got %v, want two 103", got)
		}
		r2 := t.Get("r2", tr, url1)
		c1.Respond(200, "")
		r2.WantBody("")
	})
}

// The trace may refuse an informational response; unseen ones share the limit
// of the header.
func TestInformationalLimits(t *testing.T) {
	harness.Test(t, func(t *harness.T) {
		tr := scripted(t, &pool.Transport{MaxResponseHeaderBytes: 1000})
		trace := &httptrace.ClientTrace{Got1xxResponse: func(int, textproto.MIMEHeader) error { return errWhy }}
		req := request("GET", nil)
		r1 := t.Start("r1", tr, req.WithContext(httptrace.WithClientTrace(req.Context(), trace)))
		c1 := t.Net.WantDial().Open()
		c1.Send("HTTP/1.1 103 Early Hints\r\n\r\n")
		r1.WantErr(errWhy)

		r2 := t.Get("r2", tr, url1)
		c2 := t.Net.WantDial().Open()
		c2.Send(strings.Repeat("HTTP/1.1 103 Early Hints\r\nA: b\r\n\r\n", 50))
		if t.Settle(); !strings.Contains(fmt.Sprint(r2.Err()), "exceeded 1000 bytes") {
			t.Errorf("50 times 103: got %v, want the limit", r2.Err())
		}

		r3 := t.Get("r3", tr, url1)
		c3 := t.Net.WantDial().Open()
		c3.Send("HTTP/1.1 200 OK\r\nA: " + strings.Repeat("x", 2000) + "\r\n\r\n")
		if t.Settle(); !strings.Contains(fmt.Sprint(r3.Err()), "exceeded 1000 bytes") {
			t.Errorf("long header: got %v, want the limit", r3.Err())
		}

		seen := 0
		trace = &httptrace.ClientTrace{Got1xxResponse: func(int, textproto.MIMEHeader) error { seen++; return nil }}
		r4 := t.Start("r4", tr, req.WithContext(httptrace.WithClientTrace(req.Context(), trace)))
		c4 := t.Net.WantDial().Open()
		c4.Send(strings.Repeat("HTTP/1.1 103 Early Hints\r\nA: b\r\n\r\n", 50))
		c4.Send(ok0)
		if r4.Finish(); seen != 50 {
			t.Errorf("50 times 103, seen: got %d of them", seen)
		}
	})
}

// What the transport asked for it undoes; what the caller asked for it leaves.
func TestGzip(t *testing.T) {
	var z bytes.Buffer
	zw := gzip.NewWriter(&z)
	io.WriteString(zw, "hello, hello")
	zw.Close()
	send := func(c *harness.Conn) {
		c.Send(fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%s", z.Len(), &z))
	}
	harness.Test(t, func(t *harness.T) {
		tr := scripted(t, &pool.Transport{})
		r1 := t.Get("r1", tr, url1)
		c1 := t.Net.WantDial().Open()
		if got := received(t, c1).Header.Get("Accept-Encoding"); got != "gzip" {
			t.Errorf("Accept-Encoding: got %q", got)
		}
		send(c1)
		r1.WantDone(nil)
		resp := r1.Response()
		if !resp.Uncompressed || resp.ContentLength != -1 || resp.Header.Get("Content-Encoding") != "" {
			t.Errorf("response: got %v %d %v", resp.Uncompressed, resp.ContentLength, resp.Header)
		}
		r1.WantBody("hello, hello")
		if _, err := resp.Body.Read(make([]byte, 1)); !errors.Is(err, http.ErrBodyReadAfterClose) {
			t.Errorf("read after close: got %v", err)
		}

		for i, req := range []*http.Request{request("HEAD", nil), request("GET", nil), request("GET", nil)} {
			if req.Method == "GET" {
				req.Header.Set("Range", "bytes=0-1")
			}
			r := t.Start(fmt.Sprint("plain", i), tr, req)
			if got := received(t, c1).Header.Get("Accept-Encoding"); got != "" {
				t.Errorf("%s: Accept-Encoding: got %q, want none", req.Method, got)
			}
			c1.Send(ok0)
			r.WantBody("")
		}
		req := request("GET", nil)
		req.Header.Set("Accept-Encoding", "gzip")
		r2 := t.Start("r2", tr, req)
		c1.WantRequest("GET / HTTP/1.1")
		send(c1)
		r2.WantBody(z.String())

		r3 := t.Get("r3", tr, url1)
		c1.Send("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 12\r\n\r\njunk, junk!!")
		r3.WantBrokenBody(gzip.ErrHeader)
	})
	harness.Test(t, func(t *harness.T) {
		tr := scripted(t, &pool.Transport{DisableCompression: true})
		r1 := t.Get("r1", tr, url1)
		c1 := t.Net.WantDial().Open()
		if got := received(t, c1).Header.Get("Accept-Encoding"); got != "" {
			t.Errorf("DisableCompression: got %q", got)
		}
		c1.Send(ok0)
		r1.WantBody("")
	})
}

// Trailers come with the end of the body, in both directions.
func TestTrailers(t *testing.T) {
	harness.Test(t, func(t *harness.T) {
		tr := scripted(t, &pool.Transport{})
		req := request("POST", &onceBody{Reader: strings.NewReader("payload")})
		req.Trailer = http.Header{"Sum": {"7"}}
		r1 := t.Start("r1", tr, req)
		c1 := t.Net.WantDial().Open()
		seen := received(t, c1)
		if got := content(t, seen); got != "payload" || seen.Trailer.Get("Sum") != "7" {
			t.Errorf("server: got %q, trailer %v", got, seen.Trailer)
		}
		c1.Send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: Sum\r\n\r\n5\r\nhello\r\n0\r\nSum: 5\r\n\r\n")
		r1.WantDone(nil)
		resp := r1.Response()
		r1.WantBody("hello")
		if resp.Trailer.Get("Sum") != "5" {
			t.Errorf("trailer: got %v", resp.Trailer)
		}
	})
}

// Each hook of httptrace is called, in the order in which things happen.
func TestTraceOrder(t *testing.T) {
	harness.Test(t, func(t *harness.T) {
		tr := scripted(t, &pool.Transport{})
		var events []string
		say := func(f string, args ...any) { events = append(events, fmt.Sprintf(f, args...)) }
		trace := &httptrace.ClientTrace{
			GetConn: func(hp string) { say("GetConn %s", hp) },
			GotConn: func(i httptrace.GotConnInfo) {
				say("GotConn reused=%v idle=%v %v", i.Reused, i.WasIdle, i.IdleTime)
			},
			PutIdleConn:          func(err error) { say("PutIdleConn %v", err) },
			GotFirstResponseByte: func() { say("GotFirstResponseByte") },
			WroteHeaderField: func(k string, v []string) {
				if k != harness.RequestHeader {
					say("WroteHeaderField %s %v", k, v)
				}
			},
			WroteHeaders: func() { say("WroteHeaders") },
			WroteRequest: func(i httptrace.WroteRequestInfo) { say("WroteRequest %v", i.Err) },
		}
		traced := func(req *http.Request) *http.Request {
			return req.WithContext(httptrace.WithClientTrace(context.Background(), trace))
		}
		r1 := t.Start("r1", tr, traced(request("GET", nil)))
		c1 := t.Net.WantDial().Open()
		c1.Respond(200, "hello")
		r1.WantBody("hello")
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
		t.Advance(time.Second)
		r2 := t.Start("r2", tr, traced(request("GET", nil)))
		c1.Send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
		r2.WantBody("")
		if events[1] != "GotConn reused=true idle=true 1s" {
			t.Errorf("second request: got %q", events[1])
		}
	})
}

// A slow request body is sent piece by piece, while the response may come too.
func TestDuplex(t *testing.T) {
	harness.Test(t, func(t *harness.T) {
		tr := scripted(t, &pool.Transport{})
		pr, pw := io.Pipe()
		r1 := t.Start("r1", tr, request("POST", pr))
		c1 := t.Net.WantDial().Open()
		seen := received(t, c1)
		c1.Send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
		r1.WantDone(nil)
		resp := r1.Response()
		for _, word := range []string{"ping", "pong"} {
			pw.Write([]byte(word))
			t.Settle()
			got := make([]byte, 4)
			io.ReadFull(seen.Body, got)
			c1.Send("4\r\n" + string(got) + "\r\n")
			io.ReadFull(resp.Body, got)
			if string(got) != word {
				t.Errorf("echo: got %q, want %q", got, word)
			}
		}
		pw.Close()
		content(t, seen)
		c1.Send("0\r\n\r\n")
		r1.WantBody("")
		c1.WantOpen("both are whole")
	})
}

// A request whose connection breaks under its body returns when that is closed,
// whichever goroutine notices first that it broke.
func TestBrokenUnderTheBody(t *testing.T) {
	for range 50 {
		harness.Test(t, func(t *harness.T) {
			tr := scripted(t, &pool.Transport{})
			pr, pw := io.Pipe()
			body := &parkedClose{ReadCloser: pr, may: make(chan struct{})}
			r1 := t.Start("r1", tr, request("POST", body))
			c1 := t.Net.WantDial().Open()
			c1.WantRequest("POST / HTTP/1.1")
			c1.Reset()
			r1.WantPending("its body is being closed")
			close(body.may)
			r1.WantErr(syscall.ECONNRESET)
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
	harness.Test(t, func(t *harness.T) {
		tr := scripted(t, &pool.Transport{})
		pr, pw := io.Pipe()
		r1 := t.Start("r1", tr, request("POST", pr))
		c1 := t.Net.WantDial().Open()
		c1.Respond(200, "hello")
		r1.WantDone(nil)
		resp := r1.Response()
		if b, err := io.ReadAll(resp.Body); string(b) != "hello" || err != nil {
			t.Errorf("body: got %q, %v", b, err)
		}
		c1.WantClosed("the request would go on")
		wantClosed(t, tr, pool.RequestUnsent, 1)
		if _, err := pw.Write([]byte("x")); err != io.ErrClosedPipe {
			t.Errorf("request body: got %v, want it closed", err)
		}
	})
}
