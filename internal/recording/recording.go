package recording

import (
	"time"
)

// Recording has the dials and connections of a program, with the times of what happened to them.
type Recording struct {
	// Length is the time from the first event to the end.
	Length time.Duration
	// Dials is those that failed, or were in flight at the end.
	Dials []*Dial
	// Conns is in the order of opening.
	Conns []*Conn
	// Seen is how many connections there were, with those that were not kept.
	Seen int
	// Lost is how many events were dropped before the recording was written.
	Lost int64
	// Captured says that it was made of packets, which do not show whether a program reads.
	Captured bool
}

// Never is the time of what did not happen.
const Never time.Duration = -1

// Dial is a dial that opened no connection.
type Dial struct {
	Name, Address string
	At, End       time.Duration // End is Never for one in flight
	Why           string        // a reason of a trace ("refused"), or "" for one in flight
	Text          string        // the error
}

// State names the call of the program on an open connection at the end.
type State string

// The states. Of connections in a capture it is Unknown.
const (
	Unknown State = ""
	Reading State = "reading"
	Writing State = "writing"
	Neither State = "open"
)

// Conn is one connection.
type Conn struct {
	Name, Address string
	Remote        string // of the other end, or ""
	Accepted      bool   // the program is the server
	Dialed        time.Duration
	Opened        time.Duration
	Protocol      string // "http/1", "http/2", "tls", or ""
	Began         bool   // it was opened before the recording
	Lost          bool   // events of it were dropped

	// Exchanges is the last ones, each of what a client sent and what came back.
	Exchanges []*Exchange
	// Earlier is how many exchanges were before these.
	Earlier int

	ServerFin, ClientFin time.Duration // Never if there was none
	Reset                time.Duration
	ResetByClient        bool
	Last                 time.Duration // of the last event
	Done                 bool          // the program has closed it
	State                State

	// Reused is how long it was idle, at most, before it was used again.
	Reused time.Duration
}

// Exchange has the sizes and times of a request and its answer.
type Exchange struct {
	At, Answered, Ended time.Duration // the first byte, the first of the answer, and its last one; Never if there is none
	Sent, Got           int64
	Method, Path, Host  string // of HTTP/1, if its head is there
	Status              int    // of HTTP/1, or 0

	length    int64 // of the answer's body: -1 if its head does not say, noHead if there is none
	head      int64 // bytes of the answer's heads
	askedHead int64 // bytes of the request's head, if all of it is there
	asked     headReader
	answer    headReader
}

// Known reports whether the head of the request is known.
func (x *Exchange) Known() bool { return x.Method != "" }

// Body returns how many bytes of a body have come, and reports whether that is known.
func (x *Exchange) Body() (n int64, known bool) {
	if x.length == noHead {
		return x.Got, false
	}
	return max(0, x.Got-x.head), true
}

// Cut reports whether bytes of the answer are missing, as far as its head says so.
func (x *Exchange) Cut() bool { return x.length >= 0 && x.Got < x.head+x.length }

// Empty reports whether the answer has no body for sure.
func (x *Exchange) Empty() bool { return x.length == 0 }

// Open reports whether the program has not closed the connection, nor seen it reset.
func (c *Conn) Open() bool {
	own := c.ClientFin
	if c.Accepted {
		own = c.ServerFin
	}
	return own == Never && c.Reset == Never && !c.Done
}

// Final returns the last exchange, or nil.
func (c *Conn) Final() *Exchange {
	if len(c.Exchanges) == 0 {
		return nil
	}
	return c.Exchanges[len(c.Exchanges)-1]
}

// What is kept.
const (
	mostExchanges = 4
	mostConns     = 10_000
	mostDials     = 10_000
	mostNames     = 500_000 // of open connections, in a trace
)

// NewConn adds a connection. Beyond a limit it makes room for it: it drops what ended as
// connections do.
func (r *Recording) NewConn(c *Conn) *Conn {
	c.ServerFin, c.ClientFin, c.Reset = Never, Never, Never
	r.Seen++
	r.Conns = append(r.Conns, c)
	if len(r.Conns) >= 2*mostConns {
		r.trim()
	}
	return c
}

// NewDial adds a dial that has opened nothing.
func (r *Recording) NewDial(d *Dial) {
	r.Dials = append(r.Dials, d)
	if len(r.Dials) >= 2*mostDials {
		r.Dials = append(r.Dials[:0], r.Dials[len(r.Dials)-mostDials:]...)
	}
}

// trim keeps the open connections, up to a limit, and of the others the last ones.
func (r *Recording) trim() {
	closed := 0
	for _, c := range r.Conns {
		if !c.Open() {
			closed++
		}
	}
	excess := len(r.Conns) - mostConns
	dropClosed := min(closed, excess)
	dropOpen := excess - dropClosed
	kept := r.Conns[:0]
	for _, c := range r.Conns {
		switch {
		case !c.Open() && dropClosed > 0:
			dropClosed--
		case c.Open() && dropOpen > 0:
			dropOpen--
		default:
			kept = append(kept, c)
		}
	}
	clear(r.Conns[len(kept):])
	r.Conns = kept
}

// Bytes notes bytes of either side. data is the first of them, or nothing.
func (c *Conn) Bytes(at time.Duration, fromClient bool, n int64, data string) {
	c.Last = max(c.Last, at)
	x := c.Final()
	if fromClient {
		if x == nil || x.Answered != Never && !x.continues(data) {
			if x != nil {
				c.Reused = max(c.Reused, at-x.Ended)
			}
			x = c.newExchange(at)
		}
		x.Sent += n
		x.ask(data)
		return
	}
	if x == nil {
		return // a server that speaks first, or what came before the recording
	}
	if x.Answered == Never {
		x.Answered = at
	}
	x.Ended = at
	x.Got += n
	x.take(data)
}

func (c *Conn) newExchange(at time.Duration) *Exchange {
	c.Final().forgetHeads()
	var x *Exchange
	if len(c.Exchanges) == mostExchanges {
		x = c.Exchanges[0] // it is forgotten
		copy(c.Exchanges, c.Exchanges[1:])
		c.Exchanges = c.Exchanges[:mostExchanges-1]
		c.Earlier++
	} else {
		x = new(Exchange)
	}
	*x = Exchange{At: at, Answered: Never, Ended: Never, length: noHead}
	c.Exchanges = append(c.Exchanges, x)
	return x
}

// forgetHeads frees what was gathered of heads that did not come to an end.
func (x *Exchange) forgetHeads() {
	if x != nil {
		x.asked, x.answer = headReader{over: true}, headReader{over: true}
	}
}

// Close notes that the program has closed the connection.
func (c *Conn) Close() {
	c.Done = true
	c.Final().forgetHeads()
}

// Unwritten takes back bytes that could not be written.
func (c *Conn) Unwritten(n int64) {
	if x := c.Final(); x != nil && !c.Accepted {
		x.Sent = max(0, x.Sent-n)
	}
}

// Fin notes that a side sends nothing more.
func (c *Conn) Fin(at time.Duration, fromClient bool) {
	c.Last = max(c.Last, at)
	switch {
	case fromClient && c.ClientFin == Never:
		c.ClientFin = at
	case !fromClient && c.ServerFin == Never:
		c.ServerFin = at
	}
}

// Rst notes a reset by a side.
func (c *Conn) Rst(at time.Duration, fromClient bool) {
	c.Last = max(c.Last, at)
	if c.Reset == Never {
		c.Reset, c.ResetByClient = at, fromClient
	}
}
