package recording

import (
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Script returns a race script that does again what was recorded, as far as a script can: its
// requests, what happened to their connections, and the time between. What is concluded and
// not seen is called a guess, in its comments.
func (r *Recording) Script(set Settings) (string, error) {
	s := r.story(set)
	if len(s.requests) == 0 {
		if len(set.Addresses) > 0 {
			return "", fmt.Errorf("no request to %s; there are connections to: %s", strings.Join(set.Addresses, ", "), r.addresses())
		}
		return "", fmt.Errorf("no request: of %s none carried one", countText(r.Seen, "connection"))
	}
	w := &scriptWriter{story: s, hosts: make(map[string]string)}
	leaks := s.leakLines()
	left := s.choose()
	for i, q := range s.requests {
		q.name = fmt.Sprintf("r%d", i+1)
	}
	w.head(left, leaks)
	for i, g := range w.groups() {
		w.group(i, g)
	}
	w.tail()
	return w.String(), nil
}

// addresses returns the addresses of connections, most of them.
func (r *Recording) addresses() string {
	var all []string
	for _, c := range r.Conns {
		if !slices.Contains(all, c.Address) && len(all) < 20 {
			all = append(all, c.Address)
		}
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}

// scriptWriter writes a script.
type scriptWriter struct {
	*story
	strings.Builder
	hosts   map[string]string // the addresses of the script, by those of the recording
	now     time.Duration     // of the recording, to which the script has come
	pending []string          // requests to cancel at the end
}

func (w *scriptWriter) line(format string, args ...any) {
	fmt.Fprintf(w, "%s\n", strings.Map(printable, fmt.Sprintf(format, args...)))
}

// printable keeps what was recorded from ending a line.
func printable(r rune) rune {
	if r < ' ' || r == 0x7f {
		return ' '
	}
	return r
}

// host returns the address in the script: the same, if it can be one.
func (w *scriptWriter) host(address string) string {
	if h, ok := w.hosts[address]; ok {
		return h
	}
	h := address
	name, port, err := net.SplitHostPort(address)
	n, bad := strconv.ParseUint(port, 10, 16)
	u, wrong := url.Parse("http://" + address + "/")
	if err != nil || bad != nil || n == 0 || wrong != nil || name == "" || u.Host != address || strings.ContainsAny(address, "%@\"'`\\ *?") {
		h = fmt.Sprintf("server%d.test:80", len(w.hosts)+1)
	}
	w.hosts[address] = h
	return h
}

// head writes what stands before the first request.
func (w *scriptWriter) head(left int, leaks []string) {
	r := w.rec
	kind := "a trace"
	if r.Captured {
		kind = "a capture"
	}
	w.line("# Nothing is left after what happened in %s.", w.set.Name)
	w.line("# Made of %s of %s: %s, and %s that opened none.", kind, seconds(r.Length), countText(r.Seen, "connection"), countText(len(r.Dials), "dial"))
	if r.Lost > 0 {
		w.line("# %s were dropped before the trace was written: what was first may be missing.", countText(int(r.Lost), "event"))
	}
	if r.Seen > len(r.Conns) {
		w.line("# Only %d of these connections were kept: those that were open at the end come first, and then the last ones.", len(r.Conns))
	}
	if left+w.earlier > 0 {
		w.line("# Left out: %s of more than %d; halfopen import -requests says how many there may be.", countText(left+w.earlier, "request"), w.set.Most)
	}
	for _, l := range leaks {
		w.line("# %s", l)
	}
	if slices.ContainsFunc(w.requests, func(q *request) bool { return q.x != nil && !q.x.Known() }) {
		w.line("# A guess: where no head of HTTP/1 is in the file, a request is what a client sent until the answer, and all bytes of that are a body.")
	}
	for _, q := range w.requests {
		if _, known := w.hosts[q.address]; known {
			continue
		}
		h := w.host(q.address)
		if h != q.address {
			w.line("# %s is %.80s.", h, q.address)
		}
		w.line("serve %s", h)
		w.idleEnds(q.address, h)
	}
	if len(w.set.Transport) > 0 {
		w.line("transport %s", strings.Join(w.set.Transport, " "))
	}
	w.line("begin")
	w.line("rest")
}

// idleEnds writes when a server closes idle connections, if it does so after about the same time, and
// no connection was idle for longer and used again.
func (w *scriptWriter) idleEnds(address, host string) {
	var idle []time.Duration
	longest := time.Duration(0)
	for _, e := range w.closings {
		if e.conn.Address == address && !e.reset {
			idle = append(idle, e.idle)
		}
	}
	for _, c := range w.rec.Conns {
		if c.Address == address {
			longest = max(longest, c.Reused)
		}
	}
	if len(idle) == 0 {
		return
	}
	least, most := slices.Min(idle), slices.Max(idle)
	if least < time.Millisecond || most > least+least/5 || longest > least {
		return
	}
	least = least.Round(time.Millisecond)
	w.line("# The server closed %s after %s of idleness.", countText(len(idle), "connection"), least)
	w.line("keep-alive %s %s", host, least)
	w.closings = slices.DeleteFunc(w.closings, func(e closing) bool { return e.conn.Address == address && !e.reset })
}

// groups returns the requests that were under way at the same time together.
func (w *scriptWriter) groups() (groups [][]*request) {
	var until time.Duration
	for _, q := range w.requests {
		alone := q.fate != answered && q.fate != forgotten
		n := len(groups)
		if !alone && n > 0 && q.at < until {
			groups[n-1] = append(groups[n-1], q)
		} else {
			groups = append(groups, []*request{q})
			until = 0
		}
		if !alone {
			until = max(until, q.end)
		}
	}
	return groups
}

// advanceTo lets the time pass until then, and servers close connections meanwhile.
func (w *scriptWriter) advanceTo(at time.Duration) {
	for len(w.closings) > 0 && w.closings[0].at <= at {
		e := w.closings[0]
		w.closings = w.closings[1:]
		host, ok := w.hosts[e.conn.Address]
		if !ok || e.at < w.now {
			continue
		}
		w.pass(e.at - w.now)
		name, _, _ := net.SplitHostPort(host)
		if e.reset {
			w.line("# +%s: the server reset %s, which was idle for %s.", seconds(e.at), e.conn.Name, seconds(e.idle))
			w.line("sever %s", host)
			continue
		}
		w.line("# +%s: the server closed %s, which was idle for %s. A guess: it was restarted.", seconds(e.at), e.conn.Name, seconds(e.idle))
		w.line("kill %s", host)
		w.line("restart %s", name)
	}
	w.pass(at - w.now)
}

// longestPass is how much time passes at once: what is left of a longer pause shows nothing.
const longestPass = time.Hour

// pass lets time pass, in milliseconds.
func (w *scriptWriter) pass(d time.Duration) {
	w.now += max(0, d)
	if d = min(d, longestPass).Truncate(time.Millisecond); d > 0 {
		w.line("advance %s", d)
	}
}
