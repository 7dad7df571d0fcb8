package harness

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/halfopen/halfopen/faultnet"
	"github.com/halfopen/halfopen/harness/internal/search"
)

// waiting is an event of the network that is pending in an exploration.
type waiting struct {
	event    *faultnet.Event
	conn     *Conn         // that it is on, or nil
	option   search.Option // to let it happen in its normal course, as far as that stays the same
	turn     int64         // when it comes by itself: see order
	held     bool          // it is of the usual gates, and a goroutine is held there
	asked    bool          // whether it commutes
	commutes bool
	again    bool // it brings a request that was sent on another connection before
	seen     int  // the changes of its connection when it was looked at
	faults   []fault
	listed   bool // these, and nothing has happened to the connection since then
	// sent has, in a row, what the event brings, if it commutes, and what its sender has sent
	// behind that.
	sent []sending
}

// sending is that a client has written until so many bytes are in flight, or that it was closed.
type sending struct {
	bytes  int
	closed bool
	turn   int64 // of the event that it brings about
}

// queue is the pending events of a run.
type queue struct {
	order   search.Order
	waiting []*waiting // in the order in which they came
	before  []*waiting // those of the step before
	free    []*waiting // those that nothing holds, as they come by themselves

	// The runs of an exploration come one after another, and take the memory for events from the
	// one before.
	room  []*waiting
	used  int               // how many of these this run has taken
	holds map[string]string // see holdName
}

// reset empties the queue and keeps its room.
func (q *queue) reset() {
	q.waiting, q.before, q.free = q.waiting[:0], q.before[:0], q.free[:0]
	q.order.Reset()
	for _, w := range q.room[:q.used] {
		clear(w.faults)
		*w = waiting{faults: w.faults[:0], sent: w.sent[:0]}
	}
	q.used = 0
}

// take returns an event with nothing in it.
func (q *queue) take() *waiting {
	if q.used == len(q.room) {
		q.room = append(q.room, new(waiting))
	}
	q.used++
	return q.room[q.used-1]
}

// of returns what is known of a pending event, or nil.
func (q *queue) of(e *faultnet.Event) *waiting {
	if i := slices.IndexFunc(q.waiting, func(w *waiting) bool { return w.event == e }); i >= 0 {
		return q.waiting[i]
	}
	return nil
}

// meet takes note of the events that are pending, in the order in which they came.
func (p *plan) meet(pending []*faultnet.Event) {
	known := p.waiting
	p.waiting, p.before = p.before[:0], known
	reduces := p.reduces()
	for _, e := range pending {
		var w *waiting
		i := slices.IndexFunc(known, func(k *waiting) bool { return k.event == e })
		if i >= 0 {
			w, known = known[i], known[i+1:]
		} else { // so are all behind it
			known = nil
			w = p.born(e)
		}
		p.waiting = append(p.waiting, w)
		changed := i < 0 || w.conn != nil && w.seen != w.conn.changes
		if changed && fromClient(e) && (w.notice(p.order.Due()) || i < 0) && e.Kind == faultnet.Data {
			w.again = p.census.sentAgain(e) || w.again
		}
		if !reduces {
			w.commutes = false
		} else if fromClient(e) && !w.asked {
			w.asked, w.commutes = true, !w.again && p.commutes(w)
			changed = true
		}
		if changed {
			w.commutes = w.commutes && !w.refused() && !w.frees()
			w.listed = false
		}
		if w.conn != nil {
			w.seen = w.conn.changes
		}
	}
}

func fromClient(e *faultnet.Event) bool { return e.From != nil && e.From.Side() == faultnet.Client }

// born returns an event that has just become pending. What was sent behind another event,
// which has just happened, comes when it was sent.
func (p *plan) born(e *faultnet.Event) *waiting {
	w := p.take()
	w.event, w.option, w.turn = e, optionOf(e), p.order.Due()
	if e.From != nil {
		w.conn = p.census.look(e.From)
	}
	i := slices.IndexFunc(p.before, func(b *waiting) bool { return b.commutes && b.event.From == e.From })
	if i < 0 || len(p.before[i].sent) < 2 {
		return w
	}
	brought := p.before[i].sent[0].bytes
	for _, s := range p.before[i].sent[1:] {
		s.bytes -= brought
		w.sent = append(w.sent, s)
	}
	w.turn = max(w.sent[0].turn, p.order.Next())
	return w
}

// notice takes note of what a client has sent since it was last called; it is the last choice that
// has brought it about. It reports whether there are more bytes.
func (w *waiting) notice(turn int64) (more bool) {
	var last sending
	if n := len(w.sent); n > 0 {
		last = w.sent[n-1]
	}
	if n := w.event.From.Peer().InFlight(); n > last.bytes {
		w.sent = append(w.sent, sending{bytes: n, turn: turn})
		last.bytes, more = n, true
	}
	if !last.closed && w.event.From.IsClosed() {
		w.sent = append(w.sent, sending{bytes: last.bytes, closed: true, turn: turn})
	}
	return more
}

// alone returns the verdict of an event that commutes: what was sent behind it arrives by
// itself, whenever that was sent.
func (w *waiting) alone() faultnet.Verdict {
	if !w.commutes || w.event.Kind != faultnet.Data || w.event.From.Peer().InFlight() == w.sent[0].bytes {
		return faultnet.Pass
	}
	v, err := faultnet.ParseVerdict(fmt.Sprintf("split:%d", w.sent[0].bytes))
	if err != nil {
		panic("harness: " + err.Error())
	}
	return v
}

// inOrder returns the events that nothing holds, in the order in which they come by themselves:
// those at which goroutines are held last.
func (p *plan) inOrder() []*waiting {
	free, ruled := p.free[:0], p.t.net.Ruled()
	for _, w := range p.waiting {
		if !ruled || !p.t.net.Verdict(w.event).IsHold() {
			free = append(free, w)
		}
	}
	p.free = free
	if !slices.IsSortedFunc(free, byItself) {
		slices.SortStableFunc(free, byItself)
	}
	return free
}

// byItself orders events as they come by themselves.
func byItself(a, b *waiting) int {
	c := boolInt(a.held) - boolInt(b.held)
	if c = cmp.Or(c, cmp.Compare(a.turn, b.turn)); c != 0 || a.event.From == nil || b.event.From == nil {
		return c
	}
	return cmp.Or(cmp.Compare(a.event.From.Number(), b.event.From.Number()), cmp.Compare(a.event.From.Side(), b.event.From.Side()))
}

// overtakes reports whether the event that comes first by itself is not the one that has been
// pending longest.
func (p *plan) overtakes(first *waiting) bool {
	for _, w := range p.waiting {
		if w == first {
			return false
		}
		if !w.held && slices.Contains(p.free, w) {
			return true
		}
	}
	return false
}

// reduces reports whether it is known of any event that it commutes. It is not where steps have
// inner choices. A rule may count events, what is called by [T.Do] may do anything, and so may the
// test when a request has ended, unless it lets everything happen first. A check of [T.AtQuiet] sees
// each state between two events.
func (p *plan) reduces() bool {
	waits := !p.t.resting || p.t.awaited.Load() > 0
	return p.inside == nil && !waits && !p.audited && !p.t.net.Ruled() && len(p.census.allOps()) == len(p.census.all())
}

// commutes reports whether the arrival of what a client has sent touches one connection of the
// server alone: the server shares nothing among its connections. It is a FIN, or the rest of a request of HTTP/1 without
// TLS that is whole, so that the client waits for the answer; and it lets no Write go on, at either end.
func (p *plan) commutes(w *waiting) bool {
	e := w.event
	h := w.conn
	if !p.independent && !h.apart.Load() {
		return false
	}
	switch e.Kind {
	case faultnet.FIN:
		return true
	case faultnet.Data:
		b := e.Arriving(faultnet.Pass)
		return len(b) >= w.sent[0].bytes && h.wire.completes(b[:w.sent[0].bytes])
	}
	return false
}

// frees reports whether a Write waits at either end of the connection: what arrives may let it go on.
func (w *waiting) frees() bool { return w.event.From.Writing() || w.event.From.Peer().Writing() }

// refused reports whether what arrives is answered by a reset, which takes the place of what the
// server has sent.
func (w *waiting) refused() bool {
	return w.event.From.Peer().IsClosed() && !(w.event.Kind == faultnet.FIN && w.event.From.IsClosed())
}

// completes reports whether the bytes are the rest of a request of HTTP/1 without TLS.
func (w *wire) completes(b []byte) bool {
	if !w.continuesPlain(b) {
		return false
	}
	f := w.requests
	f.requests, f.line = true, slices.Clip(f.line) // what is added is its own
	f.feed(b)
	return f.whole()
}

// unseen reports whether no client can see how an event ends: it is a FIN behind the last
// byte that a client has sent before it closed the connection.
func (w *waiting) unseen() bool {
	return w.commutes && w.event.Kind == faultnet.FIN && w.event.From.IsClosed()
}
