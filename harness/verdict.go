package harness

import (
	"bytes"
	"cmp"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"

	"github.com/halfopen/halfopen/faultnet"
	"github.com/halfopen/halfopen/harness/internal/peer"
)

// The verdicts of this file are checked in every run, at every quiet point, for
// any transport: what they need to know they learn from the network.

// violate records that something is not as it must be, once.
func (t *T) violate(format string, args ...any) {
	t.violateAt(t.scriptLine(), fmt.Sprintf(format, args...))
}

func (t *T) violateAt(where, text string) {
	t.mu.Lock()
	for _, f := range t.failures {
		if f.Text == text {
			t.mu.Unlock()
			return
		}
	}
	t.mu.Unlock()
	t.snapshot()
	if p := t.plan; p != nil && p.failedAt == 0 {
		p.failedAt = len(p.choices.Steps())
	}
	t.add(Failure{Kind: "verdict", Text: text, Where: where})
}

func (t *T) scriptLine() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.at
}

// checkQuiet checks what must hold whenever everything is quiet.
func (t *T) checkQuiet(pending []*faultnet.Event) {
	t.audit()
	if len(t.ops) == 0 || t.ended {
		return
	}
	var conns []*faultnet.Conn // asked for when they are needed
	if t.perHost > 0 || len(t.bridges) > 0 {
		conns = t.Net.Conns()
		t.checkLimits(pending, conns)
	}
	if parked(pending) {
		t.idle = t.idle[:0]
		return // whoever is parked may be about to do what is missing
	}
	t.checkDials(pending)
	for _, o := range t.ops {
		r := o.request
		t.mu.Lock()
		waits := o.started && !o.returned
		cancelled, unsent := o.cancelled, r != nil && len(r.runs) == 0
		t.mu.Unlock()
		switch {
		case !waits:
		case cancelled:
			t.violate("%s: cancelled, and still pending when all was quiet", o.name)
		case unsent && r.plainAddr != "":
			if conns == nil {
				conns = t.Net.Conns()
			}
			if c := t.usable(r, r.plainAddr, conns); c != nil && !r.onItsWay(pending) {
				t.violate("%s: waits while %s to %s is idle", r.name, c.ID(), r.plainAddr)
			}
		}
	}
}

// parked reports whether a goroutine is at a gate.
func parked(pending []*faultnet.Event) bool {
	return slices.ContainsFunc(pending, func(e *faultnet.Event) bool { return e.Kind == faultnet.Gate })
}

// checkDials checks that no dial begins while a connection that it could do
// without has been idle since the quiet point before.
func (t *T) checkDials(pending []*faultnet.Event) {
	for _, e := range pending {
		if e.Kind != faultnet.Dial || e.DialNumber() <= t.dials {
			continue
		}
		t.dials = e.DialNumber()
		r := t.request(e.Owner)
		if r == nil {
			continue
		}
		if c := t.usable(r, e.Addr, t.idle); c != nil {
			t.violate("%s: dials %s while %s to it is idle", e.Owner, e.Addr, c.ID())
		}
	}
	t.idle = t.idle[:0]
	for _, r := range t.requests {
		if n := len(r.runs); n > 0 && r.over() && r.runs[n-1].client.IsIdle() {
			t.idle = append(t.idle, r.runs[n-1].client)
		}
	}
	if t.strict {
		t.checkDeadlines()
	}
}

// checkTurn checks, when a request reaches a server on a connection that was
// not opened for it, that nobody has waited longer. After a fault it is not
// known who waits for the first time.
func (t *T) checkTurn(r *Request, c *Conn) {
	if owner := c.client.Owner(); owner == r.name || owner == "" || r.plainAddr == "" || t.faulted || !c.wire.plain {
		return
	}
	pending := t.Net.Pending()
	if parked(pending) {
		return // whoever is parked may have got a connection already
	}
	for _, q := range t.requests {
		if q.index >= r.index {
			break
		}
		t.mu.Lock()
		waits := q.started && q.order < r.order && !q.returned && !q.cancelled && len(q.runs) == 0 && q.plainAddr == r.plainAddr
		t.mu.Unlock()
		if waits && q.pool() == c.pool() && !q.onItsWay(pending) {
			t.violate("%s: got %s, for which %s has waited longer", r.name, c.ID(), q.name)
		}
	}
}

// checkSound checks, when a request reaches a server, that the one before it on
// that connection did not fail there: what is left of its answer would be taken
// for the next one.
func (t *T) checkSound(r *Request, c *Conn) {
	q := c.lastRequest()
	if q == nil || q == r || !c.wire.plain {
		return
	}
	t.mu.Lock()
	failed := q.returned && q.err != nil || q.readErr != nil
	here := len(q.runs) > 0 && q.runs[len(q.runs)-1] == c
	t.mu.Unlock()
	if failed && here {
		t.violate("%s: sent on %s, on which %s had failed", r.name, c.ID(), q.name)
	}
}

// field is the header field that names the request on the wire.
func (r *Request) field() []byte { return append(slices.Clip(requestField), r.name+"\r\n"...) }

// loses notes the requests that an event was to bring, when it does not bring
// all that it was to.
func (t *T) loses(e *faultnet.Event) {
	b := e.Bytes()
	for _, r := range t.requests {
		r.lost = r.lost || bytes.Contains(b, r.field())
	}
}

// onItsWay reports whether the request was written and has not arrived, or was
// lost on its way.
func (r *Request) onItsWay(pending []*faultnet.Event) bool {
	if r.lost {
		return true
	}
	field := r.field()
	brings := func(e *faultnet.Event) bool { return e.Kind == faultnet.Data && bytes.Contains(e.Bytes(), field) }
	return slices.ContainsFunc(pending, brings) || slices.ContainsFunc(r.t.Net.net.Delayed(), brings)
}

// checkLimits checks that open connections and dials together never exceed
// the limit that the transport was given for a host.
func (t *T) checkLimits(pending []*faultnet.Event, conns []*faultnet.Conn) {
	type pool struct {
		addr   string
		bridge *bridge
	}
	count := make(map[pool]int)
	check := func(p pool) {
		limit := t.perHost
		if p.bridge != nil {
			limit = p.bridge.transport.MaxConnsPerHost
		}
		if count[p]++; limit > 0 && count[p] > limit {
			t.violateAt(cmp.Or(t.scriptLine(), t.Net.dialer(p.addr)),
				fmt.Sprintf("%s: more connections and dials than the limit, which is %d", p.addr, limit))
		}
	}
	for _, e := range pending {
		if e.Kind == faultnet.Dial {
			check(pool{e.Addr, t.request(e.Owner).pool()})
		}
	}
	for _, c := range conns {
		if h := t.conn(c); !c.IsClosed() && !h.lastRequest().upgraded() {
			check(pool{c.Address(), h.pool()})
		}
	}
}

// upgraded reports whether the request's response was a 101: its connection is the
// caller's, and counts no more.
func (r *Request) upgraded() bool {
	if r == nil {
		return false
	}
	resp := r.Response()
	return resp != nil && resp.StatusCode == http.StatusSwitchingProtocols
}

// usable is a connection to addr that the request could use at once: open at
// both ends, nothing on its way, and its last request wholly over.
func (t *T) usable(r *Request, addr string, conns []*faultnet.Conn) *faultnet.Conn {
	for _, c := range conns {
		if c.Address() != addr || c.Owner() == peer.ProxyOwner || !c.IsIdle() {
			continue
		}
		h := t.conn(c)
		if h.wire.seen && !h.wire.plain || r.pool() != h.pool() {
			continue
		}
		if last := h.lastRequest(); last == nil || last.over() {
			return c
		}
	}
	return nil
}

// lastRequest is the request that was sent on c last, or nil.
func (c *Conn) lastRequest() *Request {
	c.t.mu.Lock()
	defer c.t.mu.Unlock()
	return c.wire.last
}

// over reports whether the request leaves its connection fit for another.
func (r *Request) over() bool {
	r.t.mu.Lock()
	defer r.t.mu.Unlock()
	return r.returned && r.err == nil && r.resp != nil && r.finished && r.resp.StatusCode != http.StatusSwitchingProtocols && r.answered()
}

// answered reports, with mu held, whether the response that was returned has
// come to its end: the caller has read it to there, or its last byte has arrived
// at the client's end. Where the wire is opaque the server says whether it has
// sent all. A stream of HTTP/2 ends when its body is closed.
func (r *Request) answered() bool {
	if r.got.state == wholeTally || r.resp.ProtoMajor > 1 {
		return true
	}
	if len(r.runs) == 0 {
		return false
	}
	if w := &r.runs[len(r.runs)-1].wire; w.plain {
		return w.last != r || w.response.whole()
	}
	return len(r.sent) > 0 && !slices.ContainsFunc(r.sent, func(a *answer) bool { return a == nil || a.state != wholeTally })
}

// drains reports whether c carries what is left of a response whose body was
// closed before its end. A transport may read that, so as to use the connection
// again, or close it; until then it is neither idle nor lost. net/http,
// Response.Body: "closing the body will also cause the body to be read to
// completion asynchronously, up to a conservative limit".
func (t *T) drains(c *Conn) bool {
	r := c.User()
	if r == nil {
		return false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return r.early && r.runs[len(r.runs)-1] == c && !r.answered()
}

// judge checks the one outcome of a round trip.
func (r *Request) judge(resp *http.Response, err error) {
	switch {
	case resp == nil && err == nil:
		r.t.violate("%s: RoundTrip returned neither a response nor an error", r.name)
	case resp != nil && err != nil:
		r.t.violate("%s: RoundTrip returned a response and an error: %v", r.name, err)
	case resp != nil:
		if of := resp.Header.Get(RequestHeader); of != "" && of != r.name {
			r.t.violate("%s: got the response to %s", r.name, of)
		}
	}
}

// replayable reports whether a request may be sent again when it is not known
// whether a server carried it out: RFC 9110 section 9.2.2, and the
// Idempotency-Key that net/http documents, which may be a header without a value.
func replayable(req *http.Request) bool {
	switch req.Method {
	case "", "GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE":
		return true
	}
	return req.Header["Idempotency-Key"] != nil || req.Header["X-Idempotency-Key"] != nil
}

// plainAddr is the "host:port" that a request for a plain http URL dials.
func plainAddr(u *url.URL) string {
	if u.Scheme != "http" {
		return ""
	}
	port := u.Port()
	if port == "" {
		port = "80"
	}
	return net.JoinHostPort(u.Hostname(), port)
}
