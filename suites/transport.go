package suites

import (
	"slices"
	"strings"
	"testing"

	"github.com/halfopen/halfopen/harness"
)

// TestTransport puts every case to the maker's transports, as a subtest, "http1/reuse-sequential"
// and so on, each with a new transport: over each protocol that they speak by themselves or when they
// are asked to ([SubjectsOf]). So a maker that applies the settings of HTTP/2 has every case over
// that too; -run 'TestMine/http1' leaves it out. A case that has a quirk must fail; it is logged with the quirk's
// reason. What is not applicable is skipped with its reason. At the end it logs how
// many cases came to what, and it fails if more than half of those that were put were undecided. A
// maker to whose transports no case can be put is refused before the first one: see [CheckMaker].
//
// The orders that a case tries run one after another. The flag -halfopen.parallel has several
// run at the same time, for transports that share no variable, such as a pool of timers.
//
// The flag -halfopen.quirks names a file of quirks to start from, for a transport that
// fails some cases already: each line has the name of a case, "http1/cancel-anywhere" or
// without the protocol, and a reason. With -halfopen.update the file is written: it gets what fails,
// and loses the entries that are of no use any more, which fail the test otherwise. Of many failures only
// the first have a whole report.
func TestTransport(t *testing.T, maker harness.Maker, quirks ...Quirk) {
	t.Helper()
	all := Cases()
	known, err := baseline(*quirksFlag, all)
	if err != nil {
		t.Fatal(err)
	}
	if err := CheckQuirks(all, slices.Concat(quirks, known)); err != nil {
		t.Fatal(err)
	}
	subjects := SubjectsOf(t.Name(), maker, slices.Concat(quirks, known)...)
	if len(subjects) == 0 {
		t.Fatalf("suites: %v", CheckMaker(maker))
	}
	y := tally{planned: len(all) * len(subjects)}
	for _, s := range subjects {
		t.Run(s.Protocol.String(), func(t *testing.T) {
			t.Helper()
			y.test(t, s, all)
		})
	}
	y.end(t, known)
}

// TestSubject puts every case to one subject, as TestTransport does: to one that no maker alone
// makes, such as a transport of HTTP/3, which brings a [Server].
func TestSubject(t *testing.T, s Subject) {
	t.Helper()
	all := Cases()
	if err := CheckQuirks(all, s.Quirks); err != nil {
		t.Fatal(err)
	}
	if s.Protocol == H3 && s.Server == nil {
		t.Fatal(noServer)
	}
	y := tally{planned: len(all)}
	y.test(t, s, all)
	y.end(t, nil)
}

// test puts the subject to each case, as a subtest.
func (y *tally) test(t *testing.T, s Subject, all []Case) {
	t.Helper()
	for _, c := range all {
		t.Run(c.Name, func(t *testing.T) {
			t.Helper() // so that a failure stands at the line of the user's test
			r := s.Run(c)
			y.of = append(y.of, r)
			if countOf(y.of, Failed) > mostReports && r.State == Failed {
				r.Report = firstLine(r.Report) + "\nThe whole report of one case: go test -run '^" + strings.ReplaceAll(t.Name(), "/", "$/^") + "$'"
			}
			r.report(t)
		})
	}
}

// end logs the summary, and fails the test for entries of the baseline that are of no use.
func (y *tally) end(t *testing.T, known []Quirk) {
	t.Helper()
	if *quirksFlag != "" && updates() {
		if err := y.update(*quirksFlag, known); err != nil {
			t.Errorf("suites: -halfopen.quirks: %v", err)
		}
		t.Logf("%s: written; without -halfopen.update the cases that it names are quirks", *quirksFlag)
	}
	for _, name := range y.unused(known) {
		t.Errorf("%s: the entry %s is of no use: the case is not put to this transport", *quirksFlag, name)
	}
	if why := y.saysLittle(); why != "" {
		t.Error(why)
	}
	t.Log(y.summary())
}

// TB is the part of a [testing.TB], or of Ginkgo's, that a case needs.
type TB interface {
	harness.TB
	Skipf(format string, args ...any)
}

// Test puts the subject to a case as a test.
func (s Subject) Test(t TB, c Case) {
	t.Helper()
	s.Run(c).report(t)
}

// report fails, skips or logs as the result says.
func (r Result) report(t TB) {
	t.Helper()
	switch r.State {
	case Failed:
		t.Errorf("%s\n%s", r.Case.Claim, r.Report)
	case Quirky:
		t.Logf("quirk: %s: %s", r.Case.Name, r.Reason)
	case NotApplicable:
		t.Skipf("not applicable: %s", r.Reason)
	case Undecided:
		t.Skipf("undecided: %s\n%s", r.Reason, r.Report)
	}
}
