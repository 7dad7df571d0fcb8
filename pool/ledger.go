package pool

import (
	"fmt"
	"net"
	"net/http"
	"runtime"
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

// MarshalText returns the state in a word.
func (s State) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

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
	Local  net.Addr  // nil before it is known, and if the connection has none
	Remote net.Addr
}

// A Ledger is every connection of a Transport, and every dial, in the order in
// which they were begun.
type Ledger []Entry

// Ledger takes a snapshot.
func (t *Transport) Ledger() Ledger {
	var l, dials Ledger
	var conns []net.Conn // of the entries in l
	t.mu.Lock()
	for _, h := range t.hosts { // in any order: it is sorted below
		for pc := range h.conns.all {
			l, conns = append(l, pc.entry()), append(conns, pc.conn)
		}
		for d := range h.dials.all {
			dials = append(dials, d.entry())
		}
	}
	t.mu.Unlock()
	for i, conn := range conns {
		l[i].Local, l[i].Remote = addresses(conn)
	}
	l = append(l, dials...)
	sortByID(l, func(e Entry) uint64 { return e.ID })
	return l
}

func (d *dial) entry() Entry {
	e := Entry{ID: d.id, Host: d.want.host.label, State: Dialing, Since: d.since}
	if !d.want.over {
		e.Holder = holderName(d.want.attempt.caller)
	}
	return e
}

// entry describes pc, but for its addresses. Transport.mu must be held: it keeps the holder's request
// from being over, and changed, meanwhile.
func (pc *persistConn) entry() Entry {
	e := Entry{
		ID: pc.id, Host: pc.host.label, State: pc.state, Since: pc.since,
		Opened: pc.opened, Served: pc.served, Proto: "http/1.1",
	}
	switch {
	case pc.shared != nil:
		e.Proto = pc.shared.proto
		e.Holder = pc.shared.holders()
	case pc.holder != nil:
		e.Holder = holderName(pc.holder.caller)
	}
	return e
}

// addresses returns those of the two ends of a connection, without a lock: it is a
// dialer's, and need not have any. net/http does not ask for them.
func addresses(conn net.Conn) (local, remote net.Addr) {
	return address(conn.LocalAddr), address(conn.RemoteAddr)
}

// address returns nil also for a connection that leaves out the method by embedding a
// nil net.Conn.
func address(of func() net.Addr) net.Addr {
	defer func() {
		r := recover()
		if _, missing := r.(runtime.Error); r != nil && !missing {
			panic(r)
		}
	}()
	return of()
}

// clearHolder forgets that the request of an attempt holds pc: its caller may change it
// from now on.
func (t *Transport) clearHolder(pc *persistConn, a *attempt) {
	t.mu.Lock()
	if pc.holder == a {
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
