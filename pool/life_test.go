package pool

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A connection whose response was read to its end serves the next request.
func TestReuse(t *testing.T) {
	run(t, &Transport{}, func(s *script) {
		r1 := s.get("r1")
		c1 := s.wantDial().open()
		c1.wantRequest()
		c1.send(okBody)
		r1.wantDone("hello")
		r2 := s.get("r2")
		s.wantNoDial("c1 is idle")
		c1.wantRequest()
		c1.send(ok204)
		r2.wantDone("")
		if st := s.tr.Stats(); st.Dials != 1 || st.Reuses != 1 || st.Idle != 1 {
			t.Errorf("stats: got\n%s", st)
		}
	})
}

// A response is known before its body is: until the body is read the
// connection is held.
func TestBodyHoldsConnection(t *testing.T) {
	run(t, &Transport{}, func(s *script) {
		r1 := s.get("r1")
		c1 := s.wantDial().open()
		c1.wantRequest()
		c1.send("HTTP/1.1 200 OK\nContent-Length: 5\n\nhel")
		r1.wantResponse()
		if l := s.tr.Ledger(); len(l) != 1 || l[0].State != Active || l[0].Holder != "GET http://api.test/" {
			t.Errorf("ledger: got\n%s", l)
		}
		r2 := s.get("r2")
		d2 := s.wantDial()
		c1.send("lo")
		r1.wantDone("hello")
		c1.wantRequest()
		c1.send(ok0)
		r2.wantDone("")
		d2.open()
		if st := s.tr.Stats(); st.Idle != 2 {
			t.Errorf("idle: got %d, want 2: the loser's connection is pooled", st.Idle)
		}
	})
}

// Closing a body before its end closes the connection, if the rest does not come.
func TestBodyClosedEarly(t *testing.T) {
	run(t, &Transport{}, func(s *script) {
		r1 := s.get("r1")
		c1 := s.wantDial().open()
		c1.wantRequest()
		c1.send("HTTP/1.1 200 OK\nContent-Length: 5\n\nhel")
		body := r1.wantResponse().Body
		body.Close()
		time.Sleep(drainTime) // virtual
		c1.wantClosed("two bytes stand between it and another response")
		s.wantClosed(BodyUnread, 1)
		if _, err := body.Read(make([]byte, 1)); !errors.Is(err, errReadClosed) {
			t.Errorf("read after close: got %v", err)
		}
	})
}

// The newest idle connection is used first.
func TestNewestFirst(t *testing.T) {
	run(t, &Transport{}, func(s *script) {
		r1, r2 := s.get("r1"), s.get("r2")
		c1, c2 := s.wantDial().open(), s.wantDial().open()
		c1.wantRequest()
		c2.wantRequest()
		c2.send(ok0)
		c1.send(ok0)
		r1.wantDone("")
		r2.wantDone("")
		r3 := s.get("r3")
		c1.wantRequest()
		c1.send(ok0)
		r3.wantDone("")
	})
}

// A server's FIN takes an idle connection out of the pool at once
// (golang/go#15461).
func TestIdleFIN(t *testing.T) {
	run(t, &Transport{}, func(s *script) {
		r1 := s.get("r1")
		c1 := s.wantDial().open()
		c1.wantRequest()
		c1.send(ok0)
		r1.wantDone("")
		c1.fin()
		c1.wantClosed("it is half-open")
		s.wantClosed(ServerFIN, 1)
		r2 := s.get("r2")
		c2 := s.wantDial().open()
		c2.wantRequest()
		c2.send(ok0)
		r2.wantDone("")
	})
}

// IdleConnTimeout closes an idle connection when it is due and not before;
// a request in the same instant gets it or dials, and nothing is left
// (golang/go#25621).
func TestIdleTimeout(t *testing.T) {
	for _, early := range []time.Duration{time.Nanosecond, 0, -time.Nanosecond} {
		run(t, &Transport{IdleConnTimeout: time.Minute}, func(s *script) {
			var c *server
			for range 3 {
				r := s.get("r")
				if len(s.dials) > 0 {
					c = s.wantDial().open()
				}
				c.wantRequest()
				c.send(ok0)
				r.wantDone("")
				time.Sleep(time.Minute - early) // virtual
			}
			if early > 0 {
				c.wantOpen("its time has not come")
				time.Sleep(early) // virtual
			}
			c.wantClosed("its time has come")
		})
	}
}

// MaxIdleConnsPerHost and MaxIdleConns keep the number of idle connections,
// and the least recently used goes first.
func TestIdleLimits(t *testing.T) {
	run(t, &Transport{MaxIdleConnsPerHost: 1}, func(s *script) {
		r1, r2 := s.get("r1"), s.get("r2")
		c1, c2 := s.wantDial().open(), s.wantDial().open()
		c1.wantRequest()
		c2.wantRequest()
		c1.send(okBody)
		r1.wantDone("hello")
		c2.send(ok0)
		r2.wantDone("") // the response comes although there is no room (golang/go#13633)
		c2.wantClosed("the host has its one")
		s.wantClosed(HostIdleLimit, 1)
	})
	run(t, &Transport{MaxIdleConns: 1}, func(s *script) {
		r1, r2 := s.get("r1"), s.get("r2")
		c1, c2 := s.wantDial().open(), s.wantDial().open()
		c1.wantRequest()
		c2.wantRequest()
		c1.send(ok0)
		c2.send(ok0)
		r1.wantDone("")
		r2.wantDone("")
		c1.wantClosed("it was used least recently")
		c2.wantOpen("it is the newest")
		s.wantClosed(IdleLimit, 1)
	})
	run(t, &Transport{MaxIdleConnsPerHost: -1}, func(s *script) {
		r1 := s.get("r1")
		c1 := s.wantDial().open()
		c1.wantRequest()
		c1.send(ok0)
		r1.wantDone("")
		s.wantClosed(NoKeepAlive, 1)
	})
}

// DisableKeepAlives says so to the server and keeps nothing.
func TestDisableKeepAlives(t *testing.T) {
	run(t, &Transport{DisableKeepAlives: true}, func(s *script) {
		r1 := s.get("r1")
		c1 := s.wantDial().open()
		if req := c1.wantRequest(); !req.Close {
			t.Errorf("request: got no Connection: close")
		}
		c1.send(okBody)
		r1.wantDone("hello")
		c1.wantClosed("it is not kept")
	})
}

// Connection: close from either side is the end of the connection.
func TestConnectionClose(t *testing.T) {
	run(t, &Transport{}, func(s *script) {
		r1 := s.get("r1")
		c1 := s.wantDial().open()
		c1.wantRequest()
		c1.send("HTTP/1.1 200 OK\nConnection: close\nContent-Length: 0\n\n")
		r1.wantDone("")
		s.wantClosed(Finished, 1)
		req := s.request("GET", nil)
		req.Close = true
		r2 := s.do("r2", req)
		c2 := s.wantDial().open()
		c2.wantRequest()
		c2.send(okBody)
		r2.wantDone("hello")
		s.wantClosed(Finished, 2)
	})
}

// A body without a length ends with the connection.
func TestBodyUntilFIN(t *testing.T) {
	run(t, &Transport{}, func(s *script) {
		r1 := s.get("r1")
		c1 := s.wantDial().open()
		c1.wantRequest()
		c1.send("HTTP/1.1 200 OK\n\nhello")
		c1.fin()
		r1.wantDone("hello")
		c1.wantClosed("FIN was the end of the body")
	})
}

// A body that breaks off is an error, never a short body.
func TestBodyCutShort(t *testing.T) {
	run(t, &Transport{}, func(s *script) {
		r1 := s.get("r1")
		c1 := s.wantDial().open()
		c1.wantRequest()
		c1.send("HTTP/1.1 200 OK\nContent-Length: 9\n\nhello")
		resp := r1.wantResponse()
		c1.reset()
		got, err := io.ReadAll(resp.Body)
		if string(got) != "hello" || !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("body: got %q, %v, want what came, then ECONNRESET", got, err)
		}
		resp.Body.Close()
		s.wantClosed(ReadFailed, 1)
	})
}

// FIN right after a response does not take the response away, and no goroutine
// is left (golang/go#10457).
func TestResponseThenFIN(t *testing.T) {
	for _, response := range []string{ok0, okBody, ok204} {
		run(t, &Transport{}, func(s *script) {
			r1 := s.get("r1")
			c1 := s.wantDial().open()
			c1.wantRequest()
			c1.end.Write([]byte(strings.ReplaceAll(response, "\n", "\r\n")))
			c1.fin()
			resp := r1.wantResponse()
			io.Copy(io.Discard, resp.Body)
			c1.wantClosed("FIN ends it")
		})
	}
}

// CloseIdleConnections closes what is idle, not what is in use, and calls off
// the dials that nobody waits for (golang/go#8483).
func TestCloseIdleConnections(t *testing.T) {
	run(t, &Transport{}, func(s *script) {
		r1 := s.get("r1")
		c1 := s.wantDial().open()
		c1.wantRequest()
		r2 := s.get("r2")
		d2 := s.wantDial()
		c1.send(ok0)
		r1.wantDone("")
		c1.wantRequest() // r2 is served by c1; its own dial is an orphan
		s.tr.CloseIdleConnections()
		d2.wantCanceled("nobody waits for it")
		c1.wantOpen("r2 is using it")
		c1.send(ok0)
		r2.wantDone("")
		c1.wantClosed("no request has come since")
		s.wantClosed(ClosedIdle, 1)
	})
}

// A dial that completes after CloseIdleConnections leaves nothing open, even
// if its dialer did not listen to its context (golang/go#8483).
func TestDialAfterCloseIdle(t *testing.T) {
	run(t, &Transport{}, func(s *script) {
		held := s.tr.DialContext
		s.tr.DialContext = func(_ context.Context, network, addr string) (net.Conn, error) {
			return held(context.Background(), network, addr)
		}
		r1 := s.get("r1")
		d1 := s.wantDial()
		r1.stop()
		r1.wantErr(context.Canceled)
		s.tr.CloseIdleConnections()
		c1 := d1.open()
		c1.wantClosed("nobody could close it later")
	})
}

// Bytes that no request asked for close the connection before they can be
// taken for another response: together with the response before them, while
// the connection is idle, or when it has been given out (golang/go#68653).
func TestUnsolicited(t *testing.T) {
	const stray = "HTTP/1.1 200 OK\nContent-Length: 5\n\nstray"
	head := func(s *script) (*call, *server) {
		r1 := s.do("r1", s.request("HEAD", nil))
		c1 := s.wantDial().open()
		c1.wantRequest()
		return r1, c1
	}
	t.Run("same segment", func(t *testing.T) {
		run(t, &Transport{}, func(s *script) {
			r1, c1 := head(s)
			c1.send("HTTP/1.1 200 OK\nContent-Length: 5\n\nhello")
			r1.wantDone("")
			c1.wantClosed("hello answers nothing")
			s.wantClosed(Unsolicited, 1)
		})
	})
	t.Run("idle", func(t *testing.T) {
		run(t, &Transport{}, func(s *script) {
			r1, c1 := head(s)
			c1.send(ok0)
			r1.wantDone("")
			c1.send(stray)
			s.wantClosed(Unsolicited, 1)
		})
	})
	t.Run("given out", func(t *testing.T) {
		run(t, &Transport{}, func(s *script) {
			r1, c1 := head(s)
			c1.send(ok0)
			r1.wantDone("")
			gate := s.gateGotConn()
			r2 := s.do("r2", gate.on(s.request("POST", nil)))
			c1.send(stray)
			gate.open()
			c2 := s.wantDial().open()
			c2.wantRequest()
			c2.send(okBody)
			r2.wantDone("hello")
			c1.wantNothing("r2 had better go elsewhere")
		})
	})
	t.Run("408", func(t *testing.T) {
		run(t, &Transport{}, func(s *script) {
			r1, c1 := head(s)
			c1.send(ok0)
			r1.wantDone("")
			c1.send("HTTP/1.1 408 Request Timeout\nConnection: close\n\n")
			s.wantClosed(ServerFIN, 1)
		})
	})
}
