package ginkgosuite_test

import (
	"net/http"

	"github.com/halfopen/halfopen/harness"
	"github.com/halfopen/halfopen/pool"
	"github.com/halfopen/halfopen/suites/ginkgosuite"
)

// A package-level variable declares the specs: each case is one, with labels for its group and
// its protocol.
func ExampleDescribe() {
	// var _ = ginkgosuite.Describe("my pool", ...
	describe := func() bool {
		return ginkgosuite.Describe("my pool", func(t *harness.T, s harness.Settings) (http.RoundTripper, error) {
			tr := &pool.Transport{DialContext: t.Net.DialContext}
			return tr, s.Apply(tr)
		})
	}
	_ = describe
}
