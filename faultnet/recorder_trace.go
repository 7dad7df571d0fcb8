package faultnet

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"
)

// snapshot copies what a trace needs, so that the recorder goes on while it is written.
type snapshot struct {
	began     time.Time
	end       time.Duration
	events    []recordedEvent
	live      []recordedState
	lost      lostEvents
	forgotten int
	partly    []recordedAs // of which events were dropped
	opened    map[int]bool // the connections of which the event is kept that they were opened
}

// recordedState has the call that is under way on an open connection.
type recordedState struct {
	conn int
	word string
}

func (l *eventLog) snapshot(r *Recorder) *snapshot {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := &snapshot{end: l.now(r), began: l.began, lost: l.lost, forgotten: l.forgotten, opened: make(map[int]bool)}
	seen := make(map[*recorded]bool)
	note := func(of *recorded) {
		if of.lost.events > 0 && !seen[of] {
			seen[of] = true
			s.partly = append(s.partly, of.recordedAs)
		}
	}
	for b, skip := l.first, l.skip; b != nil; b, skip = b.next, 0 {
		s.events = append(s.events, b.events[skip:b.n]...)
	}
	for _, e := range s.events {
		note(e.of)
		if e.kind == noteOpen {
			s.opened[e.of.conn] = true
		}
	}
	for of := range l.live {
		note(of)
		state := recordedState{of.conn, "open"}
		switch {
		case of.conn == 0:
			continue // a dial in flight
		case of.writing.Load() > 0:
			state.word = "writing"
		case of.reading.Load() > 0:
			state.word = "reading"
		}
		s.live = append(s.live, state)
	}
	slices.SortFunc(s.live, func(a, b recordedState) int { return cmp.Compare(a.conn, b.conn) })
	slices.SortFunc(s.partly, func(a, b recordedAs) int {
		return cmp.Or(cmp.Compare(a.lost.last, b.lost.last), cmp.Compare(a.conn, b.conn), cmp.Compare(a.dial, b.dial))
	})
	return s
}

// WriteTo writes what was noted so far as a trace. It implements [io.WriterTo]. The recorder goes
// on, and its next trace has these events too, as far as they are kept.
func (r *Recorder) WriteTo(w io.Writer) (int64, error) {
	s := r.log.snapshot(r)
	out := &countingWriter{w: w}
	b := bufio.NewWriter(out)
	fmt.Fprintf(b, "halfopen trace 1\nbegan %s\n", s.began.UTC().Format(time.RFC3339Nano))
	if s.lost.events > 0 {
		fmt.Fprintf(b, "lost %d %d %d %d\n", s.lost.events, s.lost.wrote, s.lost.read, s.forgotten)
	}
	for _, of := range s.partly {
		of.writeLost(b, s.opened[of.conn])
	}
	for i := range s.events {
		s.events[i].write(b)
	}
	for _, state := range s.live {
		fmt.Fprintf(b, "%s c%d %s\n", traceTime(s.end), state.conn, state.word)
	}
	fmt.Fprintf(b, "%s end\n", traceTime(s.end))
	err := b.Flush()
	return out.n, err
}

// writeLost writes what is known of a connection or dial of which events were dropped.
func (of recordedAs) writeLost(b *bufio.Writer, opens bool) {
	again := &recorded{recordedAs: of}
	switch {
	case of.accepted:
		(&recordedEvent{at: of.opened, of: again, kind: noteAccept}).write(b)
	default:
		(&recordedEvent{at: of.dialed, of: again, kind: noteDial}).write(b)
		if of.conn != 0 && !opens {
			(&recordedEvent{at: of.opened, of: again, kind: noteOpen}).write(b)
		}
	}
	if of.conn != 0 && !opens {
		fmt.Fprintf(b, "%s c%d lost %d %d %d\n", traceTime(of.lost.last), of.conn, of.lost.events, of.lost.wrote, of.lost.read)
	}
}

// write writes the event as a line of a trace.
func (e *recordedEvent) write(b *bufio.Writer) {
	of, word := e.of, noteWords[e.kind]
	fmt.Fprintf(b, "%s ", traceTime(e.at))
	switch e.kind {
	case noteDial:
		fmt.Fprintf(b, "d%d dial %s %s", of.dial, traceWord(of.network), traceWord(of.address))
	case noteFailed:
		fmt.Fprintf(b, "d%d fail %s", of.dial, e.text)
	case noteOpen:
		fmt.Fprintf(b, "d%d open c%d %s %s", of.dial, of.conn, traceWord(of.local), traceWord(of.remote))
	case noteAccept:
		fmt.Fprintf(b, "c%d accept %s %s", of.conn, traceWord(of.local), traceWord(of.remote))
	case noteWrite, noteRead, noteUnwritten:
		fmt.Fprintf(b, "c%d %s %d", of.conn, word, e.n)
		if e.text != "" {
			fmt.Fprintf(b, " %s", strconv.QuoteToASCII(e.text))
		}
	default:
		fmt.Fprintf(b, "c%d %s", of.conn, word)
		if e.text != "" {
			fmt.Fprintf(b, " %s", e.text)
		}
	}
	b.WriteByte('\n')
}

// traceTime returns a time in seconds, to the microsecond.
func traceTime(d time.Duration) string {
	return fmt.Sprintf("%d.%06d", d/time.Second, d%time.Second/time.Microsecond)
}

// traceWord returns an address as one word of a trace.
func traceWord(s string) string {
	for _, r := range s {
		if r <= ' ' || r == '"' || r >= 0x7f {
			return strconv.QuoteToASCII(s)
		}
	}
	if s == "" {
		return `""`
	}
	return s
}

// countingWriter counts what is written.
type countingWriter struct {
	w io.Writer
	n int64
}

// Write implements [io.Writer].
func (w *countingWriter) Write(b []byte) (int, error) {
	n, err := w.w.Write(b)
	w.n += int64(n)
	return n, err
}
