package harness

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/halfopen/halfopen/harness/internal/peer"
)

// RequestHeader ("Halfopen-Request") is the header field that names a request on the wire, so that
// the connection that it ran on can be told for any transport. It is added to
// every request that the harness starts or that goes through [T.Client].
const RequestHeader = peer.RequestHeader

// Request is one round trip that the harness watches: one that it started, or
// one of the code under test that went through [T.Client].
type Request struct {
	Op
	method string
	url    string
	once   bool // it must not reach a server twice
	// plainAddr is where it goes if it goes there without TLS.
	plainAddr string
	lost      bool                          // a fault took it, or a part of it, on its way to a server
	auto      bool                          // the body is read as soon as there is one
	sends     func() (io.ReadCloser, error) // the request's body, or nil

	// Guarded by t.mu.
	resp     *http.Response
	body     *body
	runs     []*Conn // the connections that it was sent on, in order
	refused  int     // how many of these times its server said that it did not process it
	reading  bool    // the harness is reading or closing the body
	content  []byte
	readErr  error
	finished bool // the body was closed, or read to its end
	early    bool // it was closed before its end, and before reading it failed
	dropped  bool
	got      tally     // of the response's body, as it was read
	sent     []*answer // what servers answered; nil for a connection that was taken over
	bridge   *bridge   // whose client sends it, or nil
}

// Get starts a GET request named name on the transport, and settles.
func (t *T) Get(name string, rt http.RoundTripper, url string) *Request {
	return t.Start(name, rt, mustRequest(t, "GET", url, nil))
}

// Post starts a POST request with that body.
func (t *T) Post(name string, rt http.RoundTripper, url, body string) *Request {
	req := mustRequest(t, "POST", url, strings.NewReader(body))
	t.stepStart(name, req, &body)
	return t.begin(name, rt, req, &body)
}

func mustRequest(t *T, method, url string, body io.Reader) *http.Request {
	// Every request is cancelled when the run ends: its context needs no parent.
	req, err := http.NewRequest(method, url, body)
	if err != nil {
		t.fatal("usage", err.Error())
	}
	return req
}

// Start starts a request named name in a goroutine of its own, and settles. It
// does not return an answer: what became of the request is what the
// expectations of the Request ask.
func (t *T) Start(name string, rt http.RoundTripper, req *http.Request) *Request {
	t.stepStart(name, req, nil)
	return t.begin(name, rt, req, nil)
}

// stepStart records the start of a request as a script has it.
func (t *T) stepStart(name string, req *http.Request, body *string) {
	if !t.set.silent {
		t.step(startWords(name, req, body)...)
	}
}

func startWords(name string, req *http.Request, body *string) []string {
	var words []string
	switch {
	case req.Method == "GET" || req.Method == "":
		words = []string{"get", name, req.URL.String()}
	case req.Method == "POST" && body != nil:
		words = []string{"post", name, req.URL.String(), *body}
	default:
		words = []string{"request", name, req.Method, req.URL.String()}
	}
	for _, key := range slices.Sorted(maps.Keys(req.Header)) {
		for _, value := range req.Header[key] {
			words = append(words, key+":"+value)
		}
	}
	return words
}

func (t *T) begin(name string, rt http.RoundTripper, req *http.Request, body *string) *Request {
	t.mustBeNew(name)
	t.adopt(rt)
	t.study(rt)
	var words []string
	if !t.set.silent {
		words = startWords(name, req, body)
	}
	r, req := t.watch(name, req, t.here())
	r.words = words
	r.auto = t.auto || t.plan != nil
	t.launch(&r.Op, func() {
		r.roundTrip(rt, req)
		if r.auto && r.state() == "done" {
			r.readAll()
		}
	})
	return r
}

// MayCancel is that of [Op.MayCancel].
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
		r.t.fatal("want", fmt.Sprintf("%s: got its body still open after %d bytes, want its end", r.name, len(r.content)))
	case err != nil:
		r.t.fatal("want", fmt.Sprintf("%s: got %v while reading the body, want its end", r.name, err))
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
		r.t.fatal("want", fmt.Sprintf("%s: got %s, want a body that fails with: %s", r.name, r.describeBody(), name), why...)
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
	t := r.t
	t.mu.Lock()
	start := r.body != nil && !r.reading
	r.reading = r.reading || start
	t.mu.Unlock()
	if start {
		go r.readAll()
	}
	t.settle()
}

func (r *Request) readAll() {
	resp := r.resp
	var content []byte
	var err error
	size := 4096
	if n := resp.ContentLength; n >= 0 && n < int64(size) {
		size = int(n) + 1 // one more, to see the end
	}
	buf := make([]byte, size)
	for err == nil {
		var n int
		n, err = resp.Body.Read(buf)
		content = append(content, buf[:n]...)
		r.t.mu.Lock()
		r.content = content
		r.t.mu.Unlock()
	}
	if err == io.EOF {
		err = nil
	}
	if e := resp.Body.Close(); err == nil {
		err = e
	}
	r.t.mu.Lock()
	defer r.t.mu.Unlock()
	r.readErr = err
	r.reading = false
	r.finished = true
	r.body = nil
}

// CloseBody closes the body without reading what is left of it.
func (r *Request) CloseBody() {
	r.t.step("close", r.name)
	r.mustHaveResponse()
	go r.resp.Body.Close()
	r.t.settle()
	r.t.mu.Lock()
	defer r.t.mu.Unlock()
	r.body = nil
}

// Drop says that the body is never closed, on purpose: the test wants to see
// what comes of it. The connection has to be accounted for all the same.
func (r *Request) Drop() {
	r.t.step("drop", r.name)
	r.mustHaveResponse()
	r.t.mu.Lock()
	defer r.t.mu.Unlock()
	r.dropped = true
}

func (r *Request) mustHaveResponse() {
	if s := r.state(); s != "done" {
		r.t.fatal("want", fmt.Sprintf("%s: got %s, want a response", r.name, r.describe()))
	}
}

const (
	bodyOpen = iota
	bodyClosed
)

func (r *Request) bodyState() (int, error) {
	r.t.mu.Lock()
	defer r.t.mu.Unlock()
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

// Conn is the connection on which the request was last sent, or nil.
func (r *Request) Conn() *Conn {
	r.t.mu.Lock()
	defer r.t.mu.Unlock()
	if len(r.runs) == 0 {
		return nil
	}
	return r.runs[len(r.runs)-1]
}

// Response is the response, once there is one. Its body is watched.
func (r *Request) Response() *http.Response {
	r.t.mu.Lock()
	defer r.t.mu.Unlock()
	return r.resp
}
