package main

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/halfopen/halfopen/suites/goleakcheck"
)

// commandName is the name by which the test binary is the command: a test needs it as a process.
const commandName = "halfopen"

func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == commandName {
		main()
	}
	if url := os.Getenv(clientURL); url != "" {
		os.Exit(runClient(url)) // the test binary is the program behind a proxy
	}
	goleakcheck.VerifyTestMain(m)
}

// halfopen runs the command line and returns its exit code and what it printed.
func halfopen(args ...string) (code exit, out, errs string) { return fed("", args...) }

// fed does the same with that text as standard input.
func fed(in string, args ...string) (code exit, out, errs string) {
	var o, e bytes.Buffer
	code = exit(runCommandLine(args, strings.NewReader(in), &o, &e))
	return code, o.String(), e.String()
}

// A script is explored, and its finding is saved and run again. The merged reports
// of shards are the report of one process.
func TestExplore(t *testing.T) {
	dir := t.TempDir()
	const script = "../../testdata/explore/two-gets.txtar"
	code, one, errs := halfopen("explore", "-strategy", "exhaustive", "-delays", "1", "-faults", "0", "-budget", "-1", script)
	if code != held || errs != "" || !strings.Contains(one, "explored all ") {
		t.Fatalf("got exit code %d\n%s%s", code, one, errs)
	}
	args := []string{"merge"}
	t.Setenv("TEST_TOTAL_SHARDS", "3")
	for i := range 3 {
		t.Setenv("TEST_SHARD_INDEX", string(rune('0'+i)))
		code, out, errs := halfopen("explore", "-json", "-strategy", "exhaustive", "-delays", "1", "-faults", "0", "-budget", "-1", script)
		file := filepath.Join(dir, string(rune('0'+i)))
		if code != held || errs != "" || os.WriteFile(file, []byte(out), 0o666) != nil {
			t.Fatalf("shard %d: got exit code %d, %s", i, code, errs)
		}
		args = append(args, file)
	}
	os.Unsetenv("TEST_TOTAL_SHARDS")
	if code, all, errs := halfopen(args...); code != held || all != one {
		t.Errorf("got exit code %d and\n%s%s\nwant\n%s", code, all, errs, one)
	}

	for _, wrong := range [][]string{args[:3], append(slices.Clone(args), args[1])} {
		if code, out, errs := halfopen(wrong...); code != mistake || out != "" || !strings.Contains(errs, "halfopen merge: ") || !strings.Contains(errs, args[1]) {
			t.Errorf("%q: got exit code %d and\n%s%s", wrong, code, out, errs)
		}
	}

	// This script claims that no connection is opened; the simplest schedule shows
	// that this is wrong.
	wrong := filepath.Join(dir, "wrong.txtar")
	if err := os.WriteFile(wrong, []byte("# No connection is opened.\nserve api.test:80\nget r1 http://api.test/\nrest\nwant conns 0\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	code, out, errs := halfopen("explore", "-save", dir, wrong)
	if code != failed || !strings.Contains(out, "got 1 connections open on the client's side [c1], want 0") || !strings.Contains(errs, "again: halfopen replay") {
		t.Errorf("got exit code %d\n%s%s", code, out, errs)
	}
	// The printed script fails by itself, with the same verdict.
	_, printed, _ := strings.Cut(out, "as a script:\n")
	printed, _, _ = strings.Cut(printed, "\n\nexplored ")
	again := filepath.Join(dir, "again.txtar")
	if err := os.WriteFile(again, []byte(strings.ReplaceAll(printed, "\n  ", "\n")), 0o666); err != nil {
		t.Fatal(err)
	}
	if code, out, errs := halfopen("run", again); code != failed || !strings.Contains(out, "got 1 connections open on the client's side [c1], want 0") {
		t.Errorf("got exit code %d\n%s%s\nfrom\n%s", code, out, errs, printed)
	}
	if code, _, errs := halfopen("merge", script); code != mistake || !strings.Contains(errs, "two-gets.txtar:1: want a report of halfopen explore -json") {
		t.Errorf("merge of no report: got exit code %d\n%s", code, errs)
	}
	if code, _, errs := halfopen("explore", "-strategy", "best", script); code != mistake || !strings.Contains(errs, `unknown strategy "best"`) {
		t.Errorf("got exit code %d\n%s", code, errs)
	}
}

// A saved schedule is run again. One that no longer fits, is truncated, or names what is no
// script is refused.
func TestReplay(t *testing.T) {
	dir := t.TempDir()
	const script = "../../testdata/explore/two-gets.txtar"
	wrong := filepath.Join(dir, "wrong.txtar")
	if err := os.WriteFile(wrong, []byte("# No connection is opened.\nserve api.test:80\nget r1 http://api.test/\nrest\nwant conns 0\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	halfopen("explore", "-save", dir, wrong)
	files, _ := filepath.Glob(filepath.Join(dir, "*.replay"))
	if len(files) != 1 {
		t.Fatalf("got %q, want one file", files)
	}
	saved := files[0]
	if code, out, _ := halfopen("replay", saved); code != failed || !strings.Contains(out, saved+": fails\n") {
		t.Errorf("replay: got exit code %d\n%s", code, out)
	}
	other := filepath.Join(dir, "other.txtar")
	if err := os.WriteFile(other, []byte("# Another name.\nserve api.test:80\nget r2 http://api.test/\nrest\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	if code, out, _ := halfopen("replay", saved, other); code != misfit || !strings.Contains(out, `replay:4: it no longer fits: step 1: got start r2, want "start r1" (did you mean "start r2"?), which never came`) {
		t.Errorf("replay of another script: got exit code %d\n%s", code, out)
	}
	data, _ := os.ReadFile(saved)
	for name, tt := range map[string]struct{ data, want string }{
		"crlf":      {strings.ReplaceAll(string(data), "\n", "\r\n"), ": fails\n"},
		"truncated": {strings.TrimSuffix(string(data), "end\n"), "the file is truncated"},
		"device":    {strings.ReplaceAll(string(data), wrong, "/dev/zero"), `is of "/dev/zero", which is no script`},
		"folder":    {strings.ReplaceAll(string(data), wrong, filepath.Join(dir, "folder.txtar")), "folder.txtar: not a regular file"},
	} {
		os.Mkdir(filepath.Join(dir, "folder.txtar"), 0o777)
		file := filepath.Join(dir, name+".replay")
		if err := os.WriteFile(file, []byte(tt.data), 0o666); err != nil {
			t.Fatal(err)
		}
		if _, out, errs := halfopen("replay", file); !strings.Contains(out+errs, tt.want) {
			t.Errorf("%s: got\n%s%s\nwant %q", name, out, errs, tt.want)
		}
	}
	big := filepath.Join(dir, "big.replay")
	if err := os.WriteFile(big, append(data, make([]byte, 4<<20)...), 0o666); err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string]string{big: "more than 4194304 bytes", "/dev/null": "not a regular file"} {
		if code, _, errs := halfopen("replay", file); code != mistake || !strings.Contains(errs, want) {
			t.Errorf("replay %s: got exit code %d\n%s", file, code, errs)
		}
	}
	if code, _, errs := halfopen("replay", script); code != mistake || !strings.Contains(errs, "two-gets.txtar is a script") {
		t.Errorf("replay of no schedule: got exit code %d\n%s", code, errs)
	}
}
