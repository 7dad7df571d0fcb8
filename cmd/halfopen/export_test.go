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
