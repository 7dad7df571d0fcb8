package harness

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/halfopen/halfopen/faultnet"
	"github.com/halfopen/halfopen/harness/internal/bubble"
)

// What a test may ask without wanting it: the expectations of others, matchers
// among them, are made of these. Each settles first.

// Requests is all requests so far, those of [T.Client] too, in the order in
// which they started.
func (t *T) Requests() []*Request {
	t.settle()
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.requests)
}

// String is what became of the request so far, and the line that started it:
// "call1: done on c1, its body closed before its end  (feed.go:31)".
func (r *Request) String() string {
	s := r.name + ": " + r.describe()
	r.t.mu.Lock()
	switch {
	case !r.returned || r.err != nil || r.resp == nil:
	case !r.finished:
		s += ", its body open"
	case r.got.state != wholeTally:
		s += ", its body closed before its end"
	}
	r.t.mu.Unlock()
	return s + r.place()
}

// Reused reports whether the connection that the request was last sent on had
// carried another request before.
func (r *Request) Reused() bool {
	r.t.settle()
	r.t.mu.Lock()
	defer r.t.mu.Unlock()
	n := len(r.runs)
	return n > 0 && r.runs[n-1].wire.first != r
}

// Sent is how often the request reached a server: more than once when it was
// retried.
func (r *Request) Sent() int {
	r.t.settle()
	r.t.mu.Lock()
	defer r.t.mu.Unlock()
	return len(r.runs)
}

// OpenConns is the connections that are open on the client's side.
func (n *Net) OpenConns() []*Conn {
	n.t.settle()
	var open []*Conn
	for _, c := range n.Conns() {
		if !c.IsClosed() {
			open = append(open, n.t.conn(c))
		}
	}
	return open
}

// IdleConns is the connections that a pool may have: open at both ends, nothing
// on its way, no request on it under way, and the response to the last one whole.
func (n *Net) IdleConns() []*Conn {
	return slices.DeleteFunc(n.OpenConns(), func(c *Conn) bool {
		last := c.lastRequest()
		return !c.client.IsIdle() || n.t.carries(c) || c.wire.plain && last != nil && !last.over()
	})
}

// carries reports whether a request is under way on c, or the rest of a response
// whose body was closed early.
func (t *T) carries(c *Conn) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.ContainsFunc(t.requests, func(r *Request) bool {
		n := len(r.runs)
		return n > 0 && r.runs[n-1] == c && (!r.returned || !r.finished || r.err == nil && r.resp != nil && !r.answered())
	})
}

// User is the request that used the connection last, or nil.
func (c *Conn) User() *Request {
	c.t.mu.Lock()
	defer c.t.mu.Unlock()
	for _, r := range slices.Backward(c.t.requests) {
		if slices.Contains(r.runs, c) {
			return r
		}
	}
	return nil
}

// Dialed is how many dials were begun, whatever came of them.
func (n *Net) Dialed() int {
	n.t.settle()
	n.t.mu.Lock()
	defer n.t.mu.Unlock()
	return len(n.dialed)
}

// dialing notes a dial: where to, and by which line of the user's own code, if
// it is not a goroutine of net/http's that dials.
func (n *Net) dialing(address string) {
	d := dialed{address: address}
	if !n.t.set.silent {
		d.where = bubble.Caller()
	}
	n.t.mu.Lock()
	n.dialed = append(n.dialed, d)
	n.t.mu.Unlock()
}

type dialed struct{ address, where string }

// dialer is the lines of the user's own code that dial the address.
func (n *Net) dialer(address string) string {
	n.t.mu.Lock()
	defer n.t.mu.Unlock()
	var lines []string
	for _, d := range n.dialed {
		if d.address == address && d.where != "" {
			lines = append(lines, d.where)
		}
	}
	slices.Sort(lines) // dials of one instant come in any order
	return strings.Join(slices.Compact(lines), ", ")
}

// Seen reports whether something has happened whose name in the trace, the
// outcome included, begins with those words, each a pattern of [path.Match]:
// "c1 server fin", "dial * api.test:80 refuse". A schedule of an exploration has
// no trace: asking there is an error of the test.
func (t *T) Seen(pattern string) bool {
	t.Net.mustParse(pattern)
	if t.set.plan != nil {
		t.fatal("usage", fmt.Sprintf("Seen(%q): an exploration keeps no trace", pattern))
	}
	t.settle()
	t.mu.Lock()
	defer t.mu.Unlock()
	return seen(t.trace, pattern)
}

// Seen reports whether something happened in the run whose name in the trace
// begins with those words: see [T.Seen].
func (r *Report) Seen(pattern string) bool { return seen(r.trace, pattern) }

func seen(trace []line, pattern string) bool {
	p, err := faultnet.ParsePattern(pattern)
	if err != nil {
		return false
	}
	words := strings.Fields(p.String())
	return slices.ContainsFunc(trace, func(l line) bool {
		name := strings.Fields(l.text)
		if l.kind != eventLine || len(name) < len(words) {
			return false
		}
		for i, w := range words {
			if ok, _ := path.Match(w, name[i]); !ok {
				return false
			}
		}
		return true
	})
}
