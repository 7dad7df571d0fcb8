package main

import (
	"os"
	"path/filepath"
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
	if code, _, errs := halfopen("run", "-html", "/dev/null/x", "../../testdata/races/body-cancel.txtar"); code != mistake || !strings.Contains(errs, "halfopen: -html: ") {
		t.Errorf("a folder that cannot be: got exit code %d\n%s", code, errs)
	}
	if code, _, errs := halfopen("run", "../../testdata/races/body-cancel.txtar"); code != held || errs != "" {
		t.Errorf("without -html: got exit code %d\n%s", code, errs)
	}
}
