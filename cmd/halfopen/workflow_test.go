package main

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// The workflow runs the same targets as .ci/run, and all of them are in the Makefile.
// It runs check with flags that check has, and so does the workflow that users copy.
func TestWorkflows(t *testing.T) {
	read := func(name string) string {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	makefile, ours := read("../../Makefile"), read("../../.github/workflows/ci.yml")
	targets := strings.Fields(strings.Join(regexp.MustCompile(`(?m)run: make (.*)$`).FindAllString(ours, -1), " "))
	for _, target := range targets {
		if target != "run:" && target != "make" && !strings.Contains(makefile, "\n"+target+":") {
			t.Errorf("the workflow makes %s, but the Makefile has no such target", target)
		}
	}
	for _, target := range regexp.MustCompile(`(?m)^\s*make (.*)$`).FindAllStringSubmatch(read("../../.ci/run"), -1) {
		for _, name := range strings.Fields(target[1]) {
			if !strings.Contains(" "+strings.Join(targets, " ")+" ", " "+name+" ") {
				t.Errorf("the workflow does not make %s, but .ci/run does", name)
			}
		}
	}
	copied := read("../../suites/REPORT.md")
	checks := 0
	for _, line := range regexp.MustCompile(`run: go run \S*cmd/halfopen check (.*)`).FindAllStringSubmatch(ours+copied, -1) {
		if rest := checkExample(t, "halfopen check "+line[1]); rest > 0 {
			t.Errorf("%s: got %d arguments, and check takes none", line[0], rest)
		}
		checks++
	}
	if checks != 2 {
		t.Errorf("got %d workflows that check, want 2", checks)
	}
}
