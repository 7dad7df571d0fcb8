package recording

import (
	"fmt"
	"strings"
	"time"
)

// group writes requests that were under way at the same time.
func (w *scriptWriter) group(i int, g []*request) {
	if i == 0 {
		w.now = g[0].at
	}
	w.advanceTo(g[0].at)
	if q := g[0]; len(g) == 1 && q.fate != answered && q.fate != forgotten {
		w.alone(q)
		return
	}
	delay := time.Duration(0)
	end := g[0].at
	for _, q := range g {
		w.line("# %s", w.describe(q))
		delay = max(delay, q.x.Answered-q.x.At)
		end = max(end, q.end)
	}
	slow := len(g) > 1 || delay >= longWait
	if slow {
		delay = max(time.Millisecond, delay.Round(time.Millisecond))
		w.line("shape * server->client data as delay:%s", delay)
	}
	for _, q := range g {
		w.start(q, page(q))
	}
	if slow {
		w.pass(max(end-w.now, delay+time.Millisecond))
		w.line("lift * server->client data")
	}
}

// alone writes a request that ended in another way than by an answer.
func (w *scriptWriter) alone(q *request) {
	w.line("# %s", w.describe(q))
	host := w.host(q.address)
	shaped := func(pattern, verdict string, meanwhile func()) {
		w.line("shape %s as %s", pattern, verdict)
		meanwhile()
		w.line("lift %s", pattern)
	}
	switch q.fate {
	case hung:
		w.start(q, "/hang")
		if !q.stays {
			w.pending = append(w.pending, q.name)
		}
	case cancelled:
		w.start(q, "/hang")
		w.pass(max(time.Millisecond, q.end-q.at))
		w.line("cancel %s", q.name)
	case reset, cut:
		verdict := map[fate]string{reset: "reset", cut: "cut"}[q.fate]
		if q.x.Got > 0 {
			verdict = fmt.Sprintf("%s:%d", verdict, min(q.x.Got, mostBody))
		}
		shaped("* server->client data", verdict, func() {
			w.start(q, page(q))
			w.pass(max(time.Millisecond, q.end-q.at))
		})
	case dialFailed:
		verdict := dialVerdicts[q.dial.Why]
		shaped("dial * "+host, verdict, func() {
			w.start(q, "/")
			w.pass(max(time.Millisecond, q.end-q.at))
			if verdict == "black-hole" {
				w.line("cancel %s", q.name)
			}
		})
	case dialPending:
		shaped("dial * "+host, "black-hole", func() {
			w.start(q, "/")
			w.pass(time.Millisecond)
		})
		if !q.stays {
			w.pending = append(w.pending, q.name)
		}
	}
}

// dialVerdicts has the verdict of a dial, by the reason for which it failed. One that its caller gave up has
// no answer until then.
var dialVerdicts = map[string]string{
	"refused": "refuse", "timeout": "timeout", "deadline": "black-hole", "canceled": "black-hole",
	"no-host": "no-host", "unreachable": "unreachable", "no-descriptor": "no-descriptor", "other": "refuse",
}

// mostBody is how many bytes a body has in a script.
const mostBody = 256 << 10

// mostText is how many bytes a request's body has in a script.
const mostText = 64

// page returns the path at which a server of scripts gives an answer like that one.
func page(q *request) string {
	n, _ := q.x.Body()
	if q.x.length > n {
		n = q.x.length
	}
	if q.fate == forgotten || q.fate == reset || q.fate == cut {
		n = max(n, 1)
	}
	n = min(n, mostBody)
	switch status := q.x.Status; {
	case status < 200, status == 200, status > 599:
		return fmt.Sprintf("/bytes/%d", n)
	case n == 0, status == 204, status == 304:
		return fmt.Sprintf("/status/%d", status)
	default:
		return fmt.Sprintf("/status/%d/%d", status, n)
	}
}

// start writes the start of a request, and whether its caller forgets the body.
func (w *scriptWriter) start(q *request, path string) {
	url := "http://" + w.host(q.address) + path
	method := "GET"
	if q.x != nil && q.x.Known() && q.x.Method != "CONNECT" {
		method = q.x.Method
	}
	body := int64(0)
	if q.x != nil && q.x.askedHead > 0 {
		body = min(q.x.Sent-q.x.askedHead, mostText)
	}
	switch {
	case method == "GET":
		w.line("get %s %s", q.name, url)
	case method == "POST" && body > 0:
		w.line("post %s %s %s", q.name, url, strings.Repeat("0", int(body)))
	default:
		w.line("request %s %s %s", q.name, method, url)
	}
	if q.fate == forgotten {
		w.line("forget %s", q.name)
	}
}

// tail writes what comes after the last request.
func (w *scriptWriter) tail() {
	w.advanceTo(max(w.rec.Length, w.now+time.Millisecond))
	if len(w.pending) > 0 {
		w.line("# They were in flight when the recording ended, for less than %s.", w.set.LeakAfter)
		for _, name := range w.pending {
			w.line("cancel %s", name)
		}
	}
}

// describe returns what was seen of a request.
func (w *scriptWriter) describe(q *request) string {
	var b strings.Builder
	fmt.Fprintf(&b, "+%s %s", seconds(q.at), q.name)
	if q.dial != nil {
		d := q.dial
		switch {
		case q.fate == dialPending && q.stays:
			fmt.Fprintf(&b, ": dial %s was still in flight after %s, and no context had ended it", d.Name, seconds(q.end-q.at))
		case q.fate == dialPending:
			fmt.Fprintf(&b, ": dial %s was in flight at the end, for %s", d.Name, seconds(q.end-q.at))
		default:
			fmt.Fprintf(&b, ": dial %s failed after %s: %.120s", d.Name, seconds(d.End-d.At), d.Text)
		}
		return b.String()
	}
	x, c := q.x, q.conn
	fmt.Fprintf(&b, " on %s", c.Name)
	if x.Known() {
		path, _, query := strings.Cut(x.Path, "?")
		if query {
			path += "?..."
		}
		fmt.Fprintf(&b, ": %s %.120s", x.Method, path)
	} else {
		fmt.Fprintf(&b, ": %d bytes", x.Sent)
	}
	if x.Answered != Never {
		if x.Status != 0 {
			fmt.Fprintf(&b, " answered %d", x.Status)
		} else {
			b.WriteString(" answered")
		}
		fmt.Fprintf(&b, " after %s, %d bytes", seconds(x.Answered-x.At), x.Got)
	}
	switch q.fate {
	case forgotten:
		fmt.Fprintf(&b, "; its body was not read to its end and closed: %s", q.why)
	case hung:
		fmt.Fprintf(&b, " had no answer after %s", seconds(q.end-q.at))
	case cancelled:
		fmt.Fprintf(&b, "; the client closed after %s without an answer (a guess: it was cancelled)", seconds(q.end-q.at))
	case reset:
		b.WriteString("; then the server reset the connection")
	case cut:
		b.WriteString("; then the server closed, before the end of an answer")
	default:
		if q.why != "" {
			fmt.Fprintf(&b, "; %s", q.why)
		}
	}
	return b.String()
}

// mostLeakLines limits the kinds of requests that a script lists.
const mostLeakLines = 5

// leakLines returns what the requests have in common whose connections stayed open.
func (s *story) leakLines() []string {
	type tally struct{ left, all int }
	var kinds []string
	tallies := make(map[string]*tally)
	total := tally{}
	for _, q := range s.requests {
		k := q.kind()
		if tallies[k] == nil {
			tallies[k] = new(tally)
			kinds = append(kinds, k)
		}
		tallies[k].all++
		total.all++
		if q.stays {
			tallies[k].left++
			total.left++
		}
	}
	if total.left == 0 {
		return nil
	}
	lines := []string{fmt.Sprintf("Left at the end: %d of %s. They are the first to look at:", total.left, countText(total.all, "request"))}
	more := 0
	for _, k := range kinds {
		switch t := tallies[k]; {
		case t.left == 0:
		case len(lines) > mostLeakLines:
			more++
		default:
			lines = append(lines, fmt.Sprintf("  %.160s: %d of %d", k, t.left, t.all))
		}
	}
	if more > 0 {
		lines = append(lines, fmt.Sprintf("  and %s more", countText(more, "kind")))
	}
	return lines
}
