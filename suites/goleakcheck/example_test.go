package goleakcheck_test

import (
	"net/http"
	"testing"

	"github.com/halfopen/halfopen/suites/goleakcheck"
)

// After an ordinary test with real servers: connections that are idle in the
// client's pool are no leak, those with an open body are.
func ExampleVerifyNone() {
	var t *testing.T // the test's
	client := &http.Client{Transport: new(http.Transport)}
	defer goleakcheck.VerifyNone(t, goleakcheck.Pooled{client})
}
