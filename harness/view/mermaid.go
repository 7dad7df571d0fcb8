package view

import (
	"bytes"
	"fmt"
	"io"
	"strings"
)

// WriteMermaid writes the run as a sequence diagram of Mermaid, which the pages of issues on
// GitHub draw. The client is what dials; each address that was dialed is a participant.
func (r *Run) WriteMermaid(w io.Writer) error {
	m := &mermaid{run: r, names: make(map[string]string)}
	m.line("sequenceDiagram")
	m.line("    participant client")
	for _, l := range r.Lanes {
		if l.Kind == DialLane || l.Kind == ConnLane {
			m.participant(l.Title)
		}
	}
	for i, s := range r.Steps {
		if i > 0 && s.At > r.Steps[i-1].At {
			m.note("%s later", s.At-r.Steps[i-1].At)
		}
		switch {
		case s.Event != nil:
			m.event(s)
		case s.Kind == TimeStep: // it was said
		default:
			m.note("%s", s.Text)
		}
		for _, f := range r.Failures {
			if f.Step == i {
				m.note("FAILED: %s", f.Text)
			}
		}
	}
	_, err := w.Write(m.text.Bytes())
	return err
}

type mermaid struct {
	run   *Run
	text  bytes.Buffer
	names map[string]string // of the participants, by address
}

func (m *mermaid) line(s string) { m.text.WriteString(s + "\n") }

// participant adds a participant for an address, once.
func (m *mermaid) participant(address string) {
	if m.names[address] == "" {
		m.names[address] = fmt.Sprintf("h%d", len(m.names)+1)
		m.line("    participant " + m.names[address] + " as " + mermaidText(address))
	}
}

func (m *mermaid) note(format string, args ...any) {
	m.line("    Note over client: " + mermaidText(fmt.Sprintf(format, args...)))
}

// event draws an arrow: bytes ->>, a FIN -), a reset -x.
func (m *mermaid) event(s Step) {
	e := s.Event
	kind := ConnLane
	if e.What == "dial" {
		kind = DialLane
	}
	lane := m.run.Lane(kind, e.Lane)
	if lane < 0 {
		m.note("%s", s.Text)
		return
	}
	from, to := "client", m.names[m.run.Lanes[lane].Title]
	if e.From == "server" {
		from, to = to, from
	}
	what := e.Lane
	if e.Fault {
		what = "⚡ " + what
	}
	switch e.What {
	case "dial":
		m.line(fmt.Sprintf("    %s->>%s: dial %s", from, to, mermaidText(what)))
		m.line(fmt.Sprintf("    %s-->>%s: %s", to, from, mermaidText(e.Outcome)))
	case "fin":
		m.line(fmt.Sprintf("    %s-)%s: %s", from, to, mermaidText(what+" FIN "+e.Outcome)))
	case "rst":
		m.line(fmt.Sprintf("    %s-x%s: %s", from, to, mermaidText(what+" RST "+e.Outcome)))
	default:
		m.line(fmt.Sprintf("    %s->>%s: %s", from, to, mermaidText(fmt.Sprintf("%s %d B %s %s", what, e.Size, e.Outcome, firstLine(e.Bytes)))))
	}
}

// firstLine returns the first line of bytes if it is text, or "".
func firstLine(b []byte) string {
	line, _, _ := bytes.Cut(b, []byte("\r\n"))
	if len(line) > 60 {
		line = line[:60]
	}
	for _, c := range line {
		if c < ' ' || c > '~' {
			return ""
		}
	}
	return string(line)
}

// mermaidText escapes a text: Mermaid ends a statement at ";" and begins a character's code
// with "#", and shows the rest as HTML.
func mermaidText(s string) string {
	s = strings.NewReplacer(";", "#59;", "#", "#35;", "<", "#lt;", ">", "#gt;", "\r", " ", "\n", " ", "%%", "% %").Replace(s)
	return strings.Join(strings.Fields(s), " ")
}
