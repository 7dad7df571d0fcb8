package harness

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/halfopen/halfopen/faultnet"
)

// WantDone expects that the request has its response, and, unless c is nil,
// that it was sent on that connection.
func (r *Request) WantDone(c *Conn, why ...string) {
	words := []string{"want", "done", r.name}
	want := "done"
	if c != nil {
		words = append(words, c.ID())
		want += " on " + c.ID()
	}
	r.t.step(words...)
	r.t.settle()
	if r.state() != "done" || c != nil && r.Conn() != c {
		r.unmet(want, why...)
	}
}

// WantStatus expects a response with that status code.
func (r *Request) WantStatus(code int, why ...string) {
	r.t.step("want", "status", r.name, fmt.Sprint(code))
	r.t.settle()
	if r.state() != "done" {
		r.unmet(fmt.Sprintf("status %d", code), why...)
	}
	if got := r.Response().StatusCode; got != code {
		r.t.fatal(KindWant, fmt.Sprintf("%s: got status %d, want %d", r.name, got, code), why...)
	}
}

// WantBody reads the body to its end, closes it and expects that content.
func (r *Request) WantBody(content string, why ...string) {
	r.t.step("want", "body", r.name, content)
	r.read()
	if state, err := r.bodyState(); state != bodyClosed || err != nil || string(r.content) != content {
		got := r.describeBody()
		if state == bodyClosed && err == nil {
			got = fmt.Sprintf("body %q", r.content)
		}
		r.t.fatal(KindWant, fmt.Sprintf("%s: got %s, want body %q", r.name, got, content), why...)
	}
}

// WantSent expects that the request reached a server n times: once, or more
// when it was retried.
func (r *Request) WantSent(n int, why ...string) {
	r.t.step("want", "sent", r.name, fmt.Sprint(n))
	r.t.settle()
	r.c.mu.Lock()
	got := len(r.runs) + r.byPacket
	r.c.mu.Unlock()
	if got != n {
		r.t.fatal(KindWant, fmt.Sprintf("%s: got it sent %d times, want %d", r.name, got, n), why...)
	}
}

// WantRequest expects that the scripted peer at the server's end of the
// connection has received bytes that begin with head, and takes all that has
// arrived.
func (c *Conn) WantRequest(head string, why ...string) {
	c.t.step("want", "request", c.ID(), head)
	c.t.settle()
	got := c.receive()
	if !bytes.HasPrefix(got, []byte(head)) {
		c.t.fatal(KindWant, fmt.Sprintf("%s: the peer got %q, want a request %q", c.ID(), firstLine(got), head), why...)
	}
}

func firstLine(b []byte) string {
	line, _, _ := bytes.Cut(b, []byte("\r\n"))
	return string(line)
}

// WantOpen expects that the client has not closed its end of the connection.
func (c *Conn) WantOpen(why ...string) {
	c.t.step("want", "open", c.ID())
	c.t.settle()
	if c.client.IsClosed() {
		c.t.fatal(KindWant, c.ID()+": got it closed by the client, want it open", why...)
	}
}

// WantClosed expects that the client has closed its end of the connection.
func (c *Conn) WantClosed(why ...string) {
	c.t.step("want", "closed", c.ID())
	c.t.settle()
	if !c.client.IsClosed() {
		c.t.fatal(KindWant, c.ID()+": got it open, want it closed by the client", why...)
	}
}

// WantConns expects that n connections are open on the client's side.
func (n *Net) WantConns(count int, why ...string) {
	n.t.step("want", "conns", fmt.Sprint(count))
	n.wantCount(n.OpenConns(), "open on the client's side", count, why...)
}

// WantIdle expects that n connections are idle, as [Net.IdleConns] has them.
func (n *Net) WantIdle(count int, why ...string) {
	n.t.step("want", "idle", fmt.Sprint(count))
	n.wantCount(n.IdleConns(), "idle", count, why...)
}

// wantCount expects so many connections in that state.
func (n *Net) wantCount(got []*Conn, state string, want int, why ...string) {
	if len(got) == want {
		return
	}
	var ids []string
	for _, c := range got {
		ids = append(ids, c.ID())
	}
	n.t.fatal(KindWant, fmt.Sprintf("got %d connections %s [%s], want %d", len(got), state, strings.Join(ids, " "), want), why...)
}

// WantHeld expects that an event that the pattern selects is held.
func (n *Net) WantHeld(pattern string, why ...string) {
	n.t.step("want", "held", pattern)
	n.wantHeld(pattern, true, why...)
}

// WantNotHeld expects that no event that the pattern selects is held.
func (n *Net) WantNotHeld(pattern string, why ...string) {
	n.t.step("!", "want", "held", pattern)
	n.wantHeld(pattern, false, why...)
	for _, h := range n.holds {
		h.used = h.used || h.pattern.String() == pattern
	}
}

func (n *Net) wantHeld(pattern string, want bool, why ...string) {
	n.mustParse(pattern)
	n.t.settle()
	p, _ := faultnet.ParsePattern(pattern)
	pending := n.Pending()
	i := slices.IndexFunc(pending, p.Match)
	switch {
	case i >= 0 && !want:
		n.t.fatal(KindWant, fmt.Sprintf("got %q held, want none that is %q", pending[i], pattern), why...)
	case i < 0 && want:
		n.t.fatal(KindWant, fmt.Sprintf("got no held event %q, want one; held: %s", pattern, eventNames(pending)), why...)
	}
}
