package pool_test

import (
	"io"
	"net/http"
	"net/http/httptrace"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/halfopen/halfopen/faultnet"
	"github.com/halfopen/halfopen/harness"
	"github.com/halfopen/halfopen/pool"
)

// With Expect: 100-continue the body waits for the server, or for the timeout,
// or for nothing if that is zero.
func TestExpectContinue(t *testing.T) {
	expect := func() *http.Request {
		req := request("POST", strings.NewReader("payload"))
		req.Header.Set("Expect", "100-continue")
		return req
	}
	harness.Test(t, func(t *harness.T) {
		tr := scripted(t, &pool.Transport{ExpectContinueTimeout: time.Second})
		var events []string
		trace := &httptrace.ClientTrace{
			Wait100Continue: func() { events = append(events, "wait") },
			Got100Continue:  func() { events = append(events, "got") },
		}
		req := expect()
		r1 := t.Start("r1", tr, req.WithContext(httptrace.WithClientTrace(req.Context(), trace)))
		c1 := t.Net.WantDial().Open()
		seen := received(t, c1)
		wantNothing(t, c1, "the server has not agreed")
		c1.Send("HTTP/1.1 100 Continue\r\n\r\n")
		if got := content(t, seen); got != "payload" {
			t.Errorf("body: got %q", got)
		}
		c1.Send(ok0)
		r1.WantBody("")
		if !reflect.DeepEqual(events, []string{"wait", "got"}) {
			t.Errorf("trace: got %v", events)
		}

		r2 := t.Start("r2", tr, expect())
		seen = received(t, c1)
		t.Advance(time.Second - 1)
		wantNothing(t, c1, "the timeout has not passed")
		t.Advance(time.Nanosecond)
		if got := content(t, seen); got != "payload" {
			t.Errorf("body after the timeout: got %q", got)
		}
		c1.Send(ok0)
		r2.WantBody("")
		c1.WantOpen("all is in step")
	})
	harness.Test(t, func(t *harness.T) {
		tr := scripted(t, &pool.Transport{})
		r1 := t.Start("r1", tr, expect())
		c1 := t.Net.WantDial().Open()
		if got := content(t, received(t, c1)); got != "payload" {
			t.Errorf("no timeout: got body %q, want it at once", got)
		}
		c1.Send(ok0)
		r1.WantBody("")
	})
}

// A body that waits for the server's word is not looked into before, not even to
// see whether there is one: the header goes out at once, of every method.
func TestExpectContinueUnknownLength(t *testing.T) {
	for _, method := range []string{"POST", "GET", "DELETE", "OPTIONS"} {
		for _, length := range []int64{0, -1, 7} {
			harness.Test(t, func(t *harness.T) {
				tr := scripted(t, &pool.Transport{ExpectContinueTimeout: time.Hour})
				req := request(method, &onceBody{Reader: strings.NewReader("payload")})
				req.ContentLength = length
				req.Header.Set("Expect", "100-continue")
				r1 := t.Start("r1", tr, req)
				c1 := t.Net.WantDial().Open()
				seen := received(t, c1)
				if (seen.ContentLength == 7) != (length == 7) {
					t.Errorf("%s, length %d: got %d on the wire", method, length, seen.ContentLength)
				}
				wantNothing(t, c1, "the server has not agreed")
				c1.Send("HTTP/1.1 100 Continue\r\n\r\n")
				if got := content(t, seen); got != "payload" {
					t.Errorf("%s, length %d: got body %q", method, length, got)
				}
				c1.Send(ok0)
				r1.WantBody("")
			})
		}
	}
}

// A final status in place of 100: the body is sent, so that the next request
// is not taken for it, or the connection ends (golang/go#67555).
func TestExpectContinueFinal(t *testing.T) {
	for _, kind := range []string{"keep", "close"} {
		for _, length := range []string{"known", "unknown"} {
			harness.Test(t, func(t *harness.T) {
				tr := scripted(t, &pool.Transport{ExpectContinueTimeout: time.Hour})
				body := &onceBody{Reader: strings.NewReader("payload")}
				req := request("PUT", body)
				if length == "known" {
					req.ContentLength = 7
				}
				req.Header.Set("Expect", "100-continue")
				r1 := t.Start("r1", tr, req)
				c1 := t.Net.WantDial().Open()
				seen := received(t, c1)
				if kind == "close" {
					c1.Send("HTTP/1.1 417 No\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno")
					r1.WantStatus(417)
					wantNothing(t, c1, "the connection ends here")
					r1.WantBody("no")
					c1.WantClosed("the body was withheld")
					wantNothing(t, c1, "the body was withheld")
				} else {
					c1.Send("HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n")
					r1.WantStatus(401)
					if got := content(t, seen); got != "payload" {
						t.Errorf("body: got %q", got)
					}
					r2 := t.Get("r2", tr, url1)
					c1.Respond(200, "")
					r2.WantBody("")
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
	harness.Test(t, func(t *harness.T) {
		tr := scripted(t, &pool.Transport{ExpectContinueTimeout: time.Hour})
		req := request("PUT", &onceBody{Reader: strings.NewReader("payload")})
		req.Header.Set("Expect", "100-continue")
		r1 := t.Start("r1", tr, req)
		c1 := t.Net.WantDial().Open()
		c1.WantRequest("PUT / HTTP/1.1")
		half := strings.Repeat("x", 50_000)
		c1.Send("HTTP/1.1 413 No\r\nConnection: close\r\nContent-Length: 100000\r\n\r\n" + half)
		c1.WantOpen("half of the answer is missing")
		c1.Send(half)
		r1.WantBody(half + half)
		c1.WantClosed("the answer is over")
	})
}

// Without a timeout the body of a request with Expect waits for nothing.
func TestExpectWithoutTimeout(t *testing.T) {
	harness.Test(t, func(t *harness.T) {
		tr := scripted(t, &pool.Transport{})
		req := request("POST", io.NopCloser(strings.NewReader("payload")))
		req.Header.Set("Expect", "100-continue")
		r1 := t.Start("r1", tr, req.WithContext(httptrace.WithClientTrace(req.Context(), &httptrace.ClientTrace{
			Wait100Continue: func() { t.Error("it waits") },
		})))
		c1 := t.Net.WantDial().Open()
		if got := content(t, received(t, c1)); got != "payload" {
			t.Errorf("body: got %q", got)
		}
		c1.Send(ok0)
		r1.WantBody("")
	})
}

// ExpectContinueTimeout begins when the header has been written.
func TestExpectContinueTimeoutAfterHeader(t *testing.T) {
	harness.Test(t, func(t *harness.T) {
		tr := scripted(t, &pool.Transport{ExpectContinueTimeout: time.Second})
		c1 := warm(t, tr)
		req := request("POST", strings.NewReader("payload"))
		req.Header.Set("Expect", "100-continue")
		t.Net.Fault("c1 client write", faultnet.Block)
		r1 := t.Start("r1", tr, req)
		t.Advance(time.Hour)
		t.Net.Lift("c1 client write")
		seen := received(t, c1)
		t.Advance(time.Second - 1)
		wantNothing(t, c1, "the header took an hour, and the second begins after it")
		t.Advance(time.Nanosecond)
		if got := content(t, seen); got != "payload" {
			t.Errorf("body: got %q", got)
		}
		c1.Send(ok0)
		r1.WantBody("")
	})
}
