package harness

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A report is to fit one screen, whatever it has to tell. This file has what is cut, each
// time with a count of what is left out; and it shows control bytes, which would do
// something to a terminal, as a script has them: "\x1b".

// A screen, on which a report fits with its long lines wrapped.
const (
	screenRows    = 45
	screenColumns = 80
)

// parts has the most of each part of a report that is printed.
type parts struct {
	failures int
	text     int // bytes of one of them
	lines    int // and its lines
	detail   int // lines of a panic
	steps    int
	rows     int // of the network's table
	pending  int // of the events below it
	blocked  int
}

// screens has the most of each part, from much to little: a report takes the first that fits.
var screens = [...]parts{
	{failures: 10, text: mostInText, lines: mostLines, detail: 12, steps: 24, rows: 16, pending: 8, blocked: 8},
	{failures: 6, text: 1000, lines: 12, detail: 8, steps: 18, rows: 10, pending: 6, blocked: 6},
	{failures: 5, text: 500, lines: 6, detail: 6, steps: 12, rows: 6, pending: 4, blocked: 4},
	{failures: 4, text: 250, lines: 3, detail: 4, steps: 8, rows: 4, pending: 3, blocked: 3},
	{failures: 3, text: 150, lines: 2, detail: 3, steps: 6, rows: 3, pending: 2, blocked: 3},
	{failures: 2, text: 150, lines: 2, detail: 2, steps: 3, rows: 2, pending: 1, blocked: 3},
}

const (
	mostInLine = 160
	mostInText = 2_000
	mostLines  = 16

	mostPassed   = 10 // moves that do not fit
	mostOutcomes = 16 // of an exploration,
	mostBeside   = 3  // or beside a finding
	rowsBeside   = 9  // which are that many rows, with what was explored
)

// rowsOf returns how many rows of a screen a text takes.
func rowsOf(text string) (rows int) {
	for line := range strings.Lines(text) {
		n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n"))
		rows += max(1, (n+screenColumns-1)/screenColumns)
	}
	return rows
}

// cutText returns a text of any length as a report has it: of a long one the beginning and
// the end, where "want" stands, with the number of bytes that are left out between them.
func cutText(s string, most int) string { return cutAfter(s, most, mostLines) }

// cutAfter does what cutText does, with at most so many lines.
func cutAfter(s string, most, lines int) string {
	head, tail := len(s), 0
	if len(s) > most {
		head, tail = most-most/4, most/4
	}
	if i := afterLines(s[:head], lines); i < head {
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
func (p parts) cutTable(table string) []string {
	lines := strings.Split(strings.TrimSuffix(table, "\n"), "\n")
	pending := slices.IndexFunc(lines, func(l string) bool { return strings.HasPrefix(l, pendingEvent) })
	if pending < 0 {
		pending = len(lines)
	}
	return append(cutLines(lines[:pending], p.rows+1, "rows"), cutLines(lines[pending:], p.pending, "pending events")...)
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
