package harness

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/halfopen/halfopen/faultnet"
)

// DeclareAside says which connections of the code under test are not its pool's own: a
// request to cancel of PostgreSQL, a connection that all share beside a pool, a monitor.
// No limit counts them, and none of them is idle. They have faults, and are left behind, as any other.
//
// is is asked about each dial, with its owner (see [faultnet.WithOwner]) and no bytes; if it
// says no, about the connection again, with the first bytes that the client sends. A
// connection that has said nothing yet, and a dial, are not counted before that is known; if
// they belonged to the pool the limit was exceeded when they were there, and the
// run fails then. One that never says anything is never counted.
func (t *T) DeclareAside(is func(owner string, first []byte) bool) {
	t.oracles.aside = &aside{is: is, own: make(map[*faultnet.Conn]bool)}
	t.lacks("DeclareAside")
}

// Asides returns the connections that are known to be aside so far, open or closed, in the
// order in which they opened.
func (t *T) Asides() []*Conn {
	t.settle()
	a := t.oracles.aside
	if a == nil {
		return nil
	}
	var conns []*Conn
	for c, own := range a.own {
		if !own {
			conns = append(conns, t.census.conn(c))
		}
	}
	slices.SortFunc(conns, func(a, b *Conn) int { return cmp.Compare(a.client.Number(), b.client.Number()) })
	return conns
}

// aside knows which connections are the pool's own. Only the driver uses it while things
// move.
type aside struct {
	is     func(owner string, first []byte) bool
	own    map[*faultnet.Conn]bool // by the client's end: of those whose first bytes were seen, or whose owner says it
	crowds []crowd                 // those in which too few are known
}

// member counts against a limit: a dial or a connection.
type member struct {
	dial *faultnet.Event
	conn *faultnet.Conn
}

// crowd has more members than the limit.
type crowd struct {
	addr, where string
	limit       int
	members     []member
}

// text says what is wrong with a crowd.
func (c crowd) text() string {
	return fmt.Sprintf("%s: more connections and dials than the limit, which is %d", c.addr, c.limit)
}

// learn looks at the first bytes of connections.
func (a *aside) learn(pending []*faultnet.Event, conns []*faultnet.Conn) {
	for _, c := range conns {
		if _, known := a.own[c]; !known && a.is(c.Owner(), nil) {
			a.own[c] = false
		}
	}
	for _, e := range pending {
		if e.Kind != faultnet.Data || e.From.Side() != faultnet.Client {
			continue
		}
		if _, known := a.own[e.From]; !known {
			a.own[e.From] = !a.is(e.From.Owner(), e.Bytes())
		}
	}
}

// skips reports whether a member is known to be aside.
func (a *aside) skips(m member) bool {
	if a == nil {
		return false
	}
	own, known := a.own[m.conn]
	return known && !own
}

// add keeps a crowd, unless it is the one that was there before.
func (a *aside) add(c crowd) {
	if n := len(a.crowds); n == 0 || a.crowds[n-1].addr != c.addr || !slices.Equal(a.crowds[n-1].members, c.members) {
		a.crowds = append(a.crowds, c)
	}
}

// exceeded returns the crowds of which more than the limit are the pool's own.
func (a *aside) exceeded() (found []crowd) {
	a.crowds = slices.DeleteFunc(a.crowds, func(c crowd) bool {
		own, open := 0, 0
		for _, m := range c.members {
			conn := m.conn
			if conn == nil {
				conn = m.dial.Opened()
			}
			if is, known := a.own[conn]; is {
				own++
			} else if !known {
				open++
			}
		}
		if own > c.limit {
			found = append(found, c)
		}
		return own > c.limit || own+open <= c.limit
	})
	return found
}
