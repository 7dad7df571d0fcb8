package proxy

import (
	"encoding/json"
	"fmt"
	"io"
	"sync"
)

// An Entry is something that a proxy has done or seen. It has neither times nor the ports of
// clients, so that the same run logs the same bytes.
type Entry struct {
	What    string `json:"what"`              // "listening", "accepted", "refused", "fired", "toxic", "rules" or "rule"
	Conn    string `json:"conn,omitempty"`    // c1 for the first connection that was accepted
	Event   string `json:"event,omitempty"`   // its name, as rules have it
	Rule    string `json:"rule,omitempty"`    // file:line
	Outcome string `json:"outcome,omitempty"` // the effect, as rules have it
	Fired   *int   `json:"fired,omitempty"`   // of What "rule", at the end, or when the rule is gone: how often it had an effect
	Text    string `json:"text,omitempty"`    // the rest, in words
}

// String returns the line of the entry.
func (e Entry) String() string {
	switch e.What {
	case "fired":
		return fmt.Sprintf("%s: %s as %s", e.Rule, e.Event, e.Outcome)
	case "toxic":
		return fmt.Sprintf("%s: toxic %s", e.Conn, e.Text)
	case "rule":
		switch *e.Fired {
		case 0:
			return fmt.Sprintf("%s: %s: never fired", e.Rule, e.Text)
		case 1:
			return fmt.Sprintf("%s: %s: fired once", e.Rule, e.Text)
		}
		return fmt.Sprintf("%s: %s: fired %d times", e.Rule, e.Text, *e.Fired)
	case "listening", "rules":
		return e.Text
	}
	return e.Conn + ": " + e.Text
}

// Log writes entries, a line each. A nil Log writes nothing.
type Log struct {
	mu   sync.Mutex
	out  io.Writer
	json bool
}

// NewLog returns a log that writes text, or JSON.
func NewLog(out io.Writer, asJSON bool) *Log { return &Log{out: out, json: asJSON} }

// Write writes an entry.
func (l *Log) Write(e Entry) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.json {
		fmt.Fprintln(l.out, e)
		return
	}
	enc := json.NewEncoder(l.out)
	enc.SetEscapeHTML(false) // names of events have "->"
	enc.Encode(e)
}
