package harness

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"reflect"
	"slices"
)

// Request is one round trip that the harness watches: one that it started, or
// one of the code under test that went through [T.Client].
type Request struct {
	Op
	method string
	url    url.URL // as it was when the request was made
	once   bool    // it must not reach a server twice
	// plainAddr is where it goes if it goes there without TLS.
	plainAddr string
	lost      bool                          // a fault took it, or a part of it, on its way to a server
	auto      bool                          // the body is read as soon as there is one
	sends     func() (io.ReadCloser, error) // the request's body, or nil
	sentOn    *Conn                         // in an exploration, where a client without TLS has sent it first

	// Guarded by c.mu.
	resp     *http.Response
	body     *body
	runs     []*Conn // the connections that it was sent on, in order
	byPacket int     // how often it has reached a server over datagrams
	refused  int     // how many of these times its server said that it did not process it
	reading  bool    // the harness is reading or closing the body
	content  []byte
	readErr  error
	finished bool // the body was closed, or read to its end
	early    bool // it was closed before its end, and before reading it failed
	dropped  bool
	forgot   bool            // the caller neither reads nor closes the body
	tries    []*try          // that a transport between two watched ones has made, in order
	got      tally           // of the response's body, as it was read
	sent     []*answerWriter // what servers answered; nil for a connection that was taken over
	pool     *pool           // the one of the client that sends it, or nil
	hooks    hooks
	waits    *spot           // where it waits for a connection, or nil
	parent   *Request        // that it was made to carry out, or nil
	via      any             // the transport that it went to last, of those that are watched; nil if it cannot be compared
	ctx      context.Context // that it is sent with
	quit     <-chan struct{} // Request.Cancel
	bodies   []*requestBody  // of the request, where it has code of its own
	bodyErr  bool            // reading one of them has failed, or its length is not that of the request
	upload   bool            // it has a body
	broken   error           // of reading the response's body before it was closed

	// Most requests are sent once: their lists begin here.
	firstRuns, firstGot [1]*Conn
	firstSent           [1]*answerWriter
}

// MayCancel does the same as [Op.MayCancel].
func (r *Request) MayCancel() *Request {
	r.Op.MayCancel()
	return r
}

// Finish reads the response body to its end and closes it. Both must succeed,
// now.
func (r *Request) Finish() {
	r.t.step("finish", r.name)
	r.read()
	switch state, err := r.bodyState(); {
	case state != bodyClosed:
		r.t.fatal(KindWant, fmt.Sprintf("%s: got its body still open after %d bytes, want its end", r.name, len(r.content)))
	case err != nil:
		r.t.fatal(KindWant, fmt.Sprintf("%s: got %v while reading the body, want its end", r.name, err))
	}
}

// WantBrokenBody reads the response body and expects that this fails with an
// error that matches err, as [errors.Is] says.
func (r *Request) WantBrokenBody(err error, why ...string) {
	r.t.step("!", "finish", r.name, err.Error())
	r.wantBrokenBody(errorIs(err), err.Error(), why...)
}

func (r *Request) wantBrokenBody(match func(error) bool, name string, why ...string) {
	r.read()
	state, got := r.bodyState()
	if state != bodyClosed || got == nil || !match(got) {
		r.t.fatal(KindWant, fmt.Sprintf("%s: got %s, want a body that fails with: %s", r.name, r.describeBody(), name), why...)
	}
}

// Read starts to read the body, and settles. What has not come yet is read
// when it comes; Finish or CloseBody ends it.
func (r *Request) Read() {
	r.t.step("read", r.name)
	r.read()
}

func (r *Request) read() {
	r.mustHaveResponse()
	r.c.mu.Lock()
	start := r.body != nil && !r.reading
	r.reading = r.reading || start
	r.c.mu.Unlock()
	if start {
		go r.readAll()
	}
	r.t.settle()
}

func (r *Request) readAll() {
	err := errBodyPanicked
	defer func() {
		r.c.mu.Lock()
		defer r.c.mu.Unlock()
		r.readErr = err
		r.reading = false
		r.finished = true
		r.body = nil
		r.change()
	}()
	defer r.t.caught(r.name + ": reading its response body: ")
	err = r.readBody(r.resp)
}

// mostContent is how many bytes of a body the harness reads, and keeps: a body without an end
// would take all memory.
var mostContent = 64 << 20

// mostEmptyReads is how many reads, one after the other, may give neither bytes nor an end.
const mostEmptyReads = 100

var errBodyPanicked = errors.New("a call of the body did not return")

// readBody reads a response body to its end, closes it, and returns the error of either.
func (r *Request) readBody(resp *http.Response) (err error) {
	var content []byte
	const most = 4096
	size := most
	if n := resp.ContentLength; n >= 0 && n < most {
		size = int(n) + 1 // one more, to see the end
	}
	buf := make([]byte, size)
	for empty := 0; err == nil; {
		var n int
		n, err = resp.Body.Read(buf)
		content = append(content, buf[:n]...)
		if empty++; n > 0 {
			empty = 0
		}
		if n == len(buf) && n < most {
			buf = make([]byte, most) // there is more than its length says
		}
		switch {
		case err != nil:
		case empty == mostEmptyReads:
			err = io.ErrNoProgress
		case len(content) > mostContent:
			err = fmt.Errorf("more than %d bytes, with no end,", mostContent)
		}
		r.c.mu.Lock()
		r.content = content
		r.c.mu.Unlock()
	}
	if err == io.EOF {
		err = nil
	}
	if e := resp.Body.Close(); err == nil {
		err = e
	}
	return err
}

// CloseBody closes the body without reading what is left of it.
func (r *Request) CloseBody() {
	r.t.step("close", r.name)
	r.mustHaveResponse()
	go func() {
		defer r.t.caught(r.name + ": closing its response body: ")
		r.resp.Body.Close()
	}()
	r.t.settle()
	r.c.mu.Lock()
	defer r.c.mu.Unlock()
	r.body = nil
}

// Drop says that the body is never closed, on purpose: the test wants to see
// the consequence. The connection has to be accounted for all the same.
func (r *Request) Drop() {
	r.t.step("drop", r.name)
	r.mustHaveResponse()
	r.c.mu.Lock()
	defer r.c.mu.Unlock()
	r.dropped = true
}

// Forget says that the caller neither reads nor closes the response's body, as
// in code that leaks it: the body is left at the end, and the test fails. In an
// exploration each body is read otherwise.
func (r *Request) Forget() *Request {
	r.t.step("forget", r.name)
	r.c.mu.Lock()
	defer r.c.mu.Unlock()
	r.forgot = true
	return r
}

// readsItself reports whether the harness reads the body as soon as there is one.
func (r *Request) readsItself() bool {
	r.c.mu.Lock()
	defer r.c.mu.Unlock()
	return r.auto && !r.forgot
}

func (r *Request) mustHaveResponse() {
	if s := r.state(); s != "done" {
		r.unmet("a response")
	}
}

const (
	bodyOpen = iota
	bodyClosed
)

func (r *Request) bodyState() (int, error) {
	r.c.mu.Lock()
	defer r.c.mu.Unlock()
	if r.reading || r.body != nil {
		return bodyOpen, nil
	}
	return bodyClosed, r.readErr
}

func (r *Request) describeBody() string {
	state, err := r.bodyState()
	switch {
	case state == bodyOpen:
		return fmt.Sprintf("a body still open after %d bytes", len(r.content))
	case err != nil:
		return fmt.Sprintf("a body that failed with: %v", err)
	}
	return fmt.Sprintf("a whole body of %d bytes", len(r.content))
}

// Conn returns the connection on which the request was last sent, or nil.
func (r *Request) Conn() *Conn {
	r.c.mu.Lock()
	defer r.c.mu.Unlock()
	if len(r.runs) == 0 {
		return nil
	}
	return r.runs[len(r.runs)-1]
}

// Response returns the response, once there is one. Its body is watched.
func (r *Request) Response() *http.Response {
	r.c.mu.Lock()
	defer r.c.mu.Unlock()
	return r.resp
}

// over reports whether the request leaves its connection fit for another.
func (r *Request) over() bool {
	r.c.mu.Lock()
	defer r.c.mu.Unlock()
	return r.returned && r.err == nil && r.resp != nil && r.finished && r.resp.StatusCode != http.StatusSwitchingProtocols && r.answered()
}

// answered reports, with mu held, whether the response that was returned has
// come to its end: the caller has read it to there, or its last byte has arrived
// at the client's end. Where the wire is opaque the server says whether it has
// sent all. A stream of HTTP/2 ends when its body is closed.
func (r *Request) answered() bool {
	if r.got.state == wholeTally || r.resp.ProtoMajor > 1 {
		return true
	}
	if len(r.runs) == 0 {
		return false
	}
	if w := &r.runs[len(r.runs)-1].wire; w.plain {
		return w.last != r || w.response.whole()
	}
	return len(r.sent) > 0 && !slices.ContainsFunc(r.sent, func(a *answerWriter) bool { return a == nil || a.state != wholeTally })
}

// ofPool returns the pool of the client that sends the request, or nil where it has
// none to itself.
func (r *Request) ofPool() *pool {
	if r == nil {
		return nil
	}
	r.c.mu.Lock()
	defer r.c.mu.Unlock()
	return r.pool
}

// bodyless reports, with mu held, whether the response has no body, whatever its Body is: RFC
// 9110 section 6.4.1. Nothing is behind it that closing would free.
func (r *Request) bodyless() bool {
	code := r.resp.StatusCode
	return r.method == http.MethodHead || code == http.StatusNoContent || code == http.StatusNotModified || r.resp.ContentLength == 0
}

// goesTo notes the transport that the request goes to next.
func (r *Request) goesTo(rt http.RoundTripper) {
	r.c.mu.Lock()
	defer r.c.mu.Unlock()
	if r.via = nil; reflect.ValueOf(rt).Comparable() {
		r.via = rt
	}
}

// shares reports whether the request and the connection may be of one transport.
func (r *Request) shares(c *Conn) bool {
	if r.ofPool() != c.ofPool() {
		return false
	}
	of := c.usedVia()
	r.c.mu.Lock()
	defer r.c.mu.Unlock()
	return of == nil || r.via == nil || of == r.via
}

// upgraded reports whether the request's response was a 101: its connection is the
// caller's, and counts no more.
func (r *Request) upgraded() bool {
	if r == nil {
		return false
	}
	resp := r.Response()
	return resp != nil && resp.StatusCode == http.StatusSwitchingProtocols
}
