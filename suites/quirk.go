package suites

import (
	"fmt"
	"slices"
	"strings"

	"github.com/halfopen/halfopen/internal/nearest"
	"github.com/halfopen/halfopen/suites/internal/cases"
)

// Quirk declares that a case does not hold for a transport, in some versions of
// it. In these the case must fail: a quirk whose bug is gone fails the test, so that
// it is given an end. In all others the case must hold. Where the version is not
// known the case may do either.
type Quirk struct {
	// Case is the name of the case, of every protocol: "cancel-waiter"; or of
	// one: "h2/cancel-waiter".
	Case string
	// Reason is the mechanism: what happens, and where.
	Reason string
	// Issue is the public bug, as "owner/repo#number", if there is one.
	Issue string
	// Breaks quotes the promise that is broken: a line of the transport's documentation,
	// or of an RFC.
	Breaks string
	// Failure, if it is not empty, is a part of the text of the failures that the quirk is
	// about. The case goes on past these then, to the end of its bounds, and fails if
	// anything else fails: one known fault does not hide another.
	Failure string
	// Versions is those that have it. A case may have several quirks, each of other
	// versions.
	Versions Versions
	// Chance is set where goroutines that race inside a step decide whether it shows: the
	// case may hold as well.
	Chance bool
}

// String returns the issue, the reason and the versions, in a line.
func (q Quirk) String() string {
	s := q.Reason
	if q.Issue != "" {
		s = q.Issue + ": " + s
	}
	if v := q.Versions.String(); v != "" {
		s += " (" + v + ")"
	}
	return s
}

// hides returns the first of the failures that the quirk is not about, or "".
func (q *Quirk) hides(failures []string) string {
	for _, f := range failures {
		if !strings.Contains(f, q.Failure) {
			return f
		}
	}
	return ""
}

// of reports whether the quirk is of that case over that protocol.
func (q Quirk) of(c Case, p Protocol) bool {
	return q.Case == c.Name || q.Case == p.String()+"/"+c.Name
}

// quirkOf returns the quirk that a case has over a protocol in the versions that this program
// was built with, and whether these are known. The quirk may be nil.
func quirkOf(quirks []Quirk, c Case, p Protocol) (quirk *Quirk, known bool) {
	for i, q := range quirks {
		if !q.of(c, p) {
			continue
		}
		in, knows := q.Versions.contains()
		if in || !knows {
			return &quirks[i], knows
		}
	}
	return nil, true
}

// CheckQuirks returns an error for a quirk of a case that does not exist, or of versions
// that do not: it would never be seen to be obsolete.
func CheckQuirks(all []Case, quirks []Quirk) error {
	for _, q := range quirks {
		name := q.Case
		if p, rest, ok := strings.Cut(name, "/"); ok && cases.ParseProtocol(p) != 0 {
			name = rest
		}
		if !slices.ContainsFunc(all, func(c Case) bool { return c.Name == name }) {
			var names []string
			for _, c := range all {
				names = append(names, c.Name)
			}
			return fmt.Errorf("suites: quirk for unknown case %q%s", q.Case, nearest.DidYouMean(name, names))
		}
		if err := q.check(); err != nil {
			return err
		}
	}
	return nil
}

// checkVersions refuses a quirk of a case over a protocol whose versions are none: it
// would be applied to all of them, or to none.
func checkVersions(quirks []Quirk, c Case, p Protocol) error {
	for _, q := range quirks {
		if err := q.check(); err != nil && q.of(c, p) {
			return err
		}
	}
	return nil
}

// check refuses a quirk of versions that are none.
func (q Quirk) check() error {
	if err := q.Versions.check(); err != nil {
		return fmt.Errorf("suites: quirk for %s: %w", q.Case, err)
	}
	return nil
}
