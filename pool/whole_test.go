package pool_test

// The tests that take long stand in the last file: tests run in the order of files, and
// a mutant of the pool is killed by a short test before these begin.

import (
	"flag"
	"io"
	"log"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/halfopen/halfopen/harness"
	"github.com/halfopen/halfopen/pool"
	"github.com/halfopen/halfopen/suites"
)

var exploreFor = flag.Duration("explore", 0,
	"how long TestExplore goes on, all scenarios together, and with more delays if that is long enough; 0 means a fixed number of schedules")

// schedulesEach is how many schedules of each scenario the default run tries.
const schedulesEach = 400

// No order of what can happen, with two delays and one fault, breaks the
// pool's word: no request without its end, no answer that is another's, no
// connection over the limit or left behind, and books that agree with the
// network at every quiet point.
func TestExplore(t *testing.T) {
	log.SetOutput(io.Discard) // net/http complains about unsolicited bytes
	defer log.SetOutput(os.Stderr)
	all := scenarios(t)
	begin := time.Now()
	for delays := 2; delays == 2 || time.Since(begin) < *exploreFor; delays++ {
		schedules, outcomes, complete := 0, 0, 0
		for i, s := range all {
			bounds := harness.Bounds{Delays: delays, Faults: 1, Schedules: schedulesEach, KeepGoing: true}
			if s.name == "gates, HEAD with a body" {
				// Not "split": stray bytes that come when the next request is out look like
				// its answer to any client.
				bounds.Effects = []string{"refuse", "reset"}
			}
			if *exploreFor > 0 {
				// What the small ones leave over is for the large ones, which come
				// last.
				bounds.Schedules = harness.All
				bounds.Time = (*exploreFor - time.Since(begin)) / time.Duration(len(all)-i)
			}
			t.Run(s.name, func(t *testing.T) {
				x, err := harness.ExploreReport(t.Name(), bounds, nil, s.body)
				if err != nil {
					t.Fatal(err)
				}
				schedules += x.Schedules
				outcomes += len(x.Outcomes)
				if x.Complete {
					complete++
				}
				for _, f := range x.Findings {
					if f.Report.Failures[0].Kind == "uncontrolled" && s.name == "HTTP/2" {
						// Whether the handler has answered when a request and its
						// reset come at once is chance in net/http's server.
						t.Logf("%s", f.Report)
						continue
					}
					t.Errorf("%s\n%s", f.Report, f.Script)
				}
			})
		}
		t.Logf("%d delays and a fault: %d scenarios, %d of them to the end: %d schedules, %d outcomes",
			delays, len(all), complete, schedules, outcomes)
	}
}

// Every case of the conformance suite holds, but for those of a single connection, which
// is net/http's. They are here, not in package suites, to be among what must kill a mutant
// of the pool ("make mutants").
func TestCases(t *testing.T) {
	suites.TestTransport(t, func(t *harness.T, s harness.Settings) (http.RoundTripper, error) {
		tr := &pool.Transport{DialContext: t.Net.DialContext}
		return tr, s.Apply(tr)
	}, suites.ReferenceQuirks()...)
}
