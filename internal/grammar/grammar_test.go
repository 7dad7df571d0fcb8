package main

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/halfopen/halfopen/faultnet"
	"github.com/halfopen/halfopen/harness"
)

// The committed files are those that go generate writes.
func TestCurrent(t *testing.T) {
	for name, want := range files(harness.Manual()) {
		got, err := os.ReadFile(filepath.Join("../../docs/editors", filepath.FromSlash(name)))
		if err != nil || !bytes.Equal(bytes.ReplaceAll(got, []byte("\r\n"), []byte("\n")), want) {
			t.Errorf("docs/editors/%s is not up to date (%v): run make generate", name, err)
		}
	}
}

// matcher colors lines as an editor does: the rules of a region in order, one line after another.
type matcher struct {
	comment, verb, header *regexp.Regexp
	trace                 []*regexp.Regexp
}

func newMatcher(t *testing.T) matcher {
	t.Helper()
	g := textmate(wordsOf(harness.Manual()))
	if len(g.Patterns) != 3 || g.Patterns[1].End != `(?!)` {
		t.Fatalf("got %d rules", len(g.Patterns))
	}
	m := matcher{regexp.MustCompile(g.Patterns[0].Match), regexp.MustCompile(g.Patterns[2].Begin), regexp.MustCompile(g.Patterns[1].Begin), nil}
	for _, r := range g.Patterns[1].Patterns {
		m.trace = append(m.trace, regexp.MustCompile(r.Match+r.Begin))
	}
	for _, r := range g.Patterns[2].Patterns {
		regexp.MustCompile(r.Match + r.Begin)
	}
	return m
}

// Each verb of the manual is colored as a whole, and what is no verb is not.
func TestVerbs(t *testing.T) {
	w := wordsOf(harness.Manual())
	if len(w.verbs) < 60 || len(w.named) < 60 || !isPlain(w.verbs) {
		t.Fatalf("got %d verbs and %d other names: %q", len(w.verbs), len(w.named), w.verbs)
	}
	m := newMatcher(t)
	for _, verb := range w.verbs {
		for _, line := range []string{verb, verb + " r1", "! " + verb + " r1", "  " + verb} {
			if got := m.verb.FindStringSubmatch(line); got == nil || got[2] != verb {
				t.Errorf("%q: got %q as the verb, want %q", line, got, verb)
			}
		}
		if m.verb.MatchString(verb + "x r1") {
			t.Errorf("%qx is colored as a verb", verb)
		}
	}
}

// Every outcome of a dial is colored by its place, and what else stands behind a dial is not. No name
// has a rest of its parameters.
func TestOutcomes(t *testing.T) {
	rule := regexp.MustCompile(outcomeOfDial)
	for _, v := range faultnet.Verdicts() {
		for _, outcome := range []string{v.String(), v.String() + ":1s,2"} {
			if got := rule.FindStringSubmatch("fail d1 " + outcome); got == nil || got[2] != outcome {
				t.Errorf("%s: got %q", outcome, got)
			}
		}
	}
	for _, line := range []string{"let dial d1 api.test:80", "want dial d2 -- a GET can be sent again"} {
		if got := rule.FindStringSubmatch(line); got != nil {
			t.Errorf("%s: got %q as an outcome", line, got[2])
		}
	}
	for _, name := range wordsOf(harness.Manual()).named {
		if strings.ContainsAny(name, "[]") {
			t.Errorf("got %s as a name", name)
		}
	}
}

// Every line of every script is colored, and every line of its golden trace that is a verb.
func TestScripts(t *testing.T) {
	m := newMatcher(t)
	scripts, lines := 0, 0
	err := filepath.WalkDir("../../testdata", func(file string, d fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(file) != ".txtar" {
			return err
		}
		data, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		if _, err := harness.ParseScript(file, data); err != nil {
			return nil // it is no script, or a wrong one
		}
		scripts++
		ar := txtar.Parse(data)
		for line := range strings.Lines(string(ar.Comment)) {
			lines++
			line = strings.TrimRight(line, "\r\n")
			if strings.TrimSpace(line) != "" && !m.comment.MatchString(line) && !m.verb.MatchString(line) {
				t.Errorf("%s: no rule for %q", file, line)
			}
		}
		for _, f := range ar.Files {
			if head := "-- " + f.Name + " --"; !m.header.MatchString(head) {
				t.Errorf("%s: no rule for %q", file, head)
			}
			for line := range strings.Lines(string(f.Data)) {
				if f.Name == "trace" && strings.HasPrefix(line, "> ") && !m.inTrace(strings.TrimSpace(line)) && !strings.HasPrefix(line, "> end") && !strings.HasPrefix(line, "> start ") {
					t.Errorf("%s: no rule for %q in the trace", file, line)
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d scripts, %d lines", scripts, lines)
	if scripts < 200 {
		t.Errorf("got %d scripts", scripts)
	}
}

func (m matcher) inTrace(line string) bool {
	for _, r := range m.trace {
		if r.MatchString(line) {
			return true
		}
	}
	return false
}
