package harness

import (
	"cmp"
	"slices"

	"github.com/halfopen/halfopen/faultnet"
	"github.com/halfopen/halfopen/harness/internal/peer"
)

// The oracles of this file are asked at every quiet point, and when a request reaches
// a server.

// checkQuiet checks what must hold whenever everything is quiet.
func (o *oracles) checkQuiet(pending, fresh []*faultnet.Event) {
	ops, pools := o.census.at()
	if len(ops) == 0 || o.t.journal.closed.Load() {
		return
	}
	if o.aside != nil {
		o.aside.learn(pending, o.t.net.Conns())
	}
	if o.perHost > 0 || len(pools) > 0 {
		o.checkLimits(pending, o.t.net.Conns())
	}
	if o.orphans != nil {
		o.checkOrphans(pending, ops)
	}
	o.ops = o.census.appendChanges(o.ops)
	parked := o.t.net.Gated() && parked(pending)
	o.checkHooks(pending, parked)
	o.checkCauses()
	o.checkAnswers(pending)
	o.noteLive(ops)
	if parked {
		o.passOver(pending)
		return // a goroutine that is parked may be about to do what is missing
	}
	o.checkDials(fresh)
	o.update()
	if o.strict {
		o.checkDeadlines()
	}
	for _, op := range o.toLook() {
		r := op.request
		o.census.mu.Lock()
		waits := op.started && !op.returned
		cancelled, unsent := op.cancelled, r != nil && len(r.runs) == 0 && r.asks()
		o.census.mu.Unlock()
		switch {
		case !waits:
		case cancelled:
			o.t.violate(oraclePrompt, op, "%s: cancelled, and still pending when all was quiet", op.name)
		case unsent && r.plainAddr != "":
			if c := o.usable(r, r.plainAddr, o.readyFor(r, r.plainAddr)); c != nil && !r.onItsWay(pending) && !r.mayBackOff() {
				o.t.violate(oracleWaits, op, "%s: waits while %s to %s is idle", r.name, c.ID(), r.plainAddr)
			}
		}
	}
	o.ops = o.ops[:0]
}

// touched notes the connections to which something has happened since the last call, and returns
// them.
func (o *oracles) touched() []*faultnet.Conn {
	n := len(o.conns)
	o.conns = o.t.net.AppendTouched(o.conns)
	for _, c := range o.conns[n:] {
		o.census.look(c).changes++
	}
	return o.conns[n:]
}

// noteLive keeps a list of the operations that a quiet point has to look at, so that a run of
// many does not take longer with each: those that are not over, and the last one of
// each connection that is open.
func (o *oracles) noteLive(ops []*Op) {
	o.live = append(o.live, ops[o.noted:]...)
	o.noted = len(ops)
	if len(o.live) < o.pruneAt {
		return
	}
	o.live = slices.DeleteFunc(o.live, func(op *Op) bool {
		r := op.request
		if r == nil {
			return op.state() != "pending"
		}
		o.census.mu.Lock()
		defer o.census.mu.Unlock()
		if !r.returned || r.err == nil && !r.finished {
			return false
		}
		n := len(r.runs)
		return n == 0 || r.runs[n-1].wire.last != r || r.runs[n-1].client.IsClosed()
	})
	o.pruneAt = 2*len(o.live) + 32
}

// parked reports whether a goroutine is at a gate.
func parked(pending []*faultnet.Event) bool {
	return slices.ContainsFunc(pending, func(e *faultnet.Event) bool { return e.Kind == faultnet.Gate })
}

// passOver keeps, of a quiet point that is not checked, what later ones have to know: the
// dials that have begun, the connections that are no longer idle, and what was written to
// one whose last request had not failed. While a goroutine is parked that has put its
// connection back, the next request may be on it before the last one has its answer.
func (o *oracles) passOver(pending []*faultnet.Event) {
	for _, e := range pending {
		switch {
		case e.Kind == faultnet.Dial:
			o.dials = max(o.dials, e.DialNumber())
		case e.Kind == faultnet.Data && e.From.Side() == faultnet.Client:
			if c := o.census.conn(e.From); c.wire.plain && !c.lastFailed() {
				c.wire.sound = c.wire.read + len(e.Bytes())
			}
		}
	}
	o.noLonger()
}

// checkOrphans checks that no more dials are under way that no request waits for than the
// test allows.
func (o *oracles) checkOrphans(pending []*faultnet.Event, ops []*Op) {
	idle := make(map[string]int) // by address: dials less requests that wait
	anywhere := 0                // requests that wait, and may dial any address
	var addrs []string
	for _, e := range pending {
		if e.Kind == faultnet.Dial {
			if idle[e.Addr] == 0 {
				addrs = append(addrs, e.Addr)
			}
			idle[e.Addr]++
		}
	}
	for _, op := range ops {
		o.census.mu.Lock()
		if r := op.request; op.started && !op.returned && (r == nil || len(r.runs) == 0) {
			if r == nil || r.plainAddr == "" {
				anywhere++
			} else {
				idle[r.plainAddr]--
			}
		}
		o.census.mu.Unlock()
	}
	for _, addr := range addrs {
		if idle[addr]-anywhere > *o.orphans {
			o.t.violate(oracleOrphans, nil, "%s: more dials that no request waits for than %d", addr, *o.orphans)
		}
	}
}

// checkDials checks that no dial begins while a connection that it could do
// without has been idle since the quiet point before.
func (o *oracles) checkDials(fresh []*faultnet.Event) {
	for _, e := range fresh {
		if e.Kind != faultnet.Dial || e.DialNumber() <= o.dials {
			continue
		}
		o.dials = e.DialNumber()
		r := o.census.request(e.Owner)
		if r == nil {
			continue
		}
		idle := slices.DeleteFunc(slices.Clone(o.readyFor(r, e.Addr)), func(c *Conn) bool { return !c.used })
		if c := o.usable(r, e.Addr, idle); c != nil {
			o.t.violate(oracleDials, &r.Op, "%s: dials %s while %s to it is idle", e.Owner, e.Addr, c.ID())
		}
	}
}

// arrives looks at a request that reaches a server.
func (o *oracles) arrives(r *Request, c *Conn) {
	o.checkTurn(r, c)
	o.checkSound(r, c)
}

// checkTurn checks, when a request reaches a server on a connection that was
// not opened for it, that no other request has waited longer. After a fault it is not
// known which request waits for the first time.
func (o *oracles) checkTurn(r *Request, c *Conn) {
	if owner := c.client.Owner(); owner == r.name || owner == "" || r.plainAddr == "" || o.t.faulted || !c.wire.plain {
		return
	}
	pending := o.t.net.Pending()
	if parked(pending) {
		return // a goroutine that is parked may have got a connection already
	}
	for _, op := range o.live {
		q := op.request
		if q == nil || q == r {
			continue
		}
		o.census.mu.Lock()
		waits := q.started && q.before(r) && !q.returned && !q.cancelled && len(q.runs) == 0 && q.plainAddr == r.plainAddr
		o.census.mu.Unlock()
		if waits && q.shares(c) && !q.onItsWay(pending) && !q.mayBackOff() {
			o.t.violate(oracleTurn, &r.Op, "%s: got %s, for which %s has waited longer", r.name, c.ID(), q.name)
		}
	}
}

// checkSound checks, when a request reaches a server, that the one before it on
// that connection did not fail there: what is left of its answer would be taken
// for the next one. Nothing is left of one that has arrived, and was read, to its end: what is
// in front of a transport may refuse an answer, or be cancelled, and the transport keeps its connection.
func (o *oracles) checkSound(r *Request, c *Conn) {
	if q := c.lastRequest(); q != r && c.wire.plain && c.wire.at >= c.wire.sound && c.lastFailed() && !o.spent(c) {
		o.t.violate(oracleSound, &r.Op, "%s: sent on %s, on which %s had failed", r.name, c.ID(), q.name)
	}
}

// spent reports whether nothing is left of the requests that c has carried, and of the last
// answer: they have arrived at the server, and that at the client, which has read it.
func (o *oracles) spent(c *Conn) bool {
	o.census.mu.Lock()
	defer o.census.mu.Unlock()
	w := &c.wire
	return w.requests.done >= w.begun && w.response.whole() && !w.response.stray && c.client.Unread()+c.client.InFlight() == 0
}

// lastFailed reports whether the request that was sent last on c has failed there.
func (c *Conn) lastFailed() bool {
	q := c.lastRequest()
	if q == nil {
		return false
	}
	q.c.mu.Lock()
	defer q.c.mu.Unlock()
	failed := q.returned && q.err != nil || q.readErr != nil
	return failed && len(q.runs) > 0 && q.runs[len(q.runs)-1] == c
}

// checkLimits checks that open connections and dials together never exceed
// the limit of a host.
func (o *oracles) checkLimits(pending []*faultnet.Event, conns []*faultnet.Conn) {
	type host struct {
		addr string
		pool *pool
	}
	crowds := make(map[host][]member)
	count := func(p host, m member) {
		limit := o.perHost
		if p.pool != nil {
			limit = p.pool.transport.MaxConnsPerHost
		}
		if limit == 0 || o.aside.skips(m) {
			return
		}
		crowds[p] = append(crowds[p], m)
		if len(crowds[p]) > limit {
			where := cmp.Or(o.t.journal.place(), o.census.dialer(p.addr))
			o.crowded(crowd{addr: p.addr, where: where, limit: limit, members: slices.Clone(crowds[p])})
		}
	}
	for _, e := range pending {
		if e.Kind == faultnet.Dial {
			count(host{e.Addr, o.census.request(e.Owner).ofPool()}, member{dial: e})
		}
	}
	for _, c := range conns {
		if h := o.census.conn(c); !c.IsClosed() && !h.lastRequest().upgraded() {
			count(host{c.Address(), h.ofPool()}, member{conn: c})
		}
	}
	if o.aside != nil {
		for _, c := range o.aside.exceeded() {
			o.t.violateAt(oracleLimit, nil, c.where, c.text())
		}
	}
}

// crowded tells a limit that is exceeded, or keeps what may exceed it until it is known who
// is aside.
func (o *oracles) crowded(c crowd) {
	if o.aside == nil {
		o.t.violateAt(oracleLimit, nil, c.where, c.text())
		return
	}
	o.aside.add(c)
}

// asks reports, with census.mu held, whether the request waits for a connection. One that
// has not asked for any is held back by what is in front of its transport, such as a rate
// limiter. Of transports that call no hooks that is not known.
func (r *Request) asks() bool { return r.c.asked == 0 || r.hooks.asking > 0 }

// mayBackOff reports whether the request may have failed in its transport, and wait until it is
// sent again.
func (r *Request) mayBackOff() bool {
	r.c.mu.Lock()
	defer r.c.mu.Unlock()
	return r.c.dialLost(r)
}

// before reports, with census.mu held, whether the request waits for a connection, and has
// waited longer than q.
func (r *Request) before(q *Request) bool {
	if r.c.asked == 0 {
		return r.order < q.order
	}
	return r.hooks.asking > 0 && r.hooks.asked < q.hooks.asked
}

// free reports whether the last request of a connection is wholly over, as far as is known.
func (c *Conn) free() bool {
	last := c.lastRequest()
	return (last == nil || last.over()) && !c.wire.strange()
}

// usable returns a connection to addr that the request could use at once: open at
// both ends, nothing on its way, and its last request wholly over.
func (o *oracles) usable(r *Request, addr string, conns []*Conn) *faultnet.Conn {
	for _, h := range conns {
		c := h.client
		if c.Address() != addr || c.Owner() == peer.ProxyOwner || !c.IsIdle() || o.aside.skips(member{conn: c}) {
			continue
		}
		h := o.census.conn(c)
		if h.wire.seen && !h.wire.plain || !r.shares(h) {
			continue
		}
		if h.free() {
			return c
		}
	}
	return nil
}
