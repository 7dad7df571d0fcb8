package harness

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/halfopen/halfopen/faultnet"
	"github.com/halfopen/halfopen/harness/internal/peer"
)

// leftovers is the end of every test: "end empty-handed". Each thing that is
// still there is a failure of its own, by name.
func (t *T) leftovers() {
	t.step("end")
	for _, r := range t.requests {
		r.checkAnswer()
	}
	t.checkReached()
	leaks := t.Leaks()
	t.checkCloses()
	for _, leak := range leaks {
		t.fail(leak.Kind, leak.Text)
		t.mu.Lock()
		t.failures[len(t.failures)-1].Where = leak.Where
		t.mu.Unlock()
	}
}

// Leaks is what would be left if the test ended now, each as the failure that
// it would be. To tell a connection that is idle in its pool from one that is
// leaked it closes the idle connections of every transport it knows. Where what is
// left of a body that was closed early may still be read, it lets five seconds of
// virtual time pass: a transport does not do that without end.
func (t *T) Leaks() []Failure {
	t.settle()
	var fs []Failure
	add := func(kind, where, format string, args ...any) {
		fs = append(fs, Failure{Kind: kind, Where: where, Text: fmt.Sprintf(format, args...)})
	}
	for _, e := range t.Net.Pending() {
		d := t.Net.examined[e.DialID()]
		switch {
		case e.Kind != faultnet.Dial:
			add("hold", "", "%s: still held", e)
		case d == nil:
			add("dial", "", "%s: never examined", (&Dial{n: t.Net, e: e}).describe())
		default:
			add("hold", "", "%s: still held, neither opened nor failed", d.describe())
		}
	}
	t.mu.Lock()
	ops := t.ops
	t.mu.Unlock()
	for _, o := range ops {
		r, state := o.request, o.state()
		t.mu.Lock()
		unclosed := r != nil && state == "done" && !r.finished && !r.dropped
		t.mu.Unlock()
		switch {
		case state == "pending" && r == nil:
			add("request", o.where, "%s never returned", o.name)
		case state == "pending":
			add("request", r.where, "%s: %s %s never returned", r.name, r.method, r.url)
		case unclosed:
			add("body", r.where, "%s: response body of %s %s never closed", r.name, r.method, r.url)
		}
	}
	for _, f := range t.Net.faults {
		if !f.fired() {
			add("fault", f.where, "fault %q on %q: armed and never fired", f.text, f.pattern)
		}
	}
	var draining []*faultnet.Conn
	for _, c := range t.openAfterIdle() {
		if t.drains(t.conn(c)) {
			draining = append(draining, c)
			continue
		}
		used, where := t.user(c)
		add("conn", where, "%s to %s: still open after the idle connections were closed%s", c.ID(), c.Address(), used)
	}
	if len(draining) == 0 {
		return fs
	}
	time.Sleep(grace)
	for _, c := range t.openAfterIdle() {
		if slices.Contains(draining, c) {
			used, where := t.user(c)
			add("conn", where, "%s to %s: still open %s after a body on it was closed before its end%s", c.ID(), c.Address(), grace, used)
		}
	}
	return fs
}

// openAfterIdle closes the idle connections of every transport that the harness
// knows, and returns the connections that are open then. Those that a proxy of the
// harness has opened are its own to close.
func (t *T) openAfterIdle() []*faultnet.Conn {
	for _, tr := range t.transports {
		tr.CloseIdleConnections()
	}
	t.settle()
	return slices.DeleteFunc(t.Net.Conns(), func(c *faultnet.Conn) bool { return c.IsClosed() || c.Owner() == peer.ProxyOwner })
}

// user is, in words, who opened a connection and who used it last, and the
// line of the latter.
func (t *T) user(c *faultnet.Conn) (words, where string) {
	var b strings.Builder
	if o := c.Owner(); o != "" {
		fmt.Fprintf(&b, ", opened for %s", o)
		if o := t.op(o); o != nil {
			where = o.where
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for i := len(t.requests) - 1; i >= 0; i-- {
		r := t.requests[i]
		for _, run := range r.runs {
			if run.client == c {
				fmt.Fprintf(&b, ", last used by %s", r.name)
				if r.dropped {
					b.WriteString(", whose body was dropped")
				}
				return b.String(), r.where
			}
		}
	}
	if b.Len() == 0 {
		b.WriteString(", opened outside any request that the harness knows")
	}
	return b.String(), where
}
