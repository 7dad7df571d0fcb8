package harness_test

import (
	"bytes"
	"testing"

	"github.com/halfopen/halfopen/harness"
	"github.com/halfopen/halfopen/harness/view"
)

// explorePage explores a body whose second request is not answered if its connection was
// reset, and returns the exploration.
func explorePage(t *testing.T, keep bool) *harness.Exploration {
	t.Helper()
	harness.KeepTimelines(keep)
	defer harness.KeepTimelines(false)
	x, err := harness.ExploreReport(t.Name(), harness.Bounds{Schedules: 60, KeepGoing: true}, nil, func(t *harness.T) {
		t.Serve("api.test:80", nil)
		tr := t.Net.Transport()
		r1 := t.Get("r1", tr, "http://api.test/")
		t.Get("r2", tr, "http://api.test/")
		t.Rest()
		r1.WantDone(nil)
	})
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// The page of an exploration is the same each time, and an exploration is the same with a
// page and without one.
func TestExplorationPage(t *testing.T) {
	html := func(x *harness.Exploration) string {
		var b bytes.Buffer
		if err := x.Timeline().WriteHTML(&b); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	x := explorePage(t, true)
	if html(x) != html(explorePage(t, true)) {
		t.Error("got two pages that differ")
	}
	plain := explorePage(t, false)
	if plain.Timeline() != nil {
		t.Error("got a page that was not wanted")
	}
	if x.String() != plain.String() {
		t.Errorf("got %s\nwant, as without a page, %s", x, plain)
	}
	page := x.Timeline()
	if n := len(page.Tree.Schedules) + page.Tree.Left; n < x.Schedules/2 || n > x.Schedules+x.Pruned+len(x.Findings) {
		t.Errorf("got a tree of %d schedules, want those of %d that differ", n, x.Schedules)
	}
	checkFindings(t, x, page)
}

// checkFindings checks that each finding of an exploration has its run and its leaf, and that
// one that held is beside it.
func checkFindings(t *testing.T, x *harness.Exploration, page *view.Page) {
	t.Helper()
	if len(x.Findings) == 0 {
		t.Fatal("got no finding")
	}
	shown := make(map[string]int)
	for _, s := range page.Tree.Schedules {
		if s.Run == 0 {
			continue
		}
		run := page.Runs[s.Run-1]
		shown[run.Verdict]++
		if run.Verdict != s.Result || len(run.Schedule) != len(s.Choices) || run.Outcome != s.Text {
			t.Errorf("got a run of %d choices that %s with %q, want %d, %s, %q", len(run.Schedule), run.Verdict, run.Outcome, len(s.Choices), s.Result, s.Text)
		}
		for i, c := range s.Choices {
			if run.Schedule[i] != page.Tree.Names[c] {
				t.Errorf("choice %d: got %s, want %s", i, run.Schedule[i], page.Tree.Names[c])
			}
		}
	}
	if shown["failed"] != len(x.Findings) || shown["held"] == 0 {
		t.Errorf("got %v, want %d that failed and some that held", shown, len(x.Findings))
	}
}
