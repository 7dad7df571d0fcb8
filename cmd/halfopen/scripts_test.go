package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const messy = "#  It holds.\r\n\r\n\r\nserve   api.test:80\nget r1 \"http://api.test/\"\nopen d1\n#again\nwant  body r1 'ok' --  the   \"answer\"\n-- trace --\n  as it is\n"

const tidied = "# It holds.\nserve api.test:80\nget r1 \"http://api.test/\"\nopen d1\n\n# again\nwant body r1 'ok' -- the \"answer\"\n\n-- trace --\n  as it is\n"

// fmt prints scripts, lists those that would change, and rewrites them. What is formatted
// stays as it is.
func TestFormat(t *testing.T) {
	t.Chdir(t.TempDir())
	for name, text := range map[string]string{"messy.txtar": messy, "tidied.txtar": tidied} {
		if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		args []string
		code exit
		out  string
	}{
		{[]string{"messy.txtar"}, held, tidied},
		{[]string{"tidied.txtar", "-"}, held, tidied + tidied},
		{[]string{"-l", "messy.txtar", "tidied.txtar", "-"}, failed, "messy.txtar\n-\n"},
		{[]string{"-w", "messy.txtar", "tidied.txtar"}, held, ""},
		{[]string{"-l", "messy.txtar", "tidied.txtar"}, held, ""},
	} {
		code, out, errs := fed(messy, append([]string{"fmt"}, tt.args...)...)
		if code != tt.code || out != tt.out || errs != "" {
			t.Errorf("fmt %q: got exit code %d and\n%s%s\nwant %d and\n%s", tt.args, code, out, errs, tt.code, tt.out)
		}
	}
	if code, _, errs := fed(messy, "fmt", "-w", "-"); code != mistake || !strings.Contains(errs, "standard input") {
		t.Errorf("fmt -w -: got exit code %d, %s", code, errs)
	}
}

// The scripts of the project are formatted.
func TestFormatted(t *testing.T) {
	args := []string{"fmt", "-l"}
	for _, pattern := range []string{"new/*", "../../testdata/*/*.txtar", "../../testdata/*/*/*.txtar", "../../*/testdata/*.txtar", "../../*/testdata/*/*.txtar"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if filepath.Ext(file) == ".txtar" {
				args = append(args, file)
			}
		}
	}
	if code, out, errs := halfopen(args...); code != held || len(args) < 250 {
		t.Errorf("of %d scripts, got exit code %d\n%s%s", len(args), code, out, errs)
	}
}

// The file - is standard input, for run and explore.
func TestStandardInput(t *testing.T) {
	script, err := os.ReadFile("../../testdata/explore/two-gets.txtar")
	if err != nil {
		t.Fatal(err)
	}
	if code, out, errs := fed(string(script), "explore", "-budget", "20", "-"); code != held || !strings.Contains(out, "outcomes; portfolio, seed 1") {
		t.Errorf("explore -: got exit code %d\n%s%s", code, out, errs)
	}
	if code, out, _ := fed("# It does not hold.\nwant conns 1\n", "run", "-"); code != failed || !strings.Contains(out, "want 1  (-:2)") || !strings.Contains(out, "halfopen run -") {
		t.Errorf("run -: got exit code %d\n%s", code, out)
	}
	if code, _, errs := fed(strings.Repeat("#", 5<<20), "run", "-"); code != mistake || !strings.Contains(errs, "standard input: more than 4194304 bytes") {
		t.Errorf("run - with too much: got exit code %d, %s", code, errs)
	}
}

// check -list prints the cases that would run, and their claims.
func TestCheckList(t *testing.T) {
	code, out, errs := halfopen("check", "-list", "-group", "limit", "-run", "never|hosts")
	want := "limit-hosts-apart     limit  "
	if code != held || errs != "" || strings.Count(out, "\n") != 2 || !strings.Contains(out, want) || !strings.Contains(out, "limit-never-exceeded  limit  Connections and dials of a host") {
		t.Errorf("got exit code %d\n%s%s", code, out, errs)
	}
}
