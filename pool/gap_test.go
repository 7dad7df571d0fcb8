package pool

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"weak"
)

// While PutIdleConn takes its time the connection is in the pool and watched:
// another request is served on it, and a FIN is noticed.
func TestPutIdleConnParked(t *testing.T) {
	for _, response := range []string{ok0, okBody} {
		run(t, &Transport{MaxConnsPerHost: 1}, func(s *script) {
			pass := make(chan struct{})
			req := s.request("GET", nil)
			r1 := s.do("r1", req.WithContext(httptrace.WithClientTrace(req.Context(), &httptrace.ClientTrace{
				PutIdleConn: func(error) { <-pass },
			})))
			c1 := s.wantDial().open()
			c1.wantRequest()
			c1.send(response)
			if response == okBody {
				go readAll(r1)
			}
			r2 := s.get("r2")
			c1.wantRequest()
			c1.send(ok0)
			r2.wantDone("")
			c1.fin()
			c1.wantClosed("nobody holds it")
			close(pass)
			if r1.wantResponse(); response == ok0 {
				r1.wantDone("")
			}
		})
	}
}

// A connection that has been idle for too long by the wall is not used, though
// its timer stood still.
func TestTooOldByTheWall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slept := &asleep{}
		tr := &Transport{IdleConnTimeout: time.Minute, Clock: slept}
		s := &script{T: t, tr: tr}
		tr.DialContext = s.dial
		c1 := s.warm()
		slept.by += time.Minute
		r1 := s.get("r1")
		c1.wantRequest()
		c1.send(ok0)
		r1.wantDone("")
		slept.by += time.Minute + 1
		r2 := s.get("r2")
		c2 := s.wantDial().open()
		c2.wantRequest()
		c2.send(ok0)
		r2.wantDone("")
		c1.wantClosed("it is a nanosecond too old")
		s.wantClosed(IdleTimeout, 1)
		tr.CloseIdleConnections()
		s.settle()
	})
}

// asleep is a clock that jumps without its timers.
type asleep struct {
	fast
	by time.Duration
}

func (a *asleep) Now() time.Time { return time.Now().Add(a.by) }

// A request that was served, failed or called off is not kept reachable by the
// pool, though its connection is (golang/go#50798, #33850).
func TestRequestReleased(t *testing.T) {
	run(t, &Transport{MaxConnsPerHost: 2}, func(s *script) {
		c1 := s.warm()
		type key struct{}
		secret := func() (*[]byte, weak.Pointer[[]byte]) {
			b := make([]byte, 1<<10)
			return &b, weak.Make(&b)
		}
		one := func(end func(r *call)) weak.Pointer[[]byte] {
			b, w := secret()
			ctx := context.WithValue(context.Background(), key{}, b)
			req := s.request("POST", strings.NewReader("x")).WithContext(ctx)
			c := &call{s: s, name: "r", done: make(chan struct{})}
			ctx, c.cancel = context.WithCancelCause(ctx)
			go func() {
				defer close(c.done)
				c.resp, c.err = s.tr.RoundTrip(req.WithContext(ctx))
			}()
			s.settle()
			end(c)
			return w
		}
		served := one(func(r *call) {
			c1.body(c1.wantRequest())
			c1.send(okBody)
			r.wantDone("hello")
		})
		hold := s.get("hold")
		c1.wantRequest()
		late := one(func(r *call) {
			d := s.wantDial()
			r.stop()
			r.wantErr(context.Canceled)
			d.open()
		})
		runtime.GC()
		runtime.GC()
		for name, w := range map[string]weak.Pointer[[]byte]{"served": served, "called off": late} {
			if w.Value() != nil {
				t.Errorf("request that was %s: its context is still reachable", name)
			}
		}
		c1.send(ok0)
		hold.wantDone("")
	})
}

// Two reads of one compressed body at once are told apart, not mixed up; and a
// read that is in progress survives Close.
func TestGzipTwoReads(t *testing.T) {
	run(t, &Transport{}, func(s *script) {
		r1 := s.get("r1")
		c1 := s.wantDial().open()
		c1.wantRequest()
		c1.send("HTTP/1.1 200 OK\nContent-Encoding: gzip\nContent-Length: 100\n\n\x1f\x8b")
		body := r1.wantResponse().Body
		first := make(chan error)
		go func() { _, err := body.Read(make([]byte, 1)); first <- err }()
		s.settle()
		if _, err := body.Read(make([]byte, 1)); err != errReadTwice {
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

// A request that is called off on TLS does not wait for a peer that reads
// nothing more to take our good-bye.
func TestCanceledOnTLS(t *testing.T) {
	cert := certServer(t)
	run(t, &Transport{TLSClientConfig: &tls.Config{RootCAs: closer{cert}.roots(), ServerName: "example.com", Time: certTime}}, func(s *script) {
		req := s.request("GET", nil)
		req.URL.Scheme = "https"
		r1 := s.do("r1", req)
		d1 := s.wantDial()
		client, far := newConnPair("c1")
		s.conns = append(s.conns, client)
		server := tls.Server(far, &tls.Config{Certificates: cert.TLS.Certificates, Time: certTime})
		got := make(chan error)
		go func() {
			_, err := io.ReadFull(server, make([]byte, 20))
			got <- err
		}()
		c1 := openOn(d1, client, far)
		if err := <-got; err != nil {
			t.Fatal(err)
		}
		far.in.change(func() { far.in.room = 0 })
		begin := time.Now()
		r1.cancel(errWhy)
		<-r1.done
		r1.wantErr(errWhy)
		if d := time.Since(begin); d != 0 {
			t.Errorf("canceled: got the error after %v, want it at once", d)
		}
		c1.wantClosed("it was called off")
	})
}

// A stream that was reserved for a request which is called off at GotConn goes
// back.
func TestHTTP2CanceledAtGotConn(t *testing.T) {
	cert := certServer(t)
	synctest.Test(t, func(t *testing.T) {
		tr := h2Bubble(t, cert, &http.HTTP2Config{MaxConcurrentStreams: 1}, func(w http.ResponseWriter, r *http.Request) {})
		tr.MaxConnsPerHost = 1
		fetch(t, tr, "https://api.test/")
		for range 3 {
			ctx, cancel := context.WithCancelCause(context.Background())
			ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { cancel(errWhy) }})
			req, _ := http.NewRequestWithContext(ctx, "GET", "https://api.test/", nil)
			if _, err := tr.RoundTrip(req); !errors.Is(err, errWhy) {
				t.Errorf("got %v, want %v", err, errWhy)
			}
		}
		fetch(t, tr, "https://api.test/")
		if n := tr.Stats().Dials; n != 1 {
			t.Errorf("dials: got %d, want 1", n)
		}
	})
}
