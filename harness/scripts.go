package harness

import (
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"
)

// update is whether golden traces are rewritten instead of compared.
var update = flag.Bool("halfopen.update", envBool("HALFOPEN_UPDATE"),
	"rewrite the traces in race scripts (HALFOPEN_UPDATE)")

func envBool(name string) bool {
	on, _ := strconv.ParseBool(os.Getenv(name))
	return on
}

// Scripts runs every race script that the pattern ([filepath.Glob]) finds as
// a subtest, with transports of the maker; nil is [NetHTTP]. A script that the
// maker's transports cannot serve is skipped, with the maker's reason. The
// flag -halfopen.update, or HALFOPEN_UPDATE=1, rewrites the golden traces.
func Scripts(t *testing.T, pattern string, maker Maker) {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Fatalf("no race script matches %s", pattern)
	}
	for _, file := range files {
		s, err := ReadScript(file)
		if err != nil {
			t.Error(err)
			continue
		}
		t.Run(s.Name, func(t *testing.T) { s.Test(t, maker) })
	}
}

// Test runs the script as a test.
func (s *Script) Test(t TB, maker Maker) {
	t.Helper()
	mustHaveFlags(t)
	r, err := s.run(t.Name(), maker, settings{again: goTestLine(t.Name()), timeline: wantsTimeline()})
	writeTimeline(t, r)
	var na *NotApplicable
	if errors.As(err, &na) {
		skip(t, na.Error())
		return
	}
	if *update && s.onlyTraceDiffers(r) {
		if err := s.Update(r); err != nil {
			t.Errorf("%v", err)
		}
		return
	}
	if r.Undecided() {
		skip(t, r.String())
	}
	if len(r.Failures) > 0 {
		t.Errorf("%s", painted(r))
		t.FailNow()
	}
}

// goldenTrace compares the trace with the golden one of the script, if it has
// one. Another transport than net/http's takes other steps to the same end, so
// the golden trace is only for that one.
func (s *Script) goldenTrace(r *Report, rt http.RoundTripper) {
	want, ok := s.parsed.File(traceFile)
	if _, std := rt.(*http.Transport); !ok || !std || len(r.Failures) > 0 {
		return
	}
	got := strings.Split(r.Trace(), "\n")
	for i, w := range strings.Split(string(want), "\n") {
		if i >= len(got) || got[i] != w {
			g := "its end"
			if i < len(got) {
				g = strconv.Quote(got[i])
			}
			r.Failures = append(r.Failures, Failure{Kind: KindTrace, Where: s.File,
				Text: fmt.Sprintf("trace line %d: got %s, want %q", i+1, g, w)})
			return
		}
	}
	if n := strings.Count(string(want), "\n"); len(got)-1 > n {
		r.Failures = append(r.Failures, Failure{Kind: KindTrace, Where: s.File,
			Text: fmt.Sprintf("trace line %d: got %q, want its end", n+1, got[n])})
	}
}

func (s *Script) onlyTraceDiffers(r *Report) bool {
	_, has := s.parsed.File(traceFile)
	for _, f := range r.Failures {
		if f.Kind != KindTrace {
			return false
		}
	}
	return has
}

// Update rewrites the golden trace in the script's file to the one of a run.
func (s *Script) Update(r *Report) error {
	archive := s.parsed.Archive
	for i, f := range archive.Files {
		if f.Name == traceFile {
			archive.Files[i].Data = []byte(r.Trace())
			return os.WriteFile(s.File, txtar.Format(archive), 0o666)
		}
	}
	return fmt.Errorf("%s: there is no -- %s -- to update", s.File, traceFile)
}
