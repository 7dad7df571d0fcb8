package suites

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/halfopen/halfopen/harness"
	"github.com/halfopen/halfopen/testdata"
)

// Case is one thing that is expected of every transport.
type Case struct {
	// Name is the name of the subtest: "idle-wins". Its first word is the
	// family.
	Name string
	// Claim is what holds, in a sentence.
	Claim string
	// Issues is the public bugs that the case guards against, as
	// "owner/repo#number".
	Issues []string

	script *harness.Script
}

// Family is the first word of the name: "idle", "cancel", "broken" or "body".
func (c Case) Family() string {
	family, _, _ := strings.Cut(c.Name, "-")
	return family
}

var issue = regexp.MustCompile(`\b[\w.-]+/[\w.-]+#\d+\b`)

// Cases is all cases, in alphabetical order.
func Cases() []Case {
	scripts, err := testdata.Scripts()
	if err != nil {
		panic("suites: " + err.Error()) // they are part of the build, and tested
	}
	cases := make([]Case, len(scripts))
	for i, s := range scripts {
		cases[i] = Case{Name: s.Name, Claim: s.Claim, script: s}
		for _, c := range s.Comments() {
			cases[i].Issues = append(cases[i].Issues, issue.FindAllString(c, -1)...)
		}
	}
	return cases
}

// Quirk declares that a case does not hold for a transport.
type Quirk struct {
	// Case is the name of the case.
	Case string
	// Reason is the public issue, or the mechanism.
	Reason string
}

// TestTransport runs every case as a subtest, with a new transport of the
// maker for each. A case that has a quirk must fail; it is logged with the
// quirk's reason. A case that the maker refuses is skipped with its reason.
func TestTransport(t *testing.T, maker harness.Maker, quirks ...Quirk) {
	t.Helper()
	cases := Cases()
	if err := checkQuirks(cases, quirks); err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) { c.Test(t, maker, quirks...) })
	}
}

// checkQuirks refuses a quirk of a case that there is not: it would never be
// seen to be obsolete.
func checkQuirks(cases []Case, quirks []Quirk) error {
	for _, q := range quirks {
		if !slices.ContainsFunc(cases, func(c Case) bool { return c.Name == q.Case }) {
			return fmt.Errorf("suites: quirk for unknown case %q", q.Case)
		}
	}
	return nil
}

// Test runs the case as a test.
func (c Case) Test(t harness.TB, maker harness.Maker, quirks ...Quirk) {
	t.Helper()
	i := slices.IndexFunc(quirks, func(q Quirk) bool { return q.Case == c.Name })
	if i < 0 {
		c.script.Test(t, maker)
		return
	}
	r, err := c.script.Run(maker)
	var na *harness.NotApplicable
	switch {
	case errors.As(err, &na) || !r.Failed():
		t.Errorf("%s: has a quirk (%s), and holds: remove the quirk", c.Name, quirks[i].Reason)
	default:
		t.Logf("quirk: %s: %s", c.Name, quirks[i].Reason)
	}
}
