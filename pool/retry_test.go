package pool_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/halfopen/halfopen/faultnet"
	"github.com/halfopen/halfopen/harness"
	"github.com/halfopen/halfopen/pool"
)

// A retryRow says what happens to a request, and whether it is sent again.
type retryRow struct {
	method string
	key    string // Idempotency-Key, X-Idempotency-Key or none
	body   string // none, memory, GetBody, stream, memory without GetBody
	when   string // FIN: before, half, after; RST: reset
	again  bool

	harmless bool // twice
}

// retryRows returns every row of the table.
func retryRows() []retryRow {
	var rows []retryRow
	harmless := []string{"GET", "HEAD", "OPTIONS", "TRACE"}
	for _, method := range append([]string{"", "POST", "PUT", "DELETE", "PATCH"}, harmless...) {
		for _, key := range []string{"", "Idempotency-Key", "X-Idempotency-Key"} {
			for _, body := range []string{"none", "memory", "GetBody", "stream", "memory once"} {
				for _, when := range []string{"before", "half", "after", "reset"} {
					idempotent := method == "" || slices.Contains(harmless, method) || key != ""
					again := when == "before" || (idempotent && body != "stream" && body != "memory once")
					rows = append(rows, retryRow{method, key, body, when, again, idempotent})
				}
			}
		}
	}
	return rows
}

// The retry table (golang/go#4677, #18241, #15723, #18239, #19943, #22158,
// #30938): a request whose warm connection fails is sent again if nothing of it
// was written or if it is idempotent, and if its body can be had again. No
// request that is not idempotent reaches a server twice.
func TestRetryTable(t *testing.T) {
	for _, r := range retryRows() {
		t.Run(fmt.Sprintf("%s key=%s body=%s FIN=%s", r.method, r.key, r.body, r.when), func(t *testing.T) {
			harness.Test(t, r.check)
		})
	}
}

func (r retryRow) check(t *harness.T) {
	t.Gates("GotConn")
	tr := scripted(t, &pool.Transport{})
	c1 := warm(t, tr)
	t.Net.Hold("gate")
	req, bodies := retryRequest(r.method, r.body)
	if req.Method = r.method; r.key != "" {
		req.Header[r.key] = []string{}
	}
	r1 := t.Start("r1", tr, req)
	copies := 0
	switch r.when {
	case "before":
		c1.Fin()
		t.Net.Release("gate")
	case "half":
		t.Net.Fault("c1 client write", faultnet.Short(20))
		t.Net.Release("gate")
	case "after", "reset":
		t.Net.Release("gate")
		content(t, received(t, c1))
		copies++
		if r.when == "after" {
			c1.Fin()
		} else {
			c1.Reset()
		}
	}
	if r.again {
		c2 := t.Net.WantDial().Open()
		again := received(t, c2)
		if got := content(t, again); got != wantBody(r.body) {
			t.Errorf("second copy: got body %q, want it whole", got)
		}
		if _, sent := again.Header[r.key]; sent {
			t.Errorf("an empty %s was sent", r.key)
		}
		copies++
		c2.Send(ok0)
		r1.WantBody("")
	} else {
		var e *pool.CloseError
		if t.Settle(); !errors.As(r1.Err(), &e) && !errors.Is(r1.Err(), pool.ErrCannotRewind) {
			t.Errorf("got %v, error %v, want one that says why", r1, r1.Err())
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
}

func retryRequest(method, body string) (*http.Request, *[]*onceBody) {
	var bodies []*onceBody
	fresh := func() io.ReadCloser {
		b := &onceBody{Reader: strings.NewReader("payload")}
		bodies = append(bodies, b)
		return b
	}
	var req *http.Request
	switch body {
	case "none":
		req = request(method, nil)
	case "memory":
		req = request(method, strings.NewReader("payload"))
	case "GetBody":
		req = request(method, fresh())
		req.ContentLength = 7
		req.GetBody = func() (io.ReadCloser, error) { return fresh(), nil }
	case "memory once":
		req = request(method, strings.NewReader("payload"))
		req.GetBody = nil
	case "stream":
		req = request(method, fresh())
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

// The body of a request that never reaches a write loop is closed, once
// (golang/go#49621, #35015, #40382).
func TestBodyClosedOnce(t *testing.T) {
	harness.Test(t, func(t *harness.T) {
		t.Gates("GotConn")
		tr := scripted(t, &pool.Transport{})
		post := func() (*http.Request, *onceBody) {
			b := &onceBody{Reader: strings.NewReader("x")}
			return request("POST", b), b
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
			if _, err := tr.RoundTrip(req); err == nil {
				t.Errorf("%s: got no error", what)
			}
			want(what, b)
		}

		c1 := warm(t, tr)
		t.Net.Hold("gate")
		req, b := post()
		r1 := t.Start("r1", tr, req)
		c1.Fin()
		r1.Cancel()
		t.Net.Release("gate")
		r1.WantErr(context.Canceled)
		want("called off with a closed connection", b)

		req, b = post()
		r2 := t.Start("r2", tr, req)
		t.Net.WantDial().Refuse()
		r2.WantErr(syscall.ECONNREFUSED)
		want("dial error", b)

		// A request that cannot be written is the caller's mistake.
		req, b = post()
		req.ContentLength = 99
		r3 := t.Start("r3", tr, req)
		t.Net.WantDial().Open()
		if t.Settle(); !strings.Contains(fmt.Sprint(r3.Err()), "ContentLength") {
			t.Errorf("short body: got %v", r3.Err())
		}
		want("short body", b)
	})
}

// A request that fails again when it is sent again closes each of its bodies
// once (golang/go#40382).
func TestBodyClosedOnceEach(t *testing.T) {
	harness.Test(t, func(t *harness.T) {
		tr := scripted(t, &pool.Transport{})
		c1 := warm(t, tr)
		req, bodies := retryRequest("PUT", "GetBody")
		req.Header.Set("Idempotency-Key", "1")
		r1 := t.Start("r1", tr, req)
		content(t, received(t, c1))
		c1.Fin()
		c2 := t.Net.WantDial().Open()
		content(t, received(t, c2))
		c2.Fin()
		r1.WantErr(io.EOF)
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
		harness.Test(t, func(t *harness.T) {
			tr := scripted(t, &pool.Transport{})
			c1 := warm(t, tr)
			req, _ := retryRequest("PUT", body)
			req.Header.Set("Idempotency-Key", "1")
			req.ContentLength = 99
			r1 := t.Start("r1", tr, req)
			t.Net.WantNoDial("it would be as wrong again")
			if errors.As(r1.Err(), new(*pool.CloseError)) || !strings.Contains(fmt.Sprint(r1.Err()), "ContentLength") {
				t.Errorf("%s: got %v, want the mistake itself", body, r1.Err())
			}
			c1.WantClosed("half a request is on it")
		})
	}
}

// A connection that ends while a request waits for 100 Continue is no fault of
// the request's body: the request is sent again.
func TestRetryWhileExpecting(t *testing.T) {
	harness.Test(t, func(t *harness.T) {
		tr := scripted(t, &pool.Transport{ExpectContinueTimeout: time.Minute})
		c1 := warm(t, tr)
		req, _ := retryRequest("PUT", "GetBody")
		req.Header.Set("Idempotency-Key", "1")
		req.Header.Set("Expect", "100-continue")
		r1 := t.Start("r1", tr, req)
		c1.WantRequest("PUT / HTTP/1.1")
		c1.Fin()
		c2 := t.Net.WantDial().Open()
		again := received(t, c2)
		wantNothing(t, c2, "it waits for this server's word too")
		c2.Send("HTTP/1.1 100 Continue\r\n\r\n")
		if got := content(t, again); got != "payload" {
			t.Errorf("second copy: got body %q, want it whole", got)
		}
		c2.Send(ok0)
		r1.WantBody("")
	})
}

// An error of the caller's body is the error of the request, whatever the
// network says when the connection is closed for it (golang/go#16049).
func TestBodyReadError(t *testing.T) {
	harness.Test(t, func(t *harness.T) {
		tr := scripted(t, &pool.Transport{})
		r1 := t.Start("r1", tr, request("POST", io.MultiReader(strings.NewReader("some"), badReader{})))
		c1 := t.Net.WantDial().Open()
		c1.WantClosed("the server must not wait for the rest")
		r1.WantErr(errWhy)
	})
}

type badReader struct{}

func (badReader) Read([]byte) (int, error) { return 0, errWhy }

// A halfWriter is a connection that takes so many bytes more, and whose reads do
// not hear of what breaks its writes.
type halfWriter struct {
	net.Conn
	takes int
}

func (c *halfWriter) Write(b []byte) (int, error) {
	n, _ := c.Conn.Write(b[:min(len(b), c.takes)])
	if c.takes -= n; n < len(b) {
		return n, syscall.EPIPE
	}
	return n, nil
}

// startHalf starts a request of which the connection takes so many bytes.
func startHalf(t *harness.T, tr *pool.Transport, takes int) (*harness.Request, *harness.Conn) {
	t.Allow("cause", "the connection is the test's own, and breaks where the network does not see it")
	dial := tr.DialContext
	tr.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := dial(ctx, network, addr)
		return &halfWriter{c, takes}, err
	}
	r1 := t.Start("r1", tr, request("POST", bytes.NewReader(make([]byte, 100<<10))))
	return r1, t.Net.WantDial().Open()
}

// A server that hangs up on the rest of a request may answer a moment later: that
// is waited for. Where it has heard nothing there is nothing to wait for.
func TestLastWord(t *testing.T) {
	harness.Test(t, func(t *harness.T) {
		r1, _ := startHalf(t, scripted(t, &pool.Transport{}), 0)
		r1.WantErr(syscall.EPIPE)
	})
	harness.Test(t, func(t *harness.T) {
		r1, c1 := startHalf(t, scripted(t, &pool.Transport{}), 5000)
		t.Advance(pool.LastWord - 1)
		r1.WantPending("the server may have more to say")
		c1.Send("HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n")
		r1.WantStatus(413)
		c1.WantClosed("half a request is on it")
	})
}

// A write that fails while the server says nothing is an error in bounded time.
func TestWriteFailsAlone(t *testing.T) {
	harness.Test(t, func(t *harness.T) {
		tr := scripted(t, &pool.Transport{})
		r1, _ := startHalf(t, tr, 5000)
		r1.Await()
		r1.WantErr(syscall.EPIPE)
		wantClosed(t, tr, pool.WriteFailed, 1)
	})
}
