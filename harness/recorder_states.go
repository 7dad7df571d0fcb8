package harness

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/halfopen/halfopen/faultnet"
	"github.com/halfopen/halfopen/harness/internal/script"
	"github.com/halfopen/halfopen/harness/view"
)

// states has the lanes of a recorder at this moment.
type states struct {
	lanes    map[laneKey]*lane
	changes  []view.Change // since the last step
	room     []view.Change // for those of the next steps
	live     []liveOp      // operations whose state may change
	seen     int           // how many operations were looked at
	round    int           // the number of this look, from 1
	dials    []dialLane    // that have no answer
	under    []string      // the names of those that are under way in this round
	outcomes map[string]string
	conns    []*faultnet.Conn // the client's ends of those that are not wholly gone
	byConn   map[*faultnet.Conn]*connLane
	counts   map[string]*hostCounts
	timers   []laneKey // that run
	hosts    []string  // in the order in which they were first dialed
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

// hostCounts has the counts of a host, and its lane.
type hostCounts struct {
	of   [4]int
	lane *lane
}

// dialLane is the lane of a dial that has no answer.
type dialLane struct {
	id, address string
}

func newStates() states {
	return states{lanes: make(map[laneKey]*lane), outcomes: make(map[string]string), byConn: make(map[*faultnet.Conn]*connLane), counts: make(map[string]*hostCounts)}
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

// quiet notes what has changed when everything is quiet. Since the last time something has happened
// to the touched connections, and to no others.
func (r *recorder) quiet(pending []*faultnet.Event, touched []*faultnet.Conn) {
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
	r.round++
	delayed := r.net.Delayed()
	for _, host := range r.hosts {
		r.counts[host].of = [4]int{}
	}
	r.lookAtOps()
	r.lookAtDials(pending, delayed)
	r.lookAtConns(touched)
	for _, host := range r.hosts {
		counts := r.counts[host]
		if counts.lane == nil {
			counts.lane = r.lane(view.PoolLane, host, func(*view.Lane) {})
		}
		l := counts.lane
		if now := counts.of; l.now.Counts == nil || *l.now.Counts != now {
			r.set(l, view.Change{State: view.Opened, Counts: &now})
		}
	}
	r.lookAtTimers(delayed)
	r.flush()
}

// count counts something of a host.
func (r *recorder) count(address string, what int) {
	counts := r.counts[address]
	if counts == nil {
		counts = new(hostCounts)
		r.counts[address] = counts
		r.hosts = append(r.hosts, address)
	}
	counts.of[what]++
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
	if last.Changes == nil {
		last.Changes = r.roomFor(len(r.changes))
	}
	for _, c := range r.changes {
		if i := slices.IndexFunc(last.Changes, func(d view.Change) bool { return d.Lane == c.Lane }); i >= 0 {
			last.Changes[i] = c
		} else {
			last.Changes = append(last.Changes, c)
		}
	}
	r.changes = r.changes[:0]
}

// roomFor returns an empty list with room for n changes. Many lists share one piece of memory.
func (r *recorder) roomFor(n int) []view.Change {
	if len(r.room) < n {
		r.room = make([]view.Change, max(n, min(2*len(r.run.Steps), 256)))
	}
	list := r.room[:0:n]
	r.room = r.room[n:]
	return list
}

// The indexes of the counts of a host.
const (
	idleCount = iota
	inUseCount
	dialCount
	waitCount
)

// lookAtDials notes the dials that begin, and those that have ended.
func (r *recorder) lookAtDials(pending, delayed []*faultnet.Event) {
	r.under = r.under[:0]
	begun := func(e *faultnet.Event) {
		if e.Kind != faultnet.Dial {
			return
		}
		id := e.DialID()
		r.under = append(r.under, id)
		l := r.lane(view.DialLane, id, func(l *view.Lane) {
			l.Title, l.Owner = e.Addr, e.Owner
			if op := r.lanes[laneKey{view.OpLane, e.Owner}]; op != nil {
				l.Where = r.run.Lanes[op.index].Where
			}
			r.dials = append(r.dials, dialLane{id, e.Addr})
		})
		r.set(l, view.Change{State: view.Dialing, Note: r.outcomes[id]})
	}
	for _, e := range pending {
		begun(e)
	}
	for _, e := range delayed {
		begun(e)
	}
	r.dials = slices.DeleteFunc(r.dials, func(d dialLane) bool {
		if slices.Contains(r.under, d.id) {
			r.count(d.address, dialCount)
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

// liveOp is an operation with its lane, and the facts that its state was last made of.
type liveOp struct {
	*Op
	lane  *lane
	facts opFacts
	over  bool
	host  string // that a request goes to
}

// opFacts has what the state of an operation depends on.
type opFacts struct {
	started, returned, failed, cancelled, responded, finished, early, answered bool

	runs int
}

// factsOf returns the facts about an operation, with census.mu held.
func factsOf(o *Op) opFacts {
	f := opFacts{started: o.started, returned: o.returned, failed: o.err != nil, cancelled: o.cancelled}
	if q := o.request; q != nil {
		f.responded, f.finished, f.early, f.runs = q.resp != nil, q.finished, q.early, len(q.runs)
		f.answered = f.responded && q.finished && q.answered()
	}
	return f
}

// lookAtOps notes the states of the operations, and which of them use a connection.
func (r *recorder) lookAtOps() {
	all := r.census.allOps()
	r.census.mu.Lock()
	defer r.census.mu.Unlock()
	for _, o := range all[r.seen:] {
		l := r.lane(view.OpLane, o.name, func(l *view.Lane) {
			l.Where, l.Title = o.where, o.name
			if o.request != nil {
				l.Title = o.request.method + " " + o.request.url.String()
			}
		})
		r.live = append(r.live, liveOp{Op: o, lane: l})
	}
	r.seen = len(all)
	for i := range r.live {
		o := &r.live[i]
		if f := factsOf(o.Op); f != o.facts || o.lane.now.State == "" {
			var c view.Change
			c, o.over = stateOfOp(o.Op)
			o.facts = f
			r.set(o.lane, c)
		}
		q := o.request
		if q == nil {
			continue
		}
		if o.lane.now.State == view.Waiting {
			if o.host == "" {
				o.host = addressOf(q.url.String())
			}
			r.count(o.host, waitCount)
		}
		if n := len(q.runs); n > 0 && !o.over {
			l := r.connLane(q.runs[n-1].client)
			l.by = append(l.by, o.Op)
			l.draining = l.draining && q.returned && q.finished
		}
	}
	r.live = slices.DeleteFunc(r.live, func(o liveOp) bool { return o.over })
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

// addressOf returns the "host:port" of a URL, or "" if it is none.
func addressOf(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return ""
	}
	return script.AddressOf(u)
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
	conns := r.conns
	if r.net.Deadlines() == nil && len(r.timers) == 0 {
		conns = nil // none has one
	}
	for _, c := range conns {
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
