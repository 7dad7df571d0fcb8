package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
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
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for _, m := range regexp.MustCompile("`([a-z_]+\\.go)`:\n\n```go\n((?s).*?)```").FindAllStringSubmatch(string(readme), -1) {
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
	for _, block := range regexp.MustCompile("fails all the same:\n\n```\n((?s).*?)```").FindAllStringSubmatch(string(readme), -1) {
		for line := range strings.Lines(block[1]) {
			if !strings.Contains(string(out), strings.TrimSpace(line)) {
				t.Errorf("got:\n%s\nwant the README's line: %s", out, line)
			}
		}
	}
}
