package faultnet

import (
	"net"
	"os"
	"slices"
	"syscall"
)

// Rule decides what becomes of an event. Rules are asked in the order they
// were installed; the first verdict that is not [Pass] wins. A rule runs with
// no lock held, but must not block.
type Rule func(*Event) Verdict

// Verdict is what becomes of an event: a fault's effect. Its zero value is
// [Pass]. Every verdict is something that a real network does.
type Verdict struct {
	name  string
	doc   string
	kinds Kind
	fail  func(e *Event) error // of a dial
	do    func(to *Conn)       // of what arrives at to
}

// String is the verdict's name in scripts and reports.
func (v Verdict) String() string {
	if v.name == "" {
		return "pass"
	}
	return v.name
}

// Doc is what the verdict does, in a sentence.
func (v Verdict) Doc() string { return v.doc }

// Kinds is the kinds of events that the verdict can be given for.
func (v Verdict) Kinds() Kind { return v.kinds }

// IsPass reports whether v lets the event take its normal course.
func (v Verdict) IsPass() bool { return v.name == "" }

// IsHold reports whether v keeps the event pending.
func (v Verdict) IsHold() bool { return v.name == Hold.name }

// The verdicts.
var (
	// Pass lets the event take its normal course, or asks the next rule.
	Pass Verdict

	// Hold keeps the event pending until it is released.
	Hold = Verdict{name: "hold", kinds: Dial | Data | FIN | RST | Gate,
		doc: "keep it pending until it is released"}

	// Refuse answers the dial with a reset: nobody listens.
	Refuse = dialFault("refuse", syscall.ECONNREFUSED, "nobody listens there (ECONNREFUSED)")
	// TimeOut fails the dial as after the last SYN was not answered.
	TimeOut = dialFault("timeout", syscall.ETIMEDOUT, "no answer to any SYN (ETIMEDOUT)")
	// Unreachable fails the dial with "no route to host".
	Unreachable = dialFault("unreachable", syscall.EHOSTUNREACH, "no route to the host (EHOSTUNREACH)")
	// NetUnreachable fails the dial with "network is unreachable".
	NetUnreachable = dialFault("net-unreachable", syscall.ENETUNREACH, "no route to the network (ENETUNREACH)")
	// NoAddress fails the dial for want of a local port.
	NoAddress = dialFault("no-address", syscall.EADDRNOTAVAIL, "no local port is left (EADDRNOTAVAIL)")

	// NoDescriptor fails the dial for want of a file descriptor.
	NoDescriptor = Verdict{name: "no-descriptor", kinds: Dial,
		doc: "no file descriptor is left (EMFILE)",
		fail: func(e *Event) error {
			return dialError(e.dial.network, nil, os.NewSyscallError("socket", syscall.EMFILE))
		}}
	// NoHost fails the dial's name resolution: no such host.
	NoHost = resolveFault("no-host", "no such host", true, false)
	// ServerFailure fails the dial's name resolution: SERVFAIL.
	ServerFailure = resolveFault("server-failure", "server misbehaving", false, true)

	// Reset breaks the connection at this event: both ends are reset, and what
	// was on its way is lost.
	Reset = Verdict{name: "reset", kinds: Data | FIN | RST,
		doc: "both ends are reset and what was on its way is lost",
		do:  func(to *Conn) { to.breakBoth() }}
)

// Verdicts are all verdicts but Pass, in the order of the documentation.
func Verdicts() []Verdict {
	return []Verdict{Hold, Refuse, TimeOut, Unreachable, NetUnreachable, NoAddress,
		NoDescriptor, NoHost, ServerFailure, Reset}
}

func dialFault(name string, errno syscall.Errno, doc string) Verdict {
	return Verdict{name: name, kinds: Dial, doc: doc,
		fail: func(e *Event) error {
			return connectError(e.dial.network, e.dial.remote(), errno)
		}}
}

func resolveFault(name, text string, notFound, temporary bool) Verdict {
	return Verdict{name: name, kinds: Dial, doc: "the resolver says: " + text,
		fail: func(e *Event) error {
			host, _, _ := net.SplitHostPort(e.Addr)
			return dialError(e.dial.network, nil, &net.DNSError{
				Err: text, Name: host, IsNotFound: notFound, IsTemporary: temporary})
		}}
}

// On is the rule that gives verdict v to the events that the pattern selects.
// It panics if the pattern is malformed.
func On(pattern string, v Verdict) Rule {
	p, err := ParsePattern(pattern)
	if err != nil {
		panic(err.Error())
	}
	return func(e *Event) Verdict {
		if v.kinds&e.Kind != 0 && p.Match(e) {
			return v
		}
		return Pass
	}
}

// installed gives each rule an identity, so that lifting one twice is harmless.
type installed struct{ rule Rule }

// Install adds a rule behind those that are there. The function it returns
// lifts the rule: events that only it held then happen, in the order they came.
func (n *Net) Install(r Rule) (lift func()) {
	in := &installed{r}
	n.mu.Lock()
	n.rules = append(slices.Clip(n.rules), in)
	n.setControlled()
	n.mu.Unlock()
	return func() {
		n.mu.Lock()
		i := slices.Index(n.rules, in)
		if i < 0 {
			n.mu.Unlock()
			return
		}
		n.rules = slices.Delete(slices.Clone(n.rules), i, i+1)
		n.setControlled()
		n.mu.Unlock()
		n.reconsider()
	}
}

// Hold keeps the events that the pattern selects pending; the function it
// returns lets them go. It panics if the pattern is malformed.
func (n *Net) Hold(pattern string) (release func()) {
	return n.Install(On(pattern, Hold))
}

// Verdict is what the installed rules say of e now.
func (n *Net) Verdict(e *Event) Verdict {
	n.mu.Lock()
	rules := n.rules
	n.mu.Unlock()
	for _, in := range rules {
		if v := in.rule(e); !v.IsPass() {
			return v
		}
	}
	return Pass
}
