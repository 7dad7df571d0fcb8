package harness

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/halfopen/halfopen/faultnet"
	"github.com/halfopen/halfopen/harness/internal/peer"
)

// leftovers ends every test: "end empty-handed". Each thing that is still there is a
// failure of its own, by name.
func (t *T) leftovers() {
	t.step("end")
	for _, r := range t.census.all() {
		r.checkAnswer()
		r.checkWrites()
	}
	t.oracles.checkReached()
	leaks := t.Leaks()
	t.oracles.checkCloses()
	for _, r := range t.census.all() {
		r.checkClosed(t.oracles.strict)
	}
	for _, leak := range leaks {
		t.snapshot()
		t.journal.add(leak)
	}
}

// Leaks returns what would be left if the test ended now, each as the failure that
// it would be. To tell a connection that is idle in its pool from one that is
// leaked it closes the idle connections of every transport it knows. Where what is
// left of a body that was closed early may still be read, it lets five seconds of
// virtual time pass: a transport does not do that without end.
func (t *T) Leaks() []Failure {
	t.settle()
	var fs []Failure
	add := func(kind Kind, where, format string, args ...any) {
		f := Failure{Kind: kind, Where: where, Text: fmt.Sprintf(format, args...)}
		if rule := leftRule(kind); rule != "" && !slices.ContainsFunc(fs, func(g Failure) bool { return g.Kind == kind }) {
			f.Detail = []string{rule}
		}
		fs = append(fs, f)
	}
	for _, e := range t.Net.Pending() {
		d := t.Net.examined[e.DialID()]
		switch {
		case e.Kind != faultnet.Dial:
			add(KindHold, "", "%s: still held", e)
		case d == nil:
			add(KindDial, "", "%s: never examined", (&Dial{n: t.Net, e: e}).describe())
		default:
			add(KindHold, "", "%s: still held, neither opened nor failed", d.describe())
		}
	}
	for _, o := range t.census.allOps() {
		r, state := o.request, o.state()
		t.census.mu.Lock()
		unclosed := r != nil && state == "done" && !r.finished && !r.dropped && !r.bodyless()
		t.census.mu.Unlock()
		switch {
		case state == "pending" && r == nil:
			add(KindRequest, o.where, "%s never returned", o.name)
		case state == "pending":
			add(KindRequest, r.where, "%s: %s %s never returned", r.name, r.method, &r.url)
		case unclosed:
			add(KindBody, r.where, "%s: response body of %s %s never closed", r.name, r.method, &r.url)
		}
	}
	for _, f := range t.Net.rules {
		if !f.fired() {
			add(KindFault, f.where, "fault %q on %q: armed and never fired", f.text, f.pattern)
		}
	}
	for _, h := range t.Net.holds {
		if !h.used {
			add(KindFault, h.where, "hold %q: nothing was ever held", h.pattern)
		}
	}
	for _, socket := range t.openSockets() {
		add(KindConn, "", "%s: still open", socket)
	}
	draining, open := []*faultnet.Conn(nil), t.openAfterIdle()
	t.census.openTries(open, add)
	for _, c := range open {
		if t.census.conn(c).drains() {
			draining = append(draining, c)
			continue
		}
		used, where := t.census.user(c)
		add(KindConn, where, "%s to %s: %s%s", c.ID(), c.Address(), t.census.stillOpen(c), used)
	}
	if len(draining) == 0 {
		return fs
	}
	time.Sleep(grace)
	for _, c := range t.openAfterIdle() {
		if slices.Contains(draining, c) {
			used, where := t.census.user(c)
			add(KindConn, where, "%s to %s: still open %s after a body on it was closed before its end%s", c.ID(), c.Address(), grace, used)
		}
	}
	return fs
}

// stillOpen returns what is to be said of a connection that is open at the end. One of HTTP/1
// whose two ends wait in a Read, with all bytes read, is idle: no body has leaked. It is open because the
// harness does not know its transport, or cannot close the idle connections of that.
func (c *census) stillOpen(end *faultnet.Conn) string {
	const after = "still open after the idle connections were closed"
	h, server := c.conn(end), end.Peer()
	if h.wire.requests.done == 0 || !end.Reading() || !server.Reading() || end.Unread()+end.InFlight()+server.Unread()+server.InFlight() > 0 {
		return after
	}
	switch via := h.usedVia().(type) {
	case nil:
		return "still open and idle, and nothing closes it: no CloseIdleConnections was called"
	case idler:
		return after
	default:
		return fmt.Sprintf("still open and idle, and nothing closes it: %T has no CloseIdleConnections", via)
	}
}

// leftRule returns the sentence by which a thing of that kind must not be left at the end, or
// "" if the test has made it.
func leftRule(kind Kind) string {
	switch kind {
	case KindBody:
		return `net/http, Response.Body: "It is the caller's responsibility to close Body"`
	case KindRequest:
		return `net/http, RoundTripper: "RoundTrip executes a single HTTP transaction, returning a Response for the provided Request"`
	}
	return ""
}

// openSockets describes the sockets for datagrams that are open and not those of servers, which
// ask for their port.
func (t *T) openSockets() (open []string) {
	for _, c := range t.Net.net.PacketConns() {
		switch {
		case c.RemoteAddr() != nil:
			open = append(open, "the socket that sends datagrams to "+c.Address())
		case strings.HasSuffix(c.Address(), ":0"):
			open = append(open, "a socket for datagrams without a port of its own")
		}
	}
	return open
}

// openAfterIdle closes the idle connections of every transport that the harness
// knows, and returns the connections that are open then. Those that a proxy of the
// harness has opened are its own to close.
func (t *T) openAfterIdle() []*faultnet.Conn {
	for _, tr := range t.census.adopted() {
		tr.CloseIdleConnections()
	}
	t.settle()
	return slices.DeleteFunc(t.Net.Conns(), func(c *faultnet.Conn) bool { return c.IsClosed() || c.Owner() == peer.ProxyOwner })
}
