//go:build unix

package harness_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/halfopen/halfopen/harness"
)

// flaggedEnv is set in the environment of a process that runs TestFlagged.
const flaggedEnv = "HALFOPEN_TEST_FLAGGED"

// TestFlagged uses every kind of test: a process runs it with wrong flags.
func TestFlagged(t *testing.T) {
	if os.Getenv(flaggedEnv) == "" {
		return
	}
	t.Run("test", func(t *testing.T) { harness.Test(t, func(t *harness.T) { plainGet(t).Finish() }) })
	t.Run("explore", func(t *testing.T) {
		harness.Explore(t, harness.Bounds{Schedules: 3}, func(t *harness.T) { plainGet(t) })
	})
	t.Run("script", func(t *testing.T) { harness.Scripts(t, "../testdata/races/body-cancel.txtar", nil) })
}

// plainGet makes a request that is answered.
func plainGet(t *harness.T) *harness.Request {
	t.Serve("api.test:80", nil)
	return t.Get("r1", t.Net.Transport(), "http://api.test/")
}

// Each wrong flag, or variable in the environment, of a test is said to the letter in
// testdata/mistakes/flags.txt, and fails the test.
func TestWrongFlags(t *testing.T) {
	const table = "testdata/mistakes/flags.txt"
	data, err := os.ReadFile(table)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, _ := strings.Cut(string(data), "\n$ ")
	got := head + "\n"
	said := make(map[string]bool)
	for _, entry := range strings.Split(rest, "\n$ ") {
		line, _, _ := strings.Cut(entry, "\n")
		text := flagged(t, line)
		got += "$ " + line + "\n" + text + "\n"
		said[text] = true
	}
	got = strings.TrimSuffix(got, "\n")
	if len(said) < 30 {
		t.Errorf("got %d different mistakes, want at least 30", len(said))
	}
	if *update {
		if err := os.WriteFile(table, []byte(got), 0o666); err != nil {
			t.Fatal(err)
		}
	} else if got != string(data) {
		t.Errorf("got\n%s\nwant\n%s", got, data)
	}
}

// whereLogged matches the place that package testing puts in front of a message.
var whereLogged = regexp.MustCompile(`^(flags_test|scripts)\.go:\d+: `)

// flagged runs TestFlagged with what stands around "go test" in a line, and returns what it says and
// its exit code.
func flagged(t *testing.T, line string) string {
	t.Helper()
	before, after, ok := strings.Cut(line, "go test")
	if !ok {
		t.Fatalf("got %q, want [NAME=VALUE...] go test [FLAG...]", line)
	}
	cmd := exec.Command(os.Args[0], append([]string{"-test.run=^TestFlagged$"}, strings.Fields(after)...)...)
	cmd.Env = append(append(os.Environ(), flaggedEnv+"=1"), strings.Fields(before)...)
	out, err := cmd.CombinedOutput()
	if _, ok := errors.AsType[*exec.ExitError](err); err != nil && !ok {
		t.Fatal(err)
	}
	text, _, _ := strings.Cut(string(out), "Usage of ")
	var b strings.Builder
	for l := range strings.Lines(text) {
		l = strings.TrimSpace(l)
		l = whereLogged.ReplaceAllString(l, "")
		if strings.HasPrefix(l, "explored ") {
			break
		}
		if l != "" && !strings.Contains(b.String(), l+"\n") && l != "FAIL" && l != "PASS" && !strings.HasPrefix(l, "--- ") {
			b.WriteString(l + "\n")
		}
	}
	return b.String() + fmt.Sprintf("exit code %d\n", cmd.ProcessState.ExitCode())
}
