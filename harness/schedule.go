package harness

import (
	"fmt"
	"strings"
)

// Schedule is a list of choices by name, in the order in which they were made:
// "start r1", "dial d1 api.test:80", "c1 server->client data as reset",
// "cancel r1".
type Schedule []string

// replayHead is the first line of a saved schedule. The number changes when
// schedules of before can no longer be read.
const replayHead = "halfopen replay 1"

// Format returns the schedule as it is saved: a version, comments that say what it
// is of, and a choice a line.
func (f *Finding) Format(test string) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n# %s\n", replayHead, test)
	fmt.Fprintf(&b, "# %s\n", f.Report.Failures[0].Text)
	for _, name := range f.Schedule {
		b.WriteString(name + "\n")
	}
	return []byte(b.String())
}

// ScheduleOf returns the name of the test, or the file of the script, that a saved
// schedule is of.
func ScheduleOf(data []byte) string {
	_, rest, _ := strings.Cut(string(data), "\n")
	name, _, _ := strings.Cut(rest, "\n")
	return strings.TrimPrefix(name, "# ")
}

// ParseSchedule reads a saved schedule.
func ParseSchedule(file string, data []byte) (Schedule, error) {
	head, rest, _ := strings.Cut(string(data), "\n")
	if head != replayHead {
		return nil, &ParseError{File: file, Line: 1, Err: fmt.Errorf("got %q, want %q: it was saved by another version, or is no schedule", head, replayHead)}
	}
	var s Schedule
	for line := range strings.Lines(rest) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			s = append(s, line)
		}
	}
	return s, nil
}
