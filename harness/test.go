package harness

import (
	"flag"
	"slices"
	"strings"
	"testing"

	"github.com/halfopen/halfopen/clock"
	"github.com/halfopen/halfopen/faultnet"
	"github.com/halfopen/halfopen/harness/internal/bubble"
	"github.com/halfopen/halfopen/internal/deep/on"
)

// TB has the methods that Test needs of the test that it is part of. [*testing.T],
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
// anything behind. It returns when the bubble has ended, or has stood still. A run that is undecided ([Report.Undecided]) skips t with the report,
// if t has Skipf, and fails it if not; so does one that is not applicable.
func Test(t TB, body func(t *T)) {
	t.Helper()
	mustHaveFlags(t)
	std, _ := t.(*testing.T)
	r := runOnce(std, t.Name(), body, settings{again: goTestLine(t.Name()), timeline: wantsTimeline()})
	writeTimeline(t, r)
	if err := r.NotApplicable(); err != nil {
		skip(t, err.Error())
		t.Errorf("%v", err)
		t.FailNow()
	}
	if r.Undecided() {
		skip(t, r.String())
	}
	if len(r.Failures) > 0 {
		t.Errorf("%s", painted(r))
		t.FailNow()
	}
	if std != nil && len(r.trace) > 0 {
		r.logTo(std)
	}
}

// traceFlag is whether a test that passes logs its steps.
var traceFlag = flag.Bool("halfopen.trace", envBool("HALFOPEN_TRACE"), "log every step of a test that passes, as go test -v shows them (HALFOPEN_TRACE=1)")

// logTo logs what a test that passed has logged, with the flag -halfopen.trace every step, for
// go test -v.
func (r *Report) logTo(t *testing.T) {
	t.Helper()
	if *traceFlag {
		t.Logf("%s: held\n%s", r.Name, strings.Join(timed(r.trace), "\n"))
		return
	}
	for _, l := range r.trace {
		if l.kind == logLine {
			t.Log(shown(l.text))
		}
	}
}

// skip skips a test that cannot be judged, if it can be skipped.
func skip(t TB, why string) {
	if s, ok := t.(interface{ Skipf(string, ...any) }); ok {
		t.Helper()
		s.Skipf("%s", why)
	}
}

// TestReport is Test in a plain program: it reports instead of failing.
func TestReport(name string, body func(t *T)) *Report {
	return runOnce(nil, name, body, settings{timeline: wantsTimeline()})
}

// goTestLine returns the command that runs a test again, in the folder of its
// package.
func goTestLine(name string) string {
	command := "go test"
	if on.Deep() {
		command = "halfopen test"
	}
	parts := strings.Split(name, "/")
	for i, p := range parts {
		parts[i] = "^" + p + "$"
	}
	return command + " -run '" + strings.Join(parts, "/") + "' ."
}

// runOnce runs body, and returns the report.
func runOnce(std *testing.T, name string, body func(*T), set settings) *Report {
	return runBody(std, name, body, set, nil).journal.report(name, set.again)
}

const insideAnother = "a test of the harness begins inside another one, or in a bubble of testing/synctest: each has a bubble of its own"

// runBody runs body in a bubble of its own; the plan, if there is one, decides what
// happens next in it.
func runBody(std *testing.T, name string, body func(*T), set settings, p *plan) *T {
	// In one piece: there are many runs a second.
	all := new(struct {
		t       T
		driver  driver
		census  census
		servers servers
		oracles oracles
	})
	t, r := &all.t, &all.driver
	r.name, r.set = name, set
	t.driver, t.Clock, t.plan, t.body = r, clock.System, p, body
	t.census, t.servers, t.oracles = &all.census, &all.servers, &all.oracles
	if p == nil && bubble.Inside() { // an exploration has asked once, for all its runs
		r.journal.add(Failure{Kind: KindUsage, Where: bubble.Caller(), Text: insideAnother})
		return t
	}
	r.open(std, func() {
		t.census.open(r)
		if set.timeline && !set.silent {
			r.journal.rec = newRecorder(r.net, t.census)
		}
		t.Net = newNet(r, t.census)
		t.servers.t, t.servers.net = r, t.Net
		t.oracles.open(r, t.census)
		t.census.dresser, t.census.receiver = t.Net, t.oracles
		r.checker, r.watcher = t, t.census
		if p != nil {
			p.t, p.census, p.net = r, t.census, t.Net
			t.Net.usual = p.gates
			t.Net.exploring.Store(true)
			r.scheduler = p
			p.inside.begin(p.choices)
		}
		r.drive(t.onward)
		t.shutDown()
	})
	if name := t.census.dialedElsewhere(); name != "" {
		r.journal.explain(name + " never dialed this network: does its transport have DialContext: t.Net.DialContext?")
	}
	return t
}

// checkQuiet implements checker.
func (t *T) checkQuiet(pending, fresh []*faultnet.Event) {
	t.Net.noteHeld(pending)
	if len(t.oracles.audits) > 0 && !slices.ContainsFunc(pending, t.Net.byItself) {
		t.oracles.audit() // it is for where everything waits, and not for the midst of a call
	}
	touched := t.oracles.touched()
	if t.journal.rec != nil {
		t.journal.rec.quiet(pending, touched)
	}
	t.oracles.checkQuiet(pending, fresh)
}

// stages is the life of a run, in order. Each returns the next function to call, or nil
// when it is over.
var stages = [...]func(t *T) func(){bodyStage, exploredStage, (*T).takeCleanup, checkStage}

// onward returns the next function of the run's life, or nil at its end.
func (t *T) onward() func() {
	for ; t.stage < len(stages); t.stage++ {
		if f := stages[t.stage](t); f != nil {
			return f
		}
	}
	return nil
}

// bodyStage runs the body.
func bodyStage(t *T) func() {
	body := t.body
	if t.body = nil; body == nil {
		return nil
	}
	return func() { body(t) }
}

// exploredStage ends the exploring of a run: everything that the body has declared
// happens, and then the outcome is known.
func exploredStage(t *T) func() {
	if t.scheduler == nil {
		return nil
	}
	if !t.rest && !t.Failed() {
		t.rest = true
		return func() { t.await(wantRest) }
	}
	t.plan.end()
	return nil
}

// checkStage looks for what is left behind. Nothing is checked in a test that has failed.
func checkStage(t *T) func() {
	if t.checked || t.journal.over() {
		return nil
	}
	t.checked = true
	return t.leftovers
}

// shutDown ends everything that the run has started.
func (t *T) shutDown() {
	t.drain()
	if t.plan != nil {
		t.plan.sumUp()
	}
	t.journal.rec.end()
	t.journal.closed.Store(true)
	t.cancel()
	for _, o := range t.census.allOps() {
		o.cancel()
	}
	t.servers.close()
	t.driver.shutDown(t.Net.letAll)
}
