package harness

import (
	"bytes"
	"cmp"

	"github.com/halfopen/halfopen/faultnet"
)

// wire is what the harness has understood of the bytes from one client. In
// HTTP/1.1 without TLS the names of requests are on the wire; otherwise the
// server tells them. It is written before the bytes arrive that it is about.
type wire struct {
	seen  bool
	plain bool
	tail  []byte   // what may be the beginning of a header field
	first *Request // the one that was sent first; guarded by t.mu
	last  *Request // the one that was sent last; likewise
	// response follows what arrives for last, where the wire is plain; likewise.
	response framing
}

var (
	requestField = []byte("\r\n" + RequestHeader + ": ")
	endOfHeader  = []byte("\r\n\r\n")
)

// longestName bounds how much of a connection's bytes is kept to find a field
// that came in two pieces.
const longestName = 64

// readWire looks for the names of requests in bytes that are about to arrive.
func (t *T) readWire(e *faultnet.Event, b []byte) {
	if len(b) == 0 {
		return
	}
	c := t.conn(e.From)
	w := &c.wire
	if !w.seen {
		w.seen = true
		w.plain = len(b) > 0 && b[0] >= 'A' && b[0] <= 'Z' && !bytes.HasPrefix(b, []byte("PRI * HTTP/2"))
	}
	if !w.plain {
		return
	}
	if len(w.tail) > 0 {
		b = append(w.tail, b...)
	}
	for {
		i := bytes.Index(b, requestField)
		if i < 0 {
			break
		}
		name, rest, ok := bytes.Cut(b[i+len(requestField):], []byte("\r\n"))
		if !ok {
			break
		}
		t.sawRequest(string(name), c)
		// The line break begins the next field.
		b = b[len(b)-len(rest)-2:]
	}
	w.tail = nil
	if !bytes.HasSuffix(b, endOfHeader) {
		w.tail = bytes.Clone(b[max(0, len(b)-len(requestField)-longestName):])
	}
}

// sawRequest notes that a request reached a server on c.
func (t *T) sawRequest(name string, c *Conn) {
	r := t.request(name)
	if r == nil {
		return
	}
	t.checkTurn(r, c)
	t.checkSound(r, c)
	t.mu.Lock()
	c.wire.first, c.wire.last = cmp.Or(c.wire.first, r), r
	c.wire.response.begin(r.method)
	r.runs = append(r.runs, c)
	n := len(r.runs) - r.refused
	t.mu.Unlock()
	if r.once && n > 1 {
		t.violate("%s: a %s, and it was sent to a server %d times", r.name, r.method, n)
	}
}

// witness tells the run of the requests that a peer sees.
type witness struct{ t *T }

func (w witness) Saw(name string, c *faultnet.Conn) { w.t.sawRequest(name, w.t.conn(c)) }
func (w witness) Refused(name string)               { w.t.refused(name) }

// refused notes that a server has said that it did not process a request, and will
// not: with RST_STREAM and REFUSED_STREAM, or with GOAWAY and a lower stream.
// Then any request may be sent again: RFC 9113 section 8.7.
func (t *T) refused(name string) {
	if r := t.request(name); r != nil {
		t.mu.Lock()
		r.refused++
		t.mu.Unlock()
	}
}

// readResponse follows the responses in bytes that are about to arrive at a client.
func (t *T) readResponse(e *faultnet.Event, b []byte) {
	if len(b) == 0 {
		return
	}
	if c := t.conn(e.From); c.wire.plain {
		t.mu.Lock()
		c.wire.response.feed(b)
		t.mu.Unlock()
	}
}
