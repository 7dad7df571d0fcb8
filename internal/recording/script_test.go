package recording_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/tools/txtar"

	"github.com/halfopen/halfopen/harness"
	"github.com/halfopen/halfopen/internal/recording"
)

var update = flag.Bool("update", false, "rewrite the scripts in testdata")

var usual = recording.Settings{Name: "x.trace", LeakAfter: time.Second, Most: 12}

// The script of each trace is the golden one. It runs, and is explored, as it is; where the trace
// shows a leak it fails because of that, and nothing else.
func TestScripts(t *testing.T) {
	verdicts := map[string][]string{
		"faults":  {"r6: PUT http://api.test:80/hang never returned", "r7: GET http://api.test:80/ never returned"},
		"idle":    nil,
		"restart": nil,
		"bare":    {"r1: response body of GET http://api.test:80/bytes/4096 never closed"},
	}
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) != len(verdicts) {
		t.Fatalf("got %d files, %v; want %d", len(files), err, len(verdicts))
	}
	for _, file := range files {
		ar, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		name := strings.TrimSuffix(filepath.Base(file), ".txtar")
		rec, err := recording.ReadTrace(file, strings.NewReader(string(ar.Files[0].Data)))
		if err != nil {
			t.Error(err)
			continue
		}
		got, err := rec.Script(usual)
		if err != nil {
			t.Error(err)
			continue
		}
		if *update {
			ar.Files[1].Data = []byte(got)
			if err := os.WriteFile(file, txtar.Format(ar), 0o666); err != nil {
				t.Fatal(err)
			}
		} else if want := string(ar.Files[1].Data); got != want {
			t.Errorf("%s: got:\n%s\nwant:\n%s", name, got, want)
		}
		wantVerdict(t, name, got, verdicts[name])
	}
}

// wantVerdict runs and explores a script, which fails for these reasons only, or holds.
func wantVerdict(t *testing.T, name, text string, want []string) {
	t.Helper()
	s, err := harness.ParseScript(name, []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	r, err := s.TestReport(nil)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range r.Failures {
		if f.Kind != harness.KindConn { // which follows from a body
			got = append(got, f.Text)
		}
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("%s: got %q, want %q\n%s", name, got, want, r)
	}
	x, err := s.ExploreReport(nil, harness.Bounds{Schedules: 100}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if failed := len(x.Findings) > 0; failed != (len(want) > 0) || len(x.Undecided) > 0 {
		t.Errorf("%s, explored: got\n%s\nwant it to fail: %v", name, x, len(want) > 0)
	}
}
