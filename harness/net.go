package harness

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/halfopen/halfopen/faultnet"
	"github.com/halfopen/halfopen/internal/nearest"
)

// Net is the network of a [T]: a [faultnet.Net] whose events the harness
// releases one at a time.
type Net struct {
	net       *faultnet.Net
	t         *driver
	census    *census
	gates     []string
	usual     []string    // the gates of what is explored, of which the test has not asked for
	exploring atomic.Bool // those are gates now
	rules     []*Fault    // holds, faults and shapes, until they are lifted
	holds     []*watchedHold
	examined  map[string]*Dial
	hosts     hostFaults
}

func newNet(t *driver, c *census) *Net {
	return &Net{net: t.net, t: t, census: c}
}

// Raw returns the network itself, for what has no verb: its rules, its buffers. It
// is driven by the harness alone.
func (n *Net) Raw() *faultnet.Net { return n.net }

// Listen is [faultnet.Net.Listen].
func (n *Net) Listen(network, address string) (net.Listener, error) {
	n.t.lacks("the server of %s", address)
	return n.net.Listen(network, address)
}

// Pending is [faultnet.Net.Pending]: the events that are held, and those of this
// instant.
func (n *Net) Pending() []*faultnet.Event { return n.net.Pending() }

// Conns is [faultnet.Net.Conns], the client ends of the connections.
func (n *Net) Conns() []*faultnet.Conn { return n.net.Conns() }

// Opened returns how many connections have been opened so far.
func (n *Net) Opened() int { return n.net.Opened() }

// String returns the table of the connections: [faultnet.Net.String].
func (n *Net) String() string { return n.net.String() }

// Transport returns an [http.Transport] on this network. The harness closes its
// idle connections at the end.
func (n *Net) Transport() *http.Transport {
	tr := &http.Transport{DialContext: n.DialContext}
	if n.gated("Proxy") {
		tr.Proxy = n.proxyGate
	}
	n.census.adopt(tr)
	return tr
}

// Hold keeps the events that the pattern selects ([faultnet.Pattern]) pending
// until Release or Let. Each has to be let go before the test ends. A hold that never held
// anything fails the test, as a fault does that has not fired, unless WantNotHeld asked for
// that with the same pattern. Where it depends on the code under test whether there is
// something to hold, Raw().Hold asks for nothing.
func (n *Net) Hold(pattern string) {
	n.t.step("hold", pattern)
	n.mustParse(pattern)
	n.hold(pattern)
	n.watchHold(pattern)
	n.t.settle()
}

func (n *Net) hold(pattern string) {
	n.rules = append(n.rules, &Fault{n: n, holds: true, pattern: pattern, lift: n.net.Hold(pattern), fired: always})
}

func (n *Net) mustParse(pattern string) {
	if err := checkPattern(pattern); err != nil {
		n.t.fatal(KindUsage, err.Error())
	}
}

// mustFit fails the test for a pattern that is malformed, or has no event to which that may happen.
func (n *Net) mustFit(pattern string, v faultnet.Verdict) {
	n.mustParse(pattern)
	if err := fits(pattern, v); err != nil {
		n.t.fatal(KindUsage, err.Error())
	}
}

// Release ends the Hold of the same pattern: what it held happens now, one
// event after the other.
func (n *Net) Release(pattern string) {
	n.t.step("release", pattern)
	i := slices.IndexFunc(n.rules, func(f *Fault) bool { return f.holds && f.pattern == pattern })
	if i >= 0 {
		held := n.rules[i]
		n.lift(func(f *Fault) bool { return f == held })
		n.t.settle()
		return
	}
	n.t.fatal(KindUsage, fmt.Sprintf("nothing is held by %q; holds: %s", pattern, n.holdNames()))
}

func (n *Net) holdNames() string {
	var names []string
	for _, f := range n.rules {
		if f.holds {
			names = append(names, fmt.Sprintf("%q", f.pattern))
		}
	}
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}

// letAll lifts what is still held when the run is over.
func (n *Net) letAll() {
	n.lift(func(f *Fault) bool { return f.holds })
}

// Let releases the one held event that the pattern selects, and no other, in its
// normal course or with a verdict.
func (n *Net) Let(pattern string, as ...faultnet.Verdict) {
	v := faultnet.Pass
	if len(as) > 0 {
		v = as[0]
	}
	n.t.step("let", pattern+suffix(" as ", outcomeName(v)))
	n.mustParse(pattern)
	n.t.settle()
	p, _ := faultnet.ParsePattern(pattern)
	pending := n.Pending()
	i := slices.IndexFunc(pending, p.Match)
	if i < 0 {
		n.unfit(fmt.Sprintf("no held event is %q; held: %s", pattern, eventNames(pending)))
		return
	}
	e := pending[i]
	if !v.IsPass() && v.Kinds()&e.Kind == 0 {
		n.t.fatal(KindUsage, fmt.Sprintf("%s cannot end as %q: that is for %s events", e, v, v.Kinds()))
	}
	n.t.apply(e, v)
	n.t.settle()
}

// outcomeName returns the name of a verdict, or "" for the normal course.
func outcomeName(v faultnet.Verdict) string {
	if v.IsPass() {
		return ""
	}
	return v.String()
}

// Next releases the n events that have been held longest, one after the other.
func (n *Net) Next(count int) {
	n.t.step("next", fmt.Sprint(count))
	n.t.must(count >= 0, "Next: got %d, want 0 or more", count)
	for i := range count {
		n.t.settle()
		pending := n.Pending()
		if len(pending) == 0 {
			n.unfit(fmt.Sprintf("got %d held events, want %d", i, count))
			break
		}
		n.t.apply(pending[0], faultnet.Pass)
	}
	n.t.settle()
}

// unfit ends a test that lets something happen which is not there. In a printed schedule,
// whose transport may have changed, that is passed over, and the report says so.
func (n *Net) unfit(text string) {
	if !n.t.inHand {
		n.t.fatal(KindWant, text)
	}
	n.t.journal.passOver(text)
}

// suffix is sep and s, or nothing if s is empty.
func suffix(sep, s string) string {
	if s == "" {
		return ""
	}
	return sep + s
}

func eventNames(events []*faultnet.Event) string {
	names := make([]string, len(events))
	for i, e := range events {
		names[i] = fmt.Sprintf("%q", e.String())
	}
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}

// parseOutcome returns the verdict of that name; "" and "pass" are the normal course.
func parseOutcome(name string) (faultnet.Verdict, error) {
	if name == "" || name == "pass" {
		return faultnet.Pass, nil
	}
	base, _, _ := strings.Cut(name, ":")
	names := outcomeNames()
	if slices.Contains(names, base) {
		v, err := faultnet.ParseVerdict(name)
		return v, ofScript(err)
	}
	return faultnet.Pass, fmt.Errorf("unknown outcome %q%s", name, nearest.ThereAre(name, names))
}

// outcomeNames returns the names of what an event may come to.
func outcomeNames() (names []string) {
	for _, v := range faultnet.Verdicts() {
		if !v.IsHold() {
			names = append(names, v.String())
		}
	}
	return names
}

// ofScript returns an error of package faultnet as one of a script, which knows no packages.
func ofScript(err error) error {
	if err == nil {
		return nil
	}
	return errors.New(strings.TrimPrefix(err.Error(), "faultnet: "))
}

// Fault is a fault that is armed: see [Net.Fault].
type Fault struct {
	n       *Net
	holds   bool // it is a Hold, and no fault
	pattern string
	text    string
	lift    func()
	fired   func() bool
	where   string
}

// Fault arms a verdict for the next event that the pattern selects, held or not,
// or for those that are said: [faultnet.Nth], [faultnet.Always]. A fault that has
// not fired when the test ends fails it.
func (n *Net) Fault(pattern string, v faultnet.Verdict, which ...faultnet.Selection) *Fault {
	text := faultText(v, which)
	n.t.step("fault", pattern+" as "+text)
	n.mustFit(pattern, v)
	lift, fired := n.net.Arm(pattern, v, which...)
	if v.Kinds()&faultnet.Calls != 0 {
		n.t.cleanup(lift) // no call stays blocked
	}
	f := n.armed(&Fault{pattern: pattern, text: text, lift: lift, fired: fired})
	n.t.settle()
	return f
}

// faultText returns a fault as a script says it.
func faultText(v faultnet.Verdict, which []faultnet.Selection) string {
	text := v.String()
	for _, w := range which {
		text += " " + w.String()
	}
	return text
}

// armed notes a fault or a shape, which Lift ends.
func (n *Net) armed(f *Fault) *Fault {
	f.n, f.where = n, n.t.here()
	n.rules = append(n.rules, f)
	return f
}

// parseFault is faultnet.ParseFault with the error of parseOutcome.
func parseFault(s string) (faultnet.Verdict, []faultnet.Selection, error) {
	first, _, _ := strings.Cut(s, " ")
	if _, err := parseOutcome(first); err != nil {
		return faultnet.Pass, nil, err
	}
	v, which, err := faultnet.ParseFault(s)
	return v, which, ofScript(err)
}

// Lift disarms the fault.
func (f *Fault) Lift() {
	f.n.t.step("lift", f.pattern)
	f.n.lift(func(g *Fault) bool { return g == f })
	f.n.t.settle()
}

// lift lifts the rules that are meant, and reports whether there was any.
func (n *Net) lift(meant func(*Fault) bool) bool {
	var left, lifted []*Fault
	for _, f := range n.rules {
		if meant(f) {
			lifted = append(lifted, f)
		} else {
			left = append(left, f)
		}
	}
	n.rules = left
	for _, f := range lifted {
		f.lift()
	}
	return len(lifted) > 0
}
