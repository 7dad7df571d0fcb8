package suites_test

import (
	"fmt"
	"net/http"
	"os"
	"slices"
	"testing"

	"github.com/halfopen/halfopen/harness"
	"github.com/halfopen/halfopen/suites"
)

// A program checks a transport as a test would, and writes the reports.
func ExampleCheck() {
	maker := func(t *harness.T, s harness.Settings) (http.RoundTripper, error) {
		if s.Proxy != "" {
			return nil, fmt.Errorf("it knows no proxy")
		}
		tr := t.Net.Transport()
		return tr, s.Apply(tr)
	}
	some := slices.DeleteFunc(suites.Cases(), func(c suites.Case) bool {
		return c.Name != "idle-wins" && c.Name != "cancel-waiter"
	})
	report := suites.Check(some, suites.SubjectsOf("mine", maker))
	report.Elapsed = 0 // all else is the same each time
	report.WriteText(os.Stdout, false)
	fmt.Println("failed:", report.Failed())
	// Output:
	//                mine
	// case           http1  claim
	// cancel-waiter  held   A cancelled waiter is passed over; the one behind it is served.
	// idle-wins      held   A connection that becomes idle serves a request whose own dial still runs.
	//
	// held           2
	// quirk          0
	// undecided      0
	// n/a            0
	// FAILED         0
	// schedules      2
	//
	// 2 cases x 1 subjects, 2 schedules in 0s
	// failed: false
}

// A test of a transport: every case, over each protocol that it speaks. What is known to fail is
// a quirk, and fails when it holds.
func ExampleTestTransport() {
	test := func(t *testing.T) { // TestMine in a file of tests
		suites.TestTransport(t, func(t *harness.T, s harness.Settings) (http.RoundTripper, error) {
			tr := t.Net.Transport() // or yours, with its dialer: t.Net.DialContext
			return tr, s.Apply(tr)
		}, suites.NetHTTPQuirks...)
	}
	_ = test
}
