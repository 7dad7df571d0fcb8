package suites

import (
	"testing"

	"github.com/halfopen/halfopen/harness"
)

// TestTransport puts every case to the maker's transports, as a subtest: over
// each protocol that they speak, "http1/reuse-sequential" and so on, each with a
// new transport. A case that has a quirk must fail; it is logged with the quirk's
// reason. What is not applicable is skipped with its reason.
func TestTransport(t *testing.T, maker harness.Maker, quirks ...Quirk) {
	t.Helper()
	all := Cases()
	if err := CheckQuirks(all, quirks); err != nil {
		t.Fatal(err)
	}
	subjects := SubjectsOf(t.Name(), maker, quirks...)
	if len(subjects) == 0 {
		t.Fatal("suites: the transport did not answer a plain GET, of http://api.test/ or https://api.test/: does it have DialContext: t.Net.DialContext?")
	}
	for _, s := range subjects {
		t.Run(s.Protocol.String(), func(t *testing.T) {
			for _, c := range all {
				t.Run(c.Name, func(t *testing.T) { s.Test(t, c) })
			}
		})
	}
}

// TB is the part of a [testing.TB], or of Ginkgo's, that a case needs.
type TB interface {
	harness.TB
	Skipf(format string, args ...any)
}

// Test puts the subject to a case as a test.
func (s Subject) Test(t TB, c Case) {
	t.Helper()
	switch r := s.Run(c); r.State {
	case Failed:
		t.Errorf("%s\n%s", c.Claim, r.Report)
	case Quirky:
		t.Logf("quirk: %s: %s", c.Name, r.Reason)
	case NotApplicable:
		t.Skipf("not applicable: %s", r.Reason)
	case Undecided:
		t.Skipf("undecided: %s\n%s", r.Reason, r.Report)
	}
}
