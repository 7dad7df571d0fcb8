package harness

import (
	"flag"
	"os"
	"sync/atomic"

	"github.com/halfopen/halfopen/harness/view"
)

// reportFlag is the folder for timelines.
var reportFlag = flag.String("halfopen.report", os.Getenv("HALFOPEN_REPORT"),
	"write the timeline of each test, as a page of HTML, to this `folder` (HALFOPEN_REPORT)")

// keepAll is whether every run keeps its timeline.
var keepAll atomic.Bool

// KeepTimelines has every run from now on keep its timeline, for [Report.Timeline] and
// [Exploration.Timeline]. It is for programs; a test has the flag -halfopen.report.
func KeepTimelines(on bool) { keepAll.Store(on) }

// artifacts returns the folder for the artifacts of a test, or "" if the flag -artifacts of
// go test is not given.
func artifacts(t TB) string {
	if t, ok := t.(interface{ ArtifactDir() string }); ok && wantsArtifacts() {
		return t.ArtifactDir()
	}
	return ""
}

// wantsTimeline reports whether runs are to keep their timelines.
func wantsTimeline() bool {
	return *reportFlag != "" || keepAll.Load() || wantsArtifacts()
}

// wantsArtifacts reports whether the flag -artifacts of go test is given.
func wantsArtifacts() bool {
	f := flag.Lookup("test.artifacts")
	return f != nil && f.Value.String() == "true"
}

// Timeline returns what happened in the run, step by step, if it was kept: if the flag
// -halfopen.report was given, or -artifacts, or after [KeepTimelines].
func (r *Report) Timeline() *view.Run { return r.timeline }

// writePage writes the page of a test, if there is one, and says where it is.
func writePage(t TB, page *view.Page) {
	if page == nil {
		return
	}
	t.Helper()
	for _, to := range []struct{ flag, dir string }{{"-halfopen.report", *reportFlag}, {"-artifacts", artifacts(t)}} {
		if to.dir == "" {
			continue
		}
		file, err := page.Save(to.dir)
		if err != nil {
			t.Errorf("harness: %s: %v", to.flag, err)
			continue
		}
		t.Logf("timeline: %s", file)
	}
}

// writeTimeline writes the page of a run.
func writeTimeline(t TB, r *Report) {
	if r.timeline != nil {
		t.Helper()
		writePage(t, &view.Page{Title: r.Name, Runs: []*view.Run{r.timeline}})
	}
}
