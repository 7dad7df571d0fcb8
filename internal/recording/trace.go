package recording

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/halfopen/halfopen/internal/nearest"
)

// mostInLine is how long a line of a trace may be.
const mostInLine = 1 << 20

// traceHead is the first line of a trace, up to its version.
const traceHead = "halfopen trace "

// traceVersion is the one that is read.
const traceVersion = "1"

// IsTrace reports whether a file that begins so is meant to be a trace.
func IsTrace(first []byte) bool { return strings.HasPrefix(string(first), "halfopen ") }

// ReadTrace reads a trace. An error names the line, behind the name of the file.
func ReadTrace(file string, in io.Reader) (*Recording, error) {
	p := &traceReader{rec: new(Recording), dials: make(map[string]*Dial), conns: make(map[string]*Conn)}
	s := bufio.NewScanner(in)
	s.Buffer(make([]byte, 0, 64<<10), mostInLine)
	n := 0
	for s.Scan() {
		n++
		if err := p.line(n, bytes.TrimSuffix(s.Bytes(), []byte("\r"))); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", file, n, err)
		}
	}
	switch err := s.Err(); {
	case errors.Is(err, bufio.ErrTooLong):
		return nil, fmt.Errorf("%s:%d: a line of more than %d bytes", file, n+1, mostInLine)
	case err != nil:
		return nil, fmt.Errorf("%s: %w", file, err)
	case n == 0:
		return nil, fmt.Errorf("%s:1: an empty file; want %q", file, traceHead+traceVersion)
	case !p.ended:
		return nil, fmt.Errorf("%s:%d: the trace is cut off: it has no line \"... end\"", file, n)
	}
	return p.finish(), nil
}

// traceReader takes the lines of a trace.
type traceReader struct {
	lineSplitter
	rec   *Recording
	dials map[string]*Dial // in flight
	conns map[string]*Conn // not closed; nil for one that is not kept
	open  int              // those of conns that are kept
	ended bool
}

// traceError returns a mistake in a line.
func traceError(format string, args ...any) error { return fmt.Errorf(format, args...) }

func (p *traceReader) line(n int, line []byte) error {
	switch {
	case n == 1:
		version, ok := bytes.CutPrefix(line, []byte(traceHead))
		if !ok {
			return traceError("want %q, got %.40q", traceHead+traceVersion, line)
		}
		if string(version) != traceVersion {
			return traceError("version %.20q of the format; this command reads version %s", version, traceVersion)
		}
		return nil
	case len(line) == 0 || line[0] == '#':
		return nil
	case p.ended:
		return traceError("a line behind the end")
	}
	words, err := p.split(line)
	if err != nil {
		return err
	}
	switch string(words[0]) {
	case "began":
		if len(words) != 2 {
			return traceError("want began TIME")
		}
		if _, err := time.Parse(time.RFC3339Nano, string(words[1])); err != nil {
			return traceError("bad time %.40q: want one as 2006-01-02T15:04:05Z", words[1])
		}
		return nil
	case "lost":
		var events, wrote, read, conns int64
		if err := numbers(words[1:], &events, &wrote, &read, &conns); err != nil {
			return err
		}
		p.rec.Lost = events
		p.rec.Seen += int(min(conns, 1<<30))
		return nil
	}
	at, err := parseTime(words[0])
	if err != nil {
		return err
	}
	p.rec.Length = max(p.rec.Length, at)
	switch {
	case len(words) == 2 && string(words[1]) == "end":
		p.ended = true
		return nil
	case len(words) < 3:
		return traceError("want TIME NAME EVENT")
	case isName(words[1], 'd'):
		return p.dialLine(at, words[1], words[2], words[3:])
	case isName(words[1], 'c'):
		return p.connLine(at, words[1], words[2], words[3:])
	}
	return traceError("bad name %.40q: want d1, c1 and so on", words[1])
}

// dialLine takes an event of a dial.
func (p *traceReader) dialLine(at time.Duration, name, event []byte, args [][]byte) error {
	d := p.dials[string(name)]
	switch string(event) {
	case "dial":
		switch {
		case d != nil:
			return traceError("%s is dialed twice", name)
		case len(args) != 2:
			return traceError("want dial NETWORK ADDRESS")
		case len(p.dials) >= mostDials:
			return traceError("more than %d dials in flight", mostDials)
		}
		d = &Dial{Name: string(name), Address: string(args[1]), At: at, End: Never}
		p.dials[d.Name] = d
		return nil
	case "fail", "open":
		if d == nil {
			return traceError("%s was not dialed", name)
		}
	default:
		return traceError("unknown event %.40q%s", event, nearest.DidYouMean(string(event), []string{"dial", "fail", "open"}))
	}
	delete(p.dials, d.Name)
	if string(event) == "fail" {
		if len(args) != 2 {
			return traceError("want fail REASON ERROR")
		}
		why := known(args[0], dialFailures)
		if why == "" {
			return traceError("unknown reason %.40q%s", args[0], nearest.ThereAre(string(args[0]), dialFailures))
		}
		d.End, d.Why, d.Text = at, why, string(args[1])
		p.rec.NewDial(d)
		return nil
	}
	if len(args) != 3 || !isName(args[0], 'c') {
		return traceError("want open CONNECTION LOCAL REMOTE")
	}
	return p.opened(at, &Conn{Name: string(args[0]), Address: d.Address, Remote: string(args[2]), Dialed: d.At})
}

// dialFailures is the reasons for which a dial failed.
var dialFailures = []string{"refused", "timeout", "deadline", "canceled", "no-host", "unreachable", "no-descriptor", "other"}

func (p *traceReader) opened(at time.Duration, c *Conn) error {
	if _, ok := p.conns[c.Name]; ok {
		return traceError("%s is opened twice", c.Name)
	}
	switch {
	case len(p.conns) >= mostNames:
		return traceError("more than %d open connections", mostNames)
	case p.open >= mostConns:
		p.conns[c.Name] = nil // it is only counted
		p.rec.Seen++
		return nil
	}
	c.Opened, c.Last = at, at
	p.conns[c.Name] = p.rec.NewConn(c)
	p.open++
	return nil
}

// connEvents is the events of connections.
var connEvents = []string{"accept", "speaks", "write", "unwritten", "read", "fin", "rst", "error", "close-write", "close", "lost", "open", "reading", "writing"}

// connLine takes an event of a connection.
func (p *traceReader) connLine(at time.Duration, name, word []byte, args [][]byte) error {
	event := known(word, connEvents)
	if event == "accept" {
		if len(args) != 2 {
			return traceError("want accept LOCAL REMOTE")
		}
		return p.opened(at, &Conn{Name: string(name), Address: string(args[0]), Remote: string(args[1]), Dialed: at, Accepted: true})
	}
	if event == "" {
		return traceError("unknown event %.40q%s", word, nearest.DidYouMean(string(word), connEvents))
	}
	c, ok := p.conns[string(name)]
	switch {
	case !ok:
		return traceError("%s was not opened, or is closed", name)
	case c == nil:
		if event == "close" {
			delete(p.conns, string(name))
		}
		return nil
	}
	want, most := 0, 0
	switch event {
	case "write", "read":
		want, most = 1, 2
	case "speaks", "unwritten", "rst":
		want, most = 1, 1
	case "error":
		want, most = 2, 2
	case "lost":
		want, most = 3, 3
	}
	if len(args) < want || len(args) > most {
		return traceError("%s: got %d arguments, want %d", event, len(args), want)
	}
	return p.connEvent(at, c, event, args)
}

func (p *traceReader) connEvent(at time.Duration, c *Conn, event string, args [][]byte) error {
	var n, wrote, read int64
	switch event {
	case "write", "read", "unwritten":
		if err := numbers(args[:1], &n); err != nil {
			return err
		}
		data := ""
		if len(args) > 1 {
			data = string(args[1])
		}
		if event == "unwritten" {
			c.Unwritten(n)
			return nil
		}
		c.Bytes(at, (event == "write") != c.Accepted, n, data)
		return nil
	case "lost":
		if err := numbers(args, &n, &wrote, &read); err != nil {
			return err
		}
		c.Lost = true
		return nil
	case "speaks":
		c.Protocol = string(args[0])
		return nil
	case "open", "reading", "writing":
		c.State = State(event)
		return nil
	}
	c.Last = max(c.Last, at)
	switch {
	case event == "fin":
		c.Fin(at, c.Accepted)
	case event == "close-write":
		c.Fin(at, !c.Accepted)
	case event == "rst":
		c.Rst(at, c.Accepted)
	case event == "close":
		c.Fin(at, !c.Accepted)
		c.Close()
		p.open--
		delete(p.conns, c.Name)
	}
	return nil // an error may be that of a deadline: the connection can go on
}

// finish returns the recording. Dials that are in flight come last.
func (p *traceReader) finish() *Recording {
	names := make([]*Dial, 0, len(p.dials))
	for _, d := range p.dials { // they are sorted below
		names = append(names, d)
	}
	slices.SortFunc(names, func(a, b *Dial) int { return nameNumber(a.Name) - nameNumber(b.Name) })
	for _, d := range names {
		p.rec.NewDial(d)
	}
	return p.rec
}

func nameNumber(name string) int {
	n, _ := strconv.Atoi(name[1:])
	return n
}
