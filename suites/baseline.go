package suites

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
)

var quirksFlag = flag.String("halfopen.quirks", os.Getenv("HALFOPEN_QUIRKS"),
	"take the cases that this `file` names, one a line with a reason, for quirks that are known (HALFOPEN_QUIRKS)")

// baseline reads the quirks that a file declares: each line has the name of a case, as
// [Quirk.Case] has it, one of all, and a reason. Empty lines, and those that begin with #, are comments.
func baseline(file string, all []Case) (quirks []Quirk, err error) {
	if file == "" {
		return nil, nil
	}
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) && updates() {
		return nil, nil // it is about to be written
	}
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
		q := Quirk{Case: name, Reason: reason}
		if err := CheckQuirks(all, []Quirk{q}); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", file, n+1, err)
		}
		quirks = append(quirks, q)
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
			lines = append(lines, "  "+r.entry())
		}
	}
	if len(lines) > 0 {
		text += "\nto take what fails for known, put these lines into a file and name it with -halfopen.quirks; -halfopen.quirks FILE -halfopen.update writes it:\n"
		if more := len(lines) - mostEntries; more > 0 {
			lines = append(lines[:mostEntries], fmt.Sprintf("  and %d more", more))
		}
		text += strings.Join(lines, "\n")
	}
	return text
}

// saysLittle returns why the test must not pass although no case failed, or "": more than half
// of the cases that were put were undecided. Of a part of the cases, as -run selects it, it says nothing.
func (y *tally) saysLittle() string {
	undecided, put := countOf(y.of, Undecided), len(y.of)-countOf(y.of, NotApplicable)
	if len(y.of) < y.planned || 2*undecided <= put {
		return ""
	}
	return fmt.Sprintf("suites: %d of the %d cases that were put are undecided: the test says little. Each says what it was waiting for; "+
		"in a deep bubble, with halfopen test, a mutex is no reason", undecided, put)
}

// The most entries of a baseline that a summary shows, and the most failures of a test whose
// reports are whole.
const (
	mostEntries = 20
	mostReports = 5
)

// entry returns the line of a baseline that has a failure for known.
func (r Result) entry() string { return r.name() + " " + firstLine(r.Report) }

// updates reports whether the flag -halfopen.update is given: see [harness.Scripts].
func updates() bool {
	f := flag.Lookup("halfopen.update")
	return f != nil && f.Value.String() == "true"
}

// update rewrites a baseline: it has what failed, and no entry any more that is of no use.
func (y *tally) update(file string, known []Quirk) error {
	gone := y.unused(known)
	var failed []string
	for _, r := range y.of {
		switch {
		case r.State == Failed && r.Quirk != nil:
			gone = append(gone, r.Quirk.Case)
		case r.State == Failed:
			failed = append(failed, r.entry()+"\n")
		}
	}
	text, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	var b strings.Builder
	for line := range strings.Lines(string(text)) {
		if name, _, _ := strings.Cut(strings.TrimSpace(line), " "); !slices.Contains(gone, name) {
			b.WriteString(strings.TrimSuffix(line, "\n") + "\n")
		}
	}
	for _, line := range failed {
		b.WriteString(line)
	}
	return os.WriteFile(file, []byte(b.String()), 0o666)
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
