package pool

//lint:file-ignore SA1019 Request.Cancel is part of what net/http promises, deprecated or not.

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

var errWhy = errors.New("the script's reason")

// A request that is over before it begins costs the server no byte
// (golang/go#25852).
func TestCanceledBefore(t *testing.T) {
	run(t, &Transport{}, func(s *script) {
		r1 := s.get("r1")
		c1 := s.wantDial().open()
		c1.wantRequest()
		c1.send(ok0)
		r1.wantDone("")
		ctx, cancel := context.WithCancelCause(context.Background())
		cancel(errWhy)
		_, err := s.tr.RoundTrip(s.request("GET", nil).WithContext(ctx))
		if !errors.Is(err, errWhy) {
			t.Errorf("error: got %v, want the cause", err)
		}
		c1.wantNothing("the request was over")
	})
}

// A request that is called off between getting a connection and writing to it
// gives the connection back as it was (golang/go#10511).
func TestCanceledAtGotConn(t *testing.T) {
	run(t, &Transport{}, func(s *script) {
		g := s.gateGotConn()
		r1 := s.do("r1", g.on(s.request("GET", nil)))
		c1 := s.wantDial().open()
		r1.stop()
		g.open()
		r1.wantErr(context.Canceled)
		c1.wantNothing("r1 was over")
		r2 := s.get("r2")
		s.wantNoDial("c1 is free")
		c1.wantRequest()
		c1.send(ok0)
		r2.wantDone("")
	})
}

// A request in line that is called off returns at once, with its reason.
func TestCanceledInLine(t *testing.T) {
	run(t, &Transport{MaxConnsPerHost: 1}, func(s *script) {
		r1 := s.get("r1")
		d1 := s.wantDial()
		r2 := s.get("r2")
		r2.cancel(errWhy)
		r2.wantErr(errWhy)
		d1.fail(errRefused)
		r1.wantErr(errRefused)
	})
}

// Of a failed dial and a cancellation in one instant the cancellation is told,
// whichever came first (golang/go#16049).
func TestCanceledAsDialFails(t *testing.T) {
	for _, first := range []string{"cancel", "dial"} {
		run(t, &Transport{}, func(s *script) {
			r1 := s.get("r1")
			d1 := s.wantDial()
			if first == "cancel" {
				r1.cancel(errWhy)
				d1.fail(errRefused)
			} else {
				d1.outcome <- func() (net.Conn, error) { return nil, errRefused }
				r1.cancel(errWhy)
			}
			if !r1.ended() {
				t.Fatal("got no end")
			}
			if !errors.Is(r1.err, errWhy) && first == "cancel" {
				t.Errorf("%s first: got %v, want %v", first, r1.err, errWhy)
			}
		})
	}
}

// While a response is awaited a cancellation closes the connection, and its
// cause is the error.
func TestCanceledAwaitingResponse(t *testing.T) {
	run(t, &Transport{}, func(s *script) {
		r1 := s.get("r1")
		c1 := s.wantDial().open()
		c1.wantRequest()
		r1.cancel(errWhy)
		r1.wantErr(errWhy)
		c1.wantClosed("a response would come for nobody")
		s.wantClosed(Canceled, 1)
	})
}

// A cancellation wins over FIN and over RST in the same instant
// (golang/go#16049, #19231).
func TestCanceledAsConnectionBreaks(t *testing.T) {
	for _, order := range []string{"FIN cancel", "cancel FIN", "RST cancel", "cancel RST"} {
		run(t, &Transport{}, func(s *script) {
			r1 := s.get("r1")
			c1 := s.wantDial().open()
			c1.wantRequest()
			for step := range strings.FieldsSeq(order) {
				switch step {
				case "FIN":
					c1.end.fin()
				case "RST":
					c1.end.reset()
				case "cancel":
					r1.cancel(errWhy)
				}
			}
			// RST first may have been told before the cancellation came.
			if !r1.ended() || r1.err == nil {
				t.Fatalf("%s: got %v, want an error", order, r1.err)
			}
			if strings.HasPrefix(order, "cancel") && !errors.Is(r1.err, errWhy) {
				t.Errorf("%s: got %v, want %v", order, r1.err, errWhy)
			}
		})
	}
}

// Two cancellations while a body is read are an error that says canceled, not
// one of the network (golang/go#34658).
func TestCanceledInBody(t *testing.T) {
	run(t, &Transport{}, func(s *script) {
		req := s.request("GET", nil)
		legacy := make(chan struct{})
		req.Cancel = legacy
		r1 := s.do("r1", req)
		c1 := s.wantDial().open()
		c1.wantRequest()
		c1.send("HTTP/1.1 200 OK\nContent-Length: 9\n\nhello")
		body := r1.wantResponse().Body
		io.ReadFull(body, make([]byte, 5))
		read := make(chan error, 1)
		go func() { _, err := body.Read(make([]byte, 1)); read <- err }()
		s.settle()
		close(legacy)
		r1.cancel(errWhy)
		if err := <-read; !errors.Is(err, errWhy) && !errors.Is(err, errCanceled) {
			t.Errorf("read: got %v, want a cancellation", err)
		}
		body.Close()
		s.wantClosed(Canceled, 1)
	})
}

// Request.Cancel works in every stage.
func TestRequestCancel(t *testing.T) {
	run(t, &Transport{}, func(s *script) {
		req := s.request("GET", nil)
		legacy := make(chan struct{})
		req.Cancel = legacy
		close(legacy)
		if _, err := s.tr.RoundTrip(req); err != errCanceled {
			t.Errorf("before: got %v", err)
		}

		legacy = make(chan struct{})
		req.Cancel = legacy
		r1 := s.do("r1", req)
		d1 := s.wantDial()
		close(legacy)
		r1.wantErr(errCanceled)

		legacy2 := make(chan struct{})
		req2 := s.request("GET", nil)
		req2.Cancel = legacy2
		r2 := s.do("r2", req2)
		s.wantDial().fail(errRefused) // its own; d1 is still held
		r2.wantErr(errRefused)

		legacy3 := make(chan struct{})
		req3 := s.request("GET", nil)
		req3.Cancel = legacy3
		r3 := s.do("r3", req3)
		d3 := s.wantDial()
		c1 := d1.open()
		c1.wantRequest()
		close(legacy3)
		r3.wantErr(errCanceled)
		d3.open()
	})
}

// Client.Timeout bounds the wait for a header and the read of a body.
func TestClientTimeout(t *testing.T) {
	run(t, &Transport{}, func(s *script) {
		client := &http.Client{Transport: s.tr, Timeout: time.Minute}
		var err error
		done := make(chan struct{})
		go func() {
			defer close(done)
			var resp *http.Response
			if resp, err = client.Get("http://api.test/"); err == nil {
				_, err = io.ReadAll(resp.Body)
				resp.Body.Close()
			}
		}()
		c1 := s.wantDial().open()
		c1.wantRequest()
		<-done
		if e := (interface{ Timeout() bool })(nil); !errors.As(err, &e) || !e.Timeout() {
			t.Errorf("awaiting the header: got %v, want a timeout", err)
		}
		c1.wantClosed("nobody waits")

		done = make(chan struct{})
		go func() {
			defer close(done)
			resp, e := client.Get("http://api.test/")
			if err = e; err == nil {
				_, err = io.ReadAll(resp.Body)
				resp.Body.Close()
			}
		}()
		c2 := s.wantDial().open()
		c2.wantRequest()
		c2.send("HTTP/1.1 200 OK\nContent-Length: 9\n\nhello")
		<-done
		if e := (interface{ Timeout() bool })(nil); !errors.As(err, &e) || !e.Timeout() {
			t.Errorf("reading the body: got %v, want a timeout", err)
		}
		c2.wantClosed("nobody reads")
	})
}

// ResponseHeaderTimeout counts from the end of the request, and leaves no timer
// behind when the response comes (golang/go#9104).
func TestResponseHeaderTimeout(t *testing.T) {
	run(t, &Transport{ResponseHeaderTimeout: time.Minute}, func(s *script) {
		r1 := s.get("r1")
		c1 := s.wantDial().open()
		c1.wantRequest()
		time.Sleep(time.Minute - 1) // virtual
		r1.wantPending("its time has not come")
		time.Sleep(time.Nanosecond) // virtual
		r1.wantErr(context.DeadlineExceeded)
		if r1.err != errHeaderTimeout {
			t.Errorf("error: got %v, want %v as it is", r1.err, errHeaderTimeout)
		}
		c1.wantClosed("the response would come for nobody")
		s.wantClosed(HeaderTimeout, 1)

		r2 := s.get("r2")
		c2 := s.wantDial().open()
		c2.wantRequest()
		c2.send("HTTP/1.1 200 OK\nContent-Length: 5\n\n")
		resp := r2.wantResponse()
		time.Sleep(time.Hour) // virtual
		c2.send("hello")
		if b, err := io.ReadAll(resp.Body); string(b) != "hello" || err != nil {
			t.Errorf("body: got %q, %v: the timeout is for the header", b, err)
		}
	})
}

// A body that is stuck in its Read keeps neither RoundTrip nor the write loop.
func TestCanceledWithStuckBody(t *testing.T) {
	run(t, &Transport{}, func(s *script) {
		pr, pw := io.Pipe()
		r1 := s.do("r1", s.request("POST", pr))
		c1 := s.wantDial().open()
		c1.wantRequest()
		r1.cancel(errWhy)
		r1.wantErr(errWhy)
		if _, err := pw.Write([]byte("x")); err != io.ErrClosedPipe {
			t.Errorf("body: got %v, want it closed", err)
		}
	})
}

// A cancellation after the end of a response does nothing to its connection.
func TestCanceledAfter(t *testing.T) {
	run(t, &Transport{}, func(s *script) {
		r1 := s.get("r1")
		c1 := s.wantDial().open()
		for _, response := range []string{ok0, okBody, ok204} {
			c1.wantRequest()
			c1.send(response)
			resp := r1.wantResponse()
			io.Copy(io.Discard, resp.Body)
			r1.stop()
			c1.wantOpen("the response was over")
			r1 = s.get("r")
		}
		c1.wantRequest()
		c1.send(ok0)
		r1.wantDone("")
	})
}

// A request that is called off when its answer is over, but not its own body,
// ends one way, whoever hears of that first.
func TestCancelBehindTheAnswer(t *testing.T) {
	for i := range 100 {
		run(t, &Transport{}, func(s *script) {
			pr, _ := io.Pipe()
			req := s.request("POST", pr)
			over := make(chan struct{})
			req.Cancel = over
			r1 := s.do("r1", req)
			c1 := s.wantDial().open()
			c1.wantRequest()
			c1.send(okBody)
			resp := r1.wantResponse()
			read := make(chan error, 1)
			go func() {
				_, err := io.ReadAll(resp.Body)
				read <- err
			}()
			c1.wantOpen("the request may end yet")
			begin := time.Now()
			if i%2 == 0 {
				r1.stop()
			} else {
				close(over)
			}
			if err := <-read; err != nil {
				t.Errorf("body: got %v, want all of it", err)
			}
			if waited := time.Since(begin); waited > 0 {
				t.Errorf("got it after %s, want it at once", waited)
			}
			c1.wantClosed("it was called off")
			s.wantClosed(RequestUnsent, 1)
		})
	}
}
