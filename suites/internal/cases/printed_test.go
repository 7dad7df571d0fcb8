package cases_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/halfopen/halfopen/harness"
	"github.com/halfopen/halfopen/suites"
)

// lacks begins the line of a printed script that says what of its test no script can contain.
const lacks = "# No script can contain: "

// A printed script fails by itself, on the transport that it was found with, and holds on
// one without the mistake. One that lacks a part of its test says so in its first lines, and
// may hold. The scripts are those of every broken transport, and those of the quirks.
func TestPrinted(t *testing.T) {
	var printed tally
	all := suites.Cases()
	for _, b := range broken() {
		if b.mistake == racy && raceEnabled {
			continue
		}
		if b.protocol == 0 {
			b.protocol = suites.HTTP1
		}
		for _, c := range all {
			if slices.Contains(b.cases, c.Name) && c.Script == nil {
				s := suites.Subject{Name: b.mistake, Protocol: b.protocol, Maker: b.maker}
				printed.try(t, s, c, right(b.protocol))
			}
		}
	}
	if printed.fails < 30 || printed.says < 50 {
		t.Errorf("got %+v, want at least 30 that fail by themselves and 50 that say what they lack", printed)
	}
	t.Logf("of broken transports: %s", printed)

	var quirks tally
	for _, s := range suites.Subjects() {
		for _, c := range all {
			hasQuirk := func(q suites.Quirk) bool { return strings.HasSuffix(q.Case, c.Name) }
			if c.Script == nil && c.Bounds.Schedules > 0 && slices.ContainsFunc(s.Quirks, hasQuirk) {
				quirks.try(t, s, c, nil) // the bug is not gone
			}
		}
	}
	t.Logf("of quirks: %s", quirks)
}

// right returns a transport that keeps every promise of a protocol.
func right(p suites.Protocol) harness.Maker {
	all := suites.Subjects()
	i := slices.IndexFunc(all, func(s suites.Subject) bool { return s.Name == "pool" && s.Protocol == p })
	return all[i].Maker
}

// tally has how many scripts were printed: how many fail by themselves, and how many of the others
// say what they lack.
type tally struct{ fails, says, without int }

func (n tally) String() string {
	return fmt.Sprintf("%d scripts fail by themselves, %d hold and say what they lack; %d cases have none, as they are run once",
		n.fails, n.says, n.without)
}

// try puts the subject to a case, and runs the script that is printed.
func (n *tally) try(t *testing.T, s suites.Subject, c suites.Case, right harness.Maker) {
	r := s.Run(c)
	if r.Script == "" {
		n.without++
		return
	}
	name := s.String() + ", " + c.Name
	if !strings.Contains(r.Report, "  begin\n") {
		t.Errorf("%s: the report is without its script:\n%s", name, r.Report)
	}
	script, err := harness.ParseScript("printed.txtar", []byte(r.Script))
	if err != nil {
		t.Errorf("%s: %v:\n%s", name, err, r.Script)
		return
	}
	run := func(maker harness.Maker) *harness.Report {
		rep, err := script.TestReport(maker)
		if err != nil {
			t.Errorf("%s: %v:\n%s", name, err, r.Script)
		}
		return rep
	}
	switch rep := run(s.Maker); {
	case rep.Failed() && sameText(rep.Failures[0].Text, script.Claim):
		n.fails++
	case says(r.Script):
		n.says++
	default:
		t.Errorf("%s: got %s\nwant it to fail by itself, with the same words, or to say what it lacks:\n%s", name, rep, r.Script)
	}
	if right == nil {
		return
	}
	if rep := run(right); len(rep.Failures) > 0 {
		t.Errorf("%s: got %s\non the transport without the mistake:\n%s", name, rep, r.Script)
	}
}

// says reports whether the first lines of a script say what it lacks.
func says(script string) bool {
	head, _, _ := strings.Cut(script, "\nbegin\n")
	return strings.Contains(head, lacks) && strings.Index(head, lacks) < strings.Index(head+"\nserve", "\nserve")
}

var numberInClaim = regexp.MustCompile(`\d+`)

// sameText reports whether a failure is the one that a script claims, numbers apart. The claim is
// its first line, and may be cut.
func sameText(text, claim string) bool {
	line := func(s string) string {
		s, _, _ = strings.Cut(numberInClaim.ReplaceAllString(s, "#"), "\n")
		return s[:min(len(s), 200)]
	}
	return line(text) == line(claim)
}
