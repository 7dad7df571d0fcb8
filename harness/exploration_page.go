package harness

import (
	"fmt"
	"slices"
	"strings"

	"github.com/halfopen/halfopen/harness/internal/search"
	"github.com/halfopen/halfopen/harness/view"
)

// forest keeps the schedules of an exploration for its page. An exploration has one only if
// timelines are wanted.
type forest struct {
	names  map[string]int
	tree   view.Tree
	leaves map[string]int // the index of each schedule by its choices
	held   map[string]int // the first schedule of each outcome
	runs   []*view.Run
}

// The most schedules that a page shows in its tree, and those that it shows step by step. Each of
// these runs again: beyond two, and what was found, there is one for each ranForOne that ran.
const (
	mostLeaves = 5000
	mostShown  = 12
	ranForOne  = 25
)

func newForest() *forest {
	return &forest{names: make(map[string]int), leaves: make(map[string]int), held: make(map[string]int)}
}

// watch adds a schedule that ran, or one that was left out as equal to others.
func (f *forest) watch(c *search.Choices, o search.Outcome, pruned bool) {
	result, text := "held", o.Summary
	switch full := len(f.tree.Schedules) >= mostLeaves; {
	case full && pruned:
		return
	case pruned:
		result, text = "pruned", ""
	case o.Undecided:
		result, text = "undecided", o.Report.(*explored).report.Failures[0].Text
	case o.Failed:
		result, text = "failed", o.Report.(*explored).report.Failures[0].Text
	case full:
		f.tree.Left++
		return
	}
	var names []string
	for _, s := range c.Steps() {
		names = append(names, s.Option().Name)
	}
	leaf := f.leaf(names, result, text)
	if result == "held" {
		if _, ok := f.held[text]; !ok {
			f.held[text] = leaf
		}
	}
}

// leaf returns the index of a schedule, which it adds if it is new.
func (f *forest) leaf(schedule []string, result, text string) int {
	var choices []int
	for _, name := range schedule {
		if name == search.WaitName {
			continue
		}
		n, ok := f.names[name]
		if !ok {
			n = len(f.tree.Names)
			f.names[name] = n
			f.tree.Names = append(f.tree.Names, name)
		}
		choices = append(choices, n)
	}
	key := fmt.Sprint(choices, result == "pruned")
	if leaf, ok := f.leaves[key]; ok {
		return leaf
	}
	leaf := len(f.tree.Schedules)
	f.leaves[key] = leaf
	f.tree.Schedules = append(f.tree.Schedules, view.Schedule{Choices: choices, Result: result, Text: text})
	return leaf
}

// show adds the timeline of a schedule, if it has none yet.
func (f *forest) show(leaf int, name string, run *view.Run) {
	s := &f.tree.Schedules[leaf]
	if s.Run > 0 || run == nil {
		return
	}
	run.Name, run.Outcome = name, s.Text
	for _, c := range s.Choices {
		run.Schedule = append(run.Schedule, f.tree.Names[c])
	}
	f.runs = append(f.runs, run)
	s.Run = len(f.runs)
}

// nearest returns the schedule that held and has the longest beginning in common with
// another one, or -1. A schedule that was made shorter may choose at no gate, where all others
// do: those choices are not compared then.
func (f *forest) nearest(leaf int) int {
	best, most := -1, -1
	of := f.tree.Schedules[leaf].Choices
	gates := slices.ContainsFunc(of, f.isGate)
	for i, s := range f.tree.Schedules {
		choices := s.Choices
		if !gates {
			choices = slices.DeleteFunc(slices.Clone(choices), f.isGate)
		}
		n := 0
		for n < len(of) && n < len(choices) && of[n] == choices[n] {
			n++
		}
		if s.Result == "held" && n > most {
			best, most = i, n
		}
	}
	return best
}

// isGate reports whether a choice is made at a gate.
func (f *forest) isGate(choice int) bool {
	return strings.HasPrefix(strings.TrimPrefix(f.tree.Names[choice], "hold "), "gate ")
}

// page returns the page of the exploration: the tree, and step by step each finding with
// its nearest schedule that held, and one schedule of each outcome.
func (f *forest) page(x *Exploration, engine *search.Engine) *view.Page {
	f.tree.Coverage = "explored " + x.coverage()
	run := func(leaf int) {
		if leaf < 0 || f.tree.Schedules[leaf].Run > 0 || len(f.runs) >= mostShown {
			return
		}
		var schedule []string
		for _, c := range f.tree.Schedules[leaf].Choices {
			schedule = append(schedule, f.tree.Names[c])
		}
		o := engine.Show(schedule)
		f.show(leaf, fmt.Sprintf("schedule %d", leaf+1), o.Report.(*explored).report.timeline)
	}
	var findings []int
	for i, found := range slices.Concat(x.Findings, x.Undecided) {
		if len(found.Schedule) == 0 || found.Report.timeline == nil {
			continue
		}
		result := "failed"
		if found.Report.Undecided() {
			result = "undecided"
		}
		leaf := f.leaf(found.Schedule, result, found.Report.Failures[0].Text)
		found.Report.timeline.Script = found.Script
		f.show(leaf, fmt.Sprintf("finding %d", i+1), found.Report.timeline)
		findings = append(findings, leaf)
	}
	for _, leaf := range findings {
		run(f.nearest(leaf))
	}
	first := make([]int, 0, len(f.held))
	for _, leaf := range f.held {
		first = append(first, leaf)
	}
	slices.Sort(first)
	for _, leaf := range first {
		if len(f.runs) < max(2, x.Schedules/ranForOne) {
			run(leaf)
		}
	}
	return &view.Page{Title: x.Name, Runs: f.runs, Tree: &f.tree}
}

// Timeline returns the page of the exploration, if timelines were kept: see
// [Report.Timeline]. It has the tree of the schedules, and some of them step by step: each
// finding, the schedule that held and is nearest to it, and one schedule of each outcome, or of the
// first ones where few schedules ran.
func (x *Exploration) Timeline() *view.Page { return x.page }
