package harness

import (
	"fmt"
	"net/http"
	"reflect"
	"strconv"
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
	if len(t.gates) > 0 {
		line(append([]string{"gates"}, t.gates...)...)
	}
	for _, s := range t.settingsOf() {
		line("transport", s)
	}
	line("begin")
	trail, rest := p.thatMatters()
	asItComes := 0
	next := func() {
		if asItComes > 0 {
			line("next", strconv.Itoa(asItComes))
			asItComes = 0
		}
	}
	for i, st := range trail {
		o := st.opts[st.chosen]
		if p.first(st) && (asItComes > 0 || i+1 < len(trail) && p.first(trail[i+1])) {
			asItComes++
			continue
		}
		next()
		switch o.kind {
		case startOption:
			line(o.request.words...)
		case eventOption, faultOption:
			line("let", o.name)
		case pairOption:
			fmt.Fprintln(&b, "# These two happened with no quiet between them, which no script can say.")
			line("let", o.event.String())
			if o.second != nil {
				line("let", o.second.String())
			} else {
				line("cancel", o.request.name)
			}
		case cancelOption, idleOption, passOption:
			fmt.Fprintln(&b, o.name)
		}
	}
	next()
	if rest {
		line("rest")
		if len(t.failures) > 0 && t.failures[0].Kind == "want" && t.lastWant != "" {
			fmt.Fprintln(&b, t.lastWant)
		}
	}
	return b.String()
}

// first reports whether a step let the event happen that had waited longest.
func (p *plan) first(st step) bool {
	for i, o := range st.opts {
		if o.kind == eventOption {
			return i == st.chosen
		}
	}
	return false
}

// thatMatters is the steps that have to be told, and whether the rest follows
// by itself: all of them up to a failure that was seen on the way, or up to the
// last departure and the last start.
func (p *plan) thatMatters() (trail []step, rest bool) {
	if p.failedAt > 0 {
		return p.trail[:p.failedAt], false
	}
	n := 0
	for i, st := range p.trail {
		o := st.opts[st.chosen]
		d, f, c := o.cost(st.chosen)
		if d+f+c > 0 || o.kind == startOption {
			n = i + 1
		}
	}
	return p.trail[:n], true
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
			if f := settingOf(v, name); f.IsValid() && f.Type() == fields.Field(i).Type && !f.IsZero() {
				out = append(out, fmt.Sprintf("%s=%v", name, f.Interface()))
			}
		}
		break
	}
	return out
}
