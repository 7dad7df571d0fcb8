package suites

import "github.com/halfopen/halfopen/harness"

var reuseCases = []Case{
	{
		Name: "reuse-sequential", Group: Reuse,
		Claim:   "A request after another one to the same host uses the same connection.",
		Verdict: "no dial while a usable connection is idle",
		Source:  "RFC 9112 section 9.3",
		Bounds:  harness.Bounds{Delays: 1, Faults: harness.None, Schedules: 50},
		Body: func(e *Env) {
			e.Serve(nil)
			for _, name := range []string{"r1", "r2", "r3"} {
				e.Get(name, "/").Await()
			}
			if n := e.Net.Opened(); n != 1 {
				e.Errorf("got %d connections for three requests one after another, want 1", n)
			}
		},
	},
}
