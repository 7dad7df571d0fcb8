package harness

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"time"

	"github.com/halfopen/halfopen/clock"
	"github.com/halfopen/halfopen/harness/internal/bubble"
)

// T is one run of a test: its network, its clock, and the verbs and
// expectations of a race script. Its methods are for the goroutine of the
// body, except Helper, Name, Context, the Log and the Error methods.
type T struct {
	// Net is the network. Everything on it happens one event at a time, each
	// when all before it has come to rest.
	Net *Net
	// Clock is the bubble's virtual time. It starts at 2000-01-01 UTC and moves
	// when everything waits, or in Advance.
	Clock clock.Clock

	*driver
	census  *census
	oracles *oracles
	plan    *plan // of an exploration, or nil
	servers *servers
	auto    bool     // bodies are read when there is a response
	forgets []string // the requests of a script whose bodies its caller forgets

	body          func(*T)
	stage         int  // of stages
	rest, checked bool // that stage has begun
}

// Name returns the name of the test.
func (t *T) Name() string { return t.name }

// Helper does nothing: failures name the line of the test that is innermost
// anyway. It is there for those who ask for a testing.TB.
func (t *T) Helper() {}

// HelperFile says that the file of its caller has helpers of tests: a failure in one of them
// names the line that called it. It is for an init function.
func HelperFile() {
	_, file, _, _ := runtime.Caller(1)
	bubble.PassOver(file)
}

// Context is done when the run ends.
func (t *T) Context() context.Context { return t.ctx }

// Cleanup has f called when the body has returned, in the body's goroutine,
// last in first out, before anything is checked for leaks.
func (t *T) Cleanup(f func()) {
	t.must(f != nil, "Cleanup: the function is nil")
	t.cleanup(f)
}

// Failed reports whether the test has failed.
func (t *T) Failed() bool { return t.journal.failed() }

// Log records its arguments, formatted as by Println, in the steps that a
// failure shows.
func (t *T) Log(args ...any) {
	t.journal.write(logLine, strings.TrimSuffix(fmt.Sprintln(args...), "\n"))
}

// Logf records its arguments, formatted as by Printf.
func (t *T) Logf(format string, args ...any) { t.journal.write(logLine, fmt.Sprintf(format, args...)) }

// Error is Log and Fail.
func (t *T) Error(args ...any) { t.fail(KindError, strings.TrimSuffix(fmt.Sprintln(args...), "\n")) }

// Errorf is Logf and Fail.
func (t *T) Errorf(format string, args ...any) { t.fail(KindError, fmt.Sprintf(format, args...)) }

// Fatal is Error and the end of the body.
func (t *T) Fatal(args ...any) { t.fatal(KindError, strings.TrimSuffix(fmt.Sprintln(args...), "\n")) }

// Fatalf is Errorf and the end of the body.
func (t *T) Fatalf(format string, args ...any) { t.fatal(KindError, fmt.Sprintf(format, args...)) }

// Fail marks the test as failed.
func (t *T) Fail() { t.fail(KindError, "failed") }

// NotApplicable ends the body, for what it asks cannot be asked here: a transport lacks a
// setting. The test is skipped with the reason, and [Report.NotApplicable] and the error of
// [ExploreReport] say it.
func (t *T) NotApplicable(reason error) {
	t.journal.refuse(&NotApplicable{reason})
	runtime.Goexit()
}

// FailNow is Fail and the end of the body.
func (t *T) FailNow() {
	if !t.Failed() {
		t.Fail()
	}
	runtime.Goexit()
}

// Gates has every call of those callbacks, from now on, parked until it is
// released as an event: "gate r1 PutIdleConn", "gate c1 Write". The names are
// those of the hooks of [httptrace.ClientTrace]; Proxy; GetBody; BodyRead and
// BodyClose of the request's body; Write, Close and SetDeadline of the
// connection; Done, Err and Value of the request's context. Say so before the
// transport is made.
func (t *T) Gates(names ...string) {
	t.step(append([]string{"gates"}, names...)...)
	for _, name := range names {
		if err := checkGate(name); err != nil {
			t.fatal("usage", err.Error())
		}
	}
	t.Net.gates = append(t.Net.gates, names...)
}

// Settle waits, without letting time pass, until nothing moves any more. All
// verbs do this; it is for a body that started something by itself.
func (t *T) Settle() {
	t.step("settle")
	t.settle()
}

// Rest ends every hold and lets everything happen, and time pass, until every
// request that the harness started has its end, its body included where bodies
// are read as they come. In an exploration things happen in the order that is
// being tried. A request without an end is a run that is stuck.
func (t *T) Rest() {
	t.step("rest")
	if t.ctx.Err() != nil {
		runtime.Goexit() // it was stuck, and the run is over
	}
	t.Net.letAll()
	if t.scheduler != nil {
		t.await(wantRest)
		return
	}
	for _, o := range t.census.allOps() {
		o.await()
	}
	t.settle()
}

// Advance lets d of virtual time pass, and everything happen that it brings.
func (t *T) Advance(d time.Duration) {
	t.step("advance", d.String())
	if lastDay := time.Date(2261, time.January, 1, 0, 0, 0, 0, time.UTC); d > time.Until(lastDay) {
		t.fatal(KindUsage, fmt.Sprintf("virtual time ends with the year 2260, and %s more would pass that", d))
	}
	if d < 0 {
		t.fatal(KindUsage, fmt.Sprintf("time does not go backwards, and %s would", d))
	}
	t.patient = time.Now().Add(d)
	time.Sleep(d)
	t.settle()
}
