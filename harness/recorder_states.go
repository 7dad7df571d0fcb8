package harness

import (
	"cmp"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/halfopen/halfopen/faultnet"
	"github.com/halfopen/halfopen/harness/view"
)

// states has the lanes of a recorder at this moment.
type states struct {
	lanes    map[laneKey]*lane
	changes  []view.Change // since the last step
	live     []*Op         // operations whose state may change
	seen     int           // how many operations were looked at
	dials    []dialLane    // that have no answer
	outcomes map[string]string
	conns    []*faultnet.Conn // the client's ends of those that are not wholly gone
	timers   []laneKey        // that run
	hosts    []string         // in the order in which they were first dialed
}

type laneKey struct {
	kind view.LaneKind
	id   string
}

// lane is a lane and its state at this moment.
type lane struct {
	index int
	now   view.Change
}

// dialLane is the lane of a dial that has no answer.
type dialLane struct {
	id, address string
}

func newStates() states {
	return states{lanes: make(map[laneKey]*lane), outcomes: make(map[string]string)}
}

// lane returns the lane of that kind and name. If it is new, begin completes it.
func (r *recorder) lane(kind view.LaneKind, id string, begin func(l *view.Lane)) *lane {
	k := laneKey{kind, id}
	l := r.lanes[k]
	if l == nil {
		l = &lane{index: len(r.run.Lanes)}
		r.lanes[k] = l
		of := view.Lane{Kind: kind, ID: id}
		begin(&of)
		r.run.Lanes = append(r.run.Lanes, of)
	}
	return l
}

// set gives a lane a state.
func (r *recorder) set(l *lane, c view.Change) {
	c.Lane = l.index
	if equalChanges(l.now, c) {
		return
	}
	l.now = c
	r.changes = append(r.changes, c)
}

func equalChanges(a, b view.Change) bool {
	return a.State == b.State && a.Note == b.Note && equalValues(a.Ends, b.Ends) && equalValues(a.Queues, b.Queues) && equalValues(a.Counts, b.Counts)
}

func equalValues[V comparable](a, b *V) bool {
	return a == b || a != nil && b != nil && *a == *b
}

// quiet notes what has changed when everything is quiet.
func (r *recorder) quiet(pending []*faultnet.Event) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.over {
		return
	}
	r.collect()
	for _, e := range pending {
		if _, ok := r.pending[e]; !ok {
			r.pending[e] = len(r.run.Steps) - 1
		}
	}
	delayed := r.net.Delayed()
	counts := make(map[string]*[4]int)
	count := func(address string, what int) {
		if counts[address] == nil {
			counts[address] = new([4]int)
			if !slices.Contains(r.hosts, address) {
				r.hosts = append(r.hosts, address)
			}
		}
		counts[address][what]++
	}
	users := r.lookAtOps(count)
	r.lookAtDials(slices.Concat(pending, delayed), count)
	r.lookAtConns(users, count)
	for _, host := range r.hosts {
		now := cmp.Or(counts[host], new([4]int))
		r.set(r.lane(view.PoolLane, host, func(*view.Lane) {}), view.Change{State: view.Opened, Counts: now})
	}
	r.lookAtTimers(delayed)
	r.flush()
}

// flush makes the changes those of the last step, or of a step of its own if time has passed.
func (r *recorder) flush() {
	if len(r.changes) == 0 {
		return
	}
	n := len(r.run.Steps)
	now := time.Since(r.began)
	if n == 0 || r.run.Steps[n-1].At < now {
		passed := now
		if n > 0 {
			passed -= r.run.Steps[n-1].At
		}
		r.add(view.Step{Kind: view.TimeStep, Text: passed.String() + " later"})
		n++
	}
	last := &r.run.Steps[n-1]
	for _, c := range r.changes {
		if i := slices.IndexFunc(last.Changes, func(d view.Change) bool { return d.Lane == c.Lane }); i >= 0 {
			last.Changes[i] = c
		} else {
			last.Changes = append(last.Changes, c)
		}
	}
	r.changes = r.changes[:0]
}

// The indexes of the counts of a host.
const (
	idleCount = iota
	inUseCount
	dialCount
	waitCount
)

// lookAtDials notes the dials that begin, and those that have ended.
func (r *recorder) lookAtDials(events []*faultnet.Event, count func(string, int)) {
	under := make(map[string]bool)
	for _, e := range events {
		if e.Kind != faultnet.Dial {
			continue
		}
		id := e.DialID()
		under[id] = true
		l := r.lane(view.DialLane, id, func(l *view.Lane) {
			l.Title, l.Owner = e.Addr, e.Owner
			if op := r.lanes[laneKey{view.OpLane, e.Owner}]; op != nil {
				l.Where = r.run.Lanes[op.index].Where
			}
			r.dials = append(r.dials, dialLane{id, e.Addr})
		})
		r.set(l, view.Change{State: view.Dialing, Note: r.outcomes[id]})
	}
	r.dials = slices.DeleteFunc(r.dials, func(d dialLane) bool {
		if under[d.id] {
			count(d.address, dialCount)
			return false
		}
		c := view.Change{State: view.GivenUp}
		switch outcome := r.outcomes[d.id]; {
		case strings.HasPrefix(outcome, "open"):
			c = view.Change{State: view.Opened, Note: strings.TrimPrefix(outcome, "open ")}
		case outcome != "" && outcome != "cancelled":
			c = view.Change{State: view.Failed, Note: outcome}
		}
		r.set(r.lanes[laneKey{view.DialLane, d.id}], c)
		return true
	})
}

// use says which operations use a connection, and how.
type use struct {
	by       []string
	draining bool // only the rest of a body that was closed early is left
}

// lookAtOps notes the states of the operations, and returns which use a connection.
func (r *recorder) lookAtOps(count func(string, int)) map[*faultnet.Conn]*use {
	all := r.census.allOps()
	r.live = append(r.live, all[r.seen:]...)
	r.seen = len(all)
	users := make(map[*faultnet.Conn]*use)
	r.census.mu.Lock()
	defer r.census.mu.Unlock()
	r.live = slices.DeleteFunc(r.live, func(o *Op) bool {
		l := r.lane(view.OpLane, o.name, func(l *view.Lane) {
			l.Where, l.Title = o.where, o.name
			if o.request != nil {
				l.Title = o.request.method + " " + o.request.url
			}
		})
		c, over := stateOfOp(o)
		r.set(l, c)
		q := o.request
		if q == nil {
			return over
		}
		if c.State == view.Waiting {
			count(addressOf(q.url), waitCount)
		}
		if n := len(q.runs); n > 0 && !over {
			end := q.runs[n-1].client
			if users[end] == nil {
				users[end] = &use{draining: true}
			}
			users[end].by = append(users[end].by, o.name)
			users[end].draining = users[end].draining && q.returned && q.finished
		}
		return over
	})
	return users
}

// stateOfOp returns the state of an operation, with census.mu held, and whether it, and
// what it does with its connection, is over.
func stateOfOp(o *Op) (c view.Change, over bool) {
	q := o.request
	if q != nil && len(q.runs) > 0 {
		c.Note = "on " + q.runs[len(q.runs)-1].ID()
	}
	switch {
	case !o.started:
		c.State = view.Declared
	case !o.returned && c.Note == "":
		c.State = view.Waiting
	case !o.returned:
		c.State = view.Sent
	case o.err != nil:
		c.State, c.Note, over = view.Failed, o.err.Error(), true
	case q == nil || q.resp == nil:
		c.State, over = view.Done, true
	case q.resp.StatusCode == http.StatusSwitchingProtocols:
		c.State, c.Note = view.Reading, c.Note+", which is the caller's now"
	case !q.finished:
		c.State = view.Reading
	default:
		c.State, over = view.Done, q.answered()
		if q.early {
			c.Note += ", its body closed early"
		}
	}
	if o.cancelled {
		c.Note = strings.TrimPrefix(c.Note+", cancelled", ", ")
	}
	return c, over
}

// addressOf returns the "host:port" of a URL.
func addressOf(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return ""
	}
	port := u.Port()
	switch {
	case port != "":
	case u.Scheme == "https":
		port = "443"
	default:
		port = "80"
	}
	return net.JoinHostPort(u.Hostname(), port)
}

// lookAtConns notes the states of the connections.
func (r *recorder) lookAtConns(users map[*faultnet.Conn]*use, count func(string, int)) {
	open := r.net.Conns()
	gone := r.conns
	r.conns = make([]*faultnet.Conn, 0, len(open))
	for _, end := range open {
		gone = slices.DeleteFunc(gone, func(c *faultnet.Conn) bool { return c == end })
		l := r.lane(view.ConnLane, end.ID(), func(l *view.Lane) {
			l.Title, l.Owner = end.Address(), end.Owner()
			l.Client, l.Server = end.LocalAddr().String(), end.RemoteAddr().String()
			if op := r.lanes[laneKey{view.OpLane, l.Owner}]; op != nil {
				l.Where = r.run.Lanes[op.index].Where
			}
		})
		c := stateOfConn(end, users[end])
		if c.State == view.InUse && c.Note == "" && r.census.conn(end).lastRequest() == nil {
			c.Note = end.Owner()
		}
		r.set(l, c)
		r.conns = append(r.conns, end)
		switch c.State {
		case view.Idle:
			count(end.Address(), idleCount)
		case view.InUse, view.Draining:
			count(end.Address(), inUseCount)
		}
	}
	for _, end := range gone {
		r.set(r.lanes[laneKey{view.ConnLane, end.ID()}], view.Change{Ends: &[2]string{"CLOSED", "CLOSED"}, Queues: new([2][2]int)})
	}
}

// stateOfConn returns the state of a connection by its client's end.
func stateOfConn(end *faultnet.Conn, by *use) (c view.Change) {
	name := func(end *faultnet.Conn) string {
		if end.IsClosed() {
			return end.State()
		}
		return end.State() + "*"
	}
	server := end.Peer()
	c.Ends = &[2]string{name(end), name(server)}
	c.Queues = &[2][2]int{{server.InFlight(), server.Unread()}, {end.InFlight(), end.Unread()}}
	quiet := *c.Queues == [2][2]int{}
	switch state := end.State(); {
	case end.IsClosed():
		c.State = view.Closed
	case state == "CLOSE_WAIT":
		c.State, c.Note = view.HalfOpen, "the server has ended it"
	case state == "CLOSED":
		c.State, c.Note = view.HalfOpen, "reset"
	case by != nil && by.draining:
		c.State, c.Note = view.Draining, strings.Join(by.by, ", ")
	case by != nil:
		c.State, c.Note = view.InUse, strings.Join(by.by, ", ")
	case end.IsIdle():
		c.State = view.Idle
	case quiet && server.State() == "ESTABLISHED":
		c.State, c.Note = view.HalfOpen, "nothing arrives any more"
	default:
		c.State = view.InUse // not seen yet by which
	}
	return c
}

// lookAtTimers notes the deadlines that can be seen, and the delays.
func (r *recorder) lookAtTimers(delayed []*faultnet.Event) {
	var running []laneKey
	run := func(id string, at time.Time) {
		k := laneKey{view.TimerLane, id}
		c := view.Change{State: view.Waiting, Note: "+" + at.Sub(r.began).String()}
		switch {
		case at.IsZero():
			c.Note = ""
		case !at.After(time.Now()):
			c.State = view.Done
		}
		if slices.Contains(running, k) {
			return
		}
		running = append(running, k)
		r.set(r.lane(k.kind, id, func(*view.Lane) {}), c)
	}
	for _, o := range r.live {
		if !o.deadline.IsZero() {
			run(o.name+" deadline", o.deadline)
		}
	}
	for _, c := range r.conns {
		for _, end := range [...]*faultnet.Conn{c, c.Peer()} {
			read, write := end.Deadlines()
			for i, at := range [...]time.Time{read, write} {
				if !at.IsZero() {
					run(fmt.Sprintf("%s %s %s deadline", end.ID(), end.Side(), [...]string{"read", "write"}[i]), at)
				}
			}
		}
	}
	for _, e := range delayed {
		run("delay of "+e.String(), time.Time{})
	}
	for _, k := range r.timers {
		if l := r.lanes[k]; !slices.Contains(running, k) && l.now.State == view.Waiting {
			c := view.Change{State: view.Stopped}
			if strings.HasPrefix(k.id, "delay") {
				c.State = view.Done
			}
			r.set(l, c)
		}
	}
	r.timers = running
}
