package color_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/halfopen/halfopen/internal/color"
)

var escapes = regexp.MustCompile("\x1b\\[[0-9;]*m")

// Each golden report is painted: its first line is red, and the text is otherwise the same.
func TestReport(t *testing.T) {
	files, _ := filepath.Glob("../../testdata/failures/*.txtar")
	if len(files) < 12 {
		t.Fatalf("got %d reports", len(files))
	}
	for _, file := range files {
		ar, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range ar.Files {
			text := string(f.Data)
			got := color.Report(text)
			if f.Name != "output" {
				continue
			}
			if !strings.HasPrefix(got, "\x1b[1;31m") {
				t.Errorf("%s: the first line is not painted:\n%s", file, got)
			}
			if escapes.ReplaceAllString(got, "") != text {
				t.Errorf("%s: got another text:\n%s", file, got)
			}
			if head, _, _ := strings.Cut(text, "\n\n"); len(escapes.FindAllString(got, -1)) != 2*(1+strings.Count(head, "\n")) {
				t.Errorf("%s: something else than the verdict is painted:\n%q", file, got)
			}
		}
	}
}

// The promise has another color than the verdict; below a reason stands the line to blame.
func TestParts(t *testing.T) {
	const red, cyan, plain = "\x1b[1;31m", "\x1b[36m", "\x1b[0m"
	for text, want := range map[string]string{
		"r1: never closed  (a.go:3)\n    net/http: \"close it\"\n\nsteps:\n  > end\n":       red + "r1: never closed  (a.go:3)" + plain + "\n    " + cyan + "net/http: \"close it\"" + plain + "\n\nsteps:\n  > end\n",
		"c1 should be idle\n    r2: got c2, want c1  (a.go:9)\n\nsteps:\n  > end\n\nagain:": red + "c1 should be idle" + plain + "\n    " + red + "r2: got c2, want c1  (a.go:9)" + plain + "\n\nsteps:\n  > end\n\nagain:",
		"TestX: held\n":                     "\x1b[32mTestX: held" + plain + "\n",
		"explored 5 schedules\n\nas a b:\n": "explored 5 schedules\n\nas a b:\n",
	} {
		if got := color.Report(text); got != want {
			t.Errorf("got\n%q\nwant\n%q", got, want)
		}
	}
}

// A file is no terminal, and NO_COLOR is respected, unless color is asked for.
func TestWanted(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	t.Setenv("NO_COLOR", "")
	t.Setenv("TERM", "xterm")
	for setting, want := range map[string]bool{color.Auto: false, color.Always: true, color.Never: false} {
		if got := color.Wanted(setting, f); got != want {
			t.Errorf("%s: got %v for a file, want %v", setting, got, want)
		}
	}
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	if !color.Wanted(color.Auto, null) {
		t.Error("got no color for a character device")
	}
	t.Setenv("NO_COLOR", "1")
	if color.Wanted(color.Auto, null) || !color.Wanted(color.Always, null) {
		t.Error("NO_COLOR: got color for auto, or none for always")
	}
	if err := color.Check("allways"); err == nil || !strings.Contains(err.Error(), `did you mean "always"`) {
		t.Errorf("got %v", err)
	}
}
