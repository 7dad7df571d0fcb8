package suites

import (
	"fmt"
	"strings"

	"github.com/onsi/gomega/types"

	"github.com/halfopen/halfopen/harness"
)

// leaker is what can tell what it left behind: a [*harness.T] or a
// [*harness.Report].
type leaker interface{ Leaks() []harness.Failure }

// HaveLeaked succeeds if something was left behind: a connection, a body, a
// request, a dial, a goroutine. What is idle in a pool is not. The actual value
// is a [*harness.Report], or, inside a test, its [*harness.T], whose
// transports' idle connections it closes.
//
//	Expect(t).NotTo(suites.HaveLeaked())
func HaveLeaked() types.GomegaMatcher { return &haveLeaked{} }

type haveLeaked struct{ leaks []harness.Failure }

func (m *haveLeaked) Match(actual any) (bool, error) {
	l, ok := actual.(leaker)
	if !ok {
		return false, fmt.Errorf("HaveLeaked: got %T, want a *harness.T or a *harness.Report", actual)
	}
	m.leaks = l.Leaks()
	return len(m.leaks) > 0, nil
}

func (m *haveLeaked) FailureMessage(any) string { return "nothing was left behind" }

func (m *haveLeaked) NegatedFailureMessage(any) string {
	lines := make([]string, len(m.leaks))
	for i, l := range m.leaks {
		lines[i] = "  " + l.String()
	}
	return "left behind:\n" + strings.Join(lines, "\n")
}

// RunOn succeeds if the request, a [*harness.Request], was last sent on that
// connection.
//
//	Expect(r2).To(suites.RunOn(c1))
func RunOn(c *harness.Conn) types.GomegaMatcher { return &runOn{c} }

type runOn struct{ want *harness.Conn }

func (m *runOn) Match(actual any) (bool, error) {
	r, ok := actual.(*harness.Request)
	if !ok {
		return false, fmt.Errorf("RunOn: got %T, want a *harness.Request", actual)
	}
	return r.Conn() == m.want, nil
}

func (m *runOn) FailureMessage(actual any) string        { return m.message(actual, "want") }
func (m *runOn) NegatedFailureMessage(actual any) string { return m.message(actual, "want not") }

func (m *runOn) message(actual any, want string) string {
	r := actual.(*harness.Request)
	got := "no connection"
	if c := r.Conn(); c != nil {
		got = c.ID()
	}
	return fmt.Sprintf("%s: got it sent on %s, %s %s", r.Name(), got, want, m.want)
}
