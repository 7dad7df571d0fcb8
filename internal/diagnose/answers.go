package diagnose

import (
	"cmp"
	"fmt"
	"io"
	"strings"
)

// answer has the text of a section.
type answer struct {
	title string // behind the number of those that wait
	line  string // what the line of a group is
	todo  string
	limit string // what cannot be known, or ""
}

// The answers, in the order in which they are printed.
var (
	bodiesOpen = &answer{"response body neither closed nor read to its end", "opened by",
		"close each body, on every path: defer resp.Body.Close() behind the check of the error",
		"a caller that is still at work on the body looks the same: minutes, or a second profile, tell. Nor is the line: only that of the request that dialed it, and only in a process with GODEBUG=tracebackancestors=10; a recording (faultnet.Recorder) shows which answers were left"}
	inLine = &answer{"request in line for a connection", "sent by",
		"find what keeps the connections of its host (the other sections), or raise MaxConnsPerHost; give requests a deadline",
		"one that waits for a dial which another request began is among them"}
	dialsInFlight = &answer{"dial in flight", "for",
		"give the dialer a Timeout, and the transport a TLSHandshakeTimeout; a dial goes on when its request has ended", ""}
	responsesAwaited = &answer{"request that waits for its response", "sent by",
		"give requests a context with a deadline, or the client a Timeout; ResponseHeaderTimeout limits this wait alone", ""}
	bodiesRead = &answer{"response body that is being read, and nothing comes", "read by",
		"give requests a context with a deadline, or the client a Timeout: both include the body", ""}
	writesStuck = &answer{"request that cannot be written", "sent by",
		"the server does not read: a deadline ends it; Expect: 100-continue asks before a large body is sent", ""}
	sourcesAwaited = &answer{"request whose own body has no bytes to send", "sent by",
		"the reader that the program gave as the request's body waits: end it, or close it with an error", ""}
	idleConns = &answer{"idle connection", "opened by",
		"nothing, if they are few: MaxIdleConnsPerHost (2) and IdleConnTimeout bound them; a transport for each request keeps one each", ""}
	draining = &answer{"connection that reads the rest of a body that was closed early", "opened by", "nothing: since Go 1.27 that takes 50 ms at most", ""}

	streamsOpen = &answer{"HTTP/2 stream whose response has come, and whose body has no reader", "sent by",
		"close each body, on every path: defer resp.Body.Close() behind the check of the error",
		"a body whose end has come leaves no goroutine, and cannot be seen here even if it was never closed"}
	streamsAwaited = &answer{"HTTP/2 request that waits for its response", "sent by", responsesAwaited.todo, ""}
	streamsRead    = &answer{"HTTP/2 response body that is being read, and nothing comes", "read by", bodiesRead.todo, ""}
	streamsStuck   = &answer{"HTTP/2 request body that waits for the server's window", "sent by", writesStuck.todo, ""}
	streamsInLine  = &answer{"HTTP/2 request in line for a stream", "sent by",
		"the connection has as many streams as its server allows: find what keeps them; StrictMaxConcurrentRequests decides whether another connection is opened", ""}
	conns2 = &answer{"HTTP/2 connection", "opened by", "nothing: one for each host is usual; the sections about HTTP/2 say what its streams do", ""}

	handlers    = &answer{"handler of an accepted connection at work", "in", "what it waits for is at its line, and in the other sections if it is a client there", ""}
	serverConns = &answer{"accepted connection between two requests", "accepted by", "set IdleTimeout (or ReadTimeout) of the http.Server: without one a client may stay for ever", ""}

	sqlLine = &answer{"call in line for a connection of database/sql", "called by",
		"find what keeps connections (rows, transactions), or raise SetMaxOpenConns; give calls a context with a deadline", ""}
	sqlTxs   = &answer{"open transaction of database/sql", "begun by", "commit each, or roll it back: defer tx.Rollback() behind BeginTx", "the goroutine of a transaction does not say where it began: only the program's go statement is known"}
	sqlRows2 = &answer{"open Rows of database/sql", "asked by", "close each: defer rows.Close() behind the check of the error, and read rows.Err()", "the goroutine of Rows does not say who asked: only the program's go statement is known"}
)

var allAnswers = []*answer{bodiesOpen, streamsOpen, inLine, streamsInLine, sqlLine, dialsInFlight, responsesAwaited, streamsAwaited, bodiesRead, streamsRead,
	writesStuck, streamsStuck, sourcesAwaited, sqlTxs, sqlRows2, idleConns, draining, conns2, handlers, serverConns}

// sections sorts the goroutines into answers.
func (d *Diagnosis) sections() map[*answer]*section {
	all := make(map[*answer]*section)
	for _, a := range allAnswers {
		all[a] = &section{answer: a, groups: make(map[string]*group)}
	}
	waiting, reading, dialing := d.count(roundTrip), d.count(readsBody), d.count(dials)
	for i := range d.routines {
		r := &d.routines[i]
		n := r.n
		if d.counts { // of what is alike, so many are of another section
			switch r.kind {
			case readLoop:
				n = max(0, n-waiting)
				waiting -= r.n - n
			case waitsForBody:
				n = max(0, n-reading)
				reading -= r.n - n
			case waitsInLine:
				n = max(0, n-dialing)
				dialing -= r.n - n
			}
		}
		if a, place := d.answerTo(r); a != nil && n > 0 {
			all[a].add(n, place, r.minutes)
		}
	}
	return all
}

// answerTo returns the answer that a goroutine belongs to, or nil if another one of the same connection
// or request speaks for it, and the line of the program.
func (d *Diagnosis) answerTo(r *routine) (*answer, string) {
	place := cmp.Or(r.place, r.start)
	switch r.kind {
	case waitsForBody:
		if d.on(r, readsBody) != nil || d.on(r, roundTrip) != nil {
			return nil, ""
		}
		return bodiesOpen, r.start
	case readLoop:
		if d.on(r, roundTrip) != nil {
			return nil, ""
		}
		return idleConns, r.start
	case roundTrip:
		switch {
		case d.on(r, writeStuck) != nil:
			return writesStuck, place
		case d.on(r, bodySource) != nil:
			return sourcesAwaited, place
		}
		return responsesAwaited, place
	case stream:
		if d.startedBy(r, streamTrip, streamReads) != nil || d.counts {
			return nil, ""
		}
		by := d.byID[r.creator]
		if by != nil {
			return streamsOpen, by.place
		}
		return streamsOpen, r.start
	case streamStuck, streamInLine:
		if by := d.startedBy(r, streamTrip); by != nil {
			place = cmp.Or(by.place, by.start)
		}
		return plainAnswers[r.kind], place
	case streamTrip:
		if d.started[streamStuck][r.id] || d.started[streamInLine][r.id] {
			return nil, ""
		}
		return streamsAwaited, place
	case waitsInLine:
		if d.started[dials][r.id] {
			return nil, ""
		}
		return inLine, place
	case dials:
		if by := d.startedBy(r, waitsInLine); by != nil {
			place = cmp.Or(by.place, by.start)
		}
		return dialsInFlight, strings.TrimRight(r.stage+", for "+cmp.Or(place, "a request that has ended, or another one"), " ")
	}
	return plainAnswers[r.kind], place
}

// plainAnswers is the answers of goroutines that need no second look.
var plainAnswers = map[kind]*answer{readsBody: bodiesRead, drains: draining, streamReads: streamsRead, streamStuck: streamsStuck, streamInLine: streamsInLine, conn2: conns2,
	serves: handlers, servesIdle: serverConns, sqlInLine: sqlLine, sqlTx: sqlTxs, sqlRows: sqlRows2}

// WriteTo writes the diagnosis as text.
func (d *Diagnosis) WriteTo(w io.Writer) (int64, error) {
	n, err := io.WriteString(w, d.String())
	return int64(n), err
}

// mostGroups is how many lines of the program a section shows.
const mostGroups = 8

func countOf(goroutines int) string {
	if goroutines == 1 {
		return "1 goroutine"
	}
	return fmt.Sprintf("%d goroutines", goroutines)
}

// String returns the diagnosis as text.
func (d *Diagnosis) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, %d of them of connections\n", countOf(d.all), d.relevant())
	for _, note := range d.notes() {
		fmt.Fprintf(&b, "%s\n", note)
	}
	sections := d.sections()
	for _, a := range allAnswers {
		if s := sections[a]; s.n > 0 {
			s.write(&b)
		}
	}
	return b.String()
}

func (d *Diagnosis) relevant() (n int) {
	for _, r := range d.routines {
		n += r.n
	}
	return n + d.skipped
}

// notes returns what the file does not tell.
func (d *Diagnosis) notes() (notes []string) {
	if d.relevant() == 0 {
		notes = append(notes, "none belongs to net/http, HTTP/2 or database/sql: other clients are not known to this command")
	}
	if d.counts {
		notes = append(notes, "debug=1 has no identities: which goroutine belongs to which connection is counted, not seen; debug=2 says more")
	}
	if d.cut {
		notes = append(notes, "the file ends in the midst of a goroutine: there may be more")
	}
	if d.skipped > 0 {
		notes = append(notes, fmt.Sprintf("%d are only counted: they are more than %d", d.skipped, mostRoutines))
	}
	return notes
}

func (s *section) write(b *strings.Builder) {
	fmt.Fprintf(b, "\n%d x %s\n", s.n, s.title)
	groups := s.sorted()
	for i, g := range groups {
		if i == mostGroups {
			fmt.Fprintf(b, "  and %d more lines\n", len(groups)-i)
			break
		}
		fmt.Fprintf(b, "  %d %s %s%s\n", g.n, s.line, cmp.Or(g.place, "a line that is not in the file"), g.age())
	}
	fmt.Fprintf(b, "  what to do: %s\n", s.todo)
	if s.limit != "" {
		fmt.Fprintf(b, "  not known: %s\n", s.limit)
	}
}

// age returns for how long the goroutines of a group have waited, if the file says so.
func (g *group) age() string {
	switch {
	case g.to == 0:
		return ""
	case g.from == g.to:
		return fmt.Sprintf("  (for %d minutes)", g.to)
	}
	return fmt.Sprintf("  (for %d to %d minutes)", g.from, g.to)
}
