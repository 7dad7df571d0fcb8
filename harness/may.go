package harness

import (
	"fmt"
	"time"
)

// MayCloseIdle lets an exploration call the transport's CloseIdleConnections
// once, at any point or not at all.
func (t *T) MayCloseIdle(rt interface{ CloseIdleConnections() }) {
	t.must(rt != nil, "MayCloseIdle: the transport is nil")
	if t.plan != nil {
		t.plan.calls = append(t.plan.calls, call{closeIdle, rt.CloseIdleConnections})
	}
}

// MayCall lets an exploration make the call once, in a goroutine of its own, at any point
// or not at all. The name is its own.
func (t *T) MayCall(name string, f func()) {
	t.must(f != nil, "MayCall: the call %s is nil", name)
	if t.plan != nil {
		t.plan.calls = append(t.plan.calls, call{name, f})
	}
}

// MayPass lets an exploration have virtual time pass, once, at any point or
// not at all: one nanosecond less than d, d, or one more, so that each side of
// every tie is tried. The timeouts that a transport's fields say may pass anyhow, and so may
// the time until a deadline of an operation's context. The time until a deadline that the
// code under test has set on a connection may pass if it is no longer than d.
func (t *T) MayPass(d time.Duration) {
	t.must(d > 0, "MayPass: got %s, want more than 0s", d)
	if t.plan != nil {
		t.plan.passes = append(t.plan.passes, d-1, d, d+1)
		t.plan.longest = max(t.plan.longest, d)
	}
}

// Outcome adds to what an exploration tells two outcomes apart by: by
// default the fate of each request and the number of connections.
func (t *T) Outcome(format string, args ...any) {
	if t.plan != nil {
		t.plan.tags = append(t.plan.tags, fmt.Sprintf(format, args...))
	}
}
