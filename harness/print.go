package harness

import (
	"cmp"
	"fmt"
	"net/http"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/halfopen/halfopen/faultnet"
)

// printer writes a race script that does again what the plan of a run did: everything is
// held, and let go in that order as far as the order matters. What the body did
// itself, in verbs, stands where it did it.
type printer struct {
	t     *T
	p     *plan
	b     strings.Builder
	gates []string
	moves []move // those that are not written yet

	asItComes int
	held      []*faultnet.Event // which have waited longest, and do not come first
}

// script returns the race script of this run.
func (t *T) script(p *plan) string {
	w := &printer{t: t, p: p}
	steps := w.steps()
	var b strings.Builder
	if len(t.journal.failures) > 0 {
		writeComment(&b, cutText(t.journal.failures[0].Text, mostInText))
	}
	fmt.Fprintf(&b, "# A schedule of %s.\n", oneLine(t.name))
	if Schedule(p.choices.Schedule()).needsDeep() {
		fmt.Fprintln(&b, "# It has inner choices, which no script can make: its replay can, in a deep bubble (halfopen test).")
	}
	if lacking := t.journal.lacking; len(lacking) > 0 {
		fmt.Fprintf(&b, "# No script can contain: %s. This one may hold; the test itself: %s\n",
			oneLine(strings.Join(lacking, ", ")), cmp.Or(t.set.again, oneLine(t.name)))
	}
	for _, s := range t.journal.served {
		fmt.Fprintln(&b, s)
	}
	if len(w.gates) > 0 {
		writeStep(&b, append([]string{"gates"}, w.gates...)...)
	}
	for _, s := range t.settingsOf() {
		writeStep(&b, "transport", s)
	}
	writeStep(&b, "begin")
	return b.String() + steps
}

// steps returns the lines behind begin. Also it finds out which gates the script has, and
// what else it lacks.
func (w *printer) steps() string {
	p := w.p
	w.moves = w.movesOf(p.verbs)
	want := w.want()
	failedAt := p.failedAt
	if want != "" && !w.rested() {
		failedAt = len(p.choices.Steps())
	}
	n, rest := p.choices.ToTell(failedAt)
	rest = rest && (want == "" || w.rested())
	if rest {
		n = w.upTo(n)
	}
	w.gates = w.t.gatesOf(p.taken[:n])
	for i := range n {
		w.verbsBefore(i)
		w.step(i, n)
	}
	w.verbsBefore(n)
	w.next()
	if rest || want == "" {
		writeStep(&w.b, "rest")
	}
	if want != "" {
		w.startsOf(want)
		fmt.Fprintln(&w.b, want)
		if !rest {
			writeStep(&w.b, "rest")
		}
	}
	return w.b.String()
}

// upTo returns n, or how many choices there are up to the last thing that does not follow by
// itself: a verb of the body, or a verdict of its rules.
func (w *printer) upTo(n int) int {
	if len(w.moves) > 0 {
		n = max(n, w.moves[len(w.moves)-1].after)
	}
	for i, a := range w.p.taken {
		if a.verdict != nil {
			n = max(n, i+1)
		}
	}
	return n
}

// step writes the choice with that index, of n that are written.
func (w *printer) step(i, n int) {
	steps := w.p.choices.Steps()
	a, st := w.p.taken[i], steps[i]
	if a.event != nil && w.t.Net.byItself(a.event) {
		switch k := slices.Index(w.held, a.event); {
		case a.kind == holdAction:
			w.held = append(w.held, a.event)
			return
		case k >= 0:
			w.held = slices.Delete(w.held, k, k+1)
		case !slices.Contains(w.gates, gateName(a.event)):
			return // in the script it is no gate
		}
	} else if a.verdict == nil && len(w.held) == 0 && st.Oldest() && (w.asItComes > 0 || i+1 < n && steps[i+1].Oldest()) {
		w.asItComes++
		return
	}
	w.next()
	a.write(w, st.Option().Name)
}

// next writes how many events come as they would by themselves.
func (w *printer) next() {
	if w.asItComes > 0 {
		writeStep(&w.b, "next", strconv.Itoa(w.asItComes))
		w.asItComes = 0
	}
}

// verbsBefore writes what the body did before the choice with that index, and the inner
// choices there.
func (w *printer) verbsBefore(i int) {
	for len(w.moves) > 0 && w.moves[0].after <= i {
		w.next()
		writeStep(&w.b, w.moves[0].words...)
		w.moves = w.moves[1:]
	}
	for _, d := range w.p.choices.Departures(i) {
		w.next()
		fmt.Fprintf(&w.b, "# %s\n", d)
	}
}

// elsewhere is the verbs that are written in another place of a script, or that it does not
// need: its requests start as they were chosen, everything is held, and bodies are read.
var elsewhere = []string{"get", "post", "request", "ask", "do", "rest", "await", "settle", "end", "begin", "serve", "serve-tls", "serve-h2",
	"serve-proxy", "serve-udp", "peer", "gates", "strict", "limit-orphans", "allow", "transport", "hold", "release", "shape", "lift", "want", "finish", "forget"}

// movesOf returns those verbs of the body that are written where they were. A fault of an event is
// the verdict with which the event happens.
func (w *printer) movesOf(verbs []move) (moves []move) {
	for _, m := range verbs {
		verb := m.words[0]
		if verb == "!" {
			verb = m.words[1]
		}
		if verb == "fault" {
			_, outcome := splitPattern(m.words[1])
			if v, _, err := parseFault(outcome); err == nil && v.Kinds()&faultnet.Calls == 0 {
				continue
			}
		}
		if !slices.Contains(elsewhere, verb) {
			moves = append(moves, m)
		}
	}
	return moves
}

// want returns the line of what the body wanted and did not get, or "". What else made the
// run fail and is no fault of the code under test is noted as lacking.
func (w *printer) want() string {
	if len(w.t.journal.failures) == 0 {
		return ""
	}
	f := w.t.journal.failures[0]
	switch {
	case f.Kind == KindWant && w.t.journal.lastWant != "":
		return w.t.journal.lastWant
	case f.Kind == KindWant && len(w.p.verbs) > 0:
		words := w.p.verbs[len(w.p.verbs)-1].words
		switch {
		case !wants(words):
			return ""
		case slices.Contains([]string{"status", "body"}, words[1]) && len(w.t.journal.lacking) > 0:
			w.t.lacks("what it answers") // another page would be accused
			return ""
		}
		return scriptLine(words, strconv.Quote) + suffix(" -- ", oneLine(f.Reason))
	case f.Kind == KindError && f.Where == "":
		w.t.lacks("what the test asserts")
	case f.Kind == KindError:
		w.t.lacks("what the test asserts at %s", filepath.Base(f.Where))
	case f.Kind == KindUsage, f.Kind == KindGoexit, f.Kind == KindPanic && strings.HasPrefix(f.Text, "panic: "):
		w.t.lacks("what the body of the test does")
	}
	return ""
}

// rested reports whether the last thing that the body did, wants apart, was to let everything
// happen.
func (w *printer) rested() bool {
	for _, m := range slices.Backward(w.p.verbs) {
		if !wants(m.words) {
			return m.words[0] == "rest"
		}
	}
	return false
}

// wants reports whether those are the words of a verb that may want something in vain.
func wants(words []string) bool {
	return words[0] == "want" || words[0] == "finish" || words[0] == "!"
}

// startsOf writes the starts of requests that the line names and that were not started.
func (w *printer) startsOf(line string) {
	for _, o := range w.p.starts {
		if o.words != nil && slices.Contains(strings.Fields(line), o.name) {
			o.writeStart(&w.b)
		}
	}
}

// writeStart writes how the operation starts, and whether the caller of a request forgets the body.
func (o *Op) writeStart(b *strings.Builder) {
	writeStep(b, o.words...)
	if o.request != nil && o.request.forgot {
		writeStep(b, "forget", o.name)
	}
}

// writeStep writes a line of a script.
func writeStep(b *strings.Builder, words ...string) {
	fmt.Fprintln(b, scriptLine(words, strconv.Quote))
}

// write writes the action, whose option has that name, as a script does it.
func (a action) write(w *printer, name string) {
	b := &w.b
	switch a.kind {
	case startAction:
		if a.op.words == nil {
			w.t.lacks("the operation %s", a.op.name)
			fmt.Fprintf(b, "# do %s\n", a.op.name)
			return
		}
		a.op.writeStart(b)
	case eventAction, passAction, faultAction:
		outcome := ""
		if a.verdict != nil {
			outcome = " as " + a.verdict.String()
		}
		writeStep(b, "let", a.event.String()+outcome)
	case pairAction:
		w.t.lacks("a coincidence")
		fmt.Fprintln(b, "# These two happened with no quiet between them, which no script can say.")
		writeStep(b, "let", a.event.String())
		if a.second != nil {
			writeStep(b, "let", a.second.String())
		} else {
			writeStep(b, "cancel", a.op.name)
		}
	case callAction:
		if name != closeIdle {
			w.t.lacks("the call %s", name)
			name = "# " + name
		}
		fmt.Fprintln(b, name)
	case cancelAction, timeAction:
		fmt.Fprintln(b, name)
	}
}

// gatesOf returns the gates that a script of these steps has: those that the test asked
// for, and those of the usual ones at which a goroutine was held.
func (t *T) gatesOf(taken []action) []string {
	gates := slices.Clone(t.Net.gates)
	for _, a := range taken {
		if a.kind != holdAction {
			continue
		}
		if name := gateName(a.event); !slices.Contains(gates, name) {
			gates = append(gates, name)
		}
	}
	return gates
}

// settingsOf returns the settings that the transport was asked for, as a script has them, or
// those that a transport of the test's own has. HTTP/2 is what a maker may choose by itself.
func (t *T) settingsOf() (out []string) {
	asked := reflect.ValueOf(t.journal.settings)
	made := t.journal.settings != Settings{}
	var fields reflect.Value
	for _, rt := range t.census.adopted() {
		if v := reflect.ValueOf(rt); v.Kind() == reflect.Pointer && v.Elem().Kind() == reflect.Struct {
			fields = v.Elem()
			break
		}
	}
	for i := range asked.NumField() {
		name, f := asked.Type().Field(i).Name, asked.Field(i)
		if fields.IsValid() && f.IsZero() && (!made || name == "ForceAttemptHTTP2" || name == "Protocols") {
			own := settingOf(fields, name)
			switch {
			case !own.IsValid() || !own.CanInterface():
			case own.Type() == f.Type():
				f = own
			case own.Type() == reflect.TypeFor[*http.Protocols]() && !own.IsNil():
				f = reflect.ValueOf(namesOf(own.Interface().(*http.Protocols)))
			}
		}
		if !f.IsZero() {
			out = append(out, fmt.Sprintf("%s=%v", name, f.Interface()))
		}
	}
	return out
}
