package harness

import (
	"cmp"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/halfopen/halfopen/faultnet"
	"github.com/halfopen/halfopen/harness/view"
)

// Kind is the kind of a [Failure].
type Kind string

// The kinds of failures.
const (
	KindWant   Kind = "want"   // an expectation of the test was not met
	KindError  Kind = "error"  // the test says so: Error, Fatal, Fail
	KindUsage  Kind = "usage"  // a verb was used wrongly
	KindOracle Kind = "oracle" // a property that every run must have does not hold
	KindTrace  Kind = "trace"  // the trace is not the golden one of the script

	KindPanic  Kind = "panic"  // the test, or code that it called, panicked
	KindGoexit Kind = "goexit" // the body called runtime.Goexit
	KindRace   Kind = "race"   // the bubble ended early: a data race was detected

	KindStuck   Kind = "stuck"   // nothing moves any more, and the body has not returned
	KindEndless Kind = "endless" // things happen, or a goroutine runs, without an end
	KindOutside Kind = "outside" // a goroutine waits for something outside the bubble

	// What was left behind.
	KindDial      Kind = "dial"      // a dial that the test has not looked at
	KindHold      Kind = "hold"      // an event that is still held
	KindRequest   Kind = "request"   // a request that has not returned
	KindBody      Kind = "body"      // a response body that was not closed
	KindFault     Kind = "fault"     // a fault that was armed and has not fired, or a hold that held nothing
	KindConn      Kind = "conn"      // a connection that is open and in no pool
	KindGoroutine Kind = "goroutine" // a goroutine

	KindUnreached    Kind = "unreached"    // a state of [T.Sometimes] was reached in no run
	KindUncontrolled Kind = "uncontrolled" // the same schedule came out differently
	KindFrozen       Kind = "frozen"       // the run could not be looked at to its end: see [Report.Undecided]
)

// Failure is one thing that went wrong.
type Failure struct {
	Kind Kind
	// Reason is why the test expected something else.
	Reason string
	// Text describes it: "subject: got X, want Y".
	Text string
	// Where is the file and line that it is about.
	Where string
	// Detail is more lines: the stack of a panic, or what an uncontrolled
	// schedule came after and each offer that differs.
	Detail []string
}

// leak reports whether the failure is about something left behind.
func (f Failure) leak() bool {
	switch f.Kind {
	case KindDial, KindHold, KindRequest, KindBody, KindFault, KindConn, KindGoroutine:
		return true
	}
	return false
}

// String returns the text and the place, in a line.
func (f Failure) String() string {
	if f.Where == "" {
		return f.Text
	}
	return f.Text + "  (" + f.Where + ")"
}

func (p parts) writeFailure(b *strings.Builder, f Failure) {
	if f.Reason != "" {
		fmt.Fprintf(b, "%s\n    ", cutAfter(f.Reason, p.text, p.lines))
	}
	f.Text = cutAfter(f.Text, p.text, p.lines)
	b.WriteString(f.String() + "\n")
	for _, d := range cutLines(f.Detail, p.detail, "lines") {
		fmt.Fprintf(b, "    %s\n", d)
	}
}

// writeFailures writes the first failures, and how many others there are.
func (p parts) writeFailures(b *strings.Builder, fs []Failure) {
	for i, f := range fs {
		if i == p.failures {
			fmt.Fprintf(b, "and %d more failures\n", len(fs)-i)
			break
		}
		p.writeFailure(b, f)
	}
}

// Report is the result of a run.
type Report struct {
	// Name is the name of the test.
	Name string
	// Failures is empty if the test passed.
	Failures []Failure

	trace   []line
	table   string
	blocked []string
	again   string
	refused error
	passed  []string // lines of a printed script that no longer fit
	// timeline has each step, if it was kept.
	timeline *view.Run
	text     string // what String is, of a report that came from elsewhere
	rows     int    // of the screen that it may take; 0: all
}

// NotApplicable is the error of a run whose body called [T.NotApplicable].
type NotApplicable struct{ Err error }

// Error returns "not applicable: " and the reason.
func (e *NotApplicable) Error() string { return "not applicable: " + e.Err.Error() }

// Unwrap returns the reason alone.
func (e *NotApplicable) Unwrap() error { return e.Err }

// line is one line of a trace.
type line struct {
	kind lineKind
	text string
	at   time.Duration // of virtual time, since the run began
}

type lineKind uint8

const (
	stepLine    lineKind = iota // a verb
	eventLine                   // what happened on the network
	logLine                     // what the test or a server logged
	sectionLine                 // a comment of the script
)

func (l line) String() string {
	switch l.kind {
	case stepLine:
		return "> " + l.text
	case eventLine:
		return "  " + l.text
	case logLine:
		return "| " + l.text
	}
	return "# " + l.text
}

// Failed reports whether the test failed: something went wrong, other than that
// the run is undecided.
func (r *Report) Failed() bool {
	return slices.ContainsFunc(r.Failures, func(f Failure) bool { return f.Kind != KindFrozen })
}

// Undecided reports whether nothing can be said of the run: nothing went wrong as
// far as it came, and it did not come to its end, because a goroutine waited for a
// mutex and so time stood still. The one failure says which.
func (r *Report) Undecided() bool { return len(r.Failures) > 0 && !r.Failed() }

// NotApplicable returns a [*NotApplicable] if the body called [T.NotApplicable], and nil if
// not.
func (r *Report) NotApplicable() error { return r.refused }

// Leaks returns those failures that are about something left behind.
func (r *Report) Leaks() []Failure {
	var fs []Failure
	for _, f := range r.Failures {
		if f.leak() {
			fs = append(fs, f)
		}
	}
	return fs
}

// Trace returns every verb of the test and every event on the network, a line each:
// the same bytes each time.
func (r *Report) Trace() string {
	var b strings.Builder
	for _, l := range r.trace {
		b.WriteString(l.String() + "\n")
	}
	return b.String()
}

// String returns the report of a run that failed or is undecided, the same each time: what went wrong
// and why; the steps, those of passed sections folded; the network as it was at
// the first failure; who was still blocked; and a line that runs it again. It fits a screen of 80
// columns and 45 rows: what is cut is counted. For
// a run that passed it is a line, and one for each move of a printed script that no longer
// fits.
func (r *Report) String() string {
	if r.text != "" {
		return r.text
	}
	if len(r.Failures) == 0 {
		var b strings.Builder
		fmt.Fprintf(&b, "%s: held\n", r.Name)
		for _, l := range cutLines(r.passed, mostPassed, "moves that do not fit") {
			fmt.Fprintf(&b, "  passed over: %s\n", l)
		}
		return b.String()
	}
	rows := cmp.Or(r.rows, screenRows)
	fits := func(p parts) bool { return rowsOf(p.draw(r)) <= rows }
	i := max(0, slices.IndexFunc(screens[:len(screens)-1], fits))
	if i == 0 && !fits(screens[0]) {
		i = len(screens) - 1
	}
	p := screens[i]
	for more := p; more.steps < screens[0].steps && fits(more); more.steps++ {
		p = more // the steps have what is left of the screen
	}
	return p.draw(r)
}

// draw returns a report with that much of each part.
func (p parts) draw(r *Report) string {
	var b strings.Builder
	p.writeFailures(&b, r.Failures)
	b.WriteString("\nsteps:\n")
	for _, s := range p.foldSteps(r.trace) {
		b.WriteString("  " + cutLine(s) + "\n")
	}
	if r.table != "" {
		b.WriteString("\nnetwork (* not closed by the program; bytes in flight+unread):\n")
		for _, l := range p.cutTable(r.table) {
			b.WriteString("  " + l + "\n")
		}
	}
	if len(r.blocked) > 0 {
		b.WriteString("\nblocked:\n")
		for _, l := range cutLines(r.blocked, p.blocked, "") {
			b.WriteString("  " + strings.TrimSpace(l) + "\n")
		}
	}
	if r.again != "" {
		again := r.again
		if r.Undecided() {
			again = strings.Replace(again, "go test ", "halfopen test ", 1) // to see its end
		}
		b.WriteString("\nagain:\n  " + again + "\n")
	}
	return b.String()
}

// foldSteps returns the trace with all sections but the last reduced to their
// comments, and the beginning of a long last section left out. Of very many sections those
// in the middle are left out too.
func (p parts) foldSteps(trace []line) []string {
	var out []string
	last := 0
	for i, l := range trace {
		if l.kind != sectionLine {
			continue
		}
		if n := steps(trace[last:i]); n > 0 && trace[last].kind == sectionLine {
			out[len(out)-1] += fmt.Sprintf("  (%d steps)", n)
		} else if n > 0 {
			out = append(out, fmt.Sprintf("(%d steps)", n))
		}
		out = append(out, l.String())
		last = i
	}
	rest := trace[last:]
	if len(rest) > 0 && rest[0].kind == sectionLine {
		rest = rest[1:]
	}
	if cut := len(out) - p.steps; cut > 0 {
		head := min(8, p.steps-1) // the claim, and how the script describes itself
		out = slices.Concat(out[:head], []string{fmt.Sprintf("... %d sections", cut)}, out[head+cut:])
	}
	if cut := len(rest) - p.steps; cut > 0 {
		out = append(out, fmt.Sprintf("... %d lines before", cut))
		rest = rest[cut:]
	}
	return append(out, timed(rest)...)
}

// timed returns the lines of a trace, and where virtual time passes between two of them a line
// that says how much.
func timed(trace []line) (out []string) {
	for i, l := range trace {
		if i > 0 && l.at > trace[i-1].at {
			out = append(out, fmt.Sprintf("  +%s", l.at-trace[i-1].at))
		}
		out = append(out, l.String())
	}
	return out
}

func steps(ls []line) (n int) {
	for _, l := range ls {
		if l.kind == stepLine {
			n++
		}
	}
	return n
}

// stepText returns a verb and its arguments as a trace has them: as a script does, with
// long texts cut.
func stepText(words []string) string {
	return scriptLine(words, func(w string) string {
		if len(w) > mostInWord {
			w = w[:mostInWord-3] + "..."
		}
		return strconv.Quote(w)
	})
}

// mostInWord is the most bytes of a quoted word in a trace.
const mostInWord = 60

// scriptLine returns a verb and its arguments as a script has them, each that could not
// stand bare quoted. An event pattern, which is words, is the last argument of those verbs
// that take one.
func scriptLine(words []string, quote func(string) string) string {
	out := make([]string, len(words))
	for i, w := range words {
		if out[i] = w; i > 0 && !isPattern(words[0], words[1]) && !isBare(w) {
			out[i] = quote(w)
		}
	}
	return strings.Join(out, " ")
}

func isPattern(verb, arg string) bool {
	switch verb {
	case "hold", "release", "let", "fault", "lift", "shape":
		return true
	case "want":
		return arg == "held"
	}
	return false
}

// isBare reports whether a word needs no quotes in a script.
func isBare(w string) bool {
	return w != "" && w != "--" && !strings.ContainsAny(w, " \t\r\n\"'`\\") && strings.IndexFunc(w, isControl) < 0
}

// Seen reports whether something happened in the run whose name in the trace
// begins with those words: see [T.Seen].
func (r *Report) Seen(pattern string) bool { return eventIn(r.trace, pattern) }

// eventIn reports whether an event of the trace begins with the words of the pattern.
func eventIn(trace []line, pattern string) bool {
	p, err := faultnet.ParsePattern(pattern)
	if err != nil {
		return false
	}
	words := strings.Fields(p.String())
	return slices.ContainsFunc(trace, func(l line) bool {
		name := strings.Fields(l.text)
		if l.kind != eventLine || len(name) < len(words) {
			return false
		}
		for i, w := range words {
			if ok, _ := path.Match(w, name[i]); !ok {
				return false
			}
		}
		return true
	})
}

var numbersInText = regexp.MustCompile(`\d+`)

// account returns what two reports of the same failure share: the kind and the text of
// the first failure.
func (r *Report) account() string { return string(r.Failures[0].Kind) + ": " + r.Failures[0].Text }

// signature returns the account without numbers.
func (r *Report) signature() string { return numbersInText.ReplaceAllString(r.account(), "#") }
