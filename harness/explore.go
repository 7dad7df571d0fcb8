package harness

import (
	"errors"
	"fmt"
	"runtime"
	"strings"

	"github.com/halfopen/halfopen/harness/internal/bubble"
	"github.com/halfopen/halfopen/harness/internal/search"
)

// Explore runs body once for each schedule within the bounds, each in a new
// bubble, and fails t with the shortest schedule that makes body fail or leaves
// something behind.
//
// In the body nothing happens by itself. [T.Get] and its like only declare
// that a request is to start; [Request.MayCancel], [T.MayCloseIdle] and
// [T.MayPass] what else may happen; code of the test's own that blocks is moved
// on by what happens meanwhile. [T.Rest], [Op.Await] or the body's end lets things
// happen, in one of their orders; [T.Settle] and the wants wait for quiet alone.
//
// With [Bounds.Parallel], several schedules run at the same time.
//
// A failing schedule is shrunk, printed with a line that runs it again and as
// a race script, and saved below testdata/replays of the package, where it is
// run first from then on. One that no longer fits fails t. If nothing failed and a
// schedule is undecided ([Exploration.Undecided]), t is skipped with the report, or fails
// if it cannot be.
//
// The flags -halfopen.replay, -halfopen.seed,
// -halfopen.budget, -halfopen.strategy and -halfopen.parallel, or the variables HALFOPEN_REPLAY
// and so on, take the place of what the test says.
func Explore(t TB, bounds Bounds, body func(t *T)) *Exploration {
	t.Helper()
	mustHaveFlags(t)
	files, err := savedReplays(t.Name())
	if *replayFlag != "" {
		files = []string{*replayFlag}
		bounds.Schedules = None
	}
	var x *Exploration
	if err == nil {
		x, err = explore(t.Name(), goTestLine(t.Name()), bounds.flagged(), body, files, terminal())
	}
	if err != nil {
		if _, ok := errors.AsType[*NotApplicable](err); ok {
			skip(t, err.Error())
		}
		t.Errorf("harness: %v", err)
		t.FailNow()
		return nil
	}
	writePage(t, x.page)
	misfit := false
	for _, r := range x.Replayed {
		if r.Misfit != "" {
			misfit = true
			t.Errorf("%s\nThe test has changed, and the schedule shows nothing any more: delete it, or have it found again.", r)
			continue
		}
		t.Logf("%s", r)
	}
	if len(x.Findings) > 0 {
		t.Errorf("%s\n%s", painted(x), x.saveAll())
		t.FailNow()
	}
	if misfit {
		t.FailNow()
	}
	if len(x.Undecided) > 0 {
		skip(t, x.String())
		t.Errorf("%s", x)
		t.FailNow()
	}
	switch {
	case x.Schedules > 0:
		t.Logf("%s", x)
	case len(x.Replayed) == 0:
		t.Logf("nothing was explored: Schedules is None, and no schedule of this test is saved")
	}
	return x
}

// ExploreReport is Explore in a plain program: it reports instead of failing, and
// saves nothing. Progress is called now and then with what there is so far, unless
// it is nil.
func ExploreReport(name string, bounds Bounds, progress func(*Exploration), body func(t *T)) (*Exploration, error) {
	return explore(name, "", bounds, body, nil, progress)
}

// explorer runs the schedules of one body.
type explorer struct {
	x       *Exploration
	body    func(*T)
	again   string // the line that runs it again, or ""
	effects effects
	gates   []string
	waits   int      // how often time may pass in a schedule
	forest  *forest  // its page, or nil
	files   []string // of the findings that a replay showed
}

// runner runs schedules, one at a time. The runners of an exploration share nothing that a
// run changes.
type runner struct {
	*explorer
	dog    *bubble.Watchdog // or nil: each run has its own
	inside *inside          // or nil
	spare  []action
	queue  queue
}

// explore explores body within the bounds.
func explore(name, again string, bounds Bounds, body func(*T), files []string, progress func(*Exploration)) (*Exploration, error) {
	if bubble.Inside() {
		return nil, errors.New(insideAnother)
	}
	b, effects, err := bounds.normal()
	if err != nil {
		return nil, err
	}
	within := b.search()
	if b.Shard.Total == 0 {
		if within.Shard, err = search.ShardFromEnv(); err != nil {
			return nil, err
		}
	}
	workers := b.workers()
	b.Shard, b.Parallel = Shard{}, 0 // neither changes what is explored
	e := &explorer{x: &Exploration{Name: name, Bounds: b, Shard: shardOf(within.Shard)}, body: body, again: again, effects: effects, gates: b.Gates, waits: b.Delays}
	var runs []search.Run
	for range workers {
		r := &runner{explorer: e, dog: newWatchdog()}
		defer r.dog.Stop()
		if b.Inner > 0 || len(files) > 0 {
			r.inside = newInside()
		}
		runs = append(runs, r.run)
	}
	engine := search.New(within, runs...)
	engine.Describe = describeInside
	if progress != nil {
		engine.Progress = func(c search.Counts) {
			e.x.count(c)
			progress(e.x)
		}
	}
	if wantsTimeline() {
		e.forest = newForest()
		engine.Watch = e.forest.watch
	}
	if err := e.replayAll(engine, files); err != nil {
		return nil, err
	}
	engine.Explore()
	if engine.Program != 0 {
		e.x.Program = fmt.Sprintf("%s %016x", runtime.Version(), engine.Program)
	}
	if engine.Refused != nil {
		return nil, engine.Refused
	}
	e.conclude(engine, within.Shard.Total <= 1)
	if e.forest != nil {
		e.x.page = e.forest.page(e.x, engine)
	}
	return e.x, nil
}

// conclude takes what the engine has counted and found. Of a shard only Merge can say
// which states were not reached.
func (e *explorer) conclude(engine *search.Engine, whole bool) {
	e.x.count(engine.Counts)
	e.x.Repeated, e.x.Differed = engine.Repeated, engine.Differed
	if d := engine.Difference; d != nil {
		e.x.Difference = d.Offers
		if d.Step > 0 {
			e.x.Difference = append([]string{fmt.Sprintf("at step %d", d.Step)}, d.Offers...)
		}
	}
	for i, f := range engine.Findings {
		found := e.finding(f)
		if i < len(e.files) {
			found.file = e.files[i]
		}
		e.x.Findings = append(e.x.Findings, found)
	}
	if e.x.Schedules > 0 && whole {
		e.x.Findings = append(e.x.Findings, e.x.unreached()...)
	}
	e.x.Findings = distinct(e.x.Findings)
	for _, f := range engine.Undecided {
		e.x.Undecided = append(e.x.Undecided, e.finding(f))
	}
}

// explored has the parts of a run that an explorer keeps.
type explored struct {
	report *Report
	script string
}

// run runs the body once.
func (e *runner) run(c *search.Choices) search.Outcome {
	e.queue.reset()
	p := &plan{choices: c, queue: &e.queue, inside: e.inside, effects: e.effects, gates: e.gates, waits: e.waits, cancel: e.x.Bounds.Cancel, independent: e.x.Bounds.Independent, actions: e.spare[:0]}
	t := runBody(nil, e.x.Name, e.body, settings{again: e.again, silent: !c.Tell, explored: true, timeline: e.forest != nil, dog: e.dog, hasty: raceEnabled}, p)
	p.inside.end() // of a run that was cut short
	e.spare = p.actions
	if t.stoodStill && e.inside != nil {
		e.inside = newInside() // what stood still may go on behind us
	}
	r := t.journal.report(e.x.Name, "")
	o := search.Outcome{Summary: p.summary, Failed: r.Failed(), Undecided: r.Undecided(), Refused: t.journal.reason(), Frozen: t.stoodStill, FailedAt: p.failedAt, Trace: t.happened.sum, Reached: t.oracles.reached}
	if len(r.Failures) > 0 {
		o.Signature, o.Account = r.signature(), r.account()
	}
	told := &explored{report: r}
	if c.Tell {
		told.script = t.script(p)
	}
	o.Report = told
	return o
}

// shares says what to do about a body that is under control only when it runs alone.
const shares = "it offers the same each time when it runs alone: schedules run at the same time and share something: make it in the body, or set Bounds.Parallel to 1"

// finding returns the finding with its report.
func (e *explorer) finding(f search.Finding) *Finding {
	found := &Finding{Schedule: f.Schedule, told: f.Told, Found: f.Found, cost: f.Cost, as: f.As, account: f.Account, NotShortest: f.NotShortest}
	uncontrolled := func(what string) Failure {
		return Failure{Kind: KindUncontrolled, Text: "uncontrolled nondeterminism: " + what}
	}
	if d := f.Holds; d != nil {
		found.holds = fmt.Sprintf("It holds if choice %d is %q, and not %q.", d.Choice, d.There, d.Here)
	}
	if d := f.Diverged; d != nil {
		failure := uncontrolled(fmt.Sprintf("the same schedule offers something else at step %d", d.Step))
		failure.Detail = append([]string{"after: " + strings.Join(f.Schedule, "; ")}, d.Offers...)
		if d.Together {
			failure.Detail = append(failure.Detail, shares)
		}
		found.Report = &Report{Name: e.x.Name, Failures: []Failure{failure}}
		return found
	}
	told := f.Outcome.Report.(*explored)
	found.Report, found.Script = told.report, told.script
	found.Report.rows = max(screenRows-rowsOf(found.more())-rowsBeside, 1)
	if f.Unsteady != nil {
		found.Report.Failures = append([]Failure{uncontrolled("the schedule failed, and did not fail again")},
			f.Unsteady.Report.(*explored).report.Failures...)
	}
	return found
}
