package harness_test

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/halfopen/halfopen/harness"
)

// An exploration that its bounds end says about how many schedules there are, the same in JSON.
// What is said to wait is there.
func TestEstimate(t *testing.T) {
	body := func(t *harness.T) {
		tr := t.Net.Transport()
		t.Serve("api.test:80", nil)
		for _, name := range []string{"r1", "r2", "r3"} {
			t.Get(name, tr, "http://api.test/")
		}
	}
	explore := func(schedules int) *harness.Exploration {
		return harness.Explore(t, harness.Bounds{Strategy: "exhaustive", Delays: 3, Faults: harness.None, Schedules: schedules}, body)
	}
	all, part := explore(harness.All), explore(400)
	if all.Estimate != 0 || strings.Contains(all.String(), "estimate") {
		t.Errorf("got an estimate of all: %s", all)
	}
	if off := part.Estimate - all.Schedules; off > 3*part.EstimateError || off < -3*part.EstimateError || 5*part.EstimateError > all.Schedules {
		t.Errorf("got %d, with an error of %d; there are %d", part.Estimate, part.EstimateError, all.Schedules)
	}
	if part.Schedules+part.Waiting > all.Schedules {
		t.Errorf("got %d schedules and %d that wait; there are %d", part.Schedules, part.Waiting, all.Schedules)
	}
	if !regexp.MustCompile(`^explored 40\d schedules, .*, of at least \d+, by estimate \d\d00 \(standard error \d+\);`).MatchString(part.String()) {
		t.Errorf("got %s", part)
	}
	var again harness.Exploration
	data, err := json.Marshal(part)
	if err == nil {
		err = json.Unmarshal(data, &again)
	}
	if err != nil || again.String() != part.String() {
		t.Errorf("got %v\n%s\nwant\n%s", err, &again, part)
	}
}
