package harness_test

import (
	"flag"
	"os"
	"testing"

	"go.uber.org/goleak"
)

// update rewrites golden reports, and, as the harness's own flag does, traces.
var update = flag.Bool("update", false, "rewrite golden files")

// What a run that is stuck leaves behind cannot be freed: the body of the
// test that showed it. Everything else must be gone.
func TestMain(m *testing.M) {
	if os.Getenv(elsewhereEnv) != "" {
		os.Exit(m.Run()) // what is frozen stays
	}
	goleak.VerifyTestMain(m,
		goleak.IgnoreAnyFunction("github.com/halfopen/halfopen/harness_test.stray"),
		goleak.IgnoreAnyFunction("github.com/halfopen/halfopen/harness_test.other"),
		goleak.IgnoreAnyFunction("github.com/halfopen/halfopen/internal/mini.(*Transport).get.func1"),
		goleak.IgnoreAnyFunction("github.com/halfopen/halfopen/harness.(*driver).live"),
		goleak.IgnoreAnyFunction("github.com/halfopen/halfopen/harness.(*driver).live.func1"),
	)
}
