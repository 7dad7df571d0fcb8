package suites

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
)

var quirksFlag = flag.String("halfopen.quirks", os.Getenv("HALFOPEN_QUIRKS"),
	"take the cases that this `file` names, one a line with a reason, for quirks that are known (HALFOPEN_QUIRKS)")

// baseline reads the quirks that a file declares: each line has the name of a case, as
// [Quirk.Case] has it, and a reason. Empty lines, and those that begin with #, are comments.
func baseline(file string) (quirks []Quirk, err error) {
	if file == "" {
		return nil, nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("suites: -halfopen.quirks: %w", err)
	}
	for n, line := range strings.Split(string(text), "\n") {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, reason, _ := strings.Cut(line, " ")
		if reason = strings.TrimSpace(reason); reason == "" {
			return nil, fmt.Errorf("%s:%d: %s has no reason behind it", file, n+1, name)
		}
		quirks = append(quirks, Quirk{Case: name, Reason: reason})
	}
	return quirks, nil
}

// A tally has what the cases of a test came to.
type tally struct {
	of      []Result
	planned int // how many there are if none is left out with -run
}

// summary says in a line how many cases came to what, and below it, if any failed, the
// baseline that has them for quirks.
func (y *tally) summary() string {
	var counts []string
	for _, state := range []State{Held, Failed, Quirky, Undecided, NotApplicable} {
		counts = append(counts, fmt.Sprintf("%d %s", countOf(y.of, state), state))
	}
	text := fmt.Sprintf("%d cases: %s", len(y.of), strings.Join(counts, ", "))
	var lines []string
	for _, r := range y.of {
		if r.State == Failed && r.Quirk == nil {
			lines = append(lines, "  "+r.name()+" "+firstLine(r.Report))
		}
	}
	if len(lines) > 0 {
		text += "\nto take what fails for known, put these lines into a file and name it with -halfopen.quirks:\n" + strings.Join(lines, "\n")
	}
	return text
}

// unused returns the quirks of a baseline that no result made use of, if all cases ran.
func (y *tally) unused(quirks []Quirk) (names []string) {
	if len(y.of) < y.planned {
		return nil
	}
	for _, q := range quirks {
		if !slices.ContainsFunc(y.of, func(r Result) bool { return q.of(r.Case, r.Subject.Protocol) && r.State != NotApplicable }) {
			names = append(names, q.Case)
		}
	}
	return names
}

// name returns the name of the case, with the protocol where there is one.
func (r Result) name() string {
	if r.Subject.Protocol == 0 {
		return r.Case.Name
	}
	return r.Subject.Protocol.String() + "/" + r.Case.Name
}

// firstLine returns what a report says first that is about the failure.
func firstLine(report string) string {
	for line := range strings.Lines(report) {
		line = strings.TrimSpace(line)
		if line != "" && !strings.HasPrefix(line, "explored ") {
			return line
		}
	}
	return "it fails"
}
