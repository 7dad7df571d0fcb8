package harness_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/halfopen/halfopen/harness"
)

// Each folder of testdata/compat has what users of that release may have saved: replays,
// which fit and fail as they did, and lines of scripts, which are still known. A word
// that is renamed stays, or is refused with the new one.
func TestCompat(t *testing.T) {
	const folders = "../testdata/compat"
	releases, err := os.ReadDir(folders)
	if err != nil || len(releases) == 0 {
		t.Fatalf("got %d releases (%v)", len(releases), err)
	}
	for _, release := range releases {
		t.Run(release.Name(), func(t *testing.T) {
			dir := filepath.Join(folders, release.Name())
			compatReplays(t, dir)
			compatLines(t, filepath.Join(dir, "lines.txt"))
		})
	}
}

// compatReplays runs the saved schedules of a release.
func compatReplays(t *testing.T, dir string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.replay"))
	if err != nil || len(files) == 0 {
		t.Fatalf("got %d replays (%v)", len(files), err)
	}
	for _, file := range files {
		of, _, err := harness.ReadSchedule(file)
		if err != nil {
			t.Error(err)
			continue
		}
		s, err := harness.ReadScript(filepath.Join("..", filepath.FromSlash(of)))
		if err != nil {
			t.Error(err)
			continue
		}
		x, err := s.ReplayReport(nil, file)
		if err != nil {
			t.Error(err)
			continue
		}
		if r := x.Replayed[0]; r.Misfit != "" || !r.Failed {
			t.Errorf("got %s, want it to fail as it did", r)
			continue
		}
		// The third line of the file is the failure that it shows.
		saved, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		want := strings.TrimPrefix(strings.Split(string(saved), "\n")[2], "# ")
		if got := x.Findings[0].Report.Failures[0].Text; got != want {
			t.Errorf("%s: got the failure %q, want %q", file, got, want)
		}
	}
}

// compatLines parses lines of scripts. For the folder of a new release, -update writes
// those that the scripts of testdata have, one for each form; a file that is there is
// never changed.
func compatLines(t *testing.T, file string) {
	t.Helper()
	if _, err := os.Stat(file); *update && os.IsNotExist(err) {
		if err := os.WriteFile(file, []byte(strings.Join(formsOfLines(t), "\n")+"\n"), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(data)), "\n")
	if len(lines) < 100 {
		t.Errorf("%s: got %d lines, want those of every verb", file, len(lines))
	}
	for i, line := range lines {
		script := "# A line of a release.\n" + line + "\n"
		if !startsRequest.MatchString(line) {
			script = "# A line of a release.\n" + requestsBefore + line + "\n"
		}
		if _, err := harness.ParseScript("compat.txtar", []byte(script)); err != nil {
			t.Errorf("%s:%d: %v", file, i+1, err)
		}
	}
}

// requestsBefore are those that a line may refer to, unless it starts one itself or comes
// before any.
const requestsBefore = "get r0 http://api.test/\nget r1 http://api.test/\nget r2 http://api.test/\nget r3 http://api.test/\n"

var startsRequest = regexp.MustCompile(`^(get|post|request|transport|gates|strict) `)

// namesInLines are the parts of a line that differ from script to script.
var namesInLines = regexp.MustCompile(`"[^"]*"|'[^']*'|https?://\S+|\d+`)

// formsOfLines returns a line for each form that the lines of scripts in testdata have.
func formsOfLines(t *testing.T) []string {
	t.Helper()
	forms := map[string]string{}
	for _, pattern := range []string{"races/*", "explore/*", "quirks/*", "catalogue/*/*"} {
		files, err := filepath.Glob("../testdata/" + pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: got %d files (%v)", pattern, len(files), err)
		}
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			script, _, _ := strings.Cut("\n"+string(data), "\n-- ")
			for line := range strings.SplitSeq(script, "\n") {
				form := namesInLines.ReplaceAllString(line, "_")
				if old, ok := forms[form]; line != "" && line[0] != '#' && !strings.Contains(line, "@") && (!ok || line < old) {
					forms[form] = line
				}
			}
		}
	}
	var lines []string
	for _, line := range forms {
		lines = append(lines, line)
	}
	slices.Sort(lines)
	return lines
}
