package pool

import (
	"context"
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// A bareConn is a connection without addresses, as dialers of tunnels make them. It
// counts how often it is closed.
type bareConn struct {
	net.Conn
	absent bool // the methods are there, but what they call is not
	closed atomic.Int32
}

func (c *bareConn) LocalAddr() net.Addr  { return c.address() }
func (c *bareConn) RemoteAddr() net.Addr { return c.address() }

func (c *bareConn) address() net.Addr {
	if c.absent {
		var none net.Conn
		return none.LocalAddr()
	}
	return nil
}

func (c *bareConn) Close() error {
	c.closed.Add(1)
	return c.Conn.Close()
}

// A connection need not have addresses, over any protocol: its entries have none. Each is
// closed once.
func TestNoAddresses(t *testing.T) {
	cert := certServer(t)
	for _, absent := range []bool{false, true} {
		for _, force := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				tr := h2Bubble(t, cert, nil, echo)
				tr.ForceAttemptHTTP2 = force
				open := tr.DialContext
				var conns []*bareConn
				tr.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
					c, err := open(ctx, network, addr)
					conns = append(conns, &bareConn{Conn: c, absent: absent})
					return conns[len(conns)-1], err
				}
				var closed []Entry
				tr.OnClose = func(e Entry, _ Cause) { closed = append(closed, e) }
				fetch(t, tr, "https://api.test/")
				synctest.Wait()
				entries := tr.Ledger()
				tr.CloseIdleConnections()
				synctest.Wait()
				for _, e := range append(entries, closed...) {
					if e.Local != nil || e.Remote != nil {
						t.Errorf("got %v and %v, want no address", e.Local, e.Remote)
					}
				}
				if len(entries) != 1 || len(closed) != 1 || len(conns) != 1 || conns[0].closed.Load() != 1 {
					t.Errorf("HTTP/2 %v: got %d entries, %d of %d connections closed, the first %d times; want one, closed once",
						force, len(entries), len(closed), len(conns), conns[0].closed.Load())
				}
			})
		}
	}
}

// A connection that has addresses has them in its entries, also after its end.
func TestAddresses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mem, l := memory("api.test:80")
		srv := &http.Server{Handler: http.HandlerFunc(echo)}
		go srv.Serve(l)
		defer srv.Close()
		var closed Entry
		tr := &Transport{DialContext: mem.DialContext, OnClose: func(e Entry, _ Cause) { closed = e }}
		fetch(t, tr, "http://api.test/")
		open := tr.Ledger()[0]
		tr.CloseIdleConnections()
		for _, e := range []Entry{open, closed} {
			if fmt.Sprint(e.Remote) != "198.18.0.1:80" || fmt.Sprint(e.Local) != "198.18.0.2:32768" {
				t.Errorf("got %v and %v, want both addresses", e.Local, e.Remote)
			}
		}
	})
}

// A panic of an address that is not a missing method is the dialer's to have.
func TestAddressPanics(t *testing.T) {
	defer func() {
		if r := recover(); r != errWhy {
			t.Errorf("got panic %v, want that of the address", r)
		}
	}()
	address(func() net.Addr { panic(errWhy) })
}

// An HTTP/2 connection whose start fails is closed, once.
func TestHTTP2StartFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		defer far.Close()
		conn := &bareConn{Conn: near}
		tr := &Transport{Protocols: new(http.Protocols), DialContext: func(context.Context, string, string) (net.Conn, error) {
			return failingWriter{conn}, nil
		}}
		tr.Protocols.SetUnencryptedHTTP2(true)
		req, _ := http.NewRequest("GET", "http://api.test/", nil)
		_, err := tr.RoundTrip(req)
		synctest.Wait()
		if !errors.Is(err, errWhy) || conn.closed.Load() != 1 {
			t.Errorf("got %v, closed %d times, want %v and once", err, conn.closed.Load(), errWhy)
		}
	})
}

type failingWriter struct{ net.Conn }

func (failingWriter) Write([]byte) (int, error) { return 0, errWhy }

// Causes and states are words in logs and in JSON, also as keys.
func TestMarshalText(t *testing.T) {
	var _ = []encoding.TextMarshaler{ServerFIN, Idle}
	b, err := json.Marshal(map[string]any{
		"closed": Closed{ServerFIN: 2, IdleLimit: 1}, "entry": Entry{State: Draining}.State, "cause": HTTP2Closed,
	})
	if want := `{"cause":"HTTP/2 connection closed","closed":{"idle limit":1,"server FIN":2},"entry":"draining"}`; err != nil || string(b) != want {
		t.Errorf("got %s, %v, want %s", b, err, want)
	}
}

// An HTTP/2 connection is closed once, whatever ends it: x/net closes it, and so does the
// pool.
func TestHTTP2ClosedOnce(t *testing.T) {
	for end, set := range map[string]func(*Transport){
		"CloseIdleConnections": func(*Transport) {},
		"server":               func(*Transport) {},
		"IdleConnTimeout":      func(tr *Transport) { tr.IdleConnTimeout = time.Second },
		"DisableKeepAlives":    func(tr *Transport) { tr.DisableKeepAlives = true },
	} {
		synctest.Test(t, func(t *testing.T) {
			mem, l := memory("api.test:80")
			srv := &http.Server{Handler: http.HandlerFunc(echo), Protocols: new(http.Protocols)}
			srv.Protocols.SetUnencryptedHTTP2(true)
			go srv.Serve(l)
			var conn *bareConn
			tr := &Transport{Protocols: srv.Protocols, DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
				c, err := mem.DialContext(ctx, network, addr)
				conn = &bareConn{Conn: c}
				return conn, err
			}}
			set(tr)
			fetch(t, tr, "http://api.test/")
			switch synctest.Wait(); end {
			case "CloseIdleConnections":
				tr.CloseIdleConnections()
			case "IdleConnTimeout":
				time.Sleep(time.Second) // virtual
			}
			srv.Close()
			synctest.Wait()
			if n := conn.closed.Load(); n != 1 || len(tr.Ledger()) != 0 {
				t.Errorf("%s: closed %d times, and\n%swant once", end, n, tr.Ledger())
			}
		})
	}
}

// A connection is closed once whose handshake does not come to its end, whatever the
// reason is.
func TestHandshakeClosedOnce(t *testing.T) {
	for _, end := range []string{"timeout", "server"} {
		synctest.Test(t, func(t *testing.T) {
			mem, l := memory("api.test:443")
			defer l.Close()
			var conn *bareConn
			tr := &Transport{TLSHandshakeTimeout: time.Second, DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
				c, err := mem.DialContext(ctx, network, addr)
				conn = &bareConn{Conn: c}
				return conn, err
			}}
			go func() {
				if far, err := l.Accept(); err == nil && end == "server" {
					far.Close()
				}
			}()
			req, _ := http.NewRequest("GET", "https://api.test/", nil)
			_, err := tr.RoundTrip(req)
			synctest.Wait()
			if n := conn.closed.Load(); n != 1 || err == nil || (err == errHandshakeTimeout) != (end == "timeout") {
				t.Errorf("%s: got %v, closed %d times, want once", end, err, n)
			}
		})
	}
}
