package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/halfopen/halfopen/harness/view"
)

// readPage returns a page that a command has written, and whose name it has printed.
func readPage(t *testing.T, dir, name, errs string) *view.Page {
	t.Helper()
	file := filepath.Join(dir, name)
	if !strings.Contains(errs, "timeline: "+file+"\n") {
		t.Errorf("got %q, want the name of %s", errs, file)
	}
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	page, err := view.ReadHTML(f)
	if err != nil {
		t.Fatal(err)
	}
	return page
}

// run -html writes a page for each script, whether it held or not.
func TestRunHTML(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "folder")
	code, _, errs := halfopen("run", "-html", dir, "../../testdata/races/body-cancel.txtar", "../../testdata/failures/leaked-body.txtar")
	if code != failed {
		t.Errorf("got exit code %d\n%s", code, errs)
	}
	if run := readPage(t, dir, "body-cancel.html", errs).Runs[0]; run.Verdict != "held" || len(run.Steps) < 5 {
		t.Errorf("got %s with %d steps, want held with some", run.Verdict, len(run.Steps))
	}
	run := readPage(t, dir, "leaked-body.html", errs).Runs[0]
	if run.Verdict != "failed" || len(run.Failures) == 0 || run.Failures[0].Kind != "body" {
		t.Errorf("got %s, %v, want a body that is left", run.Verdict, run.Failures)
	}
	if code, _, errs := halfopen("run", "-html", "/dev/null/x", "../../testdata/races/body-cancel.txtar"); code != mistake || !strings.Contains(errs, "halfopen run: -html: ") {
		t.Errorf("a folder that cannot be: got exit code %d\n%s", code, errs)
	}
	if code, _, errs := halfopen("run", "../../testdata/races/body-cancel.txtar"); code != held || errs != "" {
		t.Errorf("without -html: got exit code %d\n%s", code, errs)
	}
}

// explore -html writes a page with the tree of the schedules, and with those that matter
// step by step.
func TestExploreHTML(t *testing.T) {
	dir := t.TempDir()
	script := filepath.Join(dir, "one-conn.txtar")
	if err := os.WriteFile(script, []byte("# Both requests are sent on one connection.\nserve api.test:80\nserve other.test:80\nget r1 http://api.test/\nget r2 http://other.test/\nmay cancel r2\nrest\nwant conns 1\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	code, out, errs := halfopen("explore", "-html", dir, "-independent", "-strategy", "exhaustive", "-all", "-faults", "0", "-budget", "1500", "-keep-going", script)
	if code != failed {
		t.Fatalf("got exit code %d\n%s%s", code, out, errs)
	}
	page := readPage(t, dir, "one-conn.html", errs)
	results := make(map[string]int)
	for i, s := range page.Tree.Schedules {
		results[s.Result]++
		for _, c := range s.Choices {
			if c < 0 || c >= len(page.Tree.Names) {
				t.Errorf("schedule %d: choice %d has no name", i, c)
			}
		}
		if s.Run > len(page.Runs) {
			t.Errorf("schedule %d: run %d of %d", i, s.Run, len(page.Runs))
		}
	}
	if results["held"] == 0 || results["failed"] == 0 || results["pruned"] == 0 {
		t.Errorf("got %v, want some that held, some that failed, and some that were pruned", results)
	}
	finding := page.Runs[0]
	neighbour := page.Runs[slices.IndexFunc(page.Runs, func(r *view.Run) bool { return r.Verdict == "held" })]
	if finding.Verdict != "failed" || finding.Script == "" || len(finding.Schedule) == 0 || neighbour.Verdict != "held" {
		t.Errorf("got %q that %s and %q that %s, want a finding and one that held", finding.Name, finding.Verdict, neighbour.Name, neighbour.Verdict)
	}
	if finding.Schedule[0] != neighbour.Schedule[0] {
		t.Errorf("got %q and %q, which have nothing in common", finding.Schedule, neighbour.Schedule)
	}
	if !strings.Contains(out, strings.TrimPrefix(page.Tree.Coverage, "explored ")) {
		t.Errorf("got coverage %q, and the report\n%s", page.Tree.Coverage, out)
	}
}

// check -html writes a page with a cell for each case and subject. Each leads to its
// timelines, unless it could not be asked.
func TestCheckHTML(t *testing.T) {
	dir := t.TempDir()
	code, _, errs := halfopen("check", "-html", dir, "-run", "^(reuse-sequential|limit-never-exceeded|limit-apart)$", "-subject", "^net/http")
	if code != held {
		t.Fatalf("got exit code %d\n%s", code, errs)
	}
	page := readPage(t, dir, "check.html", errs)
	if len(page.Matrix.Cases) != 3 || len(page.Matrix.Subjects) != 3 || page.Matrix.Cases[0].Claim == "" {
		t.Fatalf("got %d cases for the subjects %q", len(page.Matrix.Cases), page.Matrix.Subjects)
	}
	states := make(map[string]int)
	for _, c := range page.Matrix.Cases {
		for i, cell := range c.Cells {
			states[cell.State]++
			if (len(cell.Runs) > 0) != (cell.State != "n/a") {
				t.Errorf("%s, %s: %s with %d runs", c.Name, page.Matrix.Subjects[i], cell.State, len(cell.Runs))
			}
			if len(cell.Runs) == 0 {
				continue
			}
			run := page.Runs[cell.Runs[0]]
			if want := map[string]string{"held": "held", "quirk": "failed"}[cell.State]; run.Verdict != want || run.Name != c.Name+", "+page.Matrix.Subjects[i] {
				t.Errorf("%s, %s: %s leads to %s, which is %s", c.Name, page.Matrix.Subjects[i], cell.State, run.Name, run.Verdict)
			}
		}
	}
	if states["held"] == 0 || states["quirk"] == 0 || states["n/a"] == 0 {
		t.Errorf("got %v, want some of each", states)
	}
}
