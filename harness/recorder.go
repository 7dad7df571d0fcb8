package harness

import (
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/halfopen/halfopen/faultnet"
	"github.com/halfopen/halfopen/harness/internal/bubble"
	"github.com/halfopen/halfopen/harness/view"
)

// recorder keeps the timeline of a run: each step with its virtual time, its line and
// what it changed. A run has one only if a timeline is wanted.
type recorder struct {
	net    *faultnet.Net
	census *census
	began  time.Time

	// mu guards all of it. It is taken before census.mu.
	mu      sync.Mutex
	over    bool
	run     *view.Run
	taken   []faultnet.Record // events of the network that are steps, and not yet lines of the trace
	pending map[*faultnet.Event]int
	applied []applied // what is about to be a record
	bytes   int       // how many bytes of events are kept
	secrets strings.Builder
	states
}

// Bounds of what a timeline keeps.
const (
	mostBytesOfEvent = 64 << 10
	mostBytesOfRun   = 4 << 20
)

// applied has the facts about an event that are known before it happens.
type applied struct {
	name  string
	event *view.Event
	owner string
}

func newRecorder(net *faultnet.Net, c *census) *recorder {
	now := time.Now()
	return &recorder{net: net, census: c, began: now, run: &view.Run{Began: now},
		pending: make(map[*faultnet.Event]int), states: newStates()}
}

// line adds a line of the trace that is no event of the network. Without a recorder it does
// nothing.
func (r *recorder) line(kind lineKind, text, place string) {
	if r == nil {
		return
	}
	if place == "" && kind == stepLine {
		place = bubble.Caller()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.over {
		return
	}
	r.collect()
	kinds := [...]view.StepKind{stepLine: view.VerbStep, logLine: view.LogStep, sectionLine: view.SectionStep}
	r.add(view.Step{Kind: kinds[kind], Text: text, Where: place})
}

// failed notes the step after which a failure was recorded.
func (r *recorder) failed(f Failure) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.over {
		r.collect()
	}
	r.run.Failures = append(r.run.Failures, view.Failure{Kind: string(f.Kind), Text: f.Text, Reason: f.Reason,
		Where: f.Where, Detail: f.Detail, Step: len(r.run.Steps) - 1})
}

// add adds a step.
func (r *recorder) add(s view.Step) {
	s.At = time.Since(r.began)
	r.append(s)
}

// append appends a step. A run has many: its list doubles, so that few are copied.
func (r *recorder) append(s view.Step) {
	if n := len(r.run.Steps); n == cap(r.run.Steps) {
		r.run.Steps = slices.Grow(r.run.Steps, max(n, 64))
	}
	r.run.Steps = append(r.run.Steps, s)
}

// applies notes an event that the driver is about to let happen.
func (r *recorder) applies(e *faultnet.Event, v faultnet.Verdict) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	a := applied{name: e.String(), owner: e.Owner, event: &view.Event{What: e.Kind.String(), Lane: e.DialID(), Fault: !v.IsPass(), Since: len(r.run.Steps) - 1}}
	if since, ok := r.pending[e]; ok {
		a.event.Since = since
	}
	if e.From != nil {
		a.event.Lane, a.event.From, a.owner = e.From.ID(), e.From.Side().String(), e.From.Owner()
		if q := r.census.conn(e.From).lastRequest(); q != nil {
			a.owner = q.name
		}
	}
	if b := e.Arriving(v); len(b) > 0 {
		a.event.Size = len(b)
		keep := min(len(b), mostBytesOfEvent, mostBytesOfRun-r.bytes)
		r.bytes += keep
		a.event.Bytes = b[:keep]
	}
	r.applied = append(r.applied, a)
}

// records returns the events of the network since the last call, for the trace.
func (r *recorder) records() []faultnet.Record {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.collect()
	taken := r.taken
	r.taken = nil
	return taken
}

// collect makes steps of the events that have happened.
func (r *recorder) collect() {
	for _, rec := range r.net.Events() {
		r.taken = append(r.taken, rec)
		e := r.event(rec)
		s := view.Step{Kind: view.EventStep, At: rec.At.Sub(r.began), Text: rec.String(), Event: e.event}
		if l := r.lanes[laneKey{view.OpLane, e.owner}]; l != nil {
			s.Where = r.run.Lanes[l.index].Where
		}
		r.append(s)
		if e.event.What == faultnet.Dial.String() {
			r.outcomes[e.event.Lane] = rec.Outcome
		}
	}
}

// event returns what is known of a record.
func (r *recorder) event(rec faultnet.Record) (a applied) {
	for i, known := range r.applied {
		if known.name == rec.Event {
			r.applied = append(r.applied[:i], r.applied[i+1:]...)
			known.event.Outcome = rec.Outcome
			return known
		}
	}
	what, rest, _ := strings.Cut(rec.Event, " ")
	a.event = &view.Event{What: what, Outcome: rec.Outcome, Since: len(r.run.Steps) - 1}
	if what == faultnet.Dial.String() {
		a.event.Lane, _, _ = strings.Cut(rest, " ")
	}
	return a
}

// Write implements io.Writer for tls.Config.KeyLogWriter.
func (r *recorder) Write(line []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.secrets.Write(line)
}

// end ends the timeline: what happens from now on is the end of the bubble.
func (r *recorder) end() {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.collect()
	r.over = true
	r.run.Secrets = r.secrets.String()
}

// timeline returns the timeline of a run that has ended, with its report.
func (r *recorder) timeline(rep *Report) *view.Run {
	if r == nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.run.Name, r.run.Again, r.run.Verdict = rep.Name, rep.again, "held"
	switch {
	case rep.Failed():
		r.run.Verdict = "failed"
	case rep.Undecided():
		r.run.Verdict = "undecided"
	}
	r.run.Sources = sourcesOf(r.run)
	return r.run
}

// sourcesOf returns the text of the lines that a run names, as far as their files can be
// read: a program may run far from its source.
func sourcesOf(run *view.Run) map[string]string {
	sources := make(map[string]string)
	look := func(place string) {
		if _, done := sources[place]; done || place == "" {
			return
		}
		file, number, _ := strings.Cut(place, ":")
		if name := bubble.File(place); name != "" {
			file = name
		}
		lines := linesOf(file)
		if n, _ := strconv.Atoi(number); n > 0 && n <= len(lines) && len(lines) > 1 {
			sources[place] = strings.TrimSpace(lines[n-1])
		}
	}
	for _, s := range run.Steps {
		look(s.Where)
	}
	for _, l := range run.Lanes {
		look(l.Where)
	}
	for _, f := range run.Failures {
		look(f.Where)
	}
	return sources
}

// linesOf returns the lines of a source file, or one that is empty. Each file is read once: many
// runs name the same lines.
func linesOf(file string) []string {
	if lines, ok := sourceFiles.Load(file); ok {
		return lines.([]string)
	}
	text, _ := os.ReadFile(file)
	lines, _ := sourceFiles.LoadOrStore(file, strings.Split(string(text), "\n"))
	return lines.([]string)
}

var sourceFiles sync.Map // of the lines by file
