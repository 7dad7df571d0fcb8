package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The README's first test works: in a user's module it fails as the README says, and
// shows the file and the line of the user's code.
func TestReadme(t *testing.T) {
	first := section(t, "A first test of your own")
	m := newUserModule(t, "prices.test/prices")
	for _, f := range goFiles(first) {
		m.write(f.name, f.text)
	}
	out, err := m.test()
	if err == nil {
		t.Fatalf("the test passed, and must find the leak:\n%s", out)
	}
	wantShown(t, out, first, "but the test fails:")
	if !strings.Contains(first, "`go test -halfopen.report out`") || !strings.Contains(first, "`out/TestBackendDown.html`") {
		t.Error("the README does not say how to write a timeline")
	}
	m.test("-halfopen.report", "out")
	if page, err := os.ReadFile(filepath.Join(m.dir, "out", "TestBackendDown.html")); err != nil || !strings.Contains(string(page), "never closed") {
		t.Errorf("got %v, and a page of %d bytes, want one with the failure", err, len(page))
	}
}

// The README's test with httptest passes. The same test with the harness differs in
// one line. It fails as the README says until the code is corrected.
func TestReadmeHTTPTest(t *testing.T) {
	text := section(t, "From a test with httptest")
	files := goFiles(text)
	if len(files) != 3 {
		t.Fatalf("got %d files, want the code and its test before and after", len(files))
	}
	code, before, after := files[0], files[1], files[2]

	_, body, _ := strings.Cut(before.text, "func TestAsk(t *testing.T) {\n")
	body = strings.TrimSuffix(body, "}\n")
	body = strings.Replace(body, "httptest.NewServer(", "t.NewServer(", 1)
	if body = regexp.MustCompile(`(?m)^(.)`).ReplaceAllString(body, "\t$1"); body == "" || !strings.Contains(after.text, body) {
		t.Errorf("got another test:\n%s\nwant it to contain:\n%s", after.text, body)
	}

	m := newUserModule(t, "ask.test/ask")
	m.write(code.name, code.text)
	m.write(before.name, before.text)
	if out, err := m.test(); err != nil {
		t.Errorf("before: got %v:\n%s", err, out)
	}
	m.write(after.name, after.text)
	out, err := m.test()
	if err == nil {
		t.Errorf("after: the test passed, and must find the leak:\n%s", out)
	}
	wantShown(t, out, text, "did not see:")

	loop := "\t\t}\n\t}\n}\n"
	if !strings.HasSuffix(code.text, loop) {
		t.Fatalf("got %s, want it to end with its loop", code.text)
	}
	m.write(code.name, strings.TrimSuffix(code.text, loop)+"\t\t}\n\t\tresp.Body.Close()\n\t}\n}\n")
	if out, err := m.test(); err != nil {
		t.Errorf("corrected: got %v:\n%s", err, out)
	}
}

// section returns the README's section with this title.
func section(t *testing.T, title string) string {
	t.Helper()
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text, ok := strings.Cut(string(readme), "\n## "+title+"\n")
	if !ok {
		t.Fatalf("the README has no section %q", title)
	}
	text, _, _ = strings.Cut(text, "\n## ")
	return text
}

// goFile is a file that the README shows.
type goFile struct{ name, text string }

// goFiles returns the files of a section, in order: each stands below its name.
func goFiles(section string) (files []goFile) {
	for _, m := range regexp.MustCompile("`([a-z_]+\\.go)`:\n\n```go\n((?s).*?)```").FindAllStringSubmatch(section, -1) {
		files = append(files, goFile{m[1], m[2]})
	}
	return files
}

// wantShown checks that the output contains each line of the blocks that follow these
// words.
func wantShown(t *testing.T, out, section, words string) {
	t.Helper()
	blocks := regexp.MustCompile(regexp.QuoteMeta(words)+"\n\n```\n((?s).*?)```").FindAllStringSubmatch(section, -1)
	if len(blocks) == 0 {
		t.Errorf("the README shows nothing after %q", words)
	}
	for _, block := range blocks {
		for line := range strings.Lines(block[1]) {
			if !strings.Contains(out, strings.TrimSpace(line)) {
				t.Errorf("got:\n%s\nwant the README's line: %s", out, line)
			}
		}
	}
}

// userModule is a user's module that requires this working copy of halfopen.
type userModule struct {
	t   *testing.T
	dir string
}

// newUserModule makes the module, without code. It requires the same modules as
// halfopen, in the same versions.
func newUserModule(t *testing.T, path string) *userModule {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	mod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	sum, err := os.ReadFile(filepath.Join(root, "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	m := &userModule{t, t.TempDir()}
	_, needs, _ := strings.Cut(string(mod), "\n")
	m.write("go.mod", "module "+path+"\n"+needs+
		"\nrequire github.com/halfopen/halfopen v0.0.0\n\nreplace github.com/halfopen/halfopen => "+root+"\n")
	m.write("go.sum", string(sum))
	return m
}

// write writes a file of the module. It replaces an earlier file of the same name.
func (m *userModule) write(name, text string) {
	m.t.Helper()
	if err := os.WriteFile(filepath.Join(m.dir, name), []byte(text), 0o666); err != nil {
		m.t.Fatal(err)
	}
}

// test runs the tests of the module with these flags, and returns what they print.
func (m *userModule) test(flags ...string) (out string, err error) {
	cmd := exec.Command("go", append([]string{"test", "-mod=mod", "./..."}, flags...)...)
	cmd.Dir = m.dir
	cmd.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=off")
	b, err := cmd.CombinedOutput()
	return string(b), err
}

// The README shows the first lines of the table as check prints them.
func TestReadmeTable(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, shown, _ := strings.Cut(string(readme), "prints what held:\n\n```\n")
	shown, _, ok := strings.Cut(shown, "```")
	if !ok {
		t.Fatal("the README shows no table")
	}
	t.Setenv("GITHUB_ACTIONS", "")
	var names []string
	for line := range strings.Lines(shown) {
		if name, _, _ := strings.Cut(line, " "); name != "" && name != "case" {
			names = append(names, name)
		}
	}
	code, out, errs := halfopen("check", "-run", "^("+strings.Join(names, "|")+")$")
	if code != held || errs != "" {
		t.Errorf("got exit code %d, %s", code, errs)
	}
	// The width of columns and the number of schedules may differ.
	fields := func(s string) []string {
		return strings.Fields(regexp.MustCompile(`held \d+`).ReplaceAllString(s, "held"))
	}
	if words := fields(shown); !slices.Equal(words, fields(out)[:len(words)]) {
		t.Errorf("got:\n%s\nwant it to begin with:\n%s", out, shown)
	}
}
