package harness_test

import (
	"testing"

	"github.com/halfopen/halfopen/harness"
)

// twoGets is the smallest race: two requests, one of which may be cancelled.
func twoGets(t *harness.T) {
	tr := t.Net.Transport()
	t.Serve("api.test:80", nil)
	t.Get("r1", tr, "http://api.test/").MayCancel()
	t.Get("r2", tr, "http://api.test/")
}

// Every order of two requests and one cancellation against net/http: the same
// number each time.
func TestExploreExhaustive(t *testing.T) {
	x := harness.Explore(t, harness.Bounds{Strategy: "exhaustive", Delays: harness.All, Faults: harness.None, Schedules: harness.All}, twoGets)
	t.Log(x)
}
