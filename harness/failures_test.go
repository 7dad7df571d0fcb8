package harness_test

import (
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/tools/txtar"

	"github.com/halfopen/halfopen/harness"
)

// Scripts that must fail, each with its whole report as golden text. It fits a screen. They fail
// in as many different ways as a screen may have to show: by kind, and by the oracle. One whose
// name begins with "explored" is explored.
func TestFailures(t *testing.T) {
	files, err := filepath.Glob("../testdata/failures/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	different := make(map[string]bool)
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		s, err := harness.ParseScript(strings.TrimPrefix(filepath.ToSlash(file), "../"), data)
		if err != nil {
			t.Error(err)
			continue
		}
		t.Run(s.Name, func(t *testing.T) {
			text, failures := outcomeOf(t, s, brokenTransports[s.Name])
			if len(failures) == 0 {
				t.Fatal("the script held, and must not")
			}
			f := failures[0]
			different[string(f.Kind)+" "+strings.Join(f.Detail, " ")] = true
			if rows := rowsOnScreen(text); rows > 45 {
				t.Errorf("the report has %d rows, want at most 45", rows)
			}
			golden(t, file, data, text)
		})
	}
	t.Logf("%d scripts fail in %d ways", len(files), len(different))
	if len(different) < 12 {
		t.Errorf("got %d different failures, want at least 12: %q", len(different), slices.Sorted(maps.Keys(different)))
	}
}

// outcomeOf runs or explores a script, and returns its report and its failures.
func outcomeOf(t *testing.T, s *harness.Script, maker harness.Maker) (string, []harness.Failure) {
	if !strings.HasPrefix(s.Name, "explored") {
		r, err := s.TestReport(maker)
		if err != nil {
			t.Fatal(err)
		}
		return r.String(), r.Failures
	}
	x, err := s.ExploreReport(maker, harness.Bounds{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(x.Findings) == 0 {
		return x.String(), nil
	}
	return x.String(), x.Findings[0].Report.Failures
}

// rowsOnScreen returns how many rows of a screen of 80 columns a text takes.
func rowsOnScreen(text string) (rows int) {
	for _, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		rows++
		for n := utf8.RuneCountInString(line); n > 80; n -= 80 {
			rows++
		}
	}
	return rows
}

// golden compares got with the file "output" of an archive, or rewrites that.
func golden(t *testing.T, file string, data []byte, got string) {
	t.Helper()
	ar := txtar.Parse(data)
	for i, f := range ar.Files {
		if f.Name != "output" {
			continue
		}
		if *update {
			ar.Files[i].Data = []byte(got)
			if err := os.WriteFile(file, txtar.Format(ar), 0o666); err != nil {
				t.Fatal(err)
			}
			return
		}
		if string(f.Data) != got {
			t.Errorf("got:\n%s\nwant:\n%s", got, f.Data)
		}
		return
	}
	t.Errorf("%s: no file -- output --", file)
}

// brokenTransports has the transport of each failing script that does not fail with
// net/http.
var brokenTransports = map[string]harness.Maker{
	"panic": func(t *harness.T, s harness.Settings) (http.RoundTripper, error) {
		return roundTripper(func(*http.Request) (*http.Response, error) { panic("no such luck") }), nil
	},
	"goroutine-left": func(t *harness.T, s harness.Settings) (http.RoundTripper, error) {
		tr := t.Net.Transport()
		return roundTripper(func(req *http.Request) (*http.Response, error) {
			go stray()
			return tr.RoundTrip(req)
		}), nil
	},
	"over-limit":     withMistake("over the limit", 1),
	"cancel-ignored": withMistake("cancel ignored", 0),
	"sent-twice":     withMistake("everything retried", 0),
	"no-response":    withMistake("no response and no error", 0),
	"explored-leak":  withMistake("unused dial leaked", 0),
}

// withMistake makes small transports with a mistake.
func withMistake(bug string, limit int) harness.Maker {
	return func(t *harness.T, s harness.Settings) (http.RoundTripper, error) { return newMini(t, bug, limit), nil }
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// stray never ends: the goroutines that the failing tests leave behind are
// here, for goleak to know.
func stray() { select {} }
