package harness

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/halfopen/halfopen/faultnet"
	"github.com/halfopen/halfopen/harness/internal/bubble"
)

// dresser adds to a request what the run wants of it.
type dresser interface {
	trace(ctx context.Context, r *Request) context.Context
	addGates(name string, req *http.Request) *http.Request
}

// receiver looks at each request that reaches a server.
type receiver interface {
	arrives(r *Request, c *Conn)
}

// census knows every request, connection, dial and transport of a run.
type census struct {
	t        *driver
	dresser  dresser
	receiver receiver

	// mu guards all of it, and the fields of requests and connections that say so.
	mu         sync.Mutex
	ops        []*Op
	byName     map[string]*Op           // of more than a few
	requests   []*Request               // those of them that are HTTP
	calls      int                      // how many of them came through a client
	starts     int                      // how many have started
	asked      int                      // how many have asked for a connection, where their transports call hooks
	told       []hookCall               // by hooks, since the last quiet point
	failed     []*Request               // since then
	changed    []*Op                    // since then
	foreign    []answered               // since then
	conns      map[*faultnet.Conn]*Conn // by the client's end
	dialed     []dialed
	transports []idler
	pools      []*pool
	// Most runs have few of them: their lists begin here.
	firstOps      [4]*Op
	firstRequests [4]*Request
	firstChanged  [8]*Op
	firstDialed   [2]dialed
}

// fewOps is how many operations are looked for one by one.
const fewOps = 16

// idler is a transport whose idle connections can be closed.
type idler interface{ CloseIdleConnections() }

// pool is a transport that has its connections to itself: that of a server's client.
type pool struct {
	transport *http.Transport // nil before the server has started
}

// dialed is a dial that was begun, the line of the user's own code that did, the
// operation whose context it has, and its error.
type dialed struct {
	address, where, owner string
	end                   *faultnet.Conn // what it came to, if that is known, or err
	err                   error
}

// open readies the census of a run, in its bubble.
func (c *census) open(t *driver) {
	c.t, c.conns = t, make(map[*faultnet.Conn]*Conn)
	c.ops, c.requests = c.firstOps[:0], c.firstRequests[:0]
	c.changed, c.dialed = c.firstChanged[:0], c.firstDialed[:0]
}

// all returns the requests so far, in the order in which they were made.
func (c *census) all() []*Request {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.requests
}

// allOps returns the operations so far, in the order in which they were made.
func (c *census) allOps() []*Op {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ops
}

// at returns the operations and the pools of this moment.
func (c *census) at() ([]*Op, []*pool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ops, c.pools
}

// op returns the operation of that name, or nil.
func (c *census) op(name string) *Op {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.byName != nil {
		return c.byName[name]
	}
	for _, o := range c.ops {
		if o.name == name {
			return o
		}
	}
	return nil
}

// request returns the request of that name, or nil.
func (c *census) request(name string) *Request {
	if o := c.op(name); o != nil {
		return o.request
	}
	return nil
}

// add adds an operation. One without a name is a call of the code under test. Where
// nothing decides when it starts it is under way.
func (c *census) add(o *Op) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if o.name == "" {
		c.calls++
		o.name = fmt.Sprintf("call%d", c.calls)
	}
	o.t, o.c, o.index, o.done = c.t, c, len(c.ops), make(chan struct{})
	c.ops = append(c.ops, o)
	switch {
	case c.byName != nil:
		c.byName[o.name] = o
	case len(c.ops) == fewOps:
		c.byName = make(map[string]*Op, 2*fewOps)
		for _, o := range c.ops {
			c.byName[o.name] = o
		}
	}
	if o.request != nil {
		c.requests = append(c.requests, o.request)
	}
	if c.t.scheduler == nil {
		c.markStarted(o)
	}
}

// start notes that the operation is under way, and stands in line from now on.
func (c *census) start(o *Op) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.markStarted(o)
}

func (c *census) markStarted(o *Op) {
	c.starts++
	o.started, o.order, o.since = true, c.starts, time.Now()
	o.change()
}

// change notes, with mu held, that something has happened to the operation that the next quiet
// point looks at.
func (o *Op) change() {
	if !o.changed {
		o.changed = true
		o.c.changed = append(o.c.changed, o)
	}
}

// appendChanges appends the operations that have changed since the last call.
func (c *census) appendChanges(ops []*Op) []*Op {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, o := range c.changed {
		o.changed = false
	}
	ops = append(ops, c.changed...)
	c.changed = c.changed[:0]
	return ops
}

// conn returns the handle for a connection, the same one each time.
func (c *census) conn(end *faultnet.Conn) *Conn {
	h := c.look(end)
	c.mu.Lock()
	defer c.mu.Unlock()
	h.met = true
	return h
}

// look is conn for the oracles, which look at every connection.
func (c *census) look(end *faultnet.Conn) *Conn {
	if end.Side() == faultnet.Server {
		end = end.Peer()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	h := c.conns[end]
	if h == nil {
		h = &Conn{t: c.t, c: c, client: end}
		c.conns[end] = h
	}
	return h
}

// known returns the connections that the harness had to do with.
func (c *census) known() []*Conn {
	c.mu.Lock()
	defer c.mu.Unlock()
	conns := make([]*Conn, 0, len(c.conns))
	for _, h := range c.conns {
		if h.met {
			conns = append(conns, h)
		}
	}
	slices.SortFunc(conns, func(a, b *Conn) int { return a.client.Number() - b.client.Number() })
	return conns
}

// adopt remembers a transport whose idle connections are to be closed at the
// end.
func (c *census) adopt(rt http.RoundTripper) {
	i, ok := rt.(idler)
	if !ok {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	// A transport may be of a type that can't be compared.
	if !reflect.TypeOf(i).Comparable() || !slices.Contains(c.transports, i) {
		c.transports = append(c.transports, i)
	}
}

// adopted returns the transports that adopt remembers.
func (c *census) adopted() []idler {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.transports
}

// newPool adds a pool.
func (c *census) newPool() *pool {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := new(pool)
	c.pools = append(c.pools, p)
	return p
}

// allPools returns the pools so far.
func (c *census) allPools() []*pool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.pools
}

// isPool reports whether the transport is that of a pool. Its limit is not one for
// other transports.
func (c *census) isPool(rt any) bool {
	return slices.ContainsFunc(c.allPools(), func(p *pool) bool { return any(p.transport) == rt })
}

// dialing notes a dial: where to, for which operation, and by which line of the user's own
// code, if it is not a goroutine of net/http's that dials. It returns the dial's index.
func (c *census) dialing(address, owner string) int {
	d := dialed{address: address, owner: owner}
	if !c.t.set.silent {
		d.where = bubble.Caller()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.dialed = append(c.dialed, d)
	return len(c.dialed) - 1
}

// dialEnds notes how a dial ended: with a connection or an error.
func (c *census) dialEnds(i int, conn net.Conn, err error) {
	var end *faultnet.Conn
	if err == nil {
		if h := c.connOf(conn); h != nil {
			end = h.client
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.dialed[i].end, c.dialed[i].err = end, err
}

// dialLost reports, with mu held, whether a dial of the request has failed, or its connection was
// closed, since the request asked for a connection last. Then it may have failed in its
// transport, and be held back by what is in front of that, which sends it again later.
func (c *census) dialLost(r *Request) bool {
	return slices.ContainsFunc(c.dialed[r.hooks.dialed:], func(d dialed) bool {
		return d.owner == r.name && (d.err != nil || d.end != nil && d.end.IsClosed())
	})
}

// dials returns how many dials were begun.
func (c *census) dials() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.dialed)
}

// dialedElsewhere returns the name of an operation that failed because a dial did, in a
// run in which no dial has reached the network, or "".
func (c *census) dialedElsewhere() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.dialed) > 0 {
		return ""
	}
	for _, o := range c.ops {
		if failed, ok := errors.AsType[*net.OpError](o.err); ok && failed.Op == "dial" {
			return o.name
		}
	}
	return ""
}

// dialer returns the lines of the user's own code that dial the address.
func (c *census) dialer(address string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var lines []string
	for _, d := range c.dialed {
		if d.address == address && d.where != "" {
			lines = append(lines, d.where)
		}
	}
	slices.Sort(lines) // dials of one instant come in any order
	return strings.Join(slices.Compact(lines), ", ")
}

// user returns, in words, for which request a connection was opened and which used it
// last, and the line of the latter.
func (c *census) user(end *faultnet.Conn) (words, where string) {
	var b strings.Builder
	if o := end.Owner(); o != "" {
		fmt.Fprintf(&b, ", opened for %s", o)
		if op := c.op(o); op != nil {
			where = op.where
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if h := c.conns[end]; h != nil && h.wire.last != nil {
		r := h.wire.last
		fmt.Fprintf(&b, ", last used by %s", r.name)
		if r.dropped {
			b.WriteString(", whose body was dropped")
		}
		if n := len(r.runs); r.runs[n-1] != h {
			fmt.Fprintf(&b, ", which was then sent on %s", r.runs[n-1].ID())
		}
		return b.String(), r.where
	}
	if b.Len() == 0 {
		b.WriteString(", opened outside any request that the harness knows")
	}
	return b.String(), where
}

// carries reports whether a request is under way on h, or the rest of a response
// whose body was closed early.
func (c *census) carries(h *Conn) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.ContainsFunc(c.requests, func(r *Request) bool {
		n := len(r.runs)
		return n > 0 && r.runs[n-1] == h && (!r.returned || !r.finished || r.err == nil && r.resp != nil && !r.answered())
	})
}

// unfinished reports whether an operation has been started and has no end yet.
func (c *census) unfinished() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.ContainsFunc(c.ops, (*Op).unfinished)
}
