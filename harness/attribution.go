package harness

import (
	"bytes"
	"cmp"
	"context"
	"net"
	"net/http"
	"slices"
	"time"

	"github.com/halfopen/halfopen/faultnet"
	"github.com/halfopen/halfopen/harness/internal/peer"
)

// wire has the harness's reading of the bytes from one client. In HTTP/1.1 without
// TLS the names of requests are on the wire; otherwise the server reports them. It is
// written before those bytes arrive.
type wire struct {
	seen  bool
	plain bool
	// opaque is TLS or HTTP/2: sizes, and the order of what comes together, are chance.
	opaque bool
	tail   []byte    // what may be the beginning of a header field
	read   int       // how many bytes have arrived, or are about to
	at     int       // where in them the request begins that is about to arrive
	sound  int       // what was written up to there came when the last request had not failed
	heard  time.Time // when bytes arrived at the client last; guarded by census.mu
	first  *Request  // the one that was sent first; guarded by census.mu
	last   *Request  // the one that was sent last; likewise
	// response follows what arrives for last, where the wire is plain; likewise.
	response framing
	unnamed  framing // what arrives for a request without a name; likewise
	// requests follows what arrives from the client, where the wire is plain; begun counts the
	// requests that were seen, and is guarded by census.mu.
	requests framing
	begun    int
}

var (
	requestField = []byte("\r\n" + RequestHeader + ": ")
	endOfHeader  = []byte("\r\n\r\n")
)

// tlsHandshake begins the first record of TLS: RFC 8446 section 5.1.
const tlsHandshake = 22

// longestName bounds how much of a connection's bytes is kept to find a field
// that came in two pieces.
const longestName = 64

// RequestHeader ("Halfopen-Request") is the header field that names a request on the wire: it
// shows, for any transport, the connection that it ran on. The field is added to
// every request that the harness starts or that goes through [T.Client].
const RequestHeader = peer.RequestHeader

// happens takes note of what an event tells about requests.
func (c *census) happens(e *faultnet.Event, v faultnet.Verdict) {
	switch {
	case e.Kind != faultnet.Data:
	case e.From.Side() == faultnet.Client:
		if !v.IsPass() {
			c.loses(e)
		}
		c.readWire(e, e.Arriving(v))
	default:
		c.readResponse(e, e.Arriving(v))
	}
}

// readWire looks for the names of requests in bytes that are about to arrive.
func (c *census) readWire(e *faultnet.Event, b []byte) {
	if len(b) == 0 {
		return
	}
	h := c.conn(e.From)
	w := &h.wire
	if !w.seen {
		w.seen, w.requests.requests = true, true
		w.plain = beginsPlain(b)
		w.opaque = beginsHTTP2(b) || b[0] == tlsHandshake
	}
	if !w.plain {
		return
	}
	w.read += len(b)
	defer c.feedRequests(h, b) // what is seen in b begins behind what was fed
	if len(w.tail) > 0 {
		b = append(w.tail, b...)
	}
	for {
		name, i, rest := cutName(b)
		if rest == nil {
			break
		}
		w.at = w.read - len(b) + i
		c.sawRequest(string(name), h)
		b = rest
	}
	w.tail = nil
	if !bytes.HasSuffix(b, endOfHeader) {
		w.tail = bytes.Clone(b[max(0, len(b)-len(requestField)-longestName):])
	}
}

// sentAgain reports whether what a client has sent, and what has not arrived, brings a request
// that was sent on another connection before: the order in which these arrive is seen.
func (c *census) sentAgain(e *faultnet.Event) (again bool) {
	h := c.look(e.From)
	b := e.Arriving(faultnet.Pass)
	if !h.wire.continuesPlain(b) {
		return false
	}
	if len(h.wire.tail) > 0 {
		b = append(slices.Clip(h.wire.tail), b...)
	}
	for {
		name, _, rest := cutName(b)
		if rest == nil {
			return again
		}
		if r := c.request(string(name)); r != nil {
			again = again || r.sentOn != nil && r.sentOn != h || len(r.runs) > 0 && r.runs[len(r.runs)-1] != h
			r.sentOn = cmp.Or(r.sentOn, h)
		}
		b = rest
	}
}

// cutName returns the name of the first request in b, where its field begins, and what is
// behind the name, from the line break on, which begins the next field. That is nil if there is
// no whole name.
func cutName(b []byte) (name []byte, at int, rest []byte) {
	at = bytes.Index(b, requestField)
	if at < 0 {
		return nil, 0, nil
	}
	from := at + len(requestField)
	n := bytes.Index(b[from:], []byte("\r\n"))
	if n < 0 {
		return nil, 0, nil
	}
	return b[from : from+n], at, b[from+n:]
}

// continuesPlain reports whether bytes that have not arrived are HTTP/1 without TLS.
func (w *wire) continuesPlain(b []byte) bool {
	return len(b) > 0 && (w.plain || !w.seen && beginsPlain(b))
}

// beginsPlain reports whether what a client sends first is a request of HTTP/1.
func beginsPlain(b []byte) bool { return b[0] >= 'A' && b[0] <= 'Z' && !beginsHTTP2(b) }

func beginsHTTP2(b []byte) bool { return bytes.HasPrefix(b, []byte("PRI * HTTP/2")) }

// sawRequest notes that a request reached a server on h.
func (c *census) sawRequest(name string, h *Conn) {
	r := c.request(name)
	if r == nil {
		return
	}
	c.receiver.arrives(r, h)
	c.mu.Lock()
	h.wire.begun++
	h.wire.first, h.wire.last = cmp.Or(h.wire.first, r), r
	h.wire.response.begin(r.method)
	r.runs, h.via = append(r.runs, h), r.via
	r.change()
	c.mu.Unlock()
	c.checkOnce(r)
}

// checkOnce checks that a request which may not be sent again was not.
func (c *census) checkOnce(r *Request) {
	c.mu.Lock()
	n := len(r.runs) + r.byPacket - r.refused
	c.mu.Unlock()
	if r.once && n > 1 {
		c.t.violate(oracleOnce, &r.Op, "%s: a %s, and it was sent to a server %d times", r.name, r.method, n)
	}
}

// attributedByPacket does what attributed does for a server over datagrams, which has no
// connections of the network.
func (c *census) attributedByPacket(h http.Handler) http.Handler {
	h = c.attributed(h)
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if r := c.request(req.Header.Get(RequestHeader)); r != nil {
			c.mu.Lock()
			r.byPacket++
			r.change()
			c.mu.Unlock()
			c.checkOnce(r)
		}
		h.ServeHTTP(w, req)
	})
}

// witness tells the census of the requests that a peer sees.
type witness struct{ *census }

// Saw implements [peer.Witness].
func (w witness) Saw(name string, c *faultnet.Conn) { w.sawRequest(name, w.conn(c)) }

// Refused implements [peer.Witness]: with RST_STREAM and REFUSED_STREAM, or with GOAWAY
// and a lower stream, a server has said that it did not process a request, and will
// not. Then any request may be sent again: RFC 9113 section 8.7.
func (w witness) Refused(name string) {
	if r := w.request(name); r != nil {
		w.mu.Lock()
		defer w.mu.Unlock()
		r.refused++
	}
}

// readResponse follows the responses in bytes that are about to arrive at a client.
func (c *census) readResponse(e *faultnet.Event, b []byte) {
	if len(b) == 0 {
		return
	}
	h := c.conn(e.From)
	c.mu.Lock()
	defer c.mu.Unlock()
	h.wire.heard = time.Now()
	if h.wire.plain || !h.wire.seen {
		h.wire.response.feed(b)
		h.wire.unnamed.feed(b)
	}
}

// feedRequests follows what arrives from a client. The response to a request without a name is
// followed, too.
func (c *census) feedRequests(h *Conn, b []byte) {
	w, was := &h.wire, h.wire.requests
	w.requests.feed(b)
	now := w.requests
	if w.strange() && now.state != framingStatus && (was.state <= framingStatus || now.start != was.start) {
		c.mu.Lock()
		defer c.mu.Unlock()
		w.unnamed.begin(now.method)
	}
}

// strange reports whether the last request on the wire, as far as that is plain, has no name: the
// code under test made it by itself, and it may go on.
func (w *wire) strange() bool {
	return w.plain && w.requests.state != framingNone && w.requests.start >= w.at
}

// attributed returns h as a handler that also says which request came on which
// connection where the wire does not show it: under TLS and in HTTP/2.
func (c *census) attributed(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if end, ok := req.Context().Value(connKey{}).(*faultnet.Conn); ok {
			if conn := c.conn(end); !conn.wire.plain {
				c.sawRequest(req.Header.Get(RequestHeader), conn)
			}
		}
		returned := false
		defer func() { c.t.handled(returned, recover()) }()
		// The answer says what it answers: see Request.checkReturn.
		w.Header()[RequestHeader] = req.Header[RequestHeader]
		if r := c.request(req.Header.Get(RequestHeader)); r != nil {
			r.answers(h, w, req)
		} else {
			h.ServeHTTP(w, req)
		}
		returned = true
	})
}

// handled makes a failure of a handler that panicked, other than to abort its response, or
// that ended its goroutine. The documentation of http.Handler has panic(ErrAbortHandler) as
// the way to abort; after any other panic a server writes its stack to the log, which no
// test looks at. The function that the handler defers calls it, and net/http sees the
// panic as before.
func (r *driver) handled(returned bool, panicked any) {
	switch {
	case panicked != nil && panicked != http.ErrAbortHandler:
		r.panicked("a handler: ", panicked)
	case panicked == nil && !returned && !r.journal.over():
		r.journal.add(Failure{Kind: KindGoexit, Text: "a handler called runtime.Goexit"})
	}
	if panicked != nil {
		panic(panicked)
	}
}

// connKey is the key of a connection in the context of a server's requests.
type connKey struct{}

// withConn puts a server's connection, without TLS around it, into the context of
// its requests.
func withConn(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, withoutTLS(c))
}

// withoutTLS returns the connection below TLS.
func withoutTLS(c net.Conn) net.Conn {
	if s, ok := c.(interface{ NetConn() net.Conn }); ok {
		return s.NetConn()
	}
	return c
}

// requestOf returns the request that the harness watches under the name that is
// in the context and in the header, or nil.
func (c *census) requestOf(req *http.Request) *Request {
	name := req.Header.Get(RequestHeader)
	if name == "" || faultnet.Owner(req.Context()) != name {
		return nil
	}
	return c.request(name)
}

// field returns the header field that names the request on the wire.
func (r *Request) field() []byte { return append(slices.Clip(requestField), r.name+"\r\n"...) }

// loses notes the requests that an event was to bring, when it does not bring
// all that it was to.
func (c *census) loses(e *faultnet.Event) {
	b := e.Bytes()
	for _, r := range c.all() {
		r.lost = r.lost || bytes.Contains(b, r.field())
	}
}

// onItsWay reports whether the request was written and has not arrived, or was
// lost on its way.
func (r *Request) onItsWay(pending []*faultnet.Event) bool {
	if r.lost {
		return true
	}
	field := r.field()
	brings := func(e *faultnet.Event) bool { return e.Kind == faultnet.Data && bytes.Contains(e.Bytes(), field) }
	return slices.ContainsFunc(pending, brings) || slices.ContainsFunc(r.t.net.Delayed(), brings)
}
