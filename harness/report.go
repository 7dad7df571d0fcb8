package harness

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Failure is one thing that went wrong.
type Failure struct {
	// Kind is what sort of thing: "want" for an expectation, "error" for one of
	// the test's own, "verdict" for what must hold in every run, "panic", "stuck",
	// "endless", "goexit", "race", "trace", "unreached", "uncontrolled", "usage" for
	// a verb used wrongly; for what was left behind "dial", "hold", "request",
	// "body", "fault", "conn", "goroutine"; "outside" for a goroutine that waits for
	// something outside the bubble; and "frozen" for a run that could not be looked
	// at to its end: see [Report.Undecided].
	Kind string
	// Reason is why the test expected something else.
	Reason string
	// Text is what was found: "subject: got X, want Y".
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
	case "dial", "hold", "request", "body", "fault", "conn", "goroutine":
		return true
	}
	return false
}

// String is the text and the place, in a line.
func (f Failure) String() string {
	if f.Where == "" {
		return f.Text
	}
	return f.Text + "  (" + f.Where + ")"
}

func (f Failure) write(b *strings.Builder) {
	if f.Reason != "" {
		fmt.Fprintf(b, "%s\n    ", f.Reason)
	}
	b.WriteString(f.String() + "\n")
	for _, d := range f.Detail {
		fmt.Fprintf(b, "    %s\n", d)
	}
}

// Report is what came of a run.
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
	text    string // what String is, of a report that came from elsewhere
}

// line is one line of a trace.
type line struct {
	kind lineKind
	text string
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

func (t *T) report() *Report {
	t.mu.Lock()
	defer t.mu.Unlock()
	return &Report{Name: t.name, Failures: t.failures, trace: t.trace,
		table: t.table, blocked: t.blocked, again: t.set.again, refused: t.notAsked}
}

// Failed reports whether the test failed: something went wrong, other than that
// the run is undecided.
func (r *Report) Failed() bool {
	return slices.ContainsFunc(r.Failures, func(f Failure) bool { return f.Kind != frozenKind })
}

// Undecided reports whether nothing can be said of the run: nothing went wrong as
// far as it came, and it did not come to its end, because a goroutine waited for a
// mutex and so time stood still. The one failure says which.
func (r *Report) Undecided() bool { return len(r.Failures) > 0 && !r.Failed() }

// NotApplicable returns a [*NotApplicable] if the body called [T.NotApplicable], and nil if
// not.
func (r *Report) NotApplicable() error { return r.refused }

// Leaks is those failures that are about something left behind.
func (r *Report) Leaks() []Failure {
	var fs []Failure
	for _, f := range r.Failures {
		if f.leak() {
			fs = append(fs, f)
		}
	}
	return fs
}

// Trace is every verb of the test and every event on the network, a line each:
// the same bytes each time.
func (r *Report) Trace() string {
	var b strings.Builder
	for _, l := range r.trace {
		b.WriteString(l.String() + "\n")
	}
	return b.String()
}

// The most lines that each part of a report has: it is to fit one screen.
const (
	mostSteps   = 24
	mostBlocked = 8
)

// String is the report of a run that failed or is undecided, the same each time: what went wrong
// and why; the steps, those of passed sections folded; the network as it was at
// the first failure; who was still blocked; and a line that runs it again. For
// a run that passed it is a line.
func (r *Report) String() string {
	switch {
	case r.text != "":
		return r.text
	case len(r.Failures) == 0:
		return r.Name + ": held\n"
	}
	var b strings.Builder
	for _, f := range r.Failures {
		f.write(&b)
	}
	b.WriteString("\nsteps:\n")
	for _, s := range foldSteps(r.trace) {
		b.WriteString("  " + s + "\n")
	}
	if r.table != "" {
		b.WriteString("\nnetwork (* not closed by the program; bytes in flight+unread):\n")
		for l := range strings.Lines(r.table) {
			b.WriteString("  " + l)
		}
	}
	if len(r.blocked) > 0 {
		b.WriteString("\nblocked:\n")
		for i, l := range r.blocked {
			if i == mostBlocked {
				fmt.Fprintf(&b, "  and %d more\n", len(r.blocked)-i)
				break
			}
			b.WriteString("  " + l + "\n")
		}
	}
	if r.again != "" {
		b.WriteString("\nagain:\n  " + r.again + "\n")
	}
	return b.String()
}

// foldSteps is the trace with all sections but the last reduced to their
// comments, and the beginning of a long last section left out.
func foldSteps(trace []line) []string {
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
	if cut := len(rest) - mostSteps; cut > 0 {
		out = append(out, fmt.Sprintf("... %d lines before", cut))
		rest = rest[cut:]
	}
	for _, l := range rest {
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

// stepText is a verb and its arguments as a script has them. An event
// pattern, which is words, is the last argument of those verbs that take one.
func stepText(words []string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		if quoted[i] = w; i > 0 && !isPattern(words[0], words[1]) {
			quoted[i] = quoteWord(w)
		}
	}
	return strings.Join(quoted, " ")
}

func isPattern(verb, arg string) bool {
	switch verb {
	case "hold", "release", "let", "fault", "lift":
		return true
	case "want":
		return arg == "held"
	}
	return false
}

// quoteWord quotes a word that a script could not have bare.
func quoteWord(w string) string {
	if w != "" && !strings.ContainsAny(w, " \t\r\n\"'`\\") {
		return w
	}
	if len(w) > 60 {
		w = w[:57] + "..."
	}
	return strconv.Quote(w)
}
