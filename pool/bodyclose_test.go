package pool_test

import (
	"errors"
	"io"
	"net/http"
	"syscall"
	"testing"
	"time"

	"github.com/halfopen/halfopen/harness"
	"github.com/halfopen/halfopen/pool"
)

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
			harness.Test(t, func(t *harness.T) {
				tr := scripted(t, &pool.Transport{})
				r1 := t.Get("r1", tr, url1)
				c1 := t.Net.WantDial().Open()
				c1.Send(crlf(head))
				r1.WantDone(nil)
				body := r1.Response().Body
				begin := time.Now()
				read := make(chan error, 1)
				go func() {
					_, err := io.Copy(io.Discard, body)
					read <- err
				}()
				t.Settle()
				body.Close()
				if err := <-read; !errors.Is(err, http.ErrBodyReadAfterClose) {
					t.Errorf("read: got %v, want http.ErrBodyReadAfterClose", err)
				}
				c1.WantClosed("a Read was under way")
				wantClosed(t, tr, pool.BodyUnread, 1)
				if d := time.Since(begin); d != 0 {
					t.Errorf("got %v, want no time at all", d)
				}
			})
		})
	}
}

// A body whose Read has failed has nothing left to drain: Close does nothing.
func TestCloseAfterError(t *testing.T) {
	harness.Test(t, func(t *harness.T) {
		tr := scripted(t, &pool.Transport{})
		r1 := t.Get("r1", tr, url1)
		c1 := t.Net.WantDial().Open()
		c1.Send(headChunks + "5\r\nhelloXX")
		r1.WantDone(nil)
		body := r1.Response().Body
		if _, err := io.ReadAll(body); err == nil || errors.Is(err, io.EOF) {
			t.Errorf("read: got %v, want an error of the framing", err)
		}
		wantClosed(t, tr, pool.ReadFailed, 1)
		if err := body.Close(); err != nil {
			t.Errorf("Close: got %v", err)
		}
		if st := tr.Stats(); st.Draining+st.Active != 0 || len(st.Closed) != 1 {
			t.Errorf("after Close: got\n%s%v, want nothing more", st, st.Closed)
		}
	})
	harness.Test(t, func(t *harness.T) {
		tr := scripted(t, &pool.Transport{})
		r1 := t.Get("r1", tr, url1)
		c1 := t.Net.WantDial().Open()
		c1.Send(headHel)
		r1.WantDone(nil)
		body := r1.Response().Body
		c1.Reset()
		if _, err := io.ReadAll(body); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("read: got %v, want ECONNRESET", err)
		}
		body.Close()
		wantClosed(t, tr, pool.ReadFailed, 1)
	})
}

// Where the connection could not be kept, or the request is still being sent, a
// body that is closed early closes it at once.
func TestNotDrained(t *testing.T) {
	for name, tt := range map[string]struct {
		tr   *pool.Transport
		head string
	}{
		"until FIN":         {&pool.Transport{}, "HTTP/1.1 200 OK\n\nhel"},
		"Connection: close": {&pool.Transport{}, "HTTP/1.1 200 OK\nConnection: close\nContent-Length: 5\n\nhel"},
		"HTTP/1.0":          {&pool.Transport{}, "HTTP/1.0 200 OK\nContent-Length: 5\n\nhel"},
		"DisableKeepAlives": {&pool.Transport{DisableKeepAlives: true}, headHel},
		"none may be idle":  {&pool.Transport{MaxIdleConnsPerHost: -1}, headHel},
	} {
		t.Run(name, func(t *testing.T) {
			harness.Test(t, func(t *harness.T) {
				tr := scripted(t, tt.tr)
				c1 := closeEarly(t, tr, tt.head)
				c1.WantClosed("it can't be kept")
				wantClosed(t, tr, pool.BodyUnread, 1)
			})
		})
	}
	t.Run("upload", func(t *testing.T) {
		harness.Test(t, func(t *harness.T) {
			tr := scripted(t, &pool.Transport{})
			pr, pw := io.Pipe()
			r1 := t.Start("r1", tr, request("POST", pr))
			c1 := t.Net.WantDial().Open()
			c1.Send(headHel)
			r1.CloseBody()
			c1.WantClosed("the request is the caller's again")
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
		why  pool.Cause
	}{
		"200":             {"HTTP/1.1 200 Connected\nContent-Length: 0\n\n", true, pool.Finished},
		"200 with a body": {okBody, true, pool.Finished},
		"407":             {"HTTP/1.1 407 Proxy Authentication Required\nContent-Length: 5\n\nhello", true, pool.Finished},
		"407 unread":      {"HTTP/1.1 407 Proxy Authentication Required\nContent-Length: 5\n\nhello", false, pool.BodyUnread},
		"204":             {ok204, true, pool.Finished},
	} {
		t.Run(name, func(t *testing.T) {
			harness.Test(t, func(t *harness.T) {
				tr := scripted(t, &pool.Transport{})
				req := request("CONNECT", nil)
				req.URL.Path = ""
				r1 := t.Start("r1", tr, req)
				c1 := t.Net.WantDial().Open()
				c1.WantRequest("CONNECT ")
				c1.Send(crlf(tt.head))
				r1.WantDone(nil)
				body := r1.Response().Body
				if tt.read {
					io.Copy(io.Discard, body)
				}
				body.Close()
				c1.WantClosed("it was a CONNECT")
				wantClosed(t, tr, tt.why, 1)
			})
		})
	}
}
