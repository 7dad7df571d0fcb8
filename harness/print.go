package harness

import (
	"fmt"
	"net/http"
	"reflect"
	"strconv"
	"strings"
)

// script returns a race script that does again what the plan of this run did:
// everything is held, and let go in that order as far as the order
// matters.
func (t *T) script(p *plan) string {
	var b strings.Builder
	line := func(words ...string) { fmt.Fprintln(&b, stepText(words)) }
	if len(t.journal.failures) > 0 {
		writeComment(&b, t.journal.failures[0].Text)
	}
	fmt.Fprintf(&b, "# A schedule of %s.\n", oneLine(t.name))
	for _, s := range t.journal.served {
		fmt.Fprintln(&b, s)
	}
	if len(t.Net.gates) > 0 {
		line(append([]string{"gates"}, t.Net.gates...)...)
	}
	for _, s := range t.settingsOf() {
		line("transport", s)
	}
	line("begin")
	steps := p.choices.Steps()
	n, rest := p.choices.ToTell(p.failedAt)
	asItComes := 0
	next := func() {
		if asItComes > 0 {
			line("next", strconv.Itoa(asItComes))
			asItComes = 0
		}
	}
	for i, st := range steps[:n] {
		if st.Oldest() && (asItComes > 0 || i+1 < n && steps[i+1].Oldest()) {
			asItComes++
			continue
		}
		next()
		switch a, name := p.taken[i], st.Option().Name; a.kind {
		case startAction:
			if a.op.request == nil {
				fmt.Fprintf(&b, "# do %s: an operation of the test's own, which a script cannot contain\n", a.op.name)
				continue
			}
			line(a.op.words...)
		case eventAction, faultAction:
			line("let", name)
		case pairAction:
			fmt.Fprintln(&b, "# These two happened with no quiet between them, which no script can say.")
			line("let", a.event.String())
			if a.second != nil {
				line("let", a.second.String())
			} else {
				line("cancel", a.op.name)
			}
		case callAction:
			if name != closeIdle {
				name = "# " + name + ": a call of the test's own, which a script cannot contain"
			}
			fmt.Fprintln(&b, name)
		case cancelAction, passAction:
			fmt.Fprintln(&b, name)
		}
	}
	next()
	if rest {
		line("rest")
		if len(t.journal.failures) > 0 && t.journal.failures[0].Kind == KindWant && t.journal.lastWant != "" {
			fmt.Fprintln(&b, t.journal.lastWant)
		}
	}
	return b.String()
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
