package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// export writes a run of a page in each format, to a file or to standard output.
func TestExport(t *testing.T) {
	dir := t.TempDir()
	if code, _, errs := halfopen("run", "-html", dir, "../../testdata/races/broken-vanish.txtar"); code != held {
		t.Fatalf("got exit code %d\n%s", code, errs)
	}
	page := filepath.Join(dir, "broken-vanish.html")
	for ending, begins := range map[string]string{".pcapng": "\x0a\x0d\x0d\x0a", ".json": `{"displayTimeUnit"`, ".mmd": "sequenceDiagram\n", ".svg": "<svg "} {
		file := filepath.Join(dir, "out"+ending)
		if code, out, errs := halfopen("export", "-o", file, page); code != held || out+errs != "" {
			t.Errorf("%s: got exit code %d\n%s%s", ending, code, out, errs)
		}
		text, err := os.ReadFile(file)
		if err != nil || !strings.HasPrefix(string(text), begins) {
			t.Errorf("%s: got %v, and %d bytes that begin with another word", ending, err, len(text))
		}
	}
	text, _ := os.ReadFile(filepath.Join(dir, "out.mmd"))
	if code, out, errs := halfopen("export", "-to", "mermaid", page); code != held || out != string(text) || errs != "" {
		t.Errorf("to standard output: got exit code %d and\n%s%s\nwant\n%s", code, out, errs, text)
	}
}

// A mistake in the words of export is named.
func TestExportMistakes(t *testing.T) {
	dir := t.TempDir()
	halfopen("run", "-html", dir, "../../testdata/races/broken-vanish.txtar")
	page := filepath.Join(dir, "broken-vanish.html")
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{}, "want one page"},
		{[]string{"-to", "svg", page, page}, "want one page"},
		{[]string{page}, `unknown format ""; there are: pcapng (.pcapng`},
		{[]string{"-to", "pdf", page}, `unknown format "pdf"`},
		{[]string{"-o", filepath.Join(dir, "x.pdf"), page}, `unknown format ".pdf"`},
		{[]string{"-to", "svg", "-run", "2", page}, "-run 2: " + page + " has 1 runs"},
		{[]string{"-to", "svg", "-run", "0", page}, "-run 0: "},
		{[]string{"-to", "svg", "no.html"}, "open no.html"},
		{[]string{"-to", "svg", "main.go"}, "main.go: view: this is no page of halfopen"},
		{[]string{"-o", filepath.Join(dir, "no", "x.svg"), page}, "no such file or directory"},
	} {
		if code, out, errs := halfopen(append([]string{"export"}, c.args...)...); code != mistake || out != "" || !strings.Contains(errs, c.want) {
			t.Errorf("%q: got exit code %d\n%s%s\nwant %q", c.args, code, out, errs, c.want)
		}
	}
}
