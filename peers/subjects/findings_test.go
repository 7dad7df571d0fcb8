package subjects

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc"

	"github.com/halfopen/halfopen/harness"
	"github.com/halfopen/halfopen/suites"
)

// What no test of the peers has, each as short as it gets. A finding that is
// gone fails here.

// redigo: a Get with a context that has ended panics on a pool that was closed:
// Close closes the channel of vacant places (redis/pool.go:337), and
// waitVacantConn gives back to it (pool.go:387) what it got from it for that
// reason. Which of its two ways the select takes is chance: one in two.
func TestRedigoGetAfterClose(t *testing.T) {
	harness.Test(t, func(t *harness.T) {
		Redis(t, "server.test:7")
		c, err := Redigo(t, suites.ClientSettings{Addr: "server.test:7", MaxConns: 1})
		if err != nil {
			t.Fatal(err)
		}
		if heard, err := c.Do(t.Context(), "r1"); heard != "r1" || err != nil {
			t.Fatalf("got %q, %v", heard, err)
		}
		c.Close()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		panicked := false
		for range 30 {
			func() {
				defer func() {
					if r := recover(); r != nil {
						panicked = fmt.Sprint(r) == "send on closed channel"
					}
				}()
				c.Do(ctx, "r2")
			}()
		}
		if !panicked {
			t.Error("got no panic in 30 calls: the finding is gone")
		}
	})
}

// puddle: who waits for a place when the pool is closed waits on, for as long as
// somebody has a resource. Close (pool.go:190) ends the context of constructors
// alone, and the waiter is in the semaphore (pool.go:361). pgxpool inherits it.
func TestPuddleWaitsOnAfterClose(t *testing.T) {
	harness.Test(t, func(t *harness.T) {
		suites.EchoLines(t, "server.test:7")
		dial := func(ctx context.Context) (net.Conn, error) { return t.Net.DialContext(ctx, "tcp", "server.test:7") }
		p, err := Puddle(dial, suites.ClientSettings{MaxConns: 1})
		if err != nil {
			t.Fatal(err)
		}
		held, err := p.Get(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		served, closed := make(chan error, 1), make(chan struct{})
		go func() {
			_, err := p.Get(context.Background())
			served <- err
		}()
		t.Settle()
		go func() {
			p.Close()
			close(closed)
		}()
		t.Advance(time.Hour)
		select {
		case err := <-served:
			t.Errorf("the waiter got %v: the finding is gone", err)
		default:
		}
		held.Put()
		<-closed
		if err := <-served; err == nil || err.Error() != "closed pool" {
			t.Errorf("the waiter got %v at last, want: closed pool", err)
		}
	})
}

// pgx: a server that resets the connection in the middle of the handshake is
// dialed a second time at once, to cancel a query that cannot be: process 0, no
// key. peekMessage (pgconn/pgconn.go:707) has asyncClose for every error but a
// timeout, and connectOne (pgconn.go:435) receives by it.
func TestPgxCancelsWhatNeverBegan(t *testing.T) {
	harness.Test(t, func(t *harness.T) {
		t.Peer("server.test:7")
		c, err := Pgx(t, suites.ClientSettings{Addr: "server.test:7", MaxConns: 1})
		if err != nil {
			t.Fatal(err)
		}
		failed := make(chan error, 1)
		go func() {
			_, err := c.Do(t.Context(), "r1")
			failed <- err
		}()
		t.Settle()
		t.Conn("c1").Reset()
		if err := <-failed; err == nil {
			t.Fatal("got no error from a connection that was reset")
		}
		if n := t.Net.Opened(); n != 2 {
			t.Fatalf("got %d connections opened, want the second that asks for a cancellation: the finding is gone", n)
		}
		// The length, 80877102 for a CancelRequest, and process 0 without a key.
		t.Conn("c2").WantRequest("\x00\x00\x00\x0c\x04\xd2\x16\x2e\x00\x00\x00\x00")
		t.Conn("c2").CloseServer()
		c.Close()
	})
}

// x/net/http2: a request whose dial fails never closes its body
// (transport_common.go:342), which every RoundTripper must.
func TestHTTP2BodyOfAFailedDial(t *testing.T) {
	harness.Test(t, func(t *harness.T) {
		rt, err := HTTP2(t, harness.Settings{})
		if err != nil {
			t.Fatal(err)
		}
		t.Net.Fault("dial", "refuse")
		b := &countedBody{Reader: strings.NewReader("body")}
		req, err := http.NewRequest("POST", "http://api.test/", b)
		if err != nil {
			t.Fatal(err)
		}
		r1 := t.Start("r1", rt, req)
		if r1.Err() == nil || b.closes != 0 {
			t.Errorf("got error %v and the body closed %d times: the finding is gone", r1.Err(), b.closes)
		}
	})
}

type countedBody struct {
	io.Reader
	closes int
}

func (b *countedBody) Close() error {
	b.closes++
	return nil
}

// fasthttp: 103 is taken for the answer (http.go:1582), and what the server
// answers after it to the first request is what the second one gets. It was
// mended behind this version, in valyala/fasthttp#2333.
func TestFastHints(t *testing.T) {
	harness.Test(t, func(t *harness.T) {
		rt, err := FastHostClient(t, harness.Settings{})
		if err != nil {
			t.Fatal(err)
		}
		t.Peer("api.test:80")
		r1 := t.Get("r1", rt, "http://api.test/one")
		c1 := t.Conn("c1")
		c1.Send("HTTP/1.1 103 Early Hints\r\n\r\n")
		r1.WantStatus(103)
		r1.Finish()
		r2 := t.Get("r2", rt, "http://api.test/two")
		c1.Send("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\none")
		r2.WantBody("one", "the answer to r1 is the answer to r2")
	})
}

// fasthttp: a body that is closed before its end gives its connection to the
// next request (client.go:3297), whose answer is what is left of that body.
func TestFastHalfRead(t *testing.T) {
	harness.Test(t, func(t *harness.T) {
		rt, err := FastHostClient(t, harness.Settings{})
		if err != nil {
			t.Fatal(err)
		}
		t.Peer("api.test:80")
		r1 := t.Get("r1", rt, "http://api.test/one")
		c1 := t.Conn("c1")
		c1.Send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
		r1.WantStatus(200)
		r1.CloseBody()
		r2 := t.Get("r2", rt, "http://api.test/two")
		// A chunk of the first answer, whose text is up to whoever wrote that page.
		c1.Send("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged")
		r2.WantBody("forged", "what the body of r1 says is the answer to r2")
	})
}

// fasthttp: the goroutine that closes what is idle outlives the last connection,
// and with it the client, by MaxIdleConnDuration: it sleeps (client.go:1897), and
// nothing wakes it. valyala/fasthttp#2171 is the same of a dial that fails.
func TestFastCleaner(t *testing.T) {
	r := harness.Run("cleaner", func(t *harness.T) {
		rt, err := fastHostClient(t, harness.Settings{}, false)
		if err != nil {
			t.Fatal(err)
		}
		t.Serve("api.test:80", nil)
		r1 := t.Get("r1", rt, "http://api.test/")
		r1.Finish()
		rt.CloseIdleConnections()
	})
	if len(r.Failures) != 1 || !strings.Contains(r.Failures[0].Text, "connsCleaner") {
		t.Errorf("got %v, want the goroutine connsCleaner left: the finding is gone", r.Failures)
	}
}

// grpc-go: while a write to a connection has failed, and a read from it has
// not yet, each new call tries the dead connection again and again, without a
// pause. The writer's end closes the control buffer (controlbuf.go:669) and
// leaves the connection to the reader (http2_client.go:493), NewStream fails with
// leave to try again at once (http2_client.go:934), and the picker has no other.
// A call that was written before hangs. In a bubble such a loop never comes to
// rest; here the call gives up after a thousand tries, in no time.
func TestGRPCSpinsOnADeadWriter(t *testing.T) {
	harness.Test(t, func(t *harness.T) {
		EchoRPC(t, "server.test:7")
		var c deafConn
		client, err := grpcOver(func(ctx context.Context, addr string) (_ net.Conn, err error) {
			c.Conn, err = t.Net.DialContext(ctx, "tcp", addr)
			return &c, err
		}, suites.ClientSettings{Addr: "server.test:7"})
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		if heard, err := client.Do(t.Context(), "r1"); heard != "r1" || err != nil {
			t.Fatalf("got %q, %v", heard, err)
		}
		t.Settle()
		c.broken.Store(true)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		hang := make(chan error, 2)
		for range cap(hang) { // the first error is not looked at, the second is
			go func() {
				_, err := client.Do(ctx, "r2")
				hang <- err
			}()
			t.Settle()
		}
		began, tries := time.Now(), &tries{cancel: cancel}
		var say, heard = "r3", ""
		err = client.Invoke(ctx, "/echo/Say", &say, &heard, grpc.PerRPCCredentials(tries))
		if tries.n < 1000 || time.Since(began) > 0 {
			t.Errorf("got %d tries in %v, %v, want 1000 at once: the finding is gone", tries.n, time.Since(began), err)
		}
		for range cap(hang) {
			if err := <-hang; err == nil {
				t.Error("r2: got an answer over a connection that cannot be written to")
			}
		}
	})
}

// deafConn is a connection to which nothing can be written any more.
type deafConn struct {
	net.Conn
	broken atomic.Bool
}

func (c *deafConn) Write(b []byte) (int, error) {
	if c.broken.Load() {
		return 0, &net.OpError{Op: "write", Net: "tcp", Err: syscall.EPIPE}
	}
	return c.Conn.Write(b)
}

// tries counts how often a call is tried, and gives up after a thousand times.
type tries struct {
	n      int
	cancel func()
}

func (c *tries) RequireTransportSecurity() bool { return false }

func (c *tries) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	if c.n++; c.n == 1000 {
		c.cancel()
	}
	return nil, nil
}
