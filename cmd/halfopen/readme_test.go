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

// The README's first test is a test: in a module of a user's own it fails as
// the README says, with the file and line of the user's code.
func TestReadme(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	readme, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, first, _ := strings.Cut(string(readme), "\n## A first test of your own\n")
	first, _, _ = strings.Cut(first, "\n## ")
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for _, m := range regexp.MustCompile("`([a-z_]+\\.go)`:\n\n```go\n((?s).*?)```").FindAllStringSubmatch(first, -1) {
		write(m[1], m[2])
	}
	mod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	// The user's module needs what this one needs, in the same versions.
	_, needs, _ := strings.Cut(string(mod), "\n")
	write("go.mod", "module prices.test/prices\n"+needs+
		"\nrequire github.com/halfopen/halfopen v0.0.0\n\nreplace github.com/halfopen/halfopen => "+root+"\n")
	sum, err := os.ReadFile(filepath.Join(root, "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	write("go.sum", string(sum))

	cmd := exec.Command("go", "test", "-mod=mod", "./...")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=off")
	out, err := cmd.CombinedOutput()
	if err == nil {
		t.Fatalf("the test passed, and must find the leak:\n%s", out)
	}
	for _, block := range regexp.MustCompile("fails all the same:\n\n```\n((?s).*?)```").FindAllStringSubmatch(first, -1) {
		for line := range strings.Lines(block[1]) {
			if !strings.Contains(string(out), strings.TrimSpace(line)) {
				t.Errorf("got:\n%s\nwant the README's line: %s", out, line)
			}
		}
	}
}

// The README shows the head of the table as check prints it.
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
	// Other rows make the columns wider, and bounds may change.
	fields := func(s string) []string {
		return strings.Fields(regexp.MustCompile(`held \d+`).ReplaceAllString(s, "held"))
	}
	if words := fields(shown); !slices.Equal(words, fields(out)[:len(words)]) {
		t.Errorf("got:\n%s\nwant its head to be:\n%s", out, shown)
	}
}
