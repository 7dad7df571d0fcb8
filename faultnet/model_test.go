package faultnet_test

import (
	"fmt"
	"slices"
	"strings"
)

// model describes a connection without time, locks or goroutines: two ends,
// and for each what is on its way to it. FuzzConn holds faultnet against it.
type model struct {
	ends             [2]modelEnd
	driven           bool // nothing arrives before it is released
	lost             bool // nothing arrives any more
	window, capacity int
	now              int // seconds
}

type modelEnd struct {
	m    *model
	peer *modelEnd

	queue   []byte // sent to this end and not read
	arrived int    // how much of that is here
	void    int    // how much was sent and is read by no call
	fin     int    // 1 when it was sent to this end, 2 when it is here
	rst     int

	closed, readShut, writeShut, dead, lingerZero bool

	err                         string
	readDeadline, writeDeadline *int
	read, write                 *modelCall // in progress
}

// modelCall is a Read or a Write. Its result is "" while it is blocked.
type modelCall struct {
	name   string
	size   int    // of a Read
	rest   []byte // of a Write: what it has not sent
	sent   int
	result string
}

func newModel(driven bool, send, receive int) *model {
	m := &model{driven: driven, window: receive, capacity: send + receive}
	for i := range m.ends {
		m.ends[i].m, m.ends[i].peer = m, &m.ends[1-i]
	}
	return m
}

// settle lets everything happen that can, what arrives before what is called,
// and returns the calls that ended.
func (m *model) settle() (ended []*modelCall) {
	for {
		again := false
		for i := range m.ends {
			if e := &m.ends[i]; !m.driven && e.head() != "" {
				e.arrive()
				again = true
			}
		}
		for i := 0; i < 2*len(m.ends) && !again; i++ {
			e := &m.ends[i/2]
			call, try := &e.read, e.tryRead
			if i%2 == 1 {
				call, try = &e.write, e.tryWrite
			}
			if *call != nil && try() {
				again = true
				if (*call).result != "" {
					ended = append(ended, *call)
					*call = nil
				}
			}
		}
		if !again {
			return ended
		}
	}
}

// head returns the name of what arrives next at the end, or "".
func (e *modelEnd) head() string {
	flying := len(e.queue) > e.arrived
	switch {
	case e.m.lost:
		return ""
	case flying && (e.closed || e.arrived < e.m.window):
		return "data"
	case e.fin == 1 && !flying:
		return "fin"
	case e.rst == 1:
		return "rst"
	}
	return ""
}

// arrive makes the head arrive.
func (e *modelEnd) arrive() {
	switch e.head() {
	case "data":
		switch {
		case e.dead: // a reset is on its way
			e.discard()
		case e.closed: // no program takes it
			e.reset()
		case e.readShut && e.writeShut: // RFC 1122 section 4.2.2.13
			e.report()
			e.reset()
		default:
			e.arrived = min(len(e.queue), e.m.window)
		}
	case "fin":
		e.fin = 2
	case "rst":
		e.takeReset()
	}
}

// reset sends a reset, and the end is no connection any more.
func (e *modelEnd) reset() {
	if !e.dead {
		e.dead, e.peer.rst = true, 1
		e.discard()
		if e.m.window < len(e.peer.queue) { // the rest was never sent
			e.peer.queue = e.peer.queue[:e.m.window]
			e.peer.fin &^= 1
		}
	}
}

// discard drops what no call will read. It fills the peer's buffer all the same.
func (e *modelEnd) discard() {
	if e.closed {
		e.arrived = 0
	}
	e.void += len(e.queue) - e.arrived
	e.queue = e.queue[:e.arrived]
}

// takeReset lets a reset arrive: both queues lose what was in flight.
func (e *modelEnd) takeReset() {
	e.report()
	e.dead, e.rst = true, 2
	for _, f := range []*modelEnd{e, e.peer} {
		f.discard()
		f.void = 0
		f.fin &^= 1
	}
	e.peer.rst &^= 1
}

func (e *modelEnd) report() {
	if e.dead || e.closed {
		return
	}
	e.err = "ECONNRESET"
	if e.fin == 2 && !e.writeShut {
		e.err = "EPIPE"
	}
}

func (e *modelEnd) gone() bool {
	return e.dead || e.writeShut && e.fin == 2 && e.peer.fin == 2
}

func (e *modelEnd) state() string {
	if e.gone() {
		return "CLOSED"
	}
	return [...]string{"ESTABLISHED", "CLOSE_WAIT", "FIN_WAIT1", "LAST_ACK", "FIN_WAIT2"}[e.stateIndex()]
}

func (e *modelEnd) stateIndex() int {
	switch {
	case !e.writeShut:
		return e.fin / 2
	case e.fin == 2:
		return 3
	case e.peer.fin == 2:
		return 4
	}
	return 2
}

func (e *modelEnd) passed(deadline *int) bool { return deadline != nil && *deadline <= e.m.now }

func (e *modelEnd) takeErr() string {
	err := e.err
	e.err = ""
	return err
}

// tryRead and tryWrite report whether anything happened.
func (e *modelEnd) tryRead() bool {
	c := e.read
	switch {
	case e.closed:
		c.result = "0 closed"
	case c.size == 0:
		c.result = "0 nil"
	case e.passed(e.readDeadline):
		c.result = "0 timeout"
	case e.arrived > 0:
		n := min(c.size, e.arrived)
		c.result = fmt.Sprintf("%d %x nil", n, e.queue[:n])
		e.queue, e.arrived = e.queue[n:], e.arrived-n
	case e.fin == 2:
		c.result = "0 EOF"
	case e.err != "" && e.write == nil: // else the blocked write gets it
		c.result = "0 " + e.takeErr()
	case e.dead, e.readShut:
		c.result = "0 EOF"
	default:
		return false
	}
	return true
}

func (e *modelEnd) tryWrite() bool {
	c := e.write
	err := ""
	switch {
	case e.closed:
		err = "closed"
	case e.passed(e.writeDeadline):
		err = "timeout"
	case e.err != "":
		err = e.takeErr()
	case e.dead, e.writeShut:
		err = "EPIPE"
	}
	n := 0
	if err == "" {
		n = min(len(c.rest), e.m.capacity-len(e.peer.queue)-e.peer.void)
		e.peer.queue = append(slices.Clip(e.peer.queue), c.rest[:n]...)
		c.rest, c.sent = c.rest[n:], c.sent+n
		if len(c.rest) == 0 {
			err = "nil"
		}
	}
	if err != "" {
		c.result = fmt.Sprintf("%d %s", c.sent, err)
	}
	return n > 0 || err != ""
}

// The calls that never block. Each returns its error.

func (e *modelEnd) close(reset bool) string {
	if e.closed {
		return "closed"
	}
	e.lingerZero = e.lingerZero || reset
	e.closed = true
	switch {
	case e.gone():
	case e.arrived > 0, e.lingerZero && !(e.writeShut && e.fin == 2):
		e.reset()
	default:
		e.sendFin()
	}
	return "nil"
}

func (e *modelEnd) shut(read bool) string {
	switch {
	case e.closed:
		return "closed"
	case e.gone():
		return "ENOTCONN"
	case read:
		e.readShut = true
	default:
		e.sendFin()
	}
	return "nil"
}

func (e *modelEnd) sendFin() {
	if !e.writeShut {
		e.writeShut, e.peer.fin = true, 1
	}
}

func (e *modelEnd) set(do func()) string {
	if e.closed {
		return "closed"
	}
	do()
	return "nil"
}

// String describes all that can be seen from outside.
func (m *model) String() string {
	var b strings.Builder
	for i := range m.ends {
		e := &m.ends[i]
		fmt.Fprintf(&b, " %s %d+%d", e.state(), len(e.queue)-e.arrived, e.arrived)
		if m.driven {
			b.WriteString(e.head())
		}
	}
	return b.String()
}
