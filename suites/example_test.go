package suites_test

import (
	"fmt"
	"net/http"
	"os"
	"slices"
	"testing"

	"github.com/onsi/gomega"

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
	report.WriteTable(os.Stdout)
	fmt.Println("failed:", report.Failed())
	// Output:
	//                mine
	// case           http1  claim
	// cancel-waiter  held   A cancelled waiter is passed over; the one behind it is served.
	// idle-wins      held   A connection that becomes idle serves a request whose own dial is still under way.
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

// A matcher that fails names the requests that it is about, and the lines that
// made them.
func ExampleHaveDialed() {
	r := harness.Run("dials", func(t *harness.T) {
		t.Serve("api.test:80", nil)
		client := t.Client(t.Net.Transport())
		for range 2 {
			resp, err := client.Get("http://api.test/bytes/300000")
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close() // and nobody has read it
		}
		gomega.NewWithT(t).Expect(t).To(suites.HaveDialed(1), "one connection is enough")
	})
	fmt.Println(r.Failures[0].Text)
	// Output:
	// one connection is enough
	// network: got 2 dials, want 1
	//   call1: done on c1, its body closed before its end  (example_test.go:56)
	//   call2: done on c2, its body closed before its end  (example_test.go:56)
}

// After an ordinary test with real servers: connections that are idle in the
// client's pool are no leak, those with an open body are.
func ExampleVerifyNone() {
	var t *testing.T // the test's
	client := &http.Client{Transport: new(http.Transport)}
	defer suites.VerifyNone(t, suites.Pooled{client})
}
