package main

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/halfopen/halfopen/harness"
)

// readGuide returns a page of the documentation.
func readGuide(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("../../docs", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// blockBelow returns the first block of code of a page that stands below those words.
func blockBelow(t *testing.T, page, words string) string {
	t.Helper()
	_, rest, ok := strings.Cut(page, words)
	_, rest, begins := strings.Cut(rest, "```")
	_, rest, _ = strings.Cut(rest, "\n")
	block, _, ends := strings.Cut(rest, "```")
	if !ok || !begins || !ends {
		t.Fatalf("the page has no block below %q", words)
	}
	return block
}

// The guide to a race in a pool says what happens at each of its steps, from the first test to
// the fixed pool.
func TestGuideOwnPool(t *testing.T) {
	page := readGuide(t, "own-pool.md")
	m := newUserModule(t, "tiny.test/tiny")
	files := map[string]string{}
	for _, f := range goFiles(page) {
		files[f.name] = f.text
	}
	passes := func(step string) string {
		t.Helper()
		out, err := m.test("-v")
		if err != nil {
			t.Errorf("%s: got %v:\n%s", step, err, out)
		}
		return out
	}
	fails := func(step, words string) {
		t.Helper()
		out, err := m.test()
		if err == nil {
			t.Errorf("%s: the tests pass, and must not:\n%s", step, out)
		}
		for line := range strings.Lines(blockBelow(t, page, words)) {
			if !strings.Contains(out, strings.TrimSpace(line)) {
				t.Errorf("%s: got\n%s\nwant %s", step, out, line)
			}
		}
	}
	m.write("pool.go", files["pool.go"])
	m.write("pool_test.go", files["pool_test.go"])
	passes("one request")
	m.write("every_test.go", files["every_test.go"])
	fails("every order", "`go test` fails now, and says:")

	if err := os.MkdirAll(filepath.Join(m.dir, "testdata", "races"), 0o777); err != nil {
		t.Fatal(err)
	}
	m.write("testdata/races/cancelled-dial.txtar", blockBelow(t, page, "`testdata/races/cancelled-dial.txtar`:"))
	m.write("scripts_test.go", files["scripts_test.go"])
	if out, err := m.test("-run", "TestScripts"); err == nil || !strings.Contains(out, "c1 to api.test:80: still open") {
		t.Errorf("the script: got %v:\n%s", err, out)
	}

	head, tail, ok := strings.Cut(files["pool.go"], "\tcase <-ctx.Done():\n")
	_, tail, ok2 := strings.Cut(tail, "\t}\n")
	if !ok || !ok2 {
		t.Fatal("pool.go has no last case")
	}
	m.write("pool.go", head+blockBelow(t, page, "the last case in `get`:")+tail)
	if out := passes("fixed"); !strings.Contains(out, ": holds now") {
		t.Errorf("got\n%s\nwant the saved schedule to hold", out)
	}
	os.RemoveAll(filepath.Join(m.dir, "testdata", "replays"))

	first := regexp.MustCompile(`(?m)^.*MayCancel\(\)\n`)
	more := first.ReplaceAllString(files["every_test.go"], "${0}"+blockBelow(t, page, "behind the first request:"))
	m.write("every_test.go", more)
	fails("two requests", "Now `go test` fails and says:")
	os.RemoveAll(filepath.Join(m.dir, "testdata", "replays"))
	m.write("every_test.go", first.ReplaceAllString(more, blockBelow(t, page, "in front of the requests:")+"${0}"))
	passes("allowed")
}

// The Go code of the page for those who come from other tools runs as it stands there, and each
// name in its tables exists.
func TestGuideComingFrom(t *testing.T) {
	page := readGuide(t, "coming-from.md")
	code := "package coming\n\nimport (\n\t\"errors\"\n\t\"io\"\n\t\"net\"\n\t\"net/http\"\n\t\"testing\"\n\t\"time\"\n\n\t\"github.com/halfopen/halfopen\"\n\t\"github.com/halfopen/halfopen/faultnet\"\n)\n"
	blocks := regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(page, -1)
	if sections := strings.Count(page, "\n## "); len(blocks) != sections {
		t.Errorf("got %d blocks of Go for %d tools", len(blocks), sections)
	}
	for _, b := range blocks {
		code += "\n" + b[1]
	}
	m := newUserModule(t, "coming.test/coming")
	m.write("coming_test.go", code)
	out, err := m.test("-v")
	if err != nil || strings.Count(out, "--- PASS: TestFrom") != len(blocks) {
		t.Errorf("got %v:\n%s", err, out)
	}

	names := 0
	for kind, has := range map[string]reflect.Type{"t": reflect.TypeFor[*harness.T](), "t.Net": reflect.TypeFor[*harness.Net]()} {
		for _, name := range regexp.MustCompile("`"+regexp.QuoteMeta(kind)+`\.([A-Z]\w*)`).FindAllStringSubmatch(page, -1) {
			names++
			if _, ok := has.MethodByName(name[1]); !ok && name[1] != "Net" {
				t.Errorf("%s has no method %s", kind, name[1])
			}
		}
	}
	if names < 15 {
		t.Errorf("got %d names of methods", names)
	}
	for _, line := range regexp.MustCompile("\\| `((?:shape|fault|unlisten) [^`]*)` \\|").FindAllStringSubmatch(page, -1) {
		names++
		if _, err := harness.ParseScript("line.txtar", []byte("# A line of the page.\n"+line[1]+"\n")); err != nil {
			t.Error(err)
		}
	}
	if names < 23 {
		t.Errorf("got %d names and lines of scripts", names)
	}
}
