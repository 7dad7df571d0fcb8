package harness

import (
	"cmp"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"

	"github.com/halfopen/halfopen/faultnet"
)

// Conn is a connection on the network: both ends of it. What it sends, the
// server's end sends; that end must belong to a scripted peer ([T.Peer]).
type Conn struct {
	t      *driver
	c      *census
	client *faultnet.Conn
	wire   wire
	pool   *pool       // of the one client that uses it, if it is known; guarded by c.mu
	apart  atomic.Bool // its server shares nothing among its connections
	hungUp bool        // the test has closed the client's end
	via    any         // the transport whose request used it last; guarded by c.mu
	met    bool        // the harness had to do with it, and not only the oracles; guarded by c.mu
	ready  *spot       // where it is ready for a request, or nil
	used   bool        // a request had been sent on it when that was seen

	changes int // at how many quiet points something had happened to it
}

// ID returns the connection's name: "c1" for the first that opened.
func (c *Conn) ID() string { return c.client.ID() }

// String returns the connection's name.
func (c *Conn) String() string { return c.ID() }

// Client returns the client's end.
func (c *Conn) Client() *faultnet.Conn { return c.client }

// Server returns the end that was accepted.
func (c *Conn) Server() *faultnet.Conn { return c.client.Peer() }

// receive takes what has arrived at the server's end and was not read.
func (c *Conn) receive() []byte {
	b := make([]byte, c.Server().Unread())
	if len(b) > 0 {
		n, _ := c.Server().Read(b)
		b = b[:n]
	}
	return b
}

// Send sends raw bytes from the server's end.
func (c *Conn) Send(raw string) {
	c.t.step("send", c.ID(), raw)
	c.send(raw)
}

func (c *Conn) send(raw string) {
	room := cmp.Or(c.t.net.SendBuffer, 64<<10)
	if len(raw) > room {
		c.t.fatal(KindUsage, fmt.Sprintf("%s: %d bytes are more than a send buffer holds (%d)", c.ID(), len(raw), room))
	}
	if _, err := io.WriteString(c.Server(), raw); err != nil {
		c.t.fatal(KindWant, fmt.Sprintf("%s: the peer cannot send: %v", c.ID(), err))
	}
	c.t.settle()
}

// Respond takes the request that has arrived at the scripted peer and answers
// it with that status code and body.
func (c *Conn) Respond(code int, body string) {
	c.t.step("respond", c.ID(), fmt.Sprint(code), body)
	c.t.must(code >= 100 && code <= 999, "Respond: got the status %d, want a code from 100 to 999", code)
	c.receive()
	c.send(response(code, body))
}

// response returns a whole HTTP/1.1 response.
func response(code int, body string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "HTTP/1.1 %d %s\r\n", code, http.StatusText(code))
	if code >= 200 && code != http.StatusNoContent && code != http.StatusNotModified {
		fmt.Fprintf(&b, "Content-Length: %d\r\n", len(body))
	}
	b.WriteString("\r\n" + body)
	return b.String()
}

// Fin half-closes the server's end: the client sees the end of the stream.
func (c *Conn) Fin() {
	c.t.step("fin", c.ID())
	c.serverDoes("send a FIN", c.Server().CloseWrite)
}

// CloseServer closes the server's end, as a server does that has had enough:
// with a FIN, or with a reset if it did not read everything.
func (c *Conn) CloseServer() {
	c.t.step("shut", c.ID())
	c.serverDoes("close", c.Server().Close)
}

// Reset sends a reset from the server's end.
func (c *Conn) Reset() {
	c.t.step("reset", c.ID())
	c.serverDoes("reset", c.Server().Reset)
}

func (c *Conn) serverDoes(what string, f func() error) {
	if err := f(); err != nil {
		c.t.fatal(KindWant, fmt.Sprintf("%s: the peer cannot %s: %v", c.ID(), what, err))
	}
	c.t.settle()
}

// Vanish makes the peer disappear without a word: what either end sends from
// now on, and what is on its way, never arrives. The client's end still
// believes in the connection.
func (c *Conn) Vanish() {
	c.t.step("vanish", c.ID())
	c.client.Vanish()
	c.t.settle()
}

// User returns the request that used the connection last, or nil.
func (c *Conn) User() *Request { return c.lastRequest() }

// lastRequest returns the request that was sent on c last, or nil.
func (c *Conn) lastRequest() *Request {
	c.c.mu.Lock()
	defer c.c.mu.Unlock()
	return c.wire.last
}

// ofPool returns the pool that the connection is in, or nil where many could have it.
func (c *Conn) ofPool() *pool {
	c.c.mu.Lock()
	defer c.c.mu.Unlock()
	return c.pool
}

// usedVia returns the transport whose connection it is, or nil if that is not known.
func (c *Conn) usedVia() any {
	owner := c.c.request(c.client.Owner())
	c.c.mu.Lock()
	defer c.c.mu.Unlock()
	if c.via == nil && owner != nil {
		return owner.via
	}
	return c.via
}

// drains reports whether c carries what is left of a response whose body was
// closed before its end. A transport may read that, so as to use the connection
// again, or close it; until then it is neither idle nor lost. net/http,
// Response.Body: "closing the body will also cause the body to be read to
// completion asynchronously, up to a conservative limit".
func (c *Conn) drains() bool {
	r := c.User()
	if r == nil {
		return false
	}
	c.c.mu.Lock()
	defer c.c.mu.Unlock()
	return r.early && r.runs[len(r.runs)-1] == c && !r.answered()
}
