package harness

import (
	"fmt"
	"hash/fnv"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/halfopen/halfopen/faultnet"
)

// Bounds limits an exploration. The zero value is a good default: the
// portfolio of strategies, 2 delays, 1 fault, 2,000 schedules.
type Bounds struct {
	// Delays is how many times a schedule may depart from what comes next by
	// itself, which is what has waited longest. A cancellation, a call of
	// CloseIdleConnections and a passing of time each count as one. 0 means 2;
	// [None] means none, [All] any number.
	Delays int
	// Faults is how many events of a schedule may be faults. 0 means 1.
	Faults int
	// Coincidences is how many times two events may happen with no quiet
	// between them. What comes of those is chance: such a schedule is run
	// several times, and its outcomes are a sample. 0 means none.
	Coincidences int
	// Schedules is how many schedules are run at most. 0 means 2,000.
	Schedules int
	// Time is how long, in real time, an exploration goes on. 0 means no limit:
	// what is explored does not depend on the machine.
	Time time.Duration
	// Effects is the faults that are tried, by the names of their verdicts. Nil
	// means "refuse" for dials and "reset" for what travels: the two that a
	// transport has to tell from everything else. "cut:*", "reset:*", "stall:*"
	// and "split:*" are tried at every byte of what arrives; of more than 1,024
	// bytes at the first and the last 512.
	Effects []string
	// Cancel lets every request of the body be cancelled, as MayCancel does.
	Cancel bool
	// Strategy is "exhaustive", "pct", "pos", "random" or, by default,
	// "portfolio": all of them in turn.
	Strategy string
	// Seed is what the strategies that draw lots start from. 0 means 1.
	Seed uint64
	// Independent says that the handlers of the test share nothing across
	// connections, so that the order in which two servers' ends receive does not
	// matter. Exhaustive exploration then leaves out the orders that differ in
	// nothing else (sleep sets). It needs Delays: All.
	Independent bool
	// KeepGoing goes on after the first finding, to the end of the bounds.
	KeepGoing bool
	// AsFound leaves findings as they were found instead of looking for their
	// shortest schedules.
	AsFound bool
	// Shard is the part of the exploration that this process does. The zero
	// value is what the environment says: TEST_SHARD_INDEX of TEST_TOTAL_SHARDS,
	// or HALFOPEN_SHARD or JOB_COMPLETION_INDEX of HALFOPEN_SHARDS; without
	// these, all of it.
	Shard Shard `json:"-"`

	verdicts []faultnet.Verdict
	every    []string // effects that are tried at every byte
}

// None and All are for fields of [Bounds] whose zero value means something
// else.
const (
	None = -1
	All  = math.MaxInt
)

// The sweeps try one thing at every place, and nothing else.
var (
	// Sweep is every single fault of the default ones at every event.
	Sweep = Bounds{Delays: None, Faults: 1, Schedules: All, Strategy: "exhaustive"}
	// SweepCancel is a cancellation of each request at every event; it takes
	// single delays along.
	SweepCancel = Bounds{Delays: 1, Faults: None, Schedules: All, Strategy: "exhaustive", Cancel: true}
	// SweepClose is a connection that its peer closes, or resets, at every byte.
	SweepClose = Bounds{Delays: None, Faults: 1, Schedules: All, Strategy: "exhaustive", Effects: []string{"cut:*", "reset:*"}}
)

// atBytes is the effects that can be tried at every byte.
var atBytes = []string{"cut", "reset", "stall", "split"}

// strategies is the names that Bounds.Strategy can have.
var strategies = []string{"portfolio", "exhaustive", "pct", "pos", "random"}

// normal is the bounds with the meaning of each zero spelled out.
func (b Bounds) normal() (Bounds, error) {
	def := func(p *int, zero int) {
		switch {
		case *p == 0:
			*p = zero
		case *p < 0:
			*p = 0
		}
	}
	def(&b.Delays, 2)
	def(&b.Faults, 1)
	def(&b.Coincidences, 0)
	def(&b.Schedules, 2000)
	if b.Seed == 0 {
		b.Seed = 1
	}
	if b.Strategy == "" {
		b.Strategy = "portfolio"
	}
	if !slices.Contains(strategies, b.Strategy) {
		return b, fmt.Errorf("unknown strategy %q%s; there are: %s", b.Strategy,
			didYouMean(b.Strategy, strategies), strings.Join(strategies, ", "))
	}
	if b.Independent && (b.Strategy != "exhaustive" || b.Delays != All) {
		return b, fmt.Errorf("sleep sets (Independent) are sound only for Strategy \"exhaustive\" with Delays: All")
	}
	if b.Effects == nil {
		b.Effects = []string{"refuse", "reset"}
	}
	for _, name := range b.Effects {
		if base, ok := strings.CutSuffix(name, ":*"); ok {
			if !slices.Contains(atBytes, base) {
				return b, fmt.Errorf("effect %q: only %s can be tried at every byte", name, strings.Join(atBytes, ", "))
			}
			b.every = append(b.every, base)
			continue
		}
		v, err := verdict(name)
		if err != nil {
			return b, err
		}
		b.verdicts = append(b.verdicts, v)
	}
	return b, nil
}

// Exploration is what came of exploring.
type Exploration struct {
	// Name is the name of the test.
	Name string
	// Bounds is what was explored within, with nothing left to default.
	Bounds Bounds
	// Schedules is how many were run.
	Schedules int
	// Complete reports whether these were all within the bounds.
	Complete bool
	// Delays is the largest number of delays and faults together up to which
	// every schedule was run; -1 if not even those without any were.
	Delays int
	// Outcomes is how often each outcome was seen.
	Outcomes map[string]int
	// Pruned is how many schedules were left out as equal to others.
	Pruned int
	// Reached is in how many schedules each state of [T.Sometimes] was reached.
	Reached map[string]int
	// Findings is the distinct failures, each with its shortest schedule.
	Findings []*Finding
	// Undecided is the schedules that could not be run to their end, the first of
	// each kind: see [Report.Undecided]. Two of them end the exploration.
	Undecided []*Finding
	// Replayed is the saved schedules that were run first.
	Replayed []Replay
	// Drawn is how many of the schedules were drawn by lot; the others are
	// distinct.
	Drawn int
	// Waiting is how many schedules are known and not yet run.
	Waiting int
	// Sampled is how many schedules had coincidences.
	Sampled int
}

// Finding is one distinct failure.
type Finding struct {
	// Schedule is the shortest schedule that shows it.
	Schedule Schedule
	// Found is the number of the schedule that showed it first, from 1.
	Found int
	// Report is the report of the shortest schedule.
	Report *Report
	cost   int      // of the simplest schedule that failed, before it was shrunk
	as     Schedule // that one

	// Script is that schedule as a race script that fails by itself. It says
	// all that a script can: handlers and transports of the test's own are not
	// in it.
	Script string
}

// Explore runs body once for each schedule within the bounds, each in a new
// bubble, and fails t with the shortest schedule that makes body fail or leaves
// something behind.
//
// In the body nothing happens by itself. [T.Get] and its like only declare
// that a request is to start; [Request.MayCancel], [T.MayCloseIdle] and
// [T.MayPass] what else may happen; code of the test's own that blocks is moved
// on by what happens meanwhile. [T.Settle], or the body's end, lets everything
// happen, in one of its orders.
//
// A failing schedule is shrunk, printed with a line that runs it again and as
// a race script, and saved below testdata/replays of the package, where it is
// run first from then on. If nothing failed and a schedule is undecided
// ([Exploration.Undecided]), t is skipped with the report, or fails if it cannot be.
//
// The flags -halfopen.replay, -halfopen.seed,
// -halfopen.budget and -halfopen.strategy, or the variables HALFOPEN_REPLAY and
// so on, take the place of what the test says.
func Explore(t TB, bounds Bounds, body func(t *T)) *Exploration {
	t.Helper()
	files, err := savedReplays(t.Name())
	if *replayFlag != "" {
		files = []string{*replayFlag}
		bounds.Schedules = None
	}
	var x *Exploration
	if err == nil {
		x, err = explore(t.Name(), bounds.flagged(), body, files, terminal())
	}
	if err != nil {
		t.Errorf("harness: %v", err)
		t.FailNow()
		return nil
	}
	for _, r := range x.Replayed {
		t.Logf("%s", r)
	}
	if len(x.Findings) > 0 {
		t.Errorf("%s\n%s", x, x.saveAll())
		t.FailNow()
	}
	if len(x.Undecided) > 0 {
		skip(t, x.String())
		t.Errorf("%s", x)
		t.FailNow()
	}
	if x.Schedules > 0 {
		t.Logf("%s", x)
	}
	return x
}

// Search is Explore in a plain program: it reports instead of failing, and
// saves nothing. Progress is called now and then with what there is so far, unless
// it is nil.
func Search(name string, bounds Bounds, progress func(*Exploration), body func(t *T)) (*Exploration, error) {
	return explore(name, bounds, body, nil, progress)
}

// outcome is what a run came to, in a line: the fate of each request, and the
// number of connections that it took.
func (t *T) outcome(p *plan) string {
	opened := t.Net.Opened()
	t.mu.Lock()
	defer t.mu.Unlock()
	var b strings.Builder
	b.Grow(64)
	for _, r := range t.requests {
		b.WriteString(r.name + " ")
		switch {
		case !r.returned:
			b.WriteString("pending")
		case r.err != nil:
			b.WriteString(errorClass(r.err))
		case r.resp == nil:
			b.WriteString("nothing")
		case r.readErr != nil:
			b.WriteString("body " + errorClass(r.readErr))
		default:
			b.WriteString(strconv.Itoa(r.resp.StatusCode))
		}
		if n := len(r.runs); n > 0 {
			b.WriteString(" on " + r.runs[n-1].ID())
		}
		if n := len(r.runs); n > 1 {
			fmt.Fprintf(&b, " (sent %d times)", n)
		}
		b.WriteString(", ")
	}
	b.WriteString(strconv.Itoa(opened) + " opened")
	for _, tag := range p.tags {
		b.WriteString(", " + tag)
	}
	return b.String()
}

// errorClass is the name of an error that scripts use, or its text.
func errorClass(err error) string {
	for _, e := range errorNames {
		if e.is(err) {
			return e.name
		}
	}
	if err == io.EOF {
		return "eof"
	}
	return err.Error()
}

// hash is a fingerprint of the options of a step.
func hash(opts []option) uint32 {
	h := fnv.New32a()
	for _, o := range opts {
		io.WriteString(h, o.name)
		h.Write([]byte{0})
	}
	return h.Sum32()
}

// String is what was explored and what was found.
func (x *Exploration) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "explored %s\n", x.coverage())
	for _, o := range slices.Sorted(maps.Keys(x.Outcomes)) {
		fmt.Fprintf(&b, "  %6d x %s\n", x.Outcomes[o], o)
	}
	for _, s := range slices.Sorted(maps.Keys(x.Reached)) {
		fmt.Fprintf(&b, "  reached %d x: %s\n", x.Reached[s], s)
	}
	for _, f := range x.Findings {
		fmt.Fprintf(&b, "\n%s", f.Report)
		if f.Script != "" {
			b.WriteString("\nas a script:\n")
			for l := range strings.Lines(f.Script) {
				b.WriteString("  " + l)
			}
		}
	}
	for _, f := range x.Undecided {
		fmt.Fprintf(&b, "\n")
		for _, failure := range f.Report.Failures {
			failure.write(&b)
		}
		fmt.Fprintf(&b, "    schedule: %s\n", strings.Join(f.Schedule, "; "))
	}
	return b.String()
}

// coverage says exactly what was covered.
func (x *Exploration) coverage() string {
	b := x.Bounds
	var s string
	distinct := x.Schedules - x.Drawn
	switch {
	case x.Complete:
		s = fmt.Sprintf("all %d schedules", distinct)
		if b.Delays != All {
			s += fmt.Sprintf(" with at most %s and %s", count(b.Delays, "delay"), count(b.Faults, "fault"))
		} else if b.Faults > 0 {
			s += fmt.Sprintf(" with at most %s", count(b.Faults, "fault"))
		}
	case x.Delays >= 0:
		s = fmt.Sprintf("%d schedules, among them all with at most %s", distinct, count(x.Delays, "delay or fault"))
	default:
		s = fmt.Sprintf("%d schedules", distinct)
	}
	if x.Waiting > 0 {
		s += fmt.Sprintf(", of at least %d", distinct+x.Waiting)
	}
	if x.Pruned > 0 {
		s += fmt.Sprintf(" (%d more are equal to these)", x.Pruned)
	}
	if x.Drawn > 0 {
		s += fmt.Sprintf(", and %d by lot", x.Drawn)
	}
	s += fmt.Sprintf("; %s; %s", count(len(x.Outcomes), "outcome"), b.Strategy)
	if b.Strategy != "exhaustive" {
		s += fmt.Sprintf(", seed %d", b.Seed)
	}
	if x.Sampled > 0 {
		s += fmt.Sprintf("; %d with coincidences, each run %d times: a sample", x.Sampled, samples)
	}
	return s
}

// count is n and a noun: "1 delay", "2 delays".
func count(n int, noun string) string {
	first, rest, _ := strings.Cut(noun, " ")
	switch {
	case n == 1:
	case rest != "":
		first += "s"
		rest = strings.Replace(rest, "fault", "faults", 1)
	default:
		first += "s"
	}
	return strings.TrimSpace(fmt.Sprintf("%d %s %s", n, first, rest))
}
