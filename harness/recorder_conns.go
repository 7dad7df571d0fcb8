package harness

import (
	"slices"
	"strings"

	"github.com/halfopen/halfopen/faultnet"
	"github.com/halfopen/halfopen/harness/view"
)

// connLane is the lane of a connection, and the facts that its state was last made of.
type connLane struct {
	lane     *lane // nil until the connection is looked at
	round    int   // in which its users were last counted
	seen     int   // in which it was last there
	facts    connFacts
	touched  bool  // something has happened to it since its state was made
	by, was  []*Op // which use it, in this round and when its state was made
	draining bool  // only the rest of a body that was closed early is left
}

// connFacts has what the state of a connection depends on: both ends, the client's first.
type connFacts struct {
	states [2]string
	closed [2]bool
	queues [2][2]int
	idle   bool
	fresh  bool // nothing was sent on it yet
	use    int  // 0: no operation uses it, 1: it is draining, 2: it is in use
}

// connLane returns what is kept of a connection, for this round.
func (r *recorder) connLane(end *faultnet.Conn) *connLane {
	l := r.byConn[end]
	if l == nil {
		l = new(connLane)
		r.byConn[end] = l
	}
	if l.round != r.round {
		l.round, l.by, l.draining = r.round, l.by[:0], true
	}
	return l
}

// lookAtConns notes the states of the connections.
func (r *recorder) lookAtConns(touched []*faultnet.Conn) {
	before, others := r.conns, false
	for _, end := range touched {
		l := r.connLane(end)
		l.touched = true
		others = others || l.lane == nil || end.IsClosed() && end.Peer().IsClosed() // new, or perhaps gone
	}
	if others {
		r.conns = r.net.Conns()
	}
	for _, end := range r.conns {
		l := r.connLane(end)
		l.seen = r.round
		if l.lane == nil {
			l.lane = r.lane(view.ConnLane, end.ID(), func(l *view.Lane) {
				l.Title, l.Owner = end.Address(), end.Owner()
				l.Client, l.Server = end.LocalAddr().String(), end.RemoteAddr().String()
				if op := r.lanes[laneKey{view.OpLane, l.Owner}]; op != nil {
					l.Where = r.run.Lanes[op.index].Where
				}
			})
		}
		if !l.touched && l.use() == l.facts.use && slices.Equal(l.by, l.was) {
			r.countConn(end, l)
			continue
		}
		l.touched = false
		if f := r.factsOfConn(end, l); f != l.facts || !slices.Equal(l.by, l.was) {
			l.facts, l.was = f, append(l.was[:0], l.by...)
			c := stateOfConn(f, l.by)
			if c.State == view.InUse && c.Note == "" && f.fresh {
				c.Note = end.Owner()
			}
			r.set(l.lane, c)
		}
		r.countConn(end, l)
	}
	if !others {
		return
	}
	for _, end := range before {
		if l := r.byConn[end]; l.seen != r.round {
			r.set(l.lane, view.Change{Ends: &[2]string{"CLOSED", "CLOSED"}, Queues: new([2][2]int)})
			delete(r.byConn, end)
		}
	}
}

// countConn counts a connection among those of its host.
func (r *recorder) countConn(end *faultnet.Conn, l *connLane) {
	switch l.lane.now.State {
	case view.Idle:
		r.count(end.Address(), idleCount)
	case view.InUse, view.Draining:
		r.count(end.Address(), inUseCount)
	}
}

// use returns how a connection is used in this round: see connFacts.
func (l *connLane) use() int {
	switch {
	case len(l.by) == 0:
		return 0
	case l.draining:
		return 1
	}
	return 2
}

// factsOfConn returns the facts about a connection.
func (r *recorder) factsOfConn(end *faultnet.Conn, l *connLane) connFacts {
	server := end.Peer()
	f := connFacts{states: [2]string{end.State(), server.State()}, closed: [2]bool{end.IsClosed(), server.IsClosed()}, idle: end.IsIdle()}
	f.queues = [2][2]int{{server.InFlight(), server.Unread()}, {end.InFlight(), end.Unread()}}
	if f.use = l.use(); f.use == 0 {
		f.fresh = !f.idle && r.census.conn(end).lastRequest() == nil
	}
	return f
}

// stateOfConn returns the state of a connection, which these operations use.
func stateOfConn(f connFacts, by []*Op) (c view.Change) {
	c.Queues, c.Ends = &f.queues, new([2]string)
	for side, state := range f.states {
		c.Ends[side] = state
		if !f.closed[side] {
			c.Ends[side] += "*"
		}
	}
	var names []string
	for _, o := range by {
		names = append(names, o.name)
	}
	switch state := f.states[0]; {
	case f.closed[0]:
		c.State = view.Closed
	case state == "CLOSE_WAIT":
		c.State, c.Note = view.HalfOpen, "the server has ended it"
	case state == "CLOSED":
		c.State, c.Note = view.HalfOpen, "reset"
	case f.use == 1:
		c.State, c.Note = view.Draining, strings.Join(names, ", ")
	case f.use == 2:
		c.State, c.Note = view.InUse, strings.Join(names, ", ")
	case f.idle:
		c.State = view.Idle
	case f.queues == [2][2]int{} && f.states[1] == "ESTABLISHED":
		c.State, c.Note = view.HalfOpen, "nothing arrives any more"
	default:
		c.State = view.InUse // not seen yet by which
	}
	return c
}
