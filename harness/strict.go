package harness

import (
	"cmp"
	"slices"

	"github.com/halfopen/halfopen/faultnet"
)

// Strict asks of the program under test, from here on, what is good style and
// no promise of Go's: at the end each connection was closed once, and not again;
// nothing was written to one that was closed; and no deadline is armed on a
// connection while it is idle. net/http keeps all of it on HTTP/1.
func (t *T) Strict() {
	t.step("strict")
	t.served = append(t.served, "strict")
	t.strict = true
}

// AtQuiet has check called, from here on, whenever every goroutine of the test is
// blocked, before the next thing happens: what must hold between any two events,
// such as what a transport says of itself against what the network sees. It may
// ask for facts, as [Net.OpenConns] does, and fail the test; it must not wait for
// anything, nor make anything happen.
func (t *T) AtQuiet(check func()) {
	t.audits = append(t.audits, check)
}

// audit calls the checks of AtQuiet, outside of the driver's goroutine, which
// must not end with one of them.
func (t *T) audit() {
	if len(t.audits) == 0 || t.Failed() {
		return
	}
	t.auditing.Store(true)
	defer t.auditing.Store(false)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for _, check := range t.audits {
			t.protect(check)
		}
	}()
	<-done
}

// checkDeadlines checks, at a quiet point, that nothing ticks on an idle connection.
func (t *T) checkDeadlines() {
	for _, c := range t.idle {
		read, write := c.Deadlines()
		for what, at := range map[string]bool{"read": read.After(t.Clock.Now()), "write": write.After(t.Clock.Now())} {
			if at {
				t.violate("%s: idle, with a %s deadline armed", c.ID(), what)
			}
		}
	}
}

// checkCloses checks, at the end, how often each connection was closed. What
// faults did to a connection is not the program's doing.
func (t *T) checkCloses() {
	if !t.strict || t.faulted {
		return
	}
	t.mu.Lock()
	conns := make([]*faultnet.Conn, 0, len(t.conns))
	for c := range t.conns {
		conns = append(conns, c)
	}
	t.mu.Unlock()
	slices.SortFunc(conns, func(a, b *faultnet.Conn) int { return cmp.Compare(a.Number(), b.Number()) })
	for _, c := range conns {
		used, _ := t.user(c)
		if n := c.Closes(); n > 1 {
			t.violate("%s: closed %d times%s", c.ID(), n, used)
		}
		if n := c.LateWrites(); n > 0 {
			t.violate("%s: written to after it was closed%s", c.ID(), used)
		}
	}
}

// Sometimes says that the test reaches a state: that holds is true in at least
// one schedule of an exploration, or, in a test that is run once, at least once.
// A test that means to show what happens there fails if it never was there.
func (t *T) Sometimes(state string, holds bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.reached == nil {
		t.reached = make(map[string]bool)
	}
	t.reached[state] = t.reached[state] || holds
}

// checkReached adds a failure for each state that a run never reached.
func (t *T) checkReached() {
	if t.set.plan != nil {
		return // it is enough that another schedule does
	}
	t.mu.Lock()
	var never []string
	for state, ok := range t.reached {
		if !ok {
			never = append(never, state)
		}
	}
	t.mu.Unlock()
	slices.Sort(never)
	for _, state := range never {
		t.fail("unreached", "never: "+state)
	}
}
