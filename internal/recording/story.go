package recording

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// fate is how a request ended.
type fate int

const (
	answered    fate = iota
	forgotten        // its body was not read to its end, and its connection is still open
	hung             // it has no answer, and its connection is still open
	cancelled        // the client closed before the answer
	reset            // the server reset the connection
	cut              // the server closed in the middle of the answer
	dialFailed       // no connection
	dialPending      // a dial was in flight at the end
)

// request is one request of a recording, with what the script needs of it.
type request struct {
	fate    fate
	at, end time.Duration
	address string
	conn    *Conn     // nil for a dial that opened nothing
	x       *Exchange // nil for such a dial
	dial    *Dial
	why     string // for what is concluded, and not seen
	stays   bool   // it was so for long enough at the end to be a leak
	name    string // r1
}

// closing is a connection that its server closed while it was idle.
type closing struct {
	at, idle time.Duration
	conn     *Conn
	reset    bool
}

// story is the requests of a recording, in the order of their starts.
type story struct {
	rec      *Recording
	set      Settings
	requests []*request
	closings []closing
	dials    map[string][]time.Duration // the starts of dials, by address, in order
	earlier  int
}

// Settings says how a script is made of a recording.
type Settings struct {
	// Name is that of the file.
	Name string
	// Addresses is those whose connections are wanted; none means all.
	Addresses []string
	// Transport is the settings of the transport: "MaxConnsPerHost=2".
	Transport []string
	// LeakAfter is for how long something must have been left at the end to be a leak.
	LeakAfter time.Duration
	// Most is how many requests the script has at most.
	Most int
}

func (r *Recording) story(set Settings) *story {
	s := &story{rec: r, set: set, dials: make(map[string][]time.Duration)}
	wanted := func(address string) bool { return len(set.Addresses) == 0 || slices.Contains(set.Addresses, address) }
	for _, c := range r.Conns {
		if wanted(c.Address) {
			s.dials[c.Address] = append(s.dials[c.Address], c.Dialed)
		}
	}
	for _, d := range r.Dials {
		if wanted(d.Address) {
			s.dials[d.Address] = append(s.dials[d.Address], d.At)
			s.addDial(d)
		}
	}
	for _, starts := range s.dials { // in any order: each is sorted by itself
		slices.Sort(starts)
	}
	for _, c := range r.Conns {
		if wanted(c.Address) {
			s.addConn(c)
		}
	}
	slices.SortStableFunc(s.requests, func(a, b *request) int { return cmp.Compare(a.at, b.at) })
	slices.SortStableFunc(s.closings, func(a, b closing) int { return cmp.Compare(a.at, b.at) })
	return s
}

func (s *story) addDial(d *Dial) {
	q := &request{fate: dialFailed, at: d.At, end: d.End, address: d.Address, dial: d}
	if d.End == Never {
		q.fate, q.end = dialPending, s.rec.Length
		q.stays = s.rec.Length-d.At >= s.set.LeakAfter
	}
	s.requests = append(s.requests, q)
}

func (s *story) addConn(c *Conn) {
	s.earlier += c.Earlier
	exchanges := c.Exchanges
	if c.Protocol == "tls" && c.Earlier == 0 && !c.Began && len(exchanges) > 0 && !exchanges[0].Known() {
		exchanges = exchanges[1:] // its handshake
	}
	for i, x := range exchanges {
		q := &request{at: x.At, end: max(x.At, x.Ended), address: c.Address, conn: c, x: x}
		if i == len(exchanges)-1 {
			s.end(q)
		}
		s.requests = append(s.requests, q)
	}
	if len(exchanges) == 0 {
		return
	}
	x := exchanges[len(exchanges)-1]
	idle := x.Answered != Never && !x.Cut()
	switch {
	case idle && c.ServerFin != Never && (c.ClientFin == Never || c.ServerFin <= c.ClientFin) && c.ServerFin > x.Ended && !c.Accepted:
		s.closings = append(s.closings, closing{at: c.ServerFin, idle: c.ServerFin - x.Ended, conn: c})
	case idle && c.Reset != Never && !c.ResetByClient && !c.Accepted:
		s.closings = append(s.closings, closing{at: c.Reset, idle: c.Reset - x.Ended, conn: c, reset: true})
	}
}

// end says how the last request of a connection ended.
func (s *story) end(q *request) {
	c, x := q.conn, q.x
	quiet := s.rec.Length - c.Last
	complete := x.Answered != Never && !x.Cut()
	serverFirst := c.ServerFin != Never && (c.ClientFin == Never || c.ServerFin <= c.ClientFin)
	switch {
	case complete && !c.Accepted:
		s.mayBeForgotten(q)
	case complete:
	case c.Reset != Never && !c.ResetByClient:
		q.fate, q.end = reset, c.Reset
	case serverFirst && !c.Accepted:
		q.fate, q.end = cut, c.ServerFin
	case !c.Open() || c.Reset != Never || c.ClientFin != Never:
		q.fate, q.end = cancelled, c.Last
		if x.Answered != Never {
			q.fate = answered
			q.why = "the client closed before the end of the answer"
		}
	case x.Answered == Never:
		q.fate, q.end, q.stays = hung, s.rec.Length, quiet >= s.set.LeakAfter
	case c.State == Neither || s.rec.Captured:
		s.mayBeForgotten(q)
		if q.fate == answered && quiet >= s.set.LeakAfter && (c.State == Neither || c.ServerFin != Never) {
			q.fate, q.stays, q.why = forgotten, true, "bytes of the answer were never read"
		}
	}
}

// mayBeForgotten finds out whether the body of a request that is answered was left: its
// connection is open, and the client does not do with it what it does with an idle one.
func (s *story) mayBeForgotten(q *request) {
	c, x := q.conn, q.x
	http1 := c.Protocol == "http/1" || x.Known() || c.Protocol == "tls" && strings.HasSuffix(c.Address, ":443")
	if !c.Open() || x.Empty() || !http1 || s.rec.Length-c.Last < s.set.LeakAfter {
		return
	}
	switch {
	case c.State == Neither:
		q.why = "nothing reads from the connection, and net/http reads from one that is idle"
	case c.State != Unknown:
		return
	case c.ServerFin != Never:
		q.why = fmt.Sprintf("its server closed it after %s, and the client has not for %s", seconds(c.ServerFin-x.Ended), seconds(s.rec.Length-c.ServerFin))
	default:
		starts := s.dials[c.Address]
		i, _ := slices.BinarySearch(starts, c.Last+s.set.LeakAfter)
		if i == len(starts) {
			return
		}
		q.why = fmt.Sprintf("a guess: it was not used again, and later %s to this address opened", countText(len(starts)-i, "connection"))
	}
	q.fate, q.stays = forgotten, true
}

// notable reports whether a request is one that a person looks for.
func (q *request) notable() bool {
	return q.fate != answered || q.x.Answered != Never && q.x.Answered-q.x.At >= longWait
}

// longWait is how long an answer takes that is slow.
const longWait = 100 * time.Millisecond

// kind returns what requests have in common that are alike.
func (q *request) kind() string {
	what := ""
	if q.x != nil && q.x.Known() {
		path, _, _ := strings.Cut(q.x.Path, "?")
		what = fmt.Sprintf(" %s %s", q.x.Method, path)
	}
	if q.x != nil && q.x.Status != 0 {
		what += fmt.Sprintf(" answered %d", q.x.Status)
	}
	return q.address + what
}

// choose keeps at most so many requests: of each kind a few, those first that are notable, and the
// earliest. It returns how many it has left out.
func (s *story) choose() (left int) {
	if len(s.requests) <= s.set.Most {
		return 0
	}
	chosen := make(map[*request]bool)
	seen := make(map[string]int)
	for _, round := range []struct {
		notable bool
		alike   int
	}{{true, 3}, {false, 2}, {true, s.set.Most}, {false, s.set.Most}} {
		for _, q := range s.requests {
			kind := fmt.Sprint(q.fate, q.kind())
			if len(chosen) < s.set.Most && !chosen[q] && q.notable() == round.notable && seen[kind] < round.alike {
				chosen[q] = true
				seen[kind]++
			}
		}
	}
	left = len(s.requests) - len(chosen)
	s.requests = slices.DeleteFunc(s.requests, func(q *request) bool { return !chosen[q] })
	used := make(map[*Conn]bool)
	for _, q := range s.requests {
		used[q.conn] = true
	}
	s.closings = slices.DeleteFunc(s.closings, func(e closing) bool { return !used[e.conn] })
	return left
}

// seconds returns a time as a person reads it: to the millisecond, or more precisely if it is short.
func seconds(d time.Duration) string {
	if d >= 10*time.Millisecond {
		return d.Round(time.Millisecond).String()
	}
	return d.Round(time.Microsecond).String()
}

// countText returns a number of things: "1 connection", "2 connections".
func countText(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
