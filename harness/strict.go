package harness

// Strict asks of the program under test, from here on, what is good style and
// no promise of Go's: at the end each connection and each request body was closed once;
// nothing was written to one that was closed; and no deadline is armed on a
// connection while it is idle. net/http keeps all of it on HTTP/1.
func (t *T) Strict() {
	t.step("strict")
	t.journal.serve("strict")
	t.oracles.strict = true
}

// AtQuiet has check called, from here on, whenever every goroutine of the test is
// blocked, before the next thing happens: what must hold between any two events,
// such as the counts of a transport against those of the network. It may
// ask for facts, as [Net.OpenConns] does, and fail the test; it must not wait for
// anything, nor make anything happen.
func (t *T) AtQuiet(check func()) {
	t.must(check != nil, "AtQuiet: the check is nil")
	t.oracles.audits = append(t.oracles.audits, check)
	if t.plan != nil {
		t.plan.audited = true
	}
}

// Sometimes says that the test reaches a state: that holds is true in at least
// one schedule of an exploration, or, in a test that is run once, at least once.
// A test that means to show what happens there fails if it never was there.
func (t *T) Sometimes(state string, holds bool) { t.oracles.reach(state, holds) }
