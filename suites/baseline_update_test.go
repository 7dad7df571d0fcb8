package suites_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// With -halfopen.update a baseline is written: the test fails once more, and passes from then on. An
// entry whose case holds goes away; comments and reasons of the user stay.
func TestBaselineUpdate(t *testing.T) {
	const fails, holds = "close-request-header", "reuse-sequential"
	file := filepath.Join(t.TempDir(), "quirks")
	run := func(flags ...string) (out string, passed bool) {
		cmd := exec.Command(os.Args[0], append([]string{"-test.v", "-test.run=^TestBaseline$/^http1$/^(" + fails + "|" + holds + ")$", "-halfopen.quirks=" + file}, flags...)...)
		cmd.Env = append(os.Environ(), startedEnv+"=1")
		b, err := cmd.CombinedOutput()
		return string(b), err == nil
	}
	read := func() string {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	if out, passed := run(); passed || !strings.Contains(out, "-halfopen.quirks: open "+file) {
		t.Errorf("no file: got passed %v:\n%s", passed, out)
	}
	if out, passed := run("-halfopen.update"); passed || !strings.Contains(out, file+": written") || !strings.HasPrefix(read(), "http1/"+fails+" ") || strings.Count(read(), "\n") != 1 {
		t.Errorf("written: got passed %v:\n%s\n%s", passed, out, read())
	}
	if out, passed := run(); !passed {
		t.Errorf("known: got\n%s", out)
	}
	if err := os.WriteFile(file, []byte("# ours\n"+fails+" we know\nhttp1/"+holds+" no more"), 0o666); err != nil {
		t.Fatal(err)
	}
	if out, passed := run("-halfopen.update"); passed || read() != "# ours\n"+fails+" we know\n" {
		t.Errorf("an entry that holds: got passed %v:\n%s\n%s", passed, out, read())
	}
	if out, passed := run(); !passed {
		t.Errorf("without it: got\n%s", out)
	}
}
