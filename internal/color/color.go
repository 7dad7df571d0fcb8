// Package color paints reports for a terminal: the verdict, the line to blame and the promise.
// It adds escape sequences to a text and changes nothing else, so that reports that go to a
// file, and the golden ones, are made without it.
package color

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"regexp"
	"runtime"
	"slices"
	"strings"

	"github.com/halfopen/halfopen/internal/nearest"
)

// The settings of a flag for color.
const (
	Auto   = "auto"   // on a terminal only, and not if NO_COLOR is set
	Always = "always" // wherever it goes
	Never  = "never"
)

var settings = []string{Auto, Always, Never}

// Check returns an error if the setting is none.
func Check(setting string) error {
	if slices.Contains(settings, setting) {
		return nil
	}
	return fmt.Errorf("got %q, want %s%s", setting, strings.Join(settings, ", "), nearest.DidYouMean(setting, settings))
}

// Wanted reports whether what is written to w is to be painted. NO_COLOR is that of
// https://no-color.org: if it is not empty, only Always paints.
func Wanted(setting string, w io.Writer) bool {
	switch setting {
	case Always:
		return true
	case Never:
		return false
	}
	return os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb" && IsTerminal(w) && understands()
}

// IsTerminal reports whether what is written to w appears on a terminal.
func IsTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	st, err := f.Stat()
	return err == nil && st.Mode()&os.ModeCharDevice != 0
}

// understands reports whether the terminal knows escape sequences: the console of Windows
// does not unless a program asks it to, while the newer terminals there say who they are.
func understands() bool {
	return runtime.GOOS != "windows" || cmp.Or(os.Getenv("WT_SESSION"), os.Getenv("TERM"), os.Getenv("ConEmuANSI")) != ""
}

const (
	red   = "\x1b[1;31m"
	green = "\x1b[32m"
	cyan  = "\x1b[36m"
	plain = "\x1b[0m"
)

// place is how a line of a report ends that has a file and a line.
var place = regexp.MustCompile(`\(\S+:\d+\)$`)

// Report paints a text that has reports in it. What went wrong stands in the paragraph before
// the steps: what begins a line there is a verdict, what is indented is the promise, or the
// line to blame below its reason.
func Report(text string) string {
	paragraphs := strings.Split(text, "\n\n")
	for i, p := range paragraphs {
		if i+1 < len(paragraphs) && strings.HasPrefix(paragraphs[i+1], "steps:\n") {
			paragraphs[i] = verdict(p)
		}
	}
	if first, rest, _ := strings.Cut(paragraphs[0], "\n"); strings.HasSuffix(first, ": held") {
		paragraphs[0] = green + first + plain + "\n" + rest
	}
	return strings.Join(paragraphs, "\n\n")
}

func verdict(paragraph string) string {
	lines := strings.Split(paragraph, "\n")
	for i, l := range lines {
		text := strings.TrimLeft(l, " ")
		indent := l[:len(l)-len(text)]
		switch {
		case text == "":
		case indent == "" || place.MatchString(text):
			lines[i] = indent + red + text + plain
		default:
			lines[i] = indent + cyan + text + plain
		}
	}
	return strings.Join(lines, "\n")
}
