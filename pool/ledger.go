package pool

import (
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"
)

// State says what a connection is doing.
type State uint8

// The states of a connection.
const (
	Dialing  State = iota // being made
	Active                // held by a request, until its response's body ends
	Draining              // the body was closed before its end, and the rest is read away
	Idle                  // held by the pool
	Upgraded              // handed over and not closed yet
)

var stateNames = [...]string{"dialing", "active", "draining", "idle", "upgraded"}

// String returns the state in a word.
func (s State) String() string {
	if int(s) < len(stateNames) {
		return stateNames[s]
	}
	return fmt.Sprintf("State(%d)", uint8(s))
}

// An Entry says which request holds a connection, and since when.
type Entry struct {
	ID     uint64 // counts dials from 1; the connection keeps its dial's
	Host   string // as in HostStats
	State  State
	Since  time.Time // when it came to that state, or to that holder
	Opened time.Time // when the dial was done; zero before
	Holder string    // method and URL of the request; empty: the pool
	Served int       // requests that it was given to
	Proto  string    // as ALPN calls it, "http/1.1" or "h2"; empty before it is known
	Local  net.Addr  // nil before it is known
	Remote net.Addr
}

// A Ledger is every connection of a Transport, and every dial, in the order in
// which they were begun.
type Ledger []Entry

// Ledger takes a snapshot.
func (t *Transport) Ledger() Ledger {
	t.mu.Lock()
	defer t.mu.Unlock()
	var l Ledger
	for _, h := range t.hosts { // in any order: it is sorted below
		for d := range h.dials.all {
			l = append(l, d.entry())
		}
		for pc := range h.conns.all {
			l = append(l, pc.entry())
		}
	}
	sortByID(l, func(e Entry) uint64 { return e.ID })
	return l
}

func (d *dial) entry() Entry {
	e := Entry{ID: d.id, Host: d.want.host.label, State: Dialing, Since: d.since}
	if !d.want.over {
		e.Holder = holderName(d.want.attempt.req)
	}
	return e
}

// entry describes pc. Transport.mu must be held: it keeps the holder's request
// from being over, and changed, meanwhile.
func (pc *persistConn) entry() Entry {
	e := Entry{
		ID: pc.id, Host: pc.host.label, State: pc.state, Since: pc.since,
		Opened: pc.opened, Served: pc.served, Proto: "http/1.1",
		Local: pc.local, Remote: pc.remote,
	}
	switch {
	case pc.shared != nil:
		e.Proto = pc.shared.proto
		e.Holder = pc.shared.holders()
	case pc.holder != nil:
		e.Holder = holderName(pc.holder)
	}
	return e
}

// clearHolder forgets that req holds pc: its caller may change it from now on.
func (t *Transport) clearHolder(pc *persistConn, req *http.Request) {
	t.mu.Lock()
	if pc.holder == req {
		pc.holder = nil
	}
	t.mu.Unlock()
}

func holderName(req *http.Request) string {
	method := req.Method
	if method == "" {
		method = "GET"
	}
	return method + " " + req.URL.Redacted()
}

// String returns a table with a line for each entry. It shows no times, so that it
// is the same in each run of the same events.
func (l Ledger) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%4s  %-8s  %6s  %-30s  %s\n", "id", "state", "served", "host", "holder")
	for _, e := range l {
		holder := e.Holder
		if holder == "" {
			holder = "-"
		}
		fmt.Fprintf(&b, "%4d  %-8s  %6d  %-30s  %s\n", e.ID, e.State, e.Served, e.Host, holder)
	}
	return b.String()
}
