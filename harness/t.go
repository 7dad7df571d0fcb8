package harness

import (
	"context"
	"fmt"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/halfopen/halfopen/clock"
	"github.com/halfopen/halfopen/faultnet"
	"github.com/halfopen/halfopen/harness/internal/bubble"
)

// TB is what Test needs of the test that it is part of. [*testing.T],
// [*testing.B] and Ginkgo's GinkgoT() have it.
type TB interface {
	Helper()
	Name() string
	Logf(format string, args ...any)
	Errorf(format string, args ...any)
	FailNow()
}

// Test runs body in a bubble of virtual time, on a network of its own, and
// fails t with a [Report] if body fails, panics, gets stuck, or leaves
// anything behind. It returns when the bubble has ended; it never ends the
// process. A run that is undecided ([Report.Undecided]) skips t with the report,
// if t has Skipf, and fails it if not; so does one that is not applicable.
func Test(t TB, body func(t *T)) {
	t.Helper()
	std, _ := t.(*testing.T)
	r := run(std, t.Name(), body, settings{again: goTestLine(t.Name())})
	if err := r.NotApplicable(); err != nil {
		skip(t, err.Error())
		t.Errorf("%v", err)
		t.FailNow()
	}
	if r.Undecided() {
		skip(t, r.String())
	}
	if len(r.Failures) > 0 {
		t.Errorf("%s", r)
		t.FailNow()
	}
}

// skip skips a test that cannot be judged, if it can be skipped.
func skip(t TB, why string) {
	if s, ok := t.(interface{ Skipf(string, ...any) }); ok {
		t.Helper()
		s.Skipf("%s", why)
	}
}

// Run is Test in a plain program: it reports instead of failing.
func Run(name string, body func(t *T)) *Report {
	return run(nil, name, body, settings{})
}

// goTestLine is the command that runs a test again, in the folder of its
// package.
func goTestLine(name string) string {
	parts := strings.Split(name, "/")
	for i, p := range parts {
		parts[i] = "^" + p + "$"
	}
	return "go test -run '" + strings.Join(parts, "/") + "' ."
}

// Limit is how long, in virtual time, the body may be blocked before it counts
// as stuck. When nothing can move any more it passes at once.
const Limit = 24 * time.Hour

// grace is how long, in virtual time, goroutines have to end by themselves
// after everything was closed: an http.Server lingers for half a second.
const grace = 5 * time.Second

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

	name    string
	set     settings
	ctx     context.Context
	cancel  context.CancelFunc
	bubble  bubble.Bubble
	plan    *plan         // what is being explored, or nil
	ask     chan question // the body waits for quiet, or for rest
	quiet   chan struct{} // and gets it
	wake    chan struct{} // the network has news for the driver
	patient time.Time     // when the body last did something, or will

	mu         sync.Mutex
	failures   []Failure
	ended      bool // the run is over; what comes later is not recorded
	at         string
	trace      []line
	cleanups   []func()
	ops        []*Op
	requests   []*Request // those of them that are HTTP
	gates      []string
	inHand     bool                     // a script does what an exploration did
	auto       bool                     // bodies are read as they come
	served     []string                 // the lines of a script that set up what serves
	calls      int                      // how many of them came through Client
	conns      map[*faultnet.Conn]*Conn // by the client's end
	transports []idler
	idle       []*faultnet.Conn // usable at the last quiet point
	dials      int              // seen so far
	starts     int              // requests started so far
	studied    []uintptr        // the transports that study has seen
	faulted    bool             // an event was a fault
	lastWant   string           // the line of a script that wants something
	perHost    int              // the least limit of connections of a host among them
	servers    []*http.Server
	bridges    []*bridge // to servers of package httptest
	table      string    // the network as it was at the first failure
	blocked    []string
	checked    bool  // for what is left over
	stoodStill bool  // the run was given up
	notAsked   error // see NotApplicable
	strict     bool
	audits     []func()        // see AtQuiet
	auditing   atomic.Bool     // one of them is being called
	reached    map[string]bool // see Sometimes
}

// settings is what the ways to start a run differ in.
type settings struct {
	again  string // the line that runs it again
	silent bool   // no trace is wanted
	plan   *plan
	dog    *bubble.Watchdog // of all runs of an exploration; nil for a run by itself
	hasty  bool             // time to end is only for goroutines that are left
}

// idler is a transport whose idle connections can be closed.
type idler interface{ CloseIdleConnections() }

func run(std *testing.T, name string, body func(*T), set settings) *Report {
	return runT(std, name, body, set).report()
}

func runT(std *testing.T, name string, body func(*T), set settings) *T {
	t := &T{name: name, set: set, plan: set.plan, Clock: clock.System}
	dog := set.dog
	if dog == nil {
		dog = newWatchdog()
		defer dog.Stop()
	}
	end := t.bubble.Open(std, dog, func() {
		t.ask = make(chan question)
		t.quiet = make(chan struct{})
		t.wake = make(chan struct{}, 1)
		t.ctx, t.cancel = context.WithCancel(context.Background())
		t.conns = make(map[*faultnet.Conn]*Conn)
		t.Net = newNet(t)
		t.drive(body)
		t.shutDown()
	})
	t.setEnded(false) // the last word is ours
	t.judge(end)
	t.setEnded(true) // what stood still may go on behind us
	return t
}

func (t *T) setEnded(ended bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ended = ended
}

// judge adds what only the end of the bubble shows.
func (t *T) judge(end bubble.Ending) {
	switch {
	case end.Frozen != nil:
		t.stoodStill = true
		t.add(t.frozen(end.Frozen))
	case end.Panicked != nil:
		t.add(Failure{Kind: "panic", Text: fmt.Sprintf("panic: %v", end.Panicked), Detail: bubble.PanicFrames(end.Stack)})
	case end.Deadlock != nil && len(t.failures) == 0:
		for _, g := range end.Left {
			if !g.Ours() {
				t.add(Failure{Kind: "goroutine", Text: "goroutine left: " + g.String()})
			}
		}
		if len(t.failures) == 0 {
			t.add(Failure{Kind: "goroutine", Text: end.Deadlock.Error()})
		}
		// Goroutines come in the order of their numbers, which is chance.
		slices.SortStableFunc(t.failures, func(a, b Failure) int { return strings.Compare(a.Text, b.Text) })
	case end.Goexit && len(t.failures) == 0:
		t.add(Failure{Kind: "race", Text: "the bubble ended early: a data race was detected"})
	}
}

// add records a failure, and at the first one the state of the world.
func (t *T) add(f Failure) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ended {
		return
	}
	t.failures = append(t.failures, f)
}

// fail records a failed expectation at the line of the test that has it. The
// reasons become the first line of the failure.
func (t *T) fail(kind, text string, why ...string) {
	t.snapshot()
	t.mu.Lock()
	at := t.at
	t.mu.Unlock()
	if at == "" {
		at = bubble.Caller()
	}
	t.add(Failure{Kind: kind, Reason: strings.Join(why, " "), Text: text, Where: at})
}

// fatal is fail, and the end of the body.
func (t *T) fatal(kind, text string, why ...string) {
	t.fail(kind, text, why...)
	runtime.Goexit()
}

// snapshot keeps the state of the network and of the goroutines, once.
func (t *T) snapshot() {
	t.mu.Lock()
	had := t.table != ""
	t.mu.Unlock()
	if had || t.Net == nil || t.set.silent {
		return
	}
	t.drain()
	table := t.Net.String()
	for _, e := range t.Net.Pending() {
		table += "pending: " + e.String() + "\n"
	}
	blocked := t.bubble.Blocked()
	t.mu.Lock()
	t.table, t.blocked = table, blocked
	t.mu.Unlock()
}

// Name is the name of the test.
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
	t.mu.Lock()
	defer t.mu.Unlock()
	t.cleanups = append(t.cleanups, f)
}

// Failed reports whether the test has failed.
func (t *T) Failed() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.failures) > 0
}

// Log records its arguments, formatted as by Println, in the steps that a
// failure shows.
func (t *T) Log(args ...any) { t.log(strings.TrimSuffix(fmt.Sprintln(args...), "\n")) }

// Logf records its arguments, formatted as by Printf.
func (t *T) Logf(format string, args ...any) { t.log(fmt.Sprintf(format, args...)) }

func (t *T) log(s string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.trace = append(t.trace, line{kind: logLine, text: s})
}

// Error is Log and Fail.
func (t *T) Error(args ...any) { t.fail("error", strings.TrimSuffix(fmt.Sprintln(args...), "\n")) }

// Errorf is Logf and Fail.
func (t *T) Errorf(format string, args ...any) { t.fail("error", fmt.Sprintf(format, args...)) }

// Fatal is Error and the end of the body.
func (t *T) Fatal(args ...any) { t.fatal("error", strings.TrimSuffix(fmt.Sprintln(args...), "\n")) }

// Fatalf is Errorf and the end of the body.
func (t *T) Fatalf(format string, args ...any) { t.fatal("error", fmt.Sprintf(format, args...)) }

// Fail marks the test as failed.
func (t *T) Fail() { t.fail("error", "failed") }

// NotApplicable ends the body, for what it asks cannot be asked here: a transport lacks a
// setting. The test is skipped with the reason, and [Report.NotApplicable] and the error of
// [Search] say it.
func (t *T) NotApplicable(reason error) {
	t.notAsked = &NotApplicable{reason}
	runtime.Goexit()
}

// FailNow is Fail and the end of the body.
func (t *T) FailNow() {
	if !t.Failed() {
		t.Fail()
	}
	runtime.Goexit()
}

// here is the line of the test, or of the script, that is being run.
func (t *T) here() string {
	if t.set.silent {
		return "" // nobody will read it
	}
	t.mu.Lock()
	at := t.at
	t.mu.Unlock()
	if at != "" {
		return at
	}
	return bubble.Caller()
}
