package harness

import (
	"fmt"
	"net/http"
	"reflect"
	"strings"
)

// script is what the plan of this run did, as a race script that does it
// again: everything is held, and let go in that order as far as the order
// matters.
func (t *T) script(p *plan) string {
	var b strings.Builder
	line := func(words ...string) { fmt.Fprintln(&b, stepText(words)) }
	if len(t.failures) > 0 {
		fmt.Fprintf(&b, "# %s\n", t.failures[0].Text)
	}
	fmt.Fprintf(&b, "# A schedule of %s.\n", t.name)
	for _, s := range t.served {
		fmt.Fprintln(&b, s)
	}
	for _, s := range t.settingsOf() {
		line("transport", s)
	}
	line("auto-read")
	line("hold", "*")
	for _, st := range p.trail[:p.lastThatMatters()] {
		o := st.opts[st.chosen]
		switch o.kind {
		case startOption:
			line(o.request.words...)
		case eventOption, faultOption:
			line("let", strings.Replace(o.name, "&", "as", 1))
		case pairOption:
			fmt.Fprintln(&b, "# These two happened with no quiet between them, which no script can say.")
			line("let", o.event.String())
			line("let", o.second.String())
		case cancelOption, idleOption, passOption:
			fmt.Fprintln(&b, o.name)
		}
	}
	line("release", "*")
	line("release", "dial")
	return b.String()
}

// lastThatMatters is how many of the steps have to be told: what follows the
// last departure and the last start happens by itself.
func (p *plan) lastThatMatters() int {
	n := 0
	for i, st := range p.trail {
		o := st.opts[st.chosen]
		d, f, c := o.cost(st.chosen)
		if d+f+c > 0 || o.kind == startOption {
			n = i + 1
		}
	}
	return n
}

// settingsOf is the settings that the run's transport was given, as a script
// has them.
func (t *T) settingsOf() []string {
	var out []string
	for _, rt := range t.transports {
		tr, ok := rt.(*http.Transport)
		if !ok {
			continue
		}
		v := reflect.ValueOf(tr).Elem()
		fields := reflect.TypeFor[Settings]()
		for i := range fields.NumField() {
			name := fields.Field(i).Name
			if f := v.FieldByName(name); !f.IsZero() {
				out = append(out, fmt.Sprintf("%s=%v", name, f.Interface()))
			}
		}
		break
	}
	return out
}
