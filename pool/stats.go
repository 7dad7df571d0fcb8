package pool

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Stats counts what a Transport has done and what it holds, at one instant
// (golang/go#63494, #56241).
type Stats struct {
	Counts             // of all hosts, also of those that Hosts no longer names
	Hosts  []HostStats // in the order of their names
}

// HostStats is the part of one host. As for connections, two hosts differ in
// scheme, address or proxy.
type HostStats struct {
	Host string // such as "https://api.test:443 via http://proxy.test:3128"
	Counts
}

// Counts are totals since the first request, and gauges of the present.
type Counts struct {
	Dials      uint64        // dials begun
	DialErrors uint64        // dials that failed, or were called off
	Reuses     uint64        // requests served by a connection that was there
	Waits      uint64        // requests that waited in line for MaxConnsPerHost
	WaitTime   time.Duration // how long they did, all together
	Retries    uint64        // requests that were sent again
	Closed     Closed        // connections closed, by cause

	Dialing  int // dials in flight, orphans among them
	Orphans  int // dials whose request is gone
	Idle     int // connections without a request
	Active   int // connections that serve one, or several with HTTP/2
	Draining int // connections from which the rest of a body is read that was closed early
	Upgraded int // connections that were handed over and are not closed yet
	Waiting  int // requests without a connection
	InLine   int // those of them that may not dial yet
}

// Closed counts closed connections by cause.
type Closed map[Cause]uint64

// Stats takes a snapshot.
func (t *Transport) Stats() Stats {
	t.mu.Lock()
	defer t.mu.Unlock()
	var s Stats
	total := t.forgottenCounts
	for _, h := range t.hosts { // in any order: it is sorted below
		one := HostStats{Host: h.label, Counts: h.counts.public()}
		h.gauge(&one.Counts)
		total.add(&h.counts)
		s.Hosts = append(s.Hosts, one)
	}
	slices.SortFunc(s.Hosts, func(a, b HostStats) int { return cmp.Compare(a.Host, b.Host) })
	s.Counts = total.public()
	for i := range s.Hosts {
		s.addGauges(&s.Hosts[i].Counts)
	}
	return s
}

func (c *counts) public() Counts {
	p := Counts{
		Dials: c.dialsBegun, DialErrors: c.dialErrors, Reuses: c.reuses,
		Waits: c.waits, WaitTime: c.waitTime, Retries: c.retries, Closed: Closed{},
	}
	for cause, n := range c.closed {
		if n > 0 {
			p.Closed[Cause(cause)] = n
		}
	}
	return p
}

func (t *Transport) countRetry(a *attempt) {
	t.mu.Lock()
	t.hostOf(&a.dst).retries++
	t.mu.Unlock()
}

// gauge counts what h holds now. Transport.mu must be held.
func (h *host) gauge(c *Counts) {
	c.Dialing, c.Orphans = h.dials.n, h.orphans
	c.Waiting, c.InLine = h.waiting.n, h.inLine.n
	for pc := range h.conns.all {
		switch pc.state {
		case Idle:
			c.Idle++
		case Draining:
			c.Draining++
		case Upgraded:
			c.Upgraded++
		default:
			c.Active++
		}
	}
}

func (c *Counts) addGauges(d *Counts) {
	c.Dialing += d.Dialing
	c.Orphans += d.Orphans
	c.Idle += d.Idle
	c.Active += d.Active
	c.Draining += d.Draining
	c.Upgraded += d.Upgraded
	c.Waiting += d.Waiting
	c.InLine += d.InLine
}

// String returns a table with a line for each host and one for all.
func (s Stats) String() string {
	var b strings.Builder
	row := func(name string, c *Counts) {
		fmt.Fprintf(&b, "%-40s %6d %6d %6d %6d %7d %6d %6d %7d\n", name,
			c.Dials, c.Reuses, c.Waits, c.Retries, c.Dialing, c.Idle, c.Active, c.Waiting)
	}
	fmt.Fprintf(&b, "%-40s %6s %6s %6s %6s %7s %6s %6s %7s\n", "host",
		"dials", "reuses", "waits", "again", "dialing", "idle", "active", "waiting")
	for i := range s.Hosts {
		row(s.Hosts[i].Host, &s.Hosts[i].Counts)
	}
	row("all", &s.Counts)
	return b.String()
}

// String lists the causes in their order, such as "server FIN 2, idle timeout 1".
func (c Closed) String() string {
	var parts []string
	for cause := range causes {
		if n := c[cause]; n > 0 {
			parts = append(parts, fmt.Sprintf("%s %d", cause, n))
		}
	}
	return strings.Join(parts, ", ")
}
