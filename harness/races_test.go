package harness_test

import (
	"flag"
	"testing"

	"github.com/halfopen/halfopen/harness"
)

// Every race script holds against net/http, with its golden trace.
func TestRaces(t *testing.T) {
	if *update {
		flag.Set("halfopen.update", "true")
	}
	harness.Scripts(t, "../testdata/races/*.txtar", nil)
}
