package harness

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"

	"github.com/halfopen/halfopen/faultnet"
)

// Dial is a dial that the test has in its hand.
type Dial struct {
	n    *Net
	e    *faultnet.Event
	done bool
}

// DialContext is [faultnet.Net.DialContext]; the connection has the gates that
// the test wants. The networks of datagrams are those of DialPacket.
func (n *Net) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	if !n.t.set.silent && !n.census.unfinished() {
		n.t.lacks("a dial for no request")
	}
	if strings.HasPrefix(network, "udp") {
		return n.DialPacket(network, address)
	}
	i := n.census.dialing(address, faultnet.Owner(ctx))
	c, err := n.net.DialContext(ctx, network, address)
	n.census.dialEnds(i, c, err)
	stream, ok := c.(*faultnet.Conn)
	if !ok || !n.gated("Write", "Close", "SetDeadline") {
		return c, err
	}
	return &gatedConn{stream, n}, nil
}

// WantDial expects a held dial that the test has not seen yet, and takes it.
// Hold dials first.
func (n *Net) WantDial(why ...string) *Dial {
	n.t.step("want", "dial")
	n.t.settle()
	d := n.nextDial()
	if d == nil {
		text := "no dial is held"
		if !n.holdsDials() {
			text += ": dials go through by themselves until the test says Hold(\"dial\")"
		}
		n.t.fatal(KindWant, "got no dial, want one: "+text, why...)
	}
	setKey(&n.examined, d.ID(), d)
	return d
}

// WantNoDial expects that no dial is held that the test has not seen.
func (n *Net) WantNoDial(why ...string) {
	n.t.step("!", "want", "dial")
	n.t.settle()
	if d := n.nextDial(); d != nil {
		n.t.fatal(KindWant, fmt.Sprintf("got %s, want no dial", d.describe()), why...)
	}
}

func (n *Net) nextDial() *Dial {
	for _, e := range n.Pending() {
		if e.Kind == faultnet.Dial && n.examined[e.DialID()] == nil {
			return &Dial{n: n, e: e}
		}
	}
	return nil
}

func (n *Net) holdsDials() bool {
	for _, f := range n.rules {
		if first, _, _ := strings.Cut(f.pattern, " "); f.holds && (first == "dial" || first == "*") {
			return true
		}
	}
	return false
}

// ID returns the dial's name, "d1" for the first.
func (d *Dial) ID() string { return d.e.DialID() }

// Addr returns the address that was asked for.
func (d *Dial) Addr() string { return d.e.Addr }

// For returns the request whose context the dial carries, or "".
func (d *Dial) For() string { return d.e.Owner }

func (d *Dial) describe() string {
	s := d.ID() + ", a dial to " + d.Addr()
	if d.For() != "" {
		s += " for " + d.For()
	}
	return s
}

// Open lets the dial reach its host, and returns the connection. It fails the
// test if the dial is not pending any more, or no program listens.
func (d *Dial) Open() *Conn {
	d.n.t.step("open", d.ID())
	return d.open()
}

func (d *Dial) open() *Conn {
	d.finish(faultnet.Pass)
	c := d.e.Opened()
	if c == nil {
		d.n.t.fatal(KindWant, fmt.Sprintf("%s did not open: no server listens on %s", d.ID(), d.Addr()))
	}
	return d.n.census.conn(c)
}

// Refuse lets the dial fail with ECONNREFUSED.
func (d *Dial) Refuse() { d.Fail(faultnet.Refuse) }

// TimeOut lets the dial fail with ETIMEDOUT.
func (d *Dial) TimeOut() { d.Fail(faultnet.TimeOut) }

// Fail lets the dial end with that verdict.
func (d *Dial) Fail(v faultnet.Verdict) {
	d.n.t.step("fail", d.ID(), v.String())
	if v.Kinds()&faultnet.Dial == 0 {
		d.n.t.fatal(KindUsage, fmt.Sprintf("a dial cannot end as %q", v))
	}
	d.finish(v)
}

func (d *Dial) finish(v faultnet.Verdict) {
	d.n.t.settle()
	if d.done || !slices.Contains(d.n.Pending(), d.e) {
		d.n.t.fatal(KindWant, fmt.Sprintf("%s is not pending any more: %s", d.ID(), d.end()))
	}
	d.done = true
	d.n.t.apply(d.e, v)
	d.n.t.settle()
}

// end says why the dial is not pending any more.
func (d *Dial) end() string {
	switch {
	case d.done:
		return "the test has let it go before"
	case d.n.net.GivenUp(d.e):
		return "its context ended"
	}
	return "a rule or a release has answered it"
}

// WantGone expects that the dial was given up: its context ended.
func (d *Dial) WantGone(why ...string) {
	d.n.t.step("want", "gone", d.ID())
	d.n.t.settle()
	if slices.Contains(d.n.Pending(), d.e) {
		d.n.t.fatal(KindWant, fmt.Sprintf("got %s still pending, want it given up", d.ID()), why...)
	}
	if !d.n.net.GivenUp(d.e) {
		d.n.t.fatal(KindWant, fmt.Sprintf("got %s answered, want it given up", d.ID()), why...)
	}
	d.done = true
}
