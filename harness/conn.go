package harness

import (
	"cmp"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/halfopen/halfopen/faultnet"
)

// Conn is a connection on the network: both ends of it. What it sends, the
// server's end sends; that end must belong to a scripted peer ([T.Peer]).
type Conn struct {
	t      *T
	client *faultnet.Conn
	wire   wire
	bridge *bridge // of the one client that uses it, if it is known; guarded by t.mu
}

// conn is the handle for a connection, the same one each time.
func (t *T) conn(c *faultnet.Conn) *Conn {
	if c.Side() == faultnet.Server {
		c = c.Peer()
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	h := t.conns[c]
	if h == nil {
		h = &Conn{t: t, client: c}
		t.conns[c] = h
	}
	return h
}

// ID is the connection's name: "c1" for the first that opened.
func (c *Conn) ID() string { return c.client.ID() }

// String is the connection's name.
func (c *Conn) String() string { return c.ID() }

// Client is the client's end, and Server the server's.
func (c *Conn) Client() *faultnet.Conn { return c.client }

// Server is the end that was accepted.
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
	room := cmp.Or(c.t.Net.net.SendBuffer, 64<<10)
	if len(raw) > room {
		c.t.fatal("usage", fmt.Sprintf("%s: %d bytes are more than a send buffer holds (%d)", c.ID(), len(raw), room))
	}
	if _, err := io.WriteString(c.Server(), raw); err != nil {
		c.t.fatal("want", fmt.Sprintf("%s: the peer cannot send: %v", c.ID(), err))
	}
	c.t.settle()
}

// Respond takes the request that has arrived at the scripted peer and answers
// it with that status code and body.
func (c *Conn) Respond(code int, body string) {
	c.t.step("respond", c.ID(), fmt.Sprint(code), body)
	c.receive()
	c.send(response(code, body))
}

// response is a whole HTTP/1.1 response.
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
		c.t.fatal("want", fmt.Sprintf("%s: the peer cannot %s: %v", c.ID(), what, err))
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
