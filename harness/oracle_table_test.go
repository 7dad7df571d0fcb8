package harness_test

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/halfopen/halfopen/harness"
)

// TestOracleTable wants each oracle to be in the table, and each of the table to be one that
// a run can fail by. Each method of T that a rule names must exist.
func TestOracleTable(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	sources := make(map[string]string)
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		sources[name] = string(text)
	}
	_, manual, _ := strings.Cut(harness.Manual(), "ORACLE is one of these")
	manual, _, _ = strings.Cut(manual, "ERRNO is one of")
	rows := regexp.MustCompile("(?m)^- `(\\w+)`: (.*)$").FindAllStringSubmatch(manual, -1)
	constants := make(map[string]string)
	for _, c := range regexp.MustCompile(`(?m)^\t(oracle\w+) +oracle = "(.*)"$`).FindAllStringSubmatch(sources["oracle.go"], -1) {
		constants[c[2]] = c[1]
	}
	if len(constants) == 0 || len(constants) != len(rows) {
		t.Errorf("got %d constants and %d rows, want one row for each constant", len(constants), len(rows))
	}
	for _, row := range rows {
		name, rule := row[1], row[2]
		if constants[name] == "" {
			t.Fatalf("got no constant for the oracle %s", name)
		}
		fails := regexp.MustCompile(`\.violate(At)?\(` + constants[name] + `,`)
		if !slices.ContainsFunc(files, func(file string) bool { return fails.MatchString(sources[file]) }) {
			t.Errorf("oracle %s: nothing fails by it, so that Allow has no effect", name)
		}
		for _, m := range regexp.MustCompile(`\bT\.(\w+)`).FindAllStringSubmatch(rule, -1) {
			if _, ok := reflect.TypeFor[*harness.T]().MethodByName(m[1]); !ok {
				t.Errorf("oracle %s: its rule names T.%s, and there is no such method", name, m[1])
			}
		}
	}
}

// TestOraclePages wants a section for each oracle in the documentation, with the sentence that
// it enforces, a failure, what causes it and what looks alike, and a row for each kind of
// thing that is left at the end.
func TestOraclePages(t *testing.T) {
	page, err := os.ReadFile("../docs/oracles.md")
	if err != nil {
		t.Fatal(err)
	}
	sections := make(map[string]string)
	for _, s := range strings.Split(string(page), "\n## ")[1:] {
		title, text, _ := strings.Cut(s, "\n")
		sections[title] = text
	}
	left := sections["Left at the end"]
	delete(sections, "Left at the end")
	_, manual, _ := strings.Cut(harness.Manual(), "ORACLE is one of these")
	manual, _, _ = strings.Cut(manual, "ERRNO is one of")
	rows := regexp.MustCompile("(?m)^- `(\\w+)`: (.*)\\.$").FindAllStringSubmatch(manual, -1)
	for _, row := range rows {
		text := sections[row[1]]
		delete(sections, row[1])
		for _, want := range []string{"\n> " + row[2] + "\n", "\n`", "**Usual causes.** ", "**Looks alike, and is right.** "} {
			if !strings.Contains(text, want) {
				t.Errorf("the section of the oracle %s has no %q", row[1], want)
			}
		}
	}
	if len(rows) == 0 || len(sections) > 0 {
		t.Errorf("of %d oracles, got the sections %v of none", len(rows), sections)
	}
	for _, kind := range []harness.Kind{harness.KindConn, harness.KindBody, harness.KindRequest, harness.KindGoroutine, harness.KindDial, harness.KindHold, harness.KindFault, harness.KindUnreached} {
		if !strings.Contains(left, "\n| `"+string(kind)+"` | ") {
			t.Errorf("nothing is said about the kind %s", kind)
		}
	}
}
