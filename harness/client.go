package harness

import (
	"fmt"
	"net/http"
	"slices"
)

// Client returns an [http.Client] over rt for the code under test: each of its
// round trips is a Request that the harness watches, named call1, call2, ... in
// the order in which they start. Response bodies that are never closed are
// reported with the line that received them.
func (t *T) Client(rt http.RoundTripper) *http.Client {
	return &http.Client{Transport: t.Watch(rt)}
}

// Watch wraps a transport as [T.Client] does, for those who make their own
// client. A transport under test that sends requests by another one, to ask again say, gets that
// one watched: Base: t.Watch(t.Net.Transport()). The request is one operation then, and a body that
// the transport leaves when it asks again is reported with its line.
func (t *T) Watch(rt http.RoundTripper) http.RoundTripper {
	t.must(rt != nil, "the transport is nil: t.Net.Transport() is one")
	t.study(rt)
	return &watched{t.census, rt}
}

// study adopts a transport, and learns from its fields.
func (t *T) study(rt http.RoundTripper) {
	t.census.adopt(rt)
	for _, timeout := range t.oracles.study(rt) {
		if t.plan != nil && !slices.Contains(t.plan.passes, timeout) {
			t.MayPass(timeout)
		}
	}
}

// LimitOrphans says that no more than most dials of a host are under way, at any time, that no
// request waits for: those whose requests have ended. A dial is no orphan while another request
// to its address can take the connection that it opens. net/http lets a dial go on when its
// request is cancelled, and without MaxConnsPerHost nothing bounds how many do: golang/go#76784.
func (t *T) LimitOrphans(most int) {
	t.must(most >= 0, "LimitOrphans: got %d, want 0 or more", most)
	t.step("limit-orphans", fmt.Sprint(most))
	t.journal.serve(fmt.Sprintf("limit-orphans %d", most))
	t.oracles.orphans = &most
}

// LimitConns says that the transports under test keep to so many connections
// and dials to a host. For a transport that has it as its MaxConnsPerHost it need
// not be said.
func (t *T) LimitConns(perHost int) {
	t.must(perHost >= 0, "LimitConns: got %d, want 0 or more", perHost)
	t.oracles.perHost = perHost
	if t.journal.settings.MaxConnsPerHost != perHost {
		t.lacks("LimitConns(%d)", perHost)
	}
}
