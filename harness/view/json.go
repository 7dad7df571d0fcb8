package view

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"strconv"
	"strings"
)

// noSteps stands in a page without steps where those of a run are missing. No string has it, as
// JSON escapes quotes.
const noSteps = `"steps":null`

// data returns the page in JSON, as [json.Marshal] does. Steps are most of it, and package json
// takes three times as long for them.
func (p *Page) data() ([]byte, error) {
	bare := *p
	bare.Runs = make([]*Run, len(p.Runs))
	size := 0
	for i, run := range p.Runs {
		copied := *run
		copied.Steps = nil
		bare.Runs[i] = &copied
		size += sizeOf(run.Steps)
	}
	rest, err := json.Marshal(&bare)
	if err != nil || len(p.Runs) == 0 {
		return rest, err
	}
	b := make([]byte, 0, len(rest)+size)
	for _, run := range p.Runs {
		before, after, _ := bytes.Cut(rest, []byte(noSteps))
		b = append(append(b, before...), noSteps[:len(noSteps)-len("null")]...)
		b = appendSteps(b, run.Steps)
		rest = after
	}
	return append(b, rest...), nil
}

// sizeOf returns about how many bytes steps take, rather too many than too few.
func sizeOf(steps []Step) (size int) {
	for i := range steps {
		s := &steps[i]
		size += 64 + len(s.Text) + len(s.Where) + 160*len(s.Changes)
		if s.Event != nil {
			size += 128 + base64.StdEncoding.EncodedLen(len(s.Event.Bytes))
		}
	}
	return size
}

func appendSteps(b []byte, steps []Step) []byte {
	if steps == nil {
		return append(b, "null"...)
	}
	b = append(b, '[')
	for i := range steps {
		if i > 0 {
			b = append(b, ',')
		}
		b = steps[i].appendTo(b)
	}
	return append(b, ']')
}

func (s *Step) appendTo(b []byte) []byte {
	b = appendString(append(b, `{"kind":`...), string(s.Kind))
	b = strconv.AppendInt(append(b, `,"at":`...), int64(s.At), 10)
	b = appendString(append(b, `,"text":`...), s.Text)
	b = appendWord(b, `,"where":`, s.Where)
	if s.Event != nil {
		b = s.Event.appendTo(append(b, `,"event":`...))
	}
	for i := range s.Changes {
		if i == 0 {
			b = append(b, `,"changes":[`...)
		} else {
			b = append(b, ',')
		}
		b = s.Changes[i].appendTo(b)
	}
	if len(s.Changes) > 0 {
		b = append(b, ']')
	}
	return append(b, '}')
}

func (e *Event) appendTo(b []byte) []byte {
	b = appendString(append(b, `{"what":`...), e.What)
	b = appendWord(b, `,"lane":`, e.Lane)
	b = appendWord(b, `,"from":`, e.From)
	b = appendWord(b, `,"outcome":`, e.Outcome)
	if e.Fault {
		b = append(b, `,"fault":true`...)
	}
	b = strconv.AppendInt(append(b, `,"since":`...), int64(e.Since), 10)
	if e.Size != 0 {
		b = strconv.AppendInt(append(b, `,"size":`...), int64(e.Size), 10)
	}
	if len(e.Bytes) > 0 {
		b = base64.StdEncoding.AppendEncode(append(b, `,"bytes":"`...), e.Bytes)
		b = append(b, '"')
	}
	return append(b, '}')
}

func (c *Change) appendTo(b []byte) []byte {
	b = strconv.AppendInt(append(b, `{"lane":`...), int64(c.Lane), 10)
	b = appendString(append(b, `,"state":`...), c.State)
	b = appendWord(b, `,"note":`, c.Note)
	if c.Ends != nil {
		b = appendString(append(b, `,"ends":[`...), c.Ends[0])
		b = append(appendString(append(b, ','), c.Ends[1]), ']')
	}
	if q := c.Queues; q != nil {
		b = appendNumbers(append(b, `,"queues":[`...), q[0][:])
		b = append(appendNumbers(append(b, ','), q[1][:]), ']')
	}
	if c.Counts != nil {
		b = appendNumbers(append(b, `,"counts":`...), c.Counts[:])
	}
	return append(b, '}')
}

func appendNumbers(b []byte, ns []int) []byte {
	for i, n := range ns {
		if i == 0 {
			b = append(b, '[')
		} else {
			b = append(b, ',')
		}
		b = strconv.AppendInt(b, int64(n), 10)
	}
	return append(b, ']')
}

// appendWord appends a field, unless its value is empty.
func appendWord(b []byte, field, value string) []byte {
	if value == "" {
		return b
	}
	return appendString(append(b, field...), value)
}

// plain has the bytes that stand for themselves in a string of JSON.
var plain = func() (ok [256]bool) {
	for c := ' '; c <= '~'; c++ {
		ok[c] = !strings.ContainsRune(`"\<>&`, c)
	}
	return ok
}()

// appendString appends a string. One with a byte that JSON, or HTML, escapes is left to package json.
func appendString(b []byte, s string) []byte {
	for i := range len(s) {
		if !plain[s[i]] {
			quoted, _ := json.Marshal(s) // which no string fails
			return append(b, quoted...)
		}
	}
	b = append(append(b, '"'), s...)
	return append(b, '"')
}
