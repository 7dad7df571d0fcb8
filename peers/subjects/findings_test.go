package subjects

import (
	"context"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	coder "github.com/coder/websocket"
	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/halfopen/halfopen/harness"
	"github.com/halfopen/halfopen/suites"
)

// These tests show behaviour that no test of the peers covers; each is as short as
// possible. A test fails when its finding is gone. What makes a peer crash or hang has
// no test: FINDINGS.md describes it in words.

// pgx: when a server resets the connection in the middle of the handshake, pgx dials it
// a second time at once to cancel a query. There is no query: the request names process
// 0 and has no key. peekMessage (pgconn/pgconn.go:707) calls asyncClose for every error
// except a timeout, and connectOne (pgconn.go:435) receives through peekMessage.
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

// fasthttp: a response 103 counts as the answer to a request (http.go:1582). The second
// request gets the real answer to the first one. It was fixed after this version, in
// valyala/fasthttp#2333.
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

// fasthttp: when a body is closed before its end, the next request gets its connection
// (client.go:3297). The rest of the body then counts as the answer to that request.
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
		// This is a chunk of the first answer: the author of that page chooses its text.
		c1.Send("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged")
		r2.WantBody("forged", "the body of r1 is taken as the answer to r2")
	})
}

// fasthttp: the goroutine that closes idle connections lives longer than the last
// connection, by MaxIdleConnDuration, and so does the client: the goroutine sleeps
// (client.go:1897), and nothing wakes it. valyala/fasthttp#2171 is the same after a dial
// that fails.
func TestFastCleaner(t *testing.T) {
	r := harness.TestReport("cleaner", func(t *harness.T) {
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

// rueidis: a command that is cancelled while it waits for a connection of the pool makes the
// pool larger by one: the dead connection that it gets (pool.go:66) is put back (pool.go:113),
// and was never counted.
func TestRueidisPoolGrows(t *testing.T) {
	harness.Test(t, func(t *harness.T) {
		Redis(t, "server.test:7")
		t.DeclareAside(rueidisAside)
		c, err := RueidisPool(t, suites.ClientSettings{Addr: "server.test:7", MaxConns: 1})
		if err != nil {
			t.Fatal(err)
		}
		say := func(name string) *harness.Op {
			return t.Do(t.Context(), name, func(ctx context.Context) error {
				_, err := c.Do(ctx, name)
				return err
			})
		}
		say("r1").WantDone()
		t.Net.Hold("* server->client data")
		r2, r3 := say("r2"), say("r3")
		r3.Cancel()
		r3.WantErr(context.Canceled)
		r4 := say("r4")
		if n := t.Net.Opened() - len(t.Asides()); n != 2 {
			t.Errorf("got %d connections of a pool of one, want two: the finding is gone", n)
		}
		t.Net.Release("* server->client data")
		r2.WantDone()
		r4.WantDone()
		c.Close()
	})
}

// coder/websocket: a Write whose context is done from the start keeps or closes the
// connection by chance: mu.lock (conn.go:286) selects among the context and a mutex that is
// free; with the mutex, the write goes on to setupWriteTimeout (conn.go:171), which closes.
func TestCoderChanceToClose(t *testing.T) {
	harness.Test(t, func(t *harness.T) {
		EchoWebSocket(t, "server.test:7")
		done, cancel := context.WithCancel(context.Background())
		cancel()
		kept, closed := 0, 0
		for range 100 {
			c, _, err := coder.Dial(t.Context(), "ws://server.test:7/", &coder.DialOptions{HTTPClient: &http.Client{Transport: t.Net.Transport()}})
			if err != nil {
				t.Fatal(err)
			}
			c.Write(done, coder.MessageText, []byte("late")) // its error is chance too
			t.Settle()
			if c.Write(context.Background(), coder.MessageText, []byte("next")) == nil {
				kept++
			} else {
				closed++
			}
			c.CloseNow()
		}
		if kept == 0 || closed == 0 {
			t.Errorf("of 100 connections %d were kept and %d closed: the finding is gone", kept, closed)
		}
	})
}

// amqp091-go: a server that is silent from the end of the handshake on is never missed. The
// connection forgets its deadline (connection.go:1445), and heartbeater (connection.go:1080)
// sets the next one when a frame has been read: with one frame, 15 s are enough.
func TestAMQPHeartbeats(t *testing.T) {
	for _, frames := range []int{0, 1} {
		harness.Test(t, func(t *harness.T) {
			Rabbit(t, "server.test:7")
			var c *amqp.Connection
			t.Do(t.Context(), "dial", func(ctx context.Context) (err error) {
				c, err = amqp.DialConfig("amqp://server.test:7/", amqp.Config{Dial: func(network, addr string) (net.Conn, error) { return t.Net.DialContext(ctx, network, addr) }})
				return err
			}).WantDone()
			if frames > 0 {
				t.Do(t.Context(), "channel", func(context.Context) error {
					_, err := c.Channel()
					return err
				}).WantDone()
			}
			t.Advance(time.Hour) // the server sends no heartbeats
			if closed := c.IsClosed(); closed != (frames > 0) {
				t.Errorf("got closed %v after an hour of silence, with %d frames before it: the finding is gone", closed, frames)
			}
			c.Close()
		})
	}
}

// nats.go: a connection whose handshake fails while the client reconnects is not closed:
// Conn.doReconnect (nats.go:3581) goes on with the next server when processConnectInit fails, and
// Conn.createConn (nats.go:2539) puts the next connection in its place. Close closes only
// the last one. On a real socket the garbage collector closes the others, sooner or later.
func TestNATSLeavesFailedHandshakes(t *testing.T) {
	natsTimers = sync.Pool{New: natsTimers.New}
	harness.Test(t, func(t *harness.T) {
		EchoNATS(t, "server.test:7")
		c, err := NATS(t, suites.ClientSettings{Addr: "server.test:7"})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Do(t.Context(), "r1"); err != nil {
			t.Fatal(err)
		}
		t.Net.Kill("server.test:7")
		suites.ServeConns(t, "server.test:7", func(net.Conn) {}) // which leaves at once
		t.Advance(5*time.Second + time.Second/2)
		c.Close()
		t.Settle()
		var open int
		for _, left := range t.Net.Conns() {
			if !left.IsClosed() {
				open++
				left.Close()
			}
		}
		if open < 4 {
			t.Fatalf("got %d connections left after Close, want those of the handshakes that failed: the finding is gone", open)
		}
	})
}
