package harness

import (
	"fmt"
	"slices"

	"github.com/halfopen/halfopen/faultnet"
)

// What a test may ask without wanting it: the expectations of others, matchers
// among them, are made of these. Each settles first.

// Requests returns all requests so far, those of [T.Client] too, in the order in
// which they started.
func (t *T) Requests() []*Request {
	t.settle()
	return slices.Clone(t.census.all())
}

// String returns the state of the request, and the line that started it:
// "call1: done on c1, its body closed before its end  (feed.go:31)".
func (r *Request) String() string {
	s := r.name + ": " + r.describe()
	r.c.mu.Lock()
	switch {
	case !r.returned || r.err != nil || r.resp == nil:
	case !r.finished:
		s += ", its body open"
	case r.got.state != wholeTally:
		s += ", its body closed before its end"
	}
	r.c.mu.Unlock()
	return s + r.place()
}

// Reused reports whether the connection that the request was last sent on had
// carried another request before.
func (r *Request) Reused() bool {
	r.t.settle()
	r.c.mu.Lock()
	defer r.c.mu.Unlock()
	n := len(r.runs)
	return n > 0 && r.runs[n-1].wire.first != r
}

// Sent returns how often the request has reached a server: more than once when it was
// retried.
func (r *Request) Sent() int {
	r.t.settle()
	r.c.mu.Lock()
	defer r.c.mu.Unlock()
	return len(r.runs) + r.byPacket
}

// OpenConns returns the connections that are open on the client's side.
func (n *Net) OpenConns() []*Conn {
	n.t.settle()
	var open []*Conn
	for _, c := range n.Conns() {
		if !c.IsClosed() {
			open = append(open, n.census.conn(c))
		}
	}
	return open
}

// IdleConns returns the connections that a pool may have: open at both ends, nothing
// on its way, no request on it under way, and the response to the last one whole.
func (n *Net) IdleConns() []*Conn {
	return slices.DeleteFunc(n.OpenConns(), func(c *Conn) bool {
		last := c.lastRequest()
		under := n.census.carries(c) || c.wire.plain && last != nil && !last.over()
		return !c.client.IsIdle() || under || c.wire.strange() && !c.answered()
	})
}

// answered reports whether the response to the last request, which has no name, is whole, or
// makes a tunnel of the connection.
func (c *Conn) answered() bool {
	c.c.mu.Lock()
	defer c.c.mu.Unlock()
	f := &c.wire.unnamed
	return f.whole() || f.method == "CONNECT"
}

// Dialed returns how many dials were begun, the failed ones too.
func (n *Net) Dialed() int {
	n.t.settle()
	return n.census.dials()
}

// Seen reports whether something has happened whose name in the trace, the
// outcome included, begins with those words, each a pattern of [path.Match]:
// "c1 server fin", "dial * api.test:80 refuse". A schedule of an exploration has
// no trace: asking there is an error of the test.
func (t *T) Seen(pattern string) bool {
	if _, err := faultnet.ParsePattern(pattern); err != nil {
		t.fatal(KindUsage, err.Error())
	}
	if t.set.explored {
		t.fatal(KindUsage, fmt.Sprintf("Seen(%q): an exploration keeps no trace", pattern))
	}
	t.settle()
	return t.journal.saw(pattern)
}
