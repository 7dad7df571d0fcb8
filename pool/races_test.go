package pool_test

import (
	"net/http"
	"testing"

	"github.com/halfopen/halfopen/harness"
	"github.com/halfopen/halfopen/pool"
)

// Each race script holds: those of this folder, which ask more than every
// transport promises, and those that are for all transports. The books agree with
// the network at every quiet point.
func TestRaces(t *testing.T) {
	for _, scripts := range []string{"testdata/races/*.txtar", "../testdata/races/*.txtar"} {
		harness.Scripts(t, scripts, func(t *harness.T, s harness.Settings) (http.RoundTripper, error) {
			tr := &pool.Transport{}
			if err := s.Apply(tr); err != nil {
				return nil, err
			}
			if s.ForceAttemptHTTP2 {
				return overTLS(t, tr), nil
			}
			return transport(t, tr), nil
		})
	}
}
