package harness

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/halfopen/halfopen/harness/internal/search"
	"github.com/halfopen/halfopen/harness/view"
)

// Exploration is the result of exploring.
type Exploration struct {
	// Name is the name of the test.
	Name string
	// Bounds limited the exploration; each default is spelled out.
	Bounds Bounds
	// Shard is the part that this is; the zero value is all of it.
	Shard Shard
	// Program is a fingerprint of what was explored: the version of Go, the options of a run
	// in the default order, and the text of a script. It is "" if nothing was explored.
	Program string
	// Schedules is how many were run.
	Schedules int
	// Complete reports whether these were all within the bounds.
	Complete bool
	// Delays is the largest number of delays and faults together up to which
	// every schedule was run; -1 if not even those without any were.
	Delays int
	// Outcomes is how often each outcome was seen.
	Outcomes map[string]int
	// Pruned is how many schedules, or groups of schedules, were left out as equal to others.
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
	// Drawn is how many of the schedules were sampled at random; the others are
	// distinct.
	Drawn int
	// Waiting is how many schedules are known and not yet run. Of a shard it is what the
	// shard adds to the sum of all, and may be negative.
	Waiting int
	// Estimate is about how many distinct schedules there are within the bounds, and EstimateError
	// its standard error. It is Knuth's (1975), from up to 64 probes at random, which are not
	// counted as schedules. It is 0 if the exploration is complete, or a shard, or ended
	// before its bounds, or after fewer than 320 schedules.
	Estimate, EstimateError int
	// Sampled is how many schedules had coincidences.
	Sampled int
	// Repeated is how many schedules were run again, one in 50, and Differed how many of
	// these came out otherwise. Then something is not under control, and Difference has
	// what the first one did, and what it did when it was run again.
	Repeated, Differed int
	Difference         []string

	page *view.Page // if timelines are kept
}

// Finding is one distinct failure.
type Finding struct {
	// Schedule is the shortest schedule that shows it.
	Schedule Schedule
	// Found is the number of the schedule that showed it first, from 1.
	Found int
	// Report is the report of the shortest schedule.
	Report *Report
	// NotShortest says that the search for the shortest schedule was stopped, because it
	// took too many runs.
	NotShortest bool

	cost    int      // of the simplest schedule that failed, before it was shrunk
	as      Schedule // that one
	file    string   // where it is saved already
	account string   // what tells it from other failures
	told    int      // the choices that a replay needs, counted; 0: not known
	holds   string   // where the nearest schedule that holds differs first, or ""

	// Script is that schedule as a race script, which fails by itself, and holds when the bug
	// is gone. If a part of the test is nothing that a script can contain, such as a handler
	// or what the test asserts in Go, the first lines name it with what runs the test.
	Script string
}

// more returns what stands below the report of a finding.
func (f *Finding) more() string {
	var b strings.Builder
	if f.holds != "" {
		fmt.Fprintf(&b, "\n%s\n", f.holds)
	}
	if f.NotShortest {
		b.WriteString("\nThe schedule may not be the shortest: making it shorter was stopped after many runs.\n")
	}
	if f.Schedule.needsDeep() {
		fmt.Fprintf(&b, "\nIt depends on the order inside steps: only a deep bubble (halfopen test) shows it again.\n    schedule: %s\n",
			strings.Join(f.Schedule, "; "))
	}
	if f.Script != "" {
		b.WriteString("\nas a script:\n")
		for l := range strings.Lines(f.Script) {
			b.WriteString("  " + cutText(strings.TrimSuffix(l, "\n"), mostInText) + "\n")
		}
	}
	return b.String()
}

// count takes what a search has counted.
func (x *Exploration) count(c search.Counts) {
	x.Schedules, x.Drawn, x.Pruned, x.Sampled, x.Waiting = c.Schedules, c.Drawn, c.Pruned, c.Sampled, c.Waiting
	x.Complete, x.Delays, x.Outcomes, x.Reached = c.Complete, c.Delays, c.Outcomes, c.Reached
	x.Estimate, x.EstimateError = c.Estimate, c.EstimateError
}

// counts returns what count took.
func (x *Exploration) counts() search.Counts {
	return search.Counts{Schedules: x.Schedules, Drawn: x.Drawn, Pruned: x.Pruned, Sampled: x.Sampled, Waiting: x.Waiting,
		Complete: x.Complete, Delays: x.Delays, Outcomes: x.Outcomes, Reached: x.Reached}
}

// unreached returns a finding for each state that no schedule reached. An exploration
// that ended early, at another finding, says nothing about them.
func (x *Exploration) unreached() (fs []*Finding) {
	if len(x.Findings) > 0 && !x.Bounds.KeepGoing {
		return nil
	}
	for _, state := range x.counts().Unreached() {
		fs = append(fs, &Finding{Report: &Report{Name: x.Name,
			Failures: []Failure{{Kind: KindUnreached, Text: "never: " + state}}}})
	}
	return fs
}

// distinct returns of each distinct failure the finding from the simplest schedule.
func distinct(fs []*Finding) []*Finding {
	return search.Distinct(fs, func(f *Finding) search.Key {
		return search.Key{Account: cmp.Or(f.account, f.Report.account()), Cost: f.cost, As: f.as}
	})
}

// String returns each finding with its report, and then what was explored, and how often
// each outcome was seen.
func (x *Exploration) String() string {
	var b strings.Builder
	for _, f := range x.Findings {
		b.WriteString(f.Report.String() + f.more() + "\n")
	}
	for _, f := range x.Undecided {
		screens[0].writeFailures(&b, f.Report.Failures)
		fmt.Fprintf(&b, "    schedule: %s\n\n", cutLine(strings.Join(f.Schedule, "; ")))
	}
	fmt.Fprintf(&b, "explored %s\n", x.coverage())
	if x.Differed > 0 {
		fmt.Fprintf(&b, "uncontrolled: of %s run again %d came out otherwise, so not all of this can be repeated; the first:\n",
			countOf(x.Repeated, "schedule"), x.Differed)
		for _, l := range x.Difference {
			b.WriteString("  " + cutLine(l) + "\n")
		}
	}
	most := mostOutcomes
	if len(x.Findings) > 0 {
		most = mostBeside
	}
	for i, o := range slices.Sorted(maps.Keys(x.Outcomes)) {
		if i == most {
			fmt.Fprintf(&b, "  and %d more outcomes\n", len(x.Outcomes)-i)
			break
		}
		fmt.Fprintf(&b, "  %6d x %s\n", x.Outcomes[o], cutLine(o))
	}
	for _, s := range slices.Sorted(maps.Keys(x.Reached)) {
		fmt.Fprintf(&b, "  reached %d x: %s\n", x.Reached[s], s)
	}
	return b.String()
}

// coverage says exactly what was covered.
func (x *Exploration) coverage() string {
	b := x.Bounds
	var s string
	distinct := x.Schedules - x.Drawn
	if x.Shard.Total > 1 {
		s = fmt.Sprintf("shard %s: ", x.Shard)
	}
	switch {
	case x.Complete:
		s += fmt.Sprintf("all %d schedules", distinct)
		if b.Delays != All {
			s += fmt.Sprintf(" with at most %s and %s", countOf(b.Delays, "delay"), countOf(b.Faults, "fault"))
		} else if b.Faults > 0 {
			s += fmt.Sprintf(" with at most %s", countOf(b.Faults, "fault"))
		}
		if b.Inner > 0 && b.Inner != All {
			s += fmt.Sprintf(", and at most %s", countOf(b.Inner, "delay inside steps"))
		}
	case x.Delays >= 0:
		s += fmt.Sprintf("%s, among them all with at most %s", countOf(distinct, "schedule"), countOf(x.Delays, b.departure()))
	default:
		s += countOf(distinct, "schedule")
	}
	if x.Waiting > 0 && x.Shard.Total <= 1 {
		s += fmt.Sprintf(", of at least %d", distinct+x.Waiting)
		if x.Estimate > 0 {
			s += fmt.Sprintf(", by estimate %s", x.estimate())
		}
	}
	if x.Pruned > 0 && x.Complete {
		s += fmt.Sprintf(" (at least %d more are equal to these)", x.Pruned)
	}
	if x.Drawn > 0 {
		s += fmt.Sprintf(", and %d sampled at random", x.Drawn)
	}
	s += fmt.Sprintf("; %s; %s", countOf(len(x.Outcomes), "outcome"), b.Strategy)
	if b.Strategy != "exhaustive" {
		s += fmt.Sprintf(", seed %d", b.Seed)
	}
	if x.Sampled > 0 {
		s += fmt.Sprintf("; %d with coincidences, each run %d times: a sample", x.Sampled, search.Samples)
	}
	return s
}

// estimate says how many schedules there may be, to two digits: "9800 (standard error 1300)".
func (x *Exploration) estimate() string {
	unit := 1
	for x.Estimate/unit >= 100 {
		unit *= 10
	}
	round := func(n int) int { return (n + unit/2) / unit * unit }
	return fmt.Sprintf("%d (standard error %d)", round(x.Estimate), max(unit, round(x.EstimateError)))
}

// departure returns the word for what departs from what would come by itself.
func (b Bounds) departure() string {
	if b.Inner > 0 {
		return "departure of any kind"
	}
	return "delay or fault"
}

// countOf returns n and a noun: "1 delay", "2 delays".
func countOf(n int, noun string) string {
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
