package harness

import (
	"fmt"
	"slices"
	"strings"
)

// Schedule is a list of choices by name, in the order in which they were made:
// "start r1", "dial d1 api.test:80", "c1 server->client data as reset",
// "cancel r1".
type Schedule []string

// schedule is what a plan chose, a name for each step.
func (p *plan) schedule() Schedule {
	var s Schedule
	for _, st := range p.trail {
		s = append(s, st.opts[st.chosen].name)
	}
	return s
}

// withoutWaits is the schedule as it is told: a wait is no choice, but what is
// left.
func (s Schedule) withoutWaits() Schedule {
	return slices.DeleteFunc(slices.Clone(s), func(name string) bool { return name == waitName })
}

const waitName = "wait"

// picker follows a schedule as far as it can. What the schedule does not know
// happens as it comes, so that a schedule outlives changes that do not concern
// it.
type picker struct {
	left  Schedule
	steps int
}

func (s Schedule) picker() *picker { return &picker{left: slices.Clone(s)} }

func (p *picker) pick(opts []option) int {
	p.steps++
	if len(p.left) > 0 {
		for i, o := range opts {
			if o.name == p.left[0] {
				p.left = p.left[1:]
				return i
			}
		}
	}
	// Nothing that must happen is what the schedule wants next: what comes by
	// itself does, and the schedule need not name it again.
	if i := slices.Index(p.left, opts[0].name); i >= 0 {
		p.left = slices.Delete(p.left, i, i+1)
	}
	return 0
}

// shrink finds the shortest schedule with the same failure: it takes away what
// is optional, then faults, then delays, as long as the failure stays.
func (e *explorer) shrink(r result, sig string, found int) *Finding {
	if r.plan.together > 0 || e.x.Bounds.AsFound {
		// Where there is chance nothing shorter can be told to be the same.
		return &Finding{Schedule: r.plan.schedule().withoutWaits(), Found: found, Report: r.report}
	}
	try := func(s Schedule) (result, bool) {
		again := e.one(s.picker().pick, true)
		return again, again.report.Failed() && again.report.signature() == sig && weight(again.plan) < weight(r.plan)
	}
	for again := true; again; {
		again = false
		for _, kind := range []func(option, int) bool{optional, faulty, late} {
			for i := 0; i < len(r.plan.trail); i++ {
				st := r.plan.trail[i]
				if o := st.opts[st.chosen]; kind(o, st.chosen) {
					if shorter, ok := try(without(r.plan, i)); ok {
						r, again = shorter, true
						i = -1
					}
				}
			}
		}
	}
	r = e.earlier(r, try)
	s := r.plan.schedule()
	final := e.one(s.picker().pick, false)
	if !final.report.Failed() || final.report.signature() != sig {
		final.report.Failures = append([]Failure{{Kind: "uncontrolled",
			Text: "uncontrolled nondeterminism: the schedule failed, and did not fail again"}}, r.report.Failures...)
	}
	return &Finding{Schedule: s.withoutWaits(), Found: found, Report: final.report, Script: final.script}
}

// earlier moves what departs from what comes by itself as far forward as the
// failure allows: what follows then need not be told.
func (e *explorer) earlier(r result, try func(Schedule) (result, bool)) result {
	for i := 0; i < len(r.plan.trail); i++ {
		st := r.plan.trail[i]
		o := st.opts[st.chosen]
		if !optional(o, st.chosen) && !faulty(o, st.chosen) {
			continue
		}
		for j := range i {
			name, ok := sameIn(r.plan.trail[j].opts, o)
			if !ok {
				continue
			}
			s := r.plan.schedule()
			moved := slices.Concat(s[:j], Schedule{name}, s[j:i], s[i+1:])
			if faulty(o, st.chosen) {
				// The event that is a fault now is not also one that comes.
				moved = append(slices.Clone(s[:j]), name)
			}
			if shorter, ok := try(moved); ok {
				return e.earlier(shorter, try)
			}
		}
	}
	return r
}

// sameIn is the option among opts that is of the same kind as o: the same
// choice, or the same fault of another event.
func sameIn(opts []option, o option) (string, bool) {
	for _, p := range opts {
		if p.name == o.name || p.kind == faultOption && o.kind == faultOption && p.verdict.String() == o.verdict.String() {
			return p.name, true
		}
	}
	return "", false
}

// weight is how much of a schedule has to be told.
func weight(p *plan) int {
	trail, _ := p.thatMatters()
	return 1000*p.faults + 100*p.delays + len(trail)
}

func optional(o option, _ int) bool {
	return o.kind == cancelOption || o.kind == idleOption || o.kind == passOption
}
func faulty(o option, _ int) bool { return o.kind == faultOption }
func late(o option, i int) bool   { d, _, _ := o.cost(i); return d > 0 && !optional(o, i) }

// without is the plan's schedule without the departure at step i.
func without(p *plan, i int) Schedule {
	s := p.schedule()
	if o := p.trail[i].opts[p.trail[i].chosen]; o.kind == faultOption {
		s[i] = o.event.String()
		return s
	}
	return slices.Delete(s, i, i+1)
}

// replayHead is the first line of a saved schedule. The number changes when
// schedules of before can no longer be read.
const replayHead = "halfopen replay 1"

// Format is the schedule as it is saved: a version, comments that say what it
// is of, and a choice a line.
func (f *Finding) Format(test string) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n# %s\n", replayHead, test)
	fmt.Fprintf(&b, "# %s\n", f.Report.Failures[0].Text)
	for _, name := range f.Schedule {
		b.WriteString(name + "\n")
	}
	return []byte(b.String())
}

// ScheduleOf is the name of the test, or the file of the script, that a saved
// schedule is of.
func ScheduleOf(data []byte) string {
	_, rest, _ := strings.Cut(string(data), "\n")
	name, _, _ := strings.Cut(rest, "\n")
	return strings.TrimPrefix(name, "# ")
}

// ParseSchedule reads a saved schedule.
func ParseSchedule(file string, data []byte) (Schedule, error) {
	head, rest, _ := strings.Cut(string(data), "\n")
	if head != replayHead {
		return nil, &ParseError{File: file, Line: 1, Err: fmt.Errorf("got %q, want %q: it was saved by another version, or is no schedule", head, replayHead)}
	}
	var s Schedule
	for line := range strings.Lines(rest) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			s = append(s, line)
		}
	}
	return s, nil
}
