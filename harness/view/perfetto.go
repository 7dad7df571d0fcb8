package view

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"time"
)

// perfettoEvent is an event of the Trace Event Format of Chrome.
type perfettoEvent struct {
	Name     string         `json:"name"`
	Category string         `json:"cat,omitempty"`
	Phase    string         `json:"ph"`
	ID       string         `json:"id,omitempty"`
	Time     float64        `json:"ts"` // microseconds
	Process  int            `json:"pid"`
	Thread   int            `json:"tid"`
	Scope    string         `json:"s,omitempty"`
	Args     map[string]any `json:"args,omitempty"`
}

// WritePerfetto writes the run as JSON in the Trace Event Format of Chrome, which
// ui.perfetto.dev reads: each lane has a track with its states as async events, which may
// overlap, and the steps are instants. As most steps take no virtual time, each step takes a
// microsecond more than that; the arguments of a step have the true time.
func (r *Run) WritePerfetto(w io.Writer) error {
	events := []perfettoEvent{}
	kinds := []LaneKind{OpLane, DialLane, ConnLane, PoolLane, TimerLane}
	names := map[LaneKind]string{OpLane: "operations", DialLane: "dials", ConnLane: "connections", PoolLane: "hosts", TimerLane: "timers"}
	const steps = 1 // the process of the steps
	meta := func(what string, process, thread int, name string) {
		events = append(events, perfettoEvent{Name: what, Phase: "M", Process: process, Thread: thread, Args: map[string]any{"name": name}})
	}
	meta("process_name", steps, 1, "steps of "+r.Name)
	for i, kind := range kinds {
		if slices.ContainsFunc(r.Lanes, func(l Lane) bool { return l.Kind == kind }) {
			meta("process_name", i+2, 1, names[kind])
		}
	}
	at := func(step int) float64 { return float64(r.Steps[step].At)/float64(time.Microsecond) + float64(step) }
	for i, s := range r.Steps {
		args := map[string]any{"virtual time": "+" + s.At.String(), "step": i + 1}
		if s.Where != "" {
			args["line"] = s.Where
		}
		if s.Event != nil && s.Event.Size > 0 {
			args["bytes"] = s.Event.Size
		}
		events = append(events, perfettoEvent{Name: s.Text, Category: string(s.Kind), Phase: "i", Time: at(i), Process: steps, Thread: 1, Scope: "p", Args: args})
	}
	for i, lane := range r.Lanes {
		events = append(events, r.perfettoLane(i, lane, slices.Index(kinds, lane.Kind)+2, at)...)
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(map[string]any{"displayTimeUnit": "ns", "traceEvents": events})
}

// perfettoLane returns the states of a lane as pairs of events, which have its name as the
// outermost one.
func (r *Run) perfettoLane(index int, lane Lane, process int, at func(int) float64) (events []perfettoEvent) {
	id := fmt.Sprintf("%s %s", lane.Kind, lane.ID)
	add := func(phase, name string, ts float64, args map[string]any) {
		events = append(events, perfettoEvent{Name: name, Category: string(lane.Kind), Phase: phase, ID: id, Time: ts, Process: process, Thread: 1, Args: args})
	}
	end := at(max(0, len(r.Steps)-1)) + 1
	open := ""
	for i, s := range r.Steps {
		for _, c := range s.Changes {
			if c.Lane != index {
				continue
			}
			if open == "" {
				if len(events) > 0 {
					continue // it has ended
				}
				add("b", lane.ID, at(i), map[string]any{"title": lane.Title, "owner": lane.Owner, "line": lane.Where})
			} else {
				add("e", open, at(i), nil)
			}
			if open = c.State; c.Counts != nil {
				open = fmt.Sprintf("%d idle, %d in use, %d dialing, %d waiting", c.Counts[0], c.Counts[1], c.Counts[2], c.Counts[3])
			}
			if endsLane(lane.Kind, c.State) {
				add("n", c.State+" "+c.Note, at(i), nil)
				add("e", lane.ID, at(i), nil)
				open = ""
				continue
			}
			add("b", open, at(i), map[string]any{"note": c.Note})
		}
	}
	if open != "" {
		add("e", open, end, nil)
		add("e", lane.ID, end, nil)
	}
	return events
}

// endsLane reports whether a lane has ended when it has that state.
func endsLane(kind LaneKind, state string) bool {
	switch state {
	case "", Done, Failed, GivenUp, Stopped:
		return true
	case Opened:
		return kind == DialLane
	}
	return false
}
