package harness

import (
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/halfopen/halfopen/faultnet"
)

// script returns a race script that does again what the plan of this run did:
// everything is held, and let go in that order as far as the order
// matters.
func (t *T) script(p *plan) string {
	var b strings.Builder
	line := func(words ...string) { writeStep(&b, words...) }
	if len(t.journal.failures) > 0 {
		writeComment(&b, t.journal.failures[0].Text)
	}
	fmt.Fprintf(&b, "# A schedule of %s.\n", oneLine(t.name))
	if Schedule(p.choices.Schedule()).needsDeep() {
		fmt.Fprintln(&b, "# It has inner choices, which no script can make: its replay can, in a deep bubble (halfopen test).")
	}
	for _, s := range t.journal.served {
		fmt.Fprintln(&b, s)
	}
	steps := p.choices.Steps()
	n, rest := p.choices.ToTell(p.failedAt)
	gates := t.gatesOf(p.taken[:n])
	if len(gates) > 0 {
		line(append([]string{"gates"}, gates...)...)
	}
	for _, s := range t.settingsOf() {
		line("transport", s)
	}
	line("begin")
	asItComes := 0
	var held []*faultnet.Event // which have waited longest, and do not come first
	next := func() {
		if asItComes > 0 {
			line("next", strconv.Itoa(asItComes))
			asItComes = 0
		}
	}
	inner := func(i int) {
		for _, d := range p.choices.Departures(i) {
			next()
			fmt.Fprintf(&b, "# %s\n", d)
		}
	}
	for i, st := range steps[:n] {
		inner(i)
		a, name := p.taken[i], st.Option().Name
		if a.event != nil && t.Net.byItself(a.event) {
			switch i := slices.Index(held, a.event); {
			case a.kind == holdAction:
				held = append(held, a.event)
				continue
			case i >= 0:
				held = slices.Delete(held, i, i+1)
			case !slices.Contains(gates, gateName(a.event)):
				continue // in the script it is no gate
			}
		} else if len(held) == 0 && st.Oldest() && (asItComes > 0 || i+1 < n && steps[i+1].Oldest()) {
			asItComes++
			continue
		}
		next()
		a.write(&b, name)
	}
	inner(n)
	next()
	if rest {
		line("rest")
		if len(t.journal.failures) > 0 && t.journal.failures[0].Kind == KindWant && t.journal.lastWant != "" {
			fmt.Fprintln(&b, t.journal.lastWant)
		}
	}
	return b.String()
}

// writeStep writes a line of a script.
func writeStep(b *strings.Builder, words ...string) { fmt.Fprintln(b, stepText(words)) }

// write writes the action, whose option has that name, as a script does it.
func (a action) write(b *strings.Builder, name string) {
	switch a.kind {
	case startAction:
		if a.op.request == nil {
			fmt.Fprintf(b, "# do %s: an operation of the test's own, which a script cannot contain\n", a.op.name)
			return
		}
		writeStep(b, a.op.words...)
	case eventAction, passAction:
		writeStep(b, "let", name)
	case faultAction:
		writeStep(b, "let", a.event.String()+" as "+a.verdict.String())
	case pairAction:
		fmt.Fprintln(b, "# These two happened with no quiet between them, which no script can say.")
		writeStep(b, "let", a.event.String())
		if a.second != nil {
			writeStep(b, "let", a.second.String())
		} else {
			writeStep(b, "cancel", a.op.name)
		}
	case callAction:
		if name != closeIdle {
			name = "# " + name + ": a call of the test's own, which a script cannot contain"
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

// settingsOf returns the settings that the run's transport was given, as a script
// has them.
func (t *T) settingsOf() []string {
	var out []string
	for _, rt := range t.census.adopted() {
		tr, ok := rt.(*http.Transport)
		if !ok {
			continue
		}
		v := reflect.ValueOf(tr).Elem()
		fields := reflect.TypeFor[Settings]()
		for i := range fields.NumField() {
			name := fields.Field(i).Name
			if f := settingOf(v, name); f.IsValid() && f.Type() == fields.Field(i).Type && !f.IsZero() {
				out = append(out, fmt.Sprintf("%s=%v", name, f.Interface()))
			}
		}
		break
	}
	return out
}
