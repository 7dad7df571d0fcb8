package harness

import (
	"fmt"
	"net/http"
	"strings"
	"syscall"
	"time"

	"github.com/halfopen/halfopen/faultnet"
)

// hostFaults has the state of the verbs about hosts.
type hostFaults struct {
	paused map[string]func()         // by address
	again  map[string][]func()       // by host: what serves there
	served map[string][]*http.Server // by address
}

// does records a verb, does it and settles.
func (n *Net) does(f func(), words ...string) { n.t.does(f, words...) }

func (t *driver) does(f func(), words ...string) {
	for len(words) > 0 && words[len(words)-1] == "" {
		words = words[:len(words)-1]
	}
	t.step(words...)
	f()
	t.settle()
}

// Lift disarms every fault and ends every Shape on the pattern.
func (n *Net) Lift(pattern string) {
	n.t.step("lift", pattern)
	if !n.lift(func(f *Fault) bool { return !f.holds && f.pattern == pattern }) {
		n.t.fatal(KindUsage, fmt.Sprintf("no fault is armed on %q", pattern))
	}
	n.t.settle()
}

// Shape gives the events of the pattern that verdict whenever they are let
// happen in their normal course, from now on: latency ([faultnet.Delay]), jitter,
// bandwidth ([faultnet.Rate]).
func (n *Net) Shape(pattern string, v faultnet.Verdict, which ...faultnet.Selection) {
	n.does(func() {
		n.mustFit(pattern, v)
		n.armed(&Fault{pattern: pattern, lift: n.net.Shape(faultnet.On(pattern, v, which...)), fired: always})
	}, "shape", pattern+" as "+faultText(v, which))
}

// Resolve is [faultnet.Net.Resolve].
func (n *Net) Resolve(name string, hosts ...string) {
	n.does(func() { n.net.Resolve(name, hosts...) }, append([]string{"resolve", name}, hosts...)...)
}

// Route is [faultnet.Net.Route].
func (n *Net) Route(from, to string) {
	n.does(func() {
		n.mustBeAddress("Route", from)
		if to != "" {
			n.mustBeAddress("Route", to)
		}
		n.net.Route(from, to)
	}, "route", from, to)
}

// mustBeAddress ends the test if what a call was given is no "host:port".
func (n *Net) mustBeAddress(call, address string) {
	err := checkAddress(address)
	n.t.must(err == nil, "%s: %v", call, err)
}

// Backlog is [faultnet.Net.Backlog].
func (n *Net) Backlog(address string, most int) {
	n.does(func() {
		n.mustBeAddress("Backlog", address)
		n.t.must(most >= 0, "Backlog: got %d, want 0 or more", most)
		n.net.Backlog(address, most)
	}, "backlog", address, fmt.Sprint(most))
}

// Descriptors has dials beyond most open connections fail with EMFILE.
func (n *Net) Descriptors(most int) {
	n.does(func() {
		n.t.must(most >= 0, "Descriptors: got %d, want 0 or more", most)
		n.armed(&Fault{pattern: "dial", lift: n.net.MaxDescriptors(most), fired: always})
	}, "descriptors", fmt.Sprint(most))
}

// always is for rules that the network need not come to: shapes and limits.
func always() bool { return true }

// Partition is [faultnet.Net.Partition], by default of both directions.
func (n *Net) Partition(host string, lost ...faultnet.Direction) {
	way, name := direction(lost)
	n.does(func() { n.net.Partition(host, way) }, "partition", host, name)
}

// direction returns the direction that is meant, and its name if it was said.
func direction(said []faultnet.Direction) (way faultnet.Direction, name string) {
	if len(said) == 0 {
		return faultnet.BothWays, ""
	}
	return said[0], said[0].String()
}

// Heal is [faultnet.Net.Heal].
func (n *Net) Heal(host string) { n.does(func() { n.net.Heal(host) }, "heal", host) }

// Crash is [faultnet.Net.Crash]: a machine stops without a word.
func (n *Net) Crash(host string) { n.does(func() { n.net.Crash(host) }, "crash", host) }

// Kill is [faultnet.Net.Kill]: a program ends, and its kernel closes what it had.
func (n *Net) Kill(address string) { n.does(func() { n.net.Kill(address) }, "kill", address) }

// Restart brings a host back that Crash stopped, or whose programs Kill ended,
// and everything that the test had serve there.
func (n *Net) Restart(host string) {
	n.does(func() {
		n.net.Restart(host)
		again := n.hosts.again[host]
		delete(n.hosts.again, host)
		for _, f := range again {
			f()
		}
	}, "restart", host)
}

// servesAgain notes how Restart brings back what serves on an address.
func (n *Net) servesAgain(addr string, f func()) {
	host, _, _ := strings.Cut(addr, ":")
	setKey(&n.hosts.again, host, append(n.hosts.again[host], f))
}

// Sever is [faultnet.Net.ResetAll]: all connections to an address are reset at once.
func (n *Net) Sever(address string) { n.does(func() { n.net.ResetAll(address) }, "sever", address) }

// Unlisten is [faultnet.Net.Unlisten]: the listener is closed.
func (n *Net) Unlisten(address string) {
	n.does(func() { n.net.Unlisten(address) }, "unlisten", address)
}

// Pause stops the program that listens on an address, until Resume.
func (n *Net) Pause(address string) {
	n.does(func() {
		resume := n.net.Pause(address)
		setKey(&n.hosts.paused, address, resume)
		n.t.cleanup(resume)
	}, "pause", address)
}

// Resume ends a Pause.
func (n *Net) Resume(address string) {
	n.does(func() {
		resume := n.hosts.paused[address]
		if resume == nil {
			n.t.fatal(KindUsage, fmt.Sprintf("nothing is paused on %s", address))
		}
		delete(n.hosts.paused, address)
		resume()
	}, "resume", address)
}

// KeepAlive sets how long the server on an address keeps an idle connection,
// from the next on.
func (n *Net) KeepAlive(address string, d time.Duration) {
	n.does(func() {
		n.t.settle() // a server that is about to serve reads it
		for _, s := range n.hosts.served[address] {
			s.IdleTimeout = d
		}
		if len(n.hosts.served[address]) == 0 {
			n.t.fatal(KindUsage, fmt.Sprintf("no http.Server serves on %s", address))
		}
	}, "keep-alive", address, d.String())
}

// Clog keeps what travels in that direction of the connection from arriving.
func (c *Conn) Clog(way ...faultnet.Direction) { c.clog("clog", (*faultnet.Conn).Clog, way) }

// Unclog ends a Clog.
func (c *Conn) Unclog(way ...faultnet.Direction) { c.clog("unclog", (*faultnet.Conn).Unclog, way) }

func (c *Conn) clog(verb string, clog func(*faultnet.Conn), said []faultnet.Direction) {
	way, name := direction(said)
	c.t.does(func() {
		if way&faultnet.ToServer != 0 {
			clog(c.Server())
		}
		if way&faultnet.ToClient != 0 {
			clog(c.client)
		}
	}, verb, c.ID(), name)
}

// Break gives the client's end that error from below: ETIMEDOUT, EHOSTUNREACH.
func (c *Conn) Break(errno syscall.Errno) {
	c.t.must(errno != 0, "Break: error number 0 is no error")
	c.t.does(func() { c.client.Break(errno) }, "break", c.ID(), faultnet.ErrnoName(errno))
}

// HangUp closes the client's end, whatever the client is doing with it.
func (c *Conn) HangUp() {
	c.t.does(func() { c.hungUp = true; c.client.Close() }, "hang-up", c.ID())
}

// StopReading shuts the read side of the server's end.
func (c *Conn) StopReading() {
	c.t.step("stop-reading", c.ID())
	c.serverDoes("shut its read side", c.Server().CloseRead)
}

// setKey sets a key of a map that may be nil.
func setKey[K comparable, V any](m *map[K]V, key K, v V) {
	if *m == nil {
		*m = make(map[K]V)
	}
	(*m)[key] = v
}
