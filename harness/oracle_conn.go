package harness

import (
	"slices"
	"sync"
	"time"

	"github.com/halfopen/halfopen/faultnet"
)

// oracles checks, for any transport, the properties that every run must have. What it
// needs to know it learns from the network.
type oracles struct {
	t       *driver
	census  *census
	perHost int // the least limit of connections of a host, or 0
	readiness
	dials   int       // seen so far
	aside   *aside    // which connections no limit counts, or nil
	orphans *int      // the most dials of a host that no request waits for, if it is limited
	studied []uintptr // the transports that study has seen
	strict  bool
	audits  []func()

	told []hookCall // those that checkHooks has looked at last: room for the next

	// See noteLive.
	live           []*Op
	noted, pruneAt int

	mu      sync.Mutex
	reached map[string]bool

	// Most runs have few of them: their lists begin here.
	firstOps   [8]*Op
	firstConns [8]*faultnet.Conn
	firstLive  [4]*Op
}

// open readies the oracles of a run.
func (o *oracles) open(t *driver, c *census) {
	o.t, o.census = t, c
	o.ops, o.conns, o.live = o.firstOps[:0], o.firstConns[:0], o.firstLive[:0]
}

// audit calls the checks of AtQuiet, outside of the driver's goroutine, which
// must not end with one of them.
func (o *oracles) audit() {
	if len(o.audits) == 0 || o.t.journal.failed() {
		return
	}
	o.t.auditing.Store(true)
	defer o.t.auditing.Store(false)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for _, check := range o.audits {
			o.t.callback("a check of AtQuiet", check)
		}
	}()
	<-done
}

// checkDeadlines checks, at a quiet point, that nothing ticks on an idle connection.
func (o *oracles) checkDeadlines() {
	now := time.Now()
	for _, h := range o.idle() {
		c := h.client
		read, write := c.Deadlines()
		if read.After(now) {
			o.t.violate(oracleStrict, nil, "%s: idle, with a read deadline armed", c.ID())
		}
		if write.After(now) {
			o.t.violate(oracleStrict, nil, "%s: idle, with a write deadline armed", c.ID())
		}
	}
}

// checkCloses checks, at the end, how often each connection was closed. A fault that
// did something to a connection excuses the program.
func (o *oracles) checkCloses() {
	if !o.strict || o.t.faulted {
		return
	}
	for _, h := range o.census.known() {
		c := h.client
		used, _ := o.census.user(c)
		if n := c.Closes(); n > 1 {
			o.t.violate(oracleStrict, nil, "%s: closed %d times%s", c.ID(), n, used)
		}
		if n := c.LateWrites(); n > 0 {
			o.t.violate(oracleStrict, nil, "%s: written to after it was closed%s", c.ID(), used)
		}
	}
}

// reach notes whether a state was reached.
func (o *oracles) reach(state string, holds bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.reached == nil {
		o.reached = make(map[string]bool)
	}
	o.reached[state] = o.reached[state] || holds
}

// checkReached adds a failure for each state that a run never reached.
func (o *oracles) checkReached() {
	if o.t.set.explored {
		return // it is enough that another schedule does
	}
	o.mu.Lock()
	var never []string
	for state, ok := range o.reached {
		if !ok {
			never = append(never, state)
		}
	}
	o.mu.Unlock()
	slices.Sort(never)
	for _, state := range never {
		o.t.fail(KindUnreached, "never: "+state)
	}
}
