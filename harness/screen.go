package harness

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// A report is to fit one screen, whatever it has to tell. This file has what is cut, each
// time with a count of what is left out; and it shows control bytes, which would do
// something to a terminal, as a script has them: "\x1b".

// The most of each part of a report that is printed.
const (
	mostSteps    = 24
	mostBlocked  = 8
	mostFailures = 10
	mostRows     = 16 // of the network's table
	mostPending  = 8  // of the events below it
	mostFrames   = 12 // of a panic
	mostOutcomes = 16

	mostInLine = 160
	mostInText = 2_000 // of a failure,
	mostLines  = 16    // which are at most as many lines
)

// cutText returns a text of any length as a report has it: of a long one the beginning and
// the end, where "want" stands, with the number of bytes that are left out between them.
func cutText(s string, most int) string {
	head, tail := len(s), 0
	if len(s) > most {
		head, tail = most-most/4, most/4
	}
	if i := afterLines(s[:head], mostLines); i < head {
		head, tail = i, min(most/4, len(s)-i)
	}
	if tail > 0 {
		tail = len(s) - max(len(s)-tail, strings.LastIndexByte(s, '\n')+1) // in one line
	}
	if left := len(s) - head - tail; left > 0 {
		return fmt.Sprintf("%s... (%d bytes left out) ...%s", shown(strings.ToValidUTF8(s[:head], "")), left, shown(strings.ToValidUTF8(s[len(s)-tail:], "")))
	}
	return shown(s)
}

// afterLines returns the index at which so many lines of s are over, or the length of s.
func afterLines(s string, lines int) int {
	for i := range len(s) {
		if s[i] == '\n' {
			if lines--; lines == 0 {
				return i
			}
		}
	}
	return len(s)
}

// cutLine returns a line as a report has it.
func cutLine(s string) string {
	if len(s) <= mostInLine && !strings.Contains(s, "\n") {
		return shown(s)
	}
	return cutText(s, mostInLine-len("... (100 bytes left out) ..."))
}

// cutLines returns the first lines, each as a report has it, and a line that counts the others,
// which are of that name.
func cutLines(lines []string, most int, name string) []string {
	var out []string
	for _, l := range lines[:min(most, len(lines))] {
		out = append(out, cutLine(l))
	}
	if n := len(lines) - most; n > 0 {
		out = append(out, fmt.Sprintf("and %d more %s", n, name))
	}
	return out
}

// cutTable returns the table of the network, with the pending events below it.
func cutTable(table string) []string {
	lines := strings.Split(strings.TrimSuffix(table, "\n"), "\n")
	pending := slices.IndexFunc(lines, func(l string) bool { return strings.HasPrefix(l, pendingEvent) })
	if pending < 0 {
		pending = len(lines)
	}
	return append(cutLines(lines[:pending], mostRows+1, "rows"), cutLines(lines[pending:], mostPending, "pending events")...)
}

// pendingEvent is before each pending event below the table.
const pendingEvent = "pending: "

// shown returns the text with its control bytes, line breaks and tabs apart, written out.
func shown(s string) string {
	if strings.IndexFunc(s, isControl) < 0 {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if isControl(r) {
			quoted := strconv.QuoteRune(r)
			b.WriteString(quoted[1 : len(quoted)-1])
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// isControl reports whether a terminal would act on the rune: the control characters of
// ASCII and those of ISO 6429.
func isControl(r rune) bool {
	return r < ' ' && r != '\n' && r != '\t' || r >= 0x7f && r < 0xa0
}
