package harness

import (
	"slices"
	"sync"
	"sync/atomic"

	"github.com/halfopen/halfopen/harness/internal/bubble"
)

// journal keeps the history of a run: its steps, its failures, and the network as
// it was at the first of them.
type journal struct {
	silent bool        // only failures are kept
	closed atomic.Bool // what comes later is not recorded
	rec    *recorder   // keeps a timeline, or nil

	mu       sync.Mutex
	failures []Failure
	refused  error // see T.NotApplicable
	at       string
	trace    []line
	table    string // the network at the first failure
	blocked  []string
	lastWant string   // the line of a script that wants something
	served   []string // the lines of a script that set up its servers
	settings Settings // that were asked for
	lacking  []string // what no script can contain
	passed   []string // lines of a printed script that no longer fit
}

// add records a failure.
func (j *journal) add(f Failure) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if !j.closed.Load() {
		j.failures = append(j.failures, f)
		j.rec.failed(f)
	}
}

// explain adds a line to the first failure, if there is one.
func (j *journal) explain(line string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.failures) > 0 {
		j.failures[0].Detail = append(j.failures[0].Detail, line)
	}
}

// has reports whether a failure with that text is recorded.
func (j *journal) has(text string) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.ContainsFunc(j.failures, func(f Failure) bool { return f.Text == text })
}

// count returns how many failures there are.
func (j *journal) count() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return len(j.failures)
}

// failed reports whether a failure is recorded.
func (j *journal) failed() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return len(j.failures) > 0
}

// over reports whether nothing of the run is to be checked any more: it has failed,
// or cannot be asked.
func (j *journal) over() bool { return j.failed() || j.reason() != nil }

// refuse records why the run cannot be asked.
func (j *journal) refuse(reason error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.refused = reason
}

// reason returns why the run cannot be asked, or nil.
func (j *journal) reason() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.refused
}

// write adds lines to the trace.
func (j *journal) write(kind lineKind, texts ...string) {
	if kind != eventLine {
		for _, text := range texts {
			j.rec.line(kind, text, j.place())
		}
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, text := range texts {
		j.trace = append(j.trace, line{kind: kind, text: text, at: bubble.Elapsed()})
	}
}

// enter says which line of a script is being run, and the line if it wants something.
func (j *journal) enter(at, want string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.at = at
	if want != "" {
		j.lastWant = want
	}
}

// place returns the line of the script that is being run, or "".
func (j *journal) place() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.at
}

// serve adds lines of a script that set up a server.
func (j *journal) serve(lines ...string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.served = append(j.served, lines...)
}

// passOver notes that a line of a printed script no longer fits.
func (j *journal) passOver(text string) {
	j.write(logLine, "passed over: "+text)
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.at != "" {
		text = j.at + ": " + text
	}
	j.passed = append(j.passed, text)
}

// lack notes, once, what no script can contain.
func (j *journal) lack(what string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if !slices.Contains(j.lacking, what) {
		j.lacking = append(j.lacking, what)
	}
}

// picture keeps the state of the network, and the goroutines that are blocked, unless
// it has both already.
func (j *journal) picture(take func() (table string, blocked []string)) {
	j.mu.Lock()
	had := j.table != ""
	j.mu.Unlock()
	if had {
		return
	}
	table, blocked := take()
	j.mu.Lock()
	defer j.mu.Unlock()
	j.table, j.blocked = table, blocked
}

// saw reports whether an event of the trace begins with those words.
func (j *journal) saw(pattern string) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return eventIn(j.trace, pattern)
}

// report returns the report of the run.
func (j *journal) report(name, again string) *Report {
	j.mu.Lock()
	defer j.mu.Unlock()
	r := &Report{Name: name, Failures: j.failures, trace: j.trace, table: j.table, blocked: j.blocked,
		again: again, refused: j.refused, passed: j.passed}
	r.timeline = j.rec.timeline(r)
	return r
}
