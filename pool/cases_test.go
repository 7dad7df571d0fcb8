package pool_test

import (
	"net/http"
	"testing"

	"github.com/halfopen/halfopen/harness"
	"github.com/halfopen/halfopen/pool"
	"github.com/halfopen/halfopen/suites"
)

// Every case of the conformance suite holds, without a quirk. Package suites
// says so too; here the cases are among what must kill a mutant of the pool
// ("make mutants").
func TestCases(t *testing.T) {
	suites.TestTransport(t, func(t *harness.T, s harness.Settings) (http.RoundTripper, error) {
		tr := &pool.Transport{DialContext: t.Net.DialContext}
		return tr, s.Apply(tr)
	})
}
