// Package halfopen finds connection leaks and connection races in HTTP transports,
// clients and pools, deterministically, and returns the shortest script that shows
// each again. A half-open connection is one end that still believes in a connection
// that the other end has lost.
//
// # One test
//
//	func TestBackendDown(t *testing.T) {
//		halfopen.Test(t, func(t *halfopen.T) {
//			t.Serve("api.test:80", nil)
//			r1 := t.Get("r1", t.Net.Transport(), "http://api.test/")
//			r1.WantBody("ok")
//		})
//	}
//
// The body runs in a bubble of virtual time, on an in-memory network that releases
// one event at a time. The test fails if a connection, a body, a request, a dial or
// a goroutine is left behind, and names it with the line that made it.
//
// # Every order
//
// [Explore] runs a body once for each order in which dials, bytes, FINs, resets,
// faults and cancellations can arrive, within [Bounds]. What fails is shrunk and
// printed as a script.
//
// # What is where
//
// This package has the names that a first test needs. They are those of package
// [github.com/halfopen/halfopen/harness], which documents their methods and has the
// rest: reports, schedules, the script language. The conformance cases for a
// transport, client or pool of your own are in
// [github.com/halfopen/halfopen/suites], the network and its faults in
// [github.com/halfopen/halfopen/faultnet], virtual time as a value in
// [github.com/halfopen/halfopen/clock], and the reference transport in
// [github.com/halfopen/halfopen/pool]. The command is
// github.com/halfopen/halfopen/cmd/halfopen.
package halfopen

import (
	"testing"

	"github.com/halfopen/halfopen/harness"
)

// A T is the test that runs in the bubble, with the verbs that serve, request, hold,
// let go and want: see [harness.T].
type T = harness.T

// TB is the part of [testing.TB] that Test and Explore need.
type TB = harness.TB

// A Request is one request of a test, by name: see [harness.Request].
type Request = harness.Request

// A Conn is one connection of the network, seen from the test: see [harness.Conn].
type Conn = harness.Conn

// A Dial is one dial that waits for its answer: see [harness.Dial].
type Dial = harness.Dial

// Bounds limits an exploration; its zero value is a good default: see
// [harness.Bounds].
type Bounds = harness.Bounds

// An Exploration says what was explored and found: see [harness.Exploration].
type Exploration = harness.Exploration

// None and All are for fields of [Bounds] whose zero value means something else: no
// delay or fault at all, and any number.
const (
	None = harness.None
	All  = harness.All
)

// Test runs body in a bubble, and fails t if body fails, panics, gets stuck or leaves
// anything behind. See [harness.Test].
func Test(t TB, body func(t *T)) {
	t.Helper()
	harness.Test(t, body)
}

// Explore runs body once for each schedule within bounds, and fails t with the
// shortest schedule of each finding. Several goroutines call body at once: it makes
// all that a schedule changes itself. See [harness.Explore].
func Explore(t TB, bounds Bounds, body func(t *T)) *Exploration {
	t.Helper()
	return harness.Explore(t, bounds, body)
}

// Scripts runs the race scripts that match pattern, such as "testdata/*.txtar", each as
// a subtest, with net/http. See [harness.Scripts] for another transport.
func Scripts(t *testing.T, pattern string) {
	t.Helper()
	harness.Scripts(t, pattern, nil)
}
