package subjects

import (
	"strings"
	"testing"

	"github.com/halfopen/halfopen/harness"
	"github.com/halfopen/halfopen/suites"
)

// What no test of the peers has, each as short as it gets. A finding that is
// gone fails here. What makes a peer crash or hang has no test: FINDINGS.md tells
// it in words.

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
