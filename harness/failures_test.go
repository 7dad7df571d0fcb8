package harness_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/halfopen/halfopen/harness"
)

// Scripts that must fail, each with its whole report as golden text.
func TestFailures(t *testing.T) {
	files, err := filepath.Glob("../testdata/failures/*.txtar")
	if err != nil || len(files) < 10 {
		t.Fatalf("got %d failing scripts (%v), want at least 10", len(files), err)
	}
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
			r, err := s.TestReport(brokenTransports[s.Name])
			if err != nil {
				t.Fatal(err)
			}
			if !r.Failed() {
				t.Fatal("the script held, and must not")
			}
			golden(t, file, data, r.String())
		})
	}
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
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// stray never ends: the goroutines that the failing tests leave behind are
// here, for goleak to know.
func stray() { select {} }
