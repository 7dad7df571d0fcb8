package pool_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"

	"github.com/halfopen/halfopen/harness"
	"github.com/halfopen/halfopen/pool"
)

const (
	ok0    = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
	okBody = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
	ok204  = "HTTP/1.1 204 No Content\r\n\r\n"
)

var (
	errWhy     = errors.New("the test's reason")
	errRefused = errors.New("refused by the test")
)

// scripted returns tr with a scripted peer at api, or at an address where a dial
// is not over when the peer has accepted it. Every dial is held, and the books of
// tr are checked at every quiet point.
func scripted(t *harness.T, tr *pool.Transport, address ...string) *pool.Transport {
	t.Net.Hold("dial")
	if len(address) == 0 {
		t.Peer(api)
		return transport(t, tr)
	}
	t.Peer(address[0])
	return overTLS(t, tr)
}

// warm returns a connection that has served a request, so that a failure on it
// may be retried.
func warm(t *harness.T, tr *pool.Transport) *harness.Conn {
	r := t.Get("warm-up", tr, url1)
	c := t.Net.WantDial().Open()
	c.Respond(200, "")
	r.Finish()
	return c
}

func request(method string, body io.Reader) *http.Request {
	req, err := http.NewRequest(method, url1, body)
	if err != nil {
		panic(err)
	}
	return req
}

// cancelable returns req with a context, and a function that ends it for the
// reason errWhy.
func cancelable(req *http.Request) (*http.Request, func()) {
	ctx, cancel := context.WithCancelCause(req.Context())
	return req.WithContext(ctx), func() { cancel(errWhy) }
}

// received reads the request that has arrived at a scripted peer; its body comes
// as it is read.
func received(t *harness.T, c *harness.Conn) *http.Request {
	t.Settle()
	if c.Server().Unread() == 0 {
		t.Fatalf("%s: got no request, want one", c)
	}
	req, err := http.ReadRequest(bufio.NewReader(c.Server()))
	if err != nil {
		t.Fatalf("%s: got %v, want a request", c, err)
	}
	return req
}

// content reads the body of a request to its end.
func content(t *harness.T, req *http.Request) string {
	b, err := io.ReadAll(req.Body)
	if err != nil {
		return string(b) + "!" + err.Error()
	}
	t.Settle()
	return string(b)
}

// wantNothing expects that nothing has arrived at a scripted peer.
func wantNothing(t *harness.T, c *harness.Conn, why string) {
	t.Settle()
	if n := c.Server().Unread(); n > 0 {
		t.Fatalf("%s: got %d bytes at the server, want none", why, n)
	}
}

// wantClosed expects that n connections were closed for that cause.
func wantClosed(t *harness.T, tr *pool.Transport, why pool.Cause, n uint64) {
	t.Settle()
	if got := tr.Stats().Closed; got[why] != n {
		t.Fatalf("connections closed by %q: got %s, want %d", why, got, n)
	}
}

// onceBody counts how often it is closed.
type onceBody struct {
	io.Reader
	closed atomic.Int32
}

func (b *onceBody) Close() error { b.closed.Add(1); return nil }

// crlf returns a message with the line ends of HTTP.
func crlf(s string) string { return strings.NewReplacer("\r\n", "\r\n", "\n", "\r\n").Replace(s) }
