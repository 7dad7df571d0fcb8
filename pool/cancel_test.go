package pool_test

//lint:file-ignore SA1019 Request.Cancel is part of what net/http promises, deprecated or not.

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/halfopen/halfopen/faultnet"
	"github.com/halfopen/halfopen/harness"
	"github.com/halfopen/halfopen/pool"
)

// A request that is over before it begins costs the server no byte, nor a dial
// (golang/go#25852).
func TestCanceledBefore(t *testing.T) {
	harness.Test(t, func(t *harness.T) {
		tr := scripted(t, &pool.Transport{})
		req, cancel := cancelable(request("GET", nil))
		cancel()
		t.Start("r1", tr, req).WantErr(errWhy)
		t.Net.WantNoDial("the request was over")
		c1 := warm(t, tr)
		t.Start("r2", tr, req).WantErr(errWhy)
		wantNothing(t, c1, "the request was over")
	})
}

// A request in line that is called off returns at once, with its reason.
func TestCanceledInLine(t *testing.T) {
	harness.Test(t, func(t *harness.T) {
		tr := scripted(t, &pool.Transport{MaxConnsPerHost: 1})
		r1 := t.Get("r1", tr, url1)
		d1 := t.Net.WantDial()
		req, cancel := cancelable(request("GET", nil))
		r2 := t.Start("r2", tr, req)
		cancel()
		r2.WantErr(errWhy)
		d1.Refuse()
		r1.WantErr(syscall.ECONNREFUSED)
	})
}

// Of a failed dial and a cancellation with no quiet between them the cancellation
// is the error, if it came first (golang/go#16049).
func TestCanceledAsDialFails(t *testing.T) {
	for _, first := range []string{"cancel", "dial"} {
		harness.Test(t, func(t *harness.T) {
			tr := scripted(t, &pool.Transport{})
			req, cancel := cancelable(request("GET", nil))
			r1 := t.Start("r1", tr, req)
			t.Net.WantDial()
			refuse := func() { t.Net.Raw().Apply(t.Net.Pending()[0], faultnet.Refuse) }
			if first == "cancel" {
				cancel()
				refuse()
			} else {
				refuse()
				cancel()
			}
			if t.Settle(); r1.Err() == nil {
				t.Fatal("got no end")
			}
			if !errors.Is(r1.Err(), errWhy) && first == "cancel" {
				t.Errorf("%s first: got %v, want %v", first, r1.Err(), errWhy)
			}
		})
	}
}

// A cancellation wins over FIN and over RST, with no quiet between them
// (golang/go#16049, #19231).
func TestCanceledAsConnectionBreaks(t *testing.T) {
	for _, order := range []string{"fin cancel", "cancel fin", "rst cancel", "cancel rst"} {
		harness.Test(t, func(t *harness.T) {
			tr := scripted(t, &pool.Transport{})
			req, cancel := cancelable(request("GET", nil))
			r1 := t.Start("r1", tr, req)
			c1 := t.Net.WantDial().Open()
			c1.WantRequest("GET / HTTP/1.1")
			t.Net.Hold("c1 server")
			if strings.Contains(order, "fin") {
				c1.Fin()
			} else {
				c1.Reset()
			}
			for step := range strings.FieldsSeq(order) {
				if step == "cancel" {
					cancel()
				} else {
					t.Net.Raw().Release(t.Net.Pending()[0])
				}
			}
			// What broke first may be the error, if it was noticed before the cancellation.
			if t.Settle(); r1.Err() == nil {
				t.Fatalf("%s: got %v, want an error", order, r1)
			}
			if strings.HasPrefix(order, "cancel") && !errors.Is(r1.Err(), errWhy) {
				t.Errorf("%s: got %v, want %v", order, r1.Err(), errWhy)
			}
			t.Net.Release("c1 server")
		})
	}
}

// Two cancellations while a body is read are an error that says canceled, not
// one of the network (golang/go#34658).
func TestCanceledInBody(t *testing.T) {
	harness.Test(t, func(t *harness.T) {
		tr := scripted(t, &pool.Transport{})
		req, cancel := cancelable(request("GET", nil))
		legacy := make(chan struct{})
		req.Cancel = legacy
		r1 := t.Start("r1", tr, req)
		c1 := t.Net.WantDial().Open()
		c1.Send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello")
		r1.WantDone(c1)
		body := r1.Response().Body
		io.ReadFull(body, make([]byte, 5))
		read := make(chan error, 1)
		go func() { _, err := body.Read(make([]byte, 1)); read <- err }()
		t.Settle()
		close(legacy)
		cancel()
		if err := <-read; !errors.Is(err, errWhy) && !errors.Is(err, pool.ErrRequestCanceled) {
			t.Errorf("read: got %v, want a cancellation", err)
		}
		body.Close()
		wantClosed(t, tr, pool.Canceled, 1)
	})
}

// Request.Cancel works in every stage.
func TestRequestCancel(t *testing.T) {
	harness.Test(t, func(t *harness.T) {
		tr := scripted(t, &pool.Transport{})
		start := func(name string) (*harness.Request, func()) {
			over := make(chan struct{})
			req := request("GET", nil)
			req.Cancel = over
			if name == "before" {
				close(over)
			}
			return t.Start(name, tr, req), func() { close(over); t.Settle() }
		}
		before, _ := start("before")
		before.WantErr(pool.ErrRequestCanceled)

		dialing, cancel := start("dialing")
		d1 := t.Net.WantDial()
		cancel()
		dialing.WantErr(pool.ErrRequestCanceled)

		refused, _ := start("refused")
		t.Net.WantDial().Refuse() // its own; d1 is still held
		refused.WantErr(syscall.ECONNREFUSED)

		sent, cancel := start("sent")
		d3 := t.Net.WantDial()
		c1 := d1.Open()
		c1.WantRequest("GET / HTTP/1.1")
		cancel()
		sent.WantErr(pool.ErrRequestCanceled)
		d3.Open()
	})
}

// Client.Timeout bounds the wait for a header and the read of a body.
func TestClientTimeout(t *testing.T) {
	for _, answer := range []string{"", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello"} {
		harness.Test(t, func(t *harness.T) {
			tr := scripted(t, &pool.Transport{})
			client := &http.Client{Transport: tr, Timeout: time.Minute}
			done := make(chan error, 1)
			go func() {
				resp, err := client.Get(url1)
				if err == nil {
					_, err = io.ReadAll(resp.Body)
					resp.Body.Close()
				}
				done <- err
			}()
			c1 := t.Net.WantDial().Open()
			c1.Send(answer)
			t.Advance(time.Minute)
			var e net.Error
			if err := <-done; !errors.As(err, &e) || !e.Timeout() {
				t.Errorf("answer %q: got %v, want a timeout", answer, err)
			}
			c1.WantClosed("its client has given up")
		})
	}
}

// ResponseHeaderTimeout counts from the end of the request, and leaves no timer
// behind when the response comes (golang/go#9104).
func TestResponseHeaderTimeout(t *testing.T) {
	harness.Test(t, func(t *harness.T) {
		tr := scripted(t, &pool.Transport{ResponseHeaderTimeout: time.Minute})
		r1 := t.Get("r1", tr, url1)
		c1 := t.Net.WantDial().Open()
		t.Advance(time.Minute - 1)
		r1.WantPending("its time has not come")
		t.Advance(time.Nanosecond)
		r1.WantErr(context.DeadlineExceeded)
		if r1.Err() != pool.ErrHeaderTimeout {
			t.Errorf("error: got %v, want %v as it is", r1.Err(), pool.ErrHeaderTimeout)
		}
		c1.WantClosed("its request is over")

		r2 := t.Get("r2", tr, url1)
		c2 := t.Net.WantDial().Open()
		c2.Send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")
		r2.WantDone(c2)
		t.Advance(time.Hour)
		c2.Send("hello")
		r2.WantBody("hello", "the timeout is for the header")
	})
}

// A body that is stuck in its Read keeps neither RoundTrip nor the write loop.
func TestCanceledWithStuckBody(t *testing.T) {
	harness.Test(t, func(t *harness.T) {
		tr := scripted(t, &pool.Transport{})
		pr, pw := io.Pipe()
		req, cancel := cancelable(request("POST", pr))
		r1 := t.Start("r1", tr, req)
		t.Net.WantDial().Open().WantRequest("POST / HTTP/1.1")
		cancel()
		r1.WantErr(errWhy)
		if _, err := pw.Write([]byte("x")); err != io.ErrClosedPipe {
			t.Errorf("body: got %v, want it closed", err)
		}
	})
}

// A request that is called off when its answer is over, but not its own body,
// ends one way, whichever goroutine notices first.
func TestCancelBehindTheAnswer(t *testing.T) {
	for i := range 100 {
		harness.Test(t, func(t *harness.T) {
			tr := scripted(t, &pool.Transport{})
			pr, _ := io.Pipe()
			req := request("POST", pr)
			over := make(chan struct{})
			req.Cancel = over
			r1 := t.Start("r1", tr, req)
			c1 := t.Net.WantDial().Open()
			c1.Respond(200, "hello")
			r1.WantDone(c1)
			resp := r1.Response()
			read := make(chan error, 1)
			go func() {
				_, err := io.ReadAll(resp.Body)
				read <- err
			}()
			c1.WantOpen("the request may end yet")
			begin := time.Now()
			if i%2 == 0 {
				r1.Cancel()
			} else {
				close(over)
			}
			if err := <-read; err != nil {
				t.Errorf("body: got %v, want all of it", err)
			}
			if waited := time.Since(begin); waited > 0 {
				t.Errorf("got it after %s, want it at once", waited)
			}
			c1.WantClosed("it was called off")
			wantClosed(t, tr, pool.RequestUnsent, 1)
		})
	}
}
