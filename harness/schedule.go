package harness

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
)

// Schedule is a list of choices by name, in the order in which they were made:
// "start r1", "dial d1 api.test:80", "c1 server->client data as reset",
// "cancel r1".
type Schedule []string

// The first and the last line of a saved schedule. The number changes when what was
// saved before can no longer be read. Version 1 had no last line.
const (
	replayHead   = "halfopen replay 2"
	replayBefore = "halfopen replay 1"
	replayEnd    = "end"
)

// Format returns the schedule as it is saved: a version, comments that say what it
// is of, a choice a line, and a last line that a truncated file does not have. What
// comes by itself after the last choice is not saved: it may change when a bug is fixed.
func (f *Finding) Format(test string) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n# %s\n", replayHead, oneLine(test))
	writeComment(&b, f.Report.Failures[0].Text)
	for _, name := range f.saved() {
		b.WriteString(quoteChoice(name) + "\n")
	}
	b.WriteString(replayEnd + "\n")
	return []byte(b.String())
}

// saved returns the choices that are saved.
func (f *Finding) saved() Schedule { return f.Schedule[:cmp.Or(f.told, len(f.Schedule))] }

// writeComment writes a text of any number of lines as a comment.
func writeComment(b *strings.Builder, text string) {
	for line := range strings.Lines(strings.ReplaceAll(text, "\r", "")) {
		b.WriteString(strings.TrimRight("# "+line, " \n") + "\n")
	}
}

// oneLine returns the name of a test without line breaks.
func oneLine(name string) string { return strings.Join(strings.Fields(name), " ") }

// quoteChoice quotes a name that would not be read as the choice that it is.
func quoteChoice(name string) string {
	if name == "" || name == replayEnd || name != strings.TrimSpace(name) || strings.ContainsAny(name, "\r\n") || strings.ContainsAny(name[:1], `#"`) {
		return strconv.Quote(name)
	}
	return name
}

// scheduleOf returns the name of the test, or the file of the script, that a saved
// schedule is of.
func scheduleOf(data []byte) string {
	_, rest, _ := strings.Cut(string(data), "\n")
	name, _, _ := strings.Cut(rest, "\n")
	return strings.TrimSpace(strings.TrimPrefix(name, "# "))
}

// ReadSchedule reads a saved schedule, a regular file of at most 4 MiB. It also returns
// the name of the test, or the file of the script, that the schedule is of.
func ReadSchedule(file string) (of string, s Schedule, err error) {
	data, err := readFile(file, mostInFile)
	if err != nil {
		return "", nil, err
	}
	s, err = ParseSchedule(file, data)
	return scheduleOf(data), s, err
}

// ParseSchedule reads a saved schedule.
func ParseSchedule(file string, data []byte) (Schedule, error) {
	s, _, err := parseSchedule(file, data)
	return s, err
}

// parseSchedule does the same, and returns the line of each choice too.
func parseSchedule(file string, data []byte) (s Schedule, lines []int, err error) {
	wrong := func(line int, format string, args ...any) (Schedule, []int, error) {
		return nil, nil, &ParseError{File: file, Line: line, Err: fmt.Errorf(format, args...)}
	}
	head, rest, _ := strings.Cut(string(data), "\n")
	head = strings.TrimSpace(head)
	if head != replayHead && head != replayBefore {
		return wrong(1, "got %.80q, want %q: it was saved by another version, or is no schedule", head, replayHead)
	}
	n, ended := 1, head == replayBefore
	for line := range strings.Lines(rest) {
		n++
		line = strings.TrimSpace(line)
		switch {
		case line == "" || line[0] == '#':
			continue
		case ended && head == replayHead:
			return wrong(n, "got %q after the last line, %q", line, replayEnd)
		case line == replayEnd && head == replayHead:
			ended = true
			continue
		case line[0] == '"':
			name, err := strconv.Unquote(line)
			if err != nil {
				return wrong(n, "bad quotes: %s", line)
			}
			line = name
		}
		s, lines = append(s, line), append(lines, n)
	}
	if !ended || !strings.HasSuffix(rest, "\n") {
		return wrong(n, "the last line, %q, is missing: the file is truncated", replayEnd)
	}
	return s, lines, nil
}

// How long a script or a saved schedule may be, and the report of a shard, in bytes.
const (
	mostInFile   = 4 << 20
	mostInReport = 64 << 20
)

// readFile reads a regular file of at most so many bytes.
func readFile(file string, most int) ([]byte, error) {
	info, err := os.Stat(file)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: not a regular file", file)
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, int64(most)+1))
	if err == nil && len(data) > most {
		err = fmt.Errorf("%s: more than %d bytes", file, most)
	}
	return data, err
}
