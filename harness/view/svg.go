package view

import (
	"fmt"
	"html"
	"io"
	"strings"
)

// The measures of the SVG of a run.
const (
	svgRow   = 20
	svgText  = 330 // the width of the column with the steps
	svgTop   = 44
	svgMost  = 400 // steps that are drawn
	svgStyle = `text{font:12px system-ui,sans-serif;fill:#1b1f24}.s{fill:#5a6472}.b{font-weight:600}.l{text-anchor:middle;font-size:11px}` +
		`.bad{fill:#c01f2e}.data{stroke:#1f5fb0}.fin{stroke:#9a5b00}.rst{stroke:#c01f2e}.dial{stroke:#c98a00;stroke-dasharray:4 2}.e{stroke:#1b1f24;stroke-width:2}` +
		`.paper{fill:#fff}@media(prefers-color-scheme:dark){text{fill:#e3e7ec}.s{fill:#9aa5b3}.bad{fill:#ff6b76}.paper{fill:#14171b}.e{stroke:#e3e7ec}` +
		`.data{stroke:#86b6f2}.fin{stroke:#e0aa5c}.rst{stroke:#ff6b76}}`
)

// svgColor returns the color of a state.
func svgColor(state string) string {
	switch state {
	case Idle, Done, Opened:
		return "#7fbf7b"
	case InUse, Sent:
		return "#5b8fd9"
	case Dialing:
		return "#e7b449"
	case Draining, Reading:
		return "#b48ad6"
	case HalfOpen:
		return "#e2743c"
	case Failed, GivenUp:
		return "#c01f2e"
	}
	return "#a9b1bb"
}

// WriteSVG writes the run as a picture for a README: its steps, and the lanes of its
// operations, dials and connections. A long run is cut, and says so.
func (r *Run) WriteSVG(w io.Writer) error {
	d := &drawing{run: r, x: make([]int, len(r.Lanes)), steps: min(len(r.Steps), svgMost)}
	x := svgText
	for _, kind := range []LaneKind{OpLane, DialLane, ConnLane} {
		for i, l := range r.Lanes {
			if l.Kind == kind {
				d.x[i] = x + svgWidth(kind)/2
				x += svgWidth(kind) + 6
			}
		}
		x += 10
	}
	height := svgTop + d.steps*svgRow + 16
	if d.steps < len(r.Steps) {
		height += svgRow
	}
	d.add(`<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" role="img"><title>%s</title><style>%s</style>`,
		x, height, x, height, html.EscapeString(r.Name+": "+r.Verdict), svgStyle)
	d.add(`<rect class="paper" width="%d" height="%d"/><text class="b" x="8" y="18">%s</text>`, x, height, html.EscapeString(r.Name+": "+r.Verdict))
	for i, l := range r.Lanes {
		if d.x[i] > 0 {
			d.lane(i, l)
		}
	}
	for i := range d.steps {
		d.step(i)
	}
	if d.steps < len(r.Steps) {
		d.add(`<text class="s" x="8" y="%d">and %d steps more</text>`, svgTop+d.steps*svgRow+svgRow, len(r.Steps)-d.steps)
	}
	d.add(`</svg>`)
	_, err := io.WriteString(w, d.text.String())
	return err
}

func svgWidth(kind LaneKind) int {
	if kind == ConnLane {
		return 110
	}
	return 38
}

type drawing struct {
	run   *Run
	x     []int // the middle of each lane, or 0
	steps int
	text  strings.Builder
}

func (d *drawing) add(format string, args ...any) { fmt.Fprintf(&d.text, format+"\n", args...) }

func svgY(step int) int { return svgTop + step*svgRow + svgRow/2 }

// lane draws the states of a lane as bars.
func (d *drawing) lane(index int, l Lane) {
	d.add(`<text class="l b" x="%d" y="%d">%s</text>`, d.x[index], svgTop-8, html.EscapeString(l.ID))
	width := svgWidth(l.Kind) - 8
	from, state := -1, ""
	bar := func(to int) {
		if from >= 0 && to > from && state != "" {
			d.add(`<rect x="%d" y="%d" width="%d" height="%d" fill="%s" fill-opacity="0.55"><title>%s</title></rect>`,
				d.x[index]-width/2, svgY(from), width, (to-from)*svgRow, svgColor(state), html.EscapeString(l.ID+": "+state))
		}
	}
	for i := range d.steps {
		for _, c := range d.run.Steps[i].Changes {
			if c.Lane != index {
				continue
			}
			bar(i)
			from, state = i, c.State
			if endsLane(l.Kind, c.State) {
				if c.State != "" {
					d.add(`<circle cx="%d" cy="%d" r="4" fill="%s"><title>%s</title></circle>`, d.x[index], svgY(i), svgColor(c.State), html.EscapeString(l.ID+": "+c.State+" "+c.Note))
				}
				state = ""
			}
		}
	}
	bar(d.steps)
}

// step draws a step: its row, and the arrow of an event.
func (d *drawing) step(i int) {
	s := d.run.Steps[i]
	class, y := "s", svgY(i)+4
	if s.Kind == VerbStep {
		class = "b"
	}
	for _, f := range d.run.Failures {
		if f.Step == i {
			class = "b bad"
		}
	}
	if i == 0 || s.At > d.run.Steps[i-1].At {
		d.add(`<text class="s" x="8" y="%d">+%s</text>`, y, s.At)
	}
	d.add(`<text class="%s" x="64" y="%d">%s</text>`, class, y, html.EscapeString(cutText(s.Text, 44)))
	e := s.Event
	if e == nil {
		return
	}
	if dial := d.run.Lane(DialLane, e.Lane); e.What == "dial" && dial >= 0 {
		if conn := d.run.Lane(ConnLane, strings.TrimPrefix(e.Outcome, "open ")); conn >= 0 {
			d.add(`<line class="dial" x1="%d" y1="%d" x2="%d" y2="%d"/>`, d.x[dial], svgY(i), d.x[conn]-51, svgY(i))
		}
		return
	}
	conn := d.run.Lane(ConnLane, e.Lane)
	if conn < 0 || e.From == "" {
		return
	}
	x1, x2, way := d.x[conn]-51, d.x[conn]+51, 1
	if e.From == "server" {
		x1, x2, way = x2, x1, -1
	}
	d.add(`<g class="%s"><title>%s</title><line x1="%d" y1="%d" x2="%d" y2="%d"/><path fill="none" d="M%d %d l%d -4 m0 8 l%d -4"/></g>`,
		e.What, html.EscapeString(s.Text), x1, svgY(max(e.Since, 0)), x2, svgY(i), x2, svgY(i), -7*way, 7*way)
	label := fmt.Sprintf("%d B", e.Size)
	if e.What != "data" {
		label = strings.ToUpper(e.What)
	}
	if e.Fault {
		label = "⚡ " + label
	}
	d.add(`<text class="l" x="%d" y="%d">%s</text>`, d.x[conn], svgY(i)-2, label)
}

// cutText returns the beginning of a text, and "…" if that is not all.
func cutText(s string, most int) string {
	if r := []rune(s); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return s
}
