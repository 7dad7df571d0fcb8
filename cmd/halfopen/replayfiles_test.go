//go:build unix

package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// replay opens no file but its own and its script. Each has to be a regular one, and no longer than
// a script can be: anything else is refused with its name, at once.
func TestReplayFiles(t *testing.T) {
	dir, elsewhere := t.TempDir(), t.TempDir()
	const text = "# No connection is opened.\nserve api.test:80\nget r1 http://api.test/\nrest\nwant conns 0\n"
	script := filepath.Join(dir, "script.txtar")
	write := func(file, data string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(data), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	write(script, text)
	write(filepath.Join(elsewhere, "outside.txtar"), text)
	// of returns a schedule of the script of that name.
	of := func(script string) string {
		file := filepath.Join(dir, "of.replay")
		write(file, "halfopen replay 2\n# "+script+"\nstart r1\nend\n")
		return file
	}
	if code, out, errs := halfopen("replay", of(script)); code != failed || errs != "" {
		t.Fatalf("got exit code %d\n%s%s\nwant it to fail again", code, out, errs)
	}

	refused := func(what, file, want string, args ...string) {
		t.Helper()
		code, out, errs := halfopen(append([]string{"replay"}, args...)...)
		if code != mistake || out != "" || !strings.Contains(errs, file) || !strings.Contains(errs, want) {
			t.Errorf("%s: got exit code %d\n%s%s\nwant %d, with %q and %q", what, code, out, errs, mistake, file, want)
		}
	}
	for name, c := range map[string]struct {
		make func(file string) error
		want string
	}{
		"fifo":      {func(file string) error { return syscall.Mkfifo(file, 0o666) }, "not a regular file"},
		"folder":    {func(file string) error { return os.Mkdir(file, 0o777) }, "not a regular file"},
		"zero":      {func(file string) error { return os.Symlink("/dev/zero", file) }, "not a regular file"},
		"loop":      {func(file string) error { return os.Symlink(file, file) }, "too many levels of symbolic links"},
		"missing":   {func(string) error { return nil }, "no such file"},
		"terabyte":  {func(file string) error { write(file, ""); return os.Truncate(file, 1<<40) }, "more than 4194304 bytes"},
		"to-script": {func(file string) error { return os.Symlink(script, file) }, ""},
	} {
		asScript, asSchedule := filepath.Join(dir, name+".txtar"), filepath.Join(dir, name+".replay")
		for _, file := range []string{asScript, asSchedule} {
			if err := c.make(file); err != nil {
				t.Fatal(err)
			}
		}
		if c.want == "" { // a link to a regular file is one
			if code, _, errs := halfopen("replay", of(asScript)); code != failed {
				t.Errorf("%s: got exit code %d\n%s", name, code, errs)
			}
			continue
		}
		refused(name+" as a schedule", asSchedule, c.want, asSchedule, script)
		refused(name+" as the script of a schedule", asScript, c.want, of(asScript))
		refused(name+" as a named script", asScript, c.want, of(script), asScript)
	}

	outside := filepath.Join(elsewhere, "outside.txtar")
	refused("outside", outside, "which is neither below this folder nor below its own", of(outside))
	refused("outside, by dots", "outside.txtar", "which is neither below this folder nor below its own",
		of(filepath.Join(dir, "x")+"/../../"+filepath.Base(elsewhere)+"/outside.txtar"))
	refused("no script", "/etc/passwd", "which is no script", of("/etc/passwd"))
	if code, _, errs := halfopen("replay", of(outside), outside); code != failed {
		t.Errorf("named by the user: got exit code %d\n%s", code, errs)
	}
}
