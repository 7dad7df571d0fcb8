package faultnet

import (
	"cmp"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/halfopen/halfopen/clock"
)

// Net is a network in memory. Its zero value is ready: hosts appear when
// something listens on them, and everything happens as soon as it can. A Net
// that is used inside a testing/synctest bubble must be made there.
type Net struct {
	// Clock is the time of deadlines. Nil means [clock.System].
	Clock clock.Clock

	// SendBuffer and ReceiveBuffer bound, in bytes and for each direction of a
	// connection, what was written and has not arrived, and what has arrived
	// and was not read. Zero means 64 KiB each. They are read when a
	// connection opens. A socket for datagrams holds ReceiveBuffer bytes, or 212992.
	SendBuffer, ReceiveBuffer int

	controlled atomic.Bool // events are posted: there are rules, a driver or a record
	calls      atomic.Bool // rules are asked about calls
	deadlines  atomic.Bool // one was set
	driven     atomic.Bool // there is a driver
	gated      atomic.Bool // a gate was come to

	mu        sync.Mutex
	hosts     map[string]*host
	names     map[netip.Addr]string // of hosts
	listeners map[netip.AddrPort]*listener
	links     map[*link]struct{}
	sockets   map[netip.AddrPort]*PacketConn
	flows     flows
	numLinks  int
	numFlows  int
	numDials  int
	numHosts  int
	numPorts  int

	asking   sync.Mutex   // held while rules are asked; guards what they answered
	rules    []*installed // in the order of their priorities, and replaced as a whole
	wake     func()       // the driver's
	arrivals []*Event
	pending  []*Event // in first-come order, named
	fresh    int      // how many of these came since the driver has asked
	touched  []*link
	first    struct { // most driven networks have few of them: their lists begin here
		arrivals, pending [8]*Event
		touched           [8]*link
	}
	recording bool
	record    []Record
	faults    faultState
}

func (n *Net) clock() clock.Clock {
	if n.Clock == nil {
		return clock.System
	}
	return n.Clock
}

// setControlled notes whether events are posted and rules are asked about calls. It
// is called with mu held when that may have changed.
func (n *Net) setControlled() {
	n.controlled.Store(len(n.rules) > 0 || n.wake != nil || n.recording || len(n.pending) > 0 || n.faults.any())
	n.calls.Store(slices.ContainsFunc(n.rules, func(in *installed) bool { return in.calls }))
}

// Drive hands the network to a driver. From then on no event happens by
// itself: each one is pending until the driver releases it, and wake is
// called, possibly from several goroutines at once, when there is a new one.
// A nil wake ends this.
func (n *Net) Drive(wake func()) {
	n.mu.Lock()
	n.wake = wake
	n.driven.Store(wake != nil)
	if wake != nil && n.arrivals == nil && n.pending == nil {
		n.arrivals, n.pending, n.touched = n.first.arrivals[:0], n.first.pending[:0], n.first.touched[:0]
	}
	n.setControlled()
	n.mu.Unlock()
	if wake == nil {
		n.reconsider()
	}
}

// Pending returns the events that wait to be released, in the order in which they
// came. Looking changes nothing: of the events of a driven network, those that
// came since its driver last called AppendPending are the last, in the order of
// their names, and dials among them have no number yet.
func (n *Net) Pending() []*Event {
	n.mu.Lock()
	defer n.mu.Unlock()
	came := slices.Clone(n.arrivals)
	slices.SortStableFunc(came, compareEvents)
	came = slices.DeleteFunc(came, func(e *Event) bool { return e.Kind == Dial && e.dial.gone })
	return append(slices.Clone(n.pending), came...)
}

// Delayed returns the events that wait for a delay to be over: they are not pending.
func (n *Net) Delayed() []*Event {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.faults.late)
}

func (n *Net) collect() {
	if len(n.arrivals) > 1 {
		slices.SortStableFunc(n.arrivals, compareEvents)
	}
	for _, e := range n.arrivals {
		if e.Kind == Dial {
			n.nameDial(e)
			if e.dial.gone {
				n.note(e, "cancelled")
				continue
			}
		}
		if e.packet != nil {
			n.namePacket(e)
		}
		n.pending = append(n.pending, e)
		n.fresh++
	}
	n.arrivals = n.arrivals[:0]
}

func (n *Net) nameDial(e *Event) {
	if d := e.dial; d.number == 0 {
		n.numDials++
		d.number = n.numDials
		if n.controlled.Load() {
			e.name = "dial " + e.DialID() + " " + e.Addr
		}
	}
}

// Release lets e happen now, with the verdict that the rules have for it;
// Hold counts as Pass. It does nothing if e is no longer pending.
func (n *Net) Release(e *Event) {
	v := n.Verdict(e)
	if v.IsHold() {
		v = Pass
	}
	n.Apply(e, v)
}

// Apply lets e happen now, with the verdict v instead of the rules'. It
// reports whether e was still pending. It panics if v is not for such events.
func (n *Net) Apply(e *Event, v Verdict) bool {
	if !v.IsPass() && v.Kinds()&e.Kind == 0 || v.IsHold() {
		panic("faultnet: verdict " + v.String() + " is not for " + e.Kind.String() + " events")
	}
	n.mu.Lock()
	n.collect()
	i := slices.Index(n.pending, e)
	if i < 0 {
		n.mu.Unlock()
		return false
	}
	if i == 0 && len(n.pending) > 100 { // what has waited longest happens first: of many, none is moved
		n.pending[0], n.pending = nil, n.pending[1:]
	} else {
		n.pending = slices.Delete(n.pending, i, i+1)
	}
	n.mu.Unlock()
	n.markFired(e, v)
	n.happen(e, v)
	return true
}

// post takes a new event.
func (n *Net) post(e *Event) {
	n.mu.Lock()
	if n.wake == nil && e.Kind == Dial {
		n.nameDial(e)
	}
	if n.wake == nil && e.packet != nil {
		n.namePacket(e)
	}
	if wake := n.wake; wake != nil {
		e.seq = len(n.arrivals)
		n.arrivals = append(n.arrivals, e)
		n.mu.Unlock()
		wake()
		return
	}
	n.mu.Unlock()
	v := n.decide(e, false, true)
	if !v.IsHold() {
		n.happen(e, v)
		return
	}
	n.mu.Lock()
	n.pending = append(n.pending, e)
	n.setControlled()
	n.mu.Unlock()
	n.reconsider() // a rule may have been lifted in between
}

// happen carries out the verdict on an event that is in no list any more.
func (n *Net) happen(e *Event, v Verdict) {
	v = n.normalCourse(e, v)
	if n.postpone(e, v) {
		return
	}
	switch e.Kind {
	case Dial:
		n.finishDial(e, v)
		return
	case Gate:
		n.log(e, v.name)
		close(e.open)
		return
	case Packet:
		n.deliver(e, v)
		return
	}
	n.log(e, v.name)
	e.From.link.release(e, func(to *Conn) { to.arriveAs(e, v) })
}

// Gate parks the caller, whose place in the program has that name, until the
// event "gate NAME" is released: what a program does between two events of the
// network is then an event too. On a network without rules, driver or record
// it returns at once. The caller must hold no mutex: a goroutine that waits for that
// is not durably blocked, and a synctest bubble freezes.
func (n *Net) Gate(name string) {
	if !n.controlled.Load() {
		return
	}
	n.gated.Store(true)
	full := "gate " + name
	e := &Event{Kind: Gate, Addr: full[len("gate "):], name: full, net: n, open: make(chan struct{})}
	n.post(e)
	<-e.open
}

// reconsider asks the rules again about everything pending, unless a driver
// decides when that happens.
func (n *Net) reconsider() {
	for {
		n.mu.Lock()
		if n.wake != nil {
			n.mu.Unlock()
			return
		}
		n.collect()
		pending := slices.Clone(n.pending)
		n.setControlled()
		n.mu.Unlock()
		i := slices.IndexFunc(pending, func(e *Event) bool { return !n.Verdict(e).IsHold() })
		if i < 0 {
			return
		}
		n.Apply(pending[i], n.Verdict(pending[i]))
	}
}

// withdraw forgets an event that is void. It is called with the mutex of the
// event's connection held.
func (n *Net) withdraw(e *Event) {
	n.mu.Lock()
	defer n.mu.Unlock()
	same := func(f *Event) bool { return f == e }
	n.pending = slices.DeleteFunc(n.pending, same)
	n.arrivals = slices.DeleteFunc(n.arrivals, same)
	n.cancelDelay(e)
}

// Record switches the list of what happened on or off.
func (n *Net) Record(on bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.recording = on
	n.setControlled()
}

// Events drains the list of what happened since the last call. See Record.
func (n *Net) Events() []Record {
	n.mu.Lock()
	defer n.mu.Unlock()
	r := n.record
	n.record = nil
	return r
}

func (n *Net) log(e *Event, outcome string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.note(e, outcome)
}

// note does what log does. It is called with mu held.
func (n *Net) note(e *Event, outcome string) {
	if n.recording {
		n.record = append(n.record, Record{n.clock().Now(), e.String(), outcome})
	}
}

func (n *Net) forget(l *link) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.links, l)
	n.remove(func(r *installed) bool { return r.paces != nil && r.paces.link == l })
}

// Conns returns the client ends of all connections that are not wholly gone: those
// with an end that was not closed, or with something on its way. They are in
// the order in which they opened.
func (n *Net) Conns() []*Conn {
	n.mu.Lock()
	defer n.mu.Unlock()
	conns := make([]*Conn, 0, len(n.links))
	for l := range n.links {
		conns = append(conns, &l.end[Client])
	}
	slices.SortFunc(conns, func(a, b *Conn) int { return cmp.Compare(a.link.number, b.link.number) })
	return conns
}

// Opened returns how many connections have been opened so far.
func (n *Net) Opened() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.numLinks
}

// Deadlines returns the deadlines of the ends and sockets that are open, past ones too, in the
// order of the connections.
func (n *Net) Deadlines() (at []time.Time) {
	if !n.deadlines.Load() {
		return nil
	}
	add := func(read, write time.Time) {
		for _, d := range [...]time.Time{read, write} {
			if !d.IsZero() {
				at = append(at, d)
			}
		}
	}
	for _, c := range n.Conns() {
		add(c.Deadlines())
		add(c.Peer().Deadlines())
	}
	for _, c := range n.PacketConns() {
		add(c.Deadlines())
	}
	return at
}

// Close ends the network: every listener is closed, every dial that waits
// fails, every connection is closed on both sides. Nothing blocks on it any
// more.
func (n *Net) Close() error {
	n.mu.Lock()
	listeners := n.listenersWith(func(*listener) bool { return true })
	n.collect()
	pending := append(n.pending, n.faults.late...)
	n.pending = nil
	for _, e := range n.faults.late {
		e.late.timer.Stop()
	}
	n.rules, n.faults = nil, faultState{} // nothing blocks any more
	n.setControlled()
	n.mu.Unlock()
	n.unblock()
	for _, l := range listeners {
		l.Close()
	}
	for _, e := range pending {
		switch e.Kind {
		case Dial:
			n.finishDial(e, Refuse)
		case Gate:
			close(e.open)
		}
	}
	for _, c := range n.PacketConns() {
		c.Close()
	}
	for _, c := range n.Conns() {
		c.link.vanish()
		c.Close()
		c.Peer().Close()
	}
	return nil
}
