//go:build unix

package main

import (
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/halfopen/halfopen/faultnet"
)

var update = flag.Bool("update", false, "rewrite what is said about mistakes")

// mostSaid is how many lines a mistake may need, besides a list of mistakes in several files.
const mostSaid = 4

// leastMistakes is how many different things are said, at least, about the mistakes of a file.
const leastMistakes = 40

// Each file of testdata/mistakes is a table of what users type wrongly and what is said about it, to
// the letter. A mistake has exit code 2, is said in few lines, and changes no file.
func TestMistakes(t *testing.T) {
	tables, err := filepath.Glob("testdata/mistakes/*.txt")
	if err != nil || len(tables) < 1 {
		t.Fatalf("got the tables %q, %v", tables, err)
	}
	for _, name := range tables {
		table, err := filepath.Abs(name)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txt"), func(t *testing.T) { testTable(t, table) })
	}
}

func testTable(t *testing.T, table string) {
	data, err := os.ReadFile(table)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	t.Chdir(dir)
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	places := strings.NewReplacer(here, "/here", dir, "/here", everyOutcome(), "(every outcome)")
	writeFixtures(t)

	var got strings.Builder
	said := make(map[string]bool)
	head, rest, _ := strings.Cut(string(data), "\n$ ")
	got.WriteString(head + "\n")
	for _, entry := range strings.Split(rest, "\n$ ") {
		e := parseEntry(t, entry)
		text := places.Replace(e.run(t))
		fmt.Fprintf(&got, "$ %s\n%s\n", e.input, text)
		if strings.HasSuffix(text, "exit code 2\n") || strings.HasSuffix(text, "exit code 3\n") {
			said[text] = true
		}
	}
	if len(said) < leastMistakes {
		t.Errorf("got %d different mistakes, want at least %d", len(said), leastMistakes)
	}
	if text := strings.TrimSuffix(got.String(), "\n"); text != string(data) {
		if *update {
			if err := os.WriteFile(table, []byte(text), 0o666); err != nil {
				t.Fatal(err)
			}
			return
		}
		differences(t, string(data), text)
	}
}

// everyOutcome returns the list of all outcomes, as messages have it. A table has none of it, so that
// a new fault changes no table.
func everyOutcome() string {
	var names []string
	for _, v := range faultnet.Verdicts() {
		if !v.IsHold() {
			names = append(names, v.String())
		}
	}
	return strings.Join(names, ", ")
}

// differences reports the entries of a table that are not as they were.
func differences(t *testing.T, want, got string) {
	t.Helper()
	wants, gots := strings.Split(want, "\n$ "), strings.Split(got, "\n$ ")
	for i := range min(len(wants), len(gots)) {
		if wants[i] != gots[i] {
			t.Errorf("got\n$ %s\nwant\n$ %s", gots[i], wants[i])
		}
	}
}

// An entry is a command, with the contents of the file x.*, if it names one.
type entry struct {
	input   string // as it stands in the table
	vars    []string
	args    []string
	content string
	has     bool
}

// parseEntry reads the part of a table that begins behind "$ ". Lines that begin with "| " are the
// contents of the file.
func parseEntry(t *testing.T, text string) (e entry) {
	t.Helper()
	first, rest, _ := strings.Cut(text, "\n")
	e.input = first
	for line := range strings.Lines(rest) {
		if of, ok := strings.CutPrefix(line, "|"); ok {
			e.input += "\n" + strings.TrimSuffix(line, "\n")
			e.content += strings.TrimPrefix(of, " ")
			e.has = true
		}
	}
	words := wordsOf(first)
	for len(words) > 0 && strings.Contains(words[0], "=") {
		e.vars, words = append(e.vars, words[0]), words[1:]
	}
	if len(words) == 0 || words[0] != "halfopen" {
		t.Fatalf("got %q, want [NAME=VALUE...] halfopen [ARGUMENT...]", first)
	}
	e.args = words[1:]
	return e
}

// file returns the name of the file that has the contents, which begins with x.
func (e entry) file() string {
	i := slices.IndexFunc(e.args, func(arg string) bool { return strings.HasPrefix(arg, "x.") })
	return e.args[i]
}

// wordsOf splits a line of a shell, which has single quotes.
func wordsOf(line string) (words []string) {
	for i, quoted := range strings.Split(line, "'") {
		if i%2 == 1 {
			words = append(words, quoted)
		} else {
			words = append(words, strings.Fields(quoted)...)
		}
	}
	return words
}

// run runs the command of an entry, and returns what it says first and its exit code.
func (e entry) run(t *testing.T) string {
	t.Helper()
	for _, v := range e.vars {
		name, value, _ := strings.Cut(v, "=")
		os.Setenv(name, value)
		defer os.Unsetenv(name)
	}
	if e.has {
		if err := os.WriteFile(e.file(), []byte(e.content), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	before := filesHere(t)
	code, out, errs := halfopen(e.args...)
	if after := filesHere(t); code == mistake && !maps.Equal(before, after) {
		t.Errorf("%s: got other files: %q, want %q", e.input, slices.Sorted(maps.Keys(after)), slices.Sorted(maps.Keys(before)))
	}
	if e.has {
		os.Remove(e.file())
	}
	text := errs
	if code != mistake {
		text = out + errs
	} else if n := strings.Count(errs, "\n"); n > mostSaid && len(e.args) > 0 {
		t.Errorf("%s: got %d lines, want at most %d", e.input, n, mostSaid)
	}
	text, _, _ = strings.Cut(freePort.ReplaceAllString(text, "$1 127.0.0.1:PORT"), "\n\n")
	return strings.TrimSuffix(text, "\n") + fmt.Sprintf("\nexit code %d\n", int(code))
}

// freePort matches an address that the system has chosen.
var freePort = regexp.MustCompile(`(on|db:) 127\.0\.0\.1:\d+`)

// filesHere returns every file below this folder, with its contents.
func filesHere(t *testing.T) map[string]string {
	t.Helper()
	all := make(map[string]string)
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			all[path] = "a folder"
			return err
		}
		data, err := os.ReadFile(path)
		all[path] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}
