package pool

import "time"

// A host is everything that the pool knows about one route. Transport.mu
// guards all of it.
type host struct {
	route route
	label string

	idle    []*persistConn // HTTP/1, the newest last
	sharing []*persistConn // HTTP/2, the oldest first

	waiting linkedList[*want]        // all that wait, for whatever comes first
	inLine  linkedList[*want]        // those of them that may not dial yet
	dials   linkedList[*dial]        // in flight
	conns   linkedList[*persistConn] // open

	places  int // dials and connections; what MaxConnsPerHost bounds
	orphans int // dials whose request is gone

	counts
}

// counts only grow.
type counts struct {
	dialsBegun, dialErrors, reuses, waits, retries uint64

	waitTime time.Duration
	closed   [causes]uint64
}

func (c *counts) add(d *counts) {
	c.dialsBegun += d.dialsBegun
	c.dialErrors += d.dialErrors
	c.reuses += d.reuses
	c.waits += d.waits
	c.retries += d.retries
	c.waitTime += d.waitTime
	for i := range c.closed {
		c.closed[i] += d.closed[i]
	}
}

// maxHosts is how many hosts are known before the unused ones are forgotten. A
// crawler would otherwise keep one for each site it has ever seen.
const maxHosts = 1024

// hostOf finds or makes the host of d. Transport.mu must be held.
func (t *Transport) hostOf(d *destination) *host {
	h := t.hosts[d.route]
	if h != nil {
		return h
	}
	if len(t.hosts) >= max(maxHosts, t.sweepAt) {
		t.forgetUnusedHosts()
		t.sweepAt = 2 * len(t.hosts) // or each host beyond would cost a sweep
	}
	if t.hosts == nil {
		t.hosts = make(map[route]*host)
	}
	h = &host{route: d.route, label: d.label()}
	t.hosts[d.route] = h
	return h
}

// forgetUnusedHosts drops the hosts that have no connection, no dial and no
// request in line. What they counted stays in the totals.
func (t *Transport) forgetUnusedHosts() {
	for key, h := range t.hosts { // in any order: counts are added
		if h.conns.n == 0 && h.dials.n == 0 && h.waiting.n == 0 {
			t.forgottenCounts.add(&h.counts)
			delete(t.hosts, key)
		}
	}
}

// removeClosed takes a closed connection out of the pool and frees its place. One
// that was handed over stays in the ledger until it is closed, but no longer
// counts for the limit: it is not the pool's.
func (t *Transport) removeClosed(pc *persistConn, why Cause) {
	now := t.clock().Now()
	t.mu.Lock()
	t.removeFromIdle(pc)
	h := pc.host
	h.removeFromSharing(pc)
	h.closed[why]++
	var entry Entry
	if t.OnClose != nil {
		entry = pc.entry()
	}
	if why == HandedOver {
		pc.state, pc.since = Upgraded, now
	} else {
		h.conns.remove(&pc.node)
	}
	pc.holder = nil
	t.freePlace(h, now)
	if pc.shared != nil {
		t.dialAgain(h, now)
	}
	t.mu.Unlock()
	if t.OnClose != nil {
		entry.Local, entry.Remote = addresses(pc.conn)
		t.OnClose(entry, why)
	}
}

// removeUpgraded forgets a connection that was handed over, once it is closed.
func (t *Transport) removeUpgraded(pc *persistConn) {
	t.mu.Lock()
	pc.host.conns.remove(&pc.node)
	t.mu.Unlock()
}
