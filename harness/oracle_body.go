package harness

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"sync/atomic"
)

// tally has the length and a hash of a message body: enough to tell whether the bytes
// that arrived are those that were sent.
type tally struct {
	n     int64
	sum   uint64 // FNV-1a
	state tallyState
}

type tallyState uint8

const (
	openTally  tallyState = iota // it goes on, or cannot be known
	wholeTally                   // all of it
	cutTally                     // it ended early
)

const fnvPrime, fnvStart = 1099511628211, 14695981039346656037

// addBytes adds bytes to a tally.
func addBytes[B []byte | string](y *tally, b B) {
	h := y.sum ^ fnvStart
	for i := range len(b) {
		h = (h ^ uint64(b[i])) * fnvPrime
	}
	y.sum, y.n = h^fnvStart, y.n+int64(len(b))
}

// same reports whether both are of the same bytes.
func (y tally) same(z tally) bool { return y.n == z.n && y.sum == z.sum }

// answerWriter is a ResponseWriter that keeps the tally of a response body.
type answerWriter struct {
	http.ResponseWriter
	r     *Request
	begun atomic.Bool // it may be on its way
	stale bool        // 304: what the client has stored is the response
	tally
}

// WriteHeader notes a 304.
func (a *answerWriter) WriteHeader(code int) {
	a.stale = code == http.StatusNotModified
	a.ResponseWriter.WriteHeader(code)
}

func (a *answerWriter) Write(p []byte) (int, error) {
	n, err := a.ResponseWriter.Write(p)
	passed(a, p[:n])
	return n, err
}

// WriteString is for io.WriteString.
func (a *answerWriter) WriteString(s string) (int, error) {
	n, err := io.WriteString(a.ResponseWriter, s)
	passed(a, s[:n])
	return n, err
}

// ReadFrom is for io.Copy, which a server's ResponseWriter is quicker at.
func (a *answerWriter) ReadFrom(src io.Reader) (int64, error) {
	return io.Copy(a.ResponseWriter, io.TeeReader(src, adder{a}))
}

type adder struct{ *answerWriter }

// Write notes what io.Copy takes. net/http's servers send the header when they have
// the 512 bytes that show the type of the content.
func (a adder) Write(p []byte) (int, error) {
	passed(a.answerWriter, p)
	if a.n >= 512 {
		a.begun.Store(true)
	}
	return len(p), nil
}

// passed notes what was written. net/http's servers keep the first 2,048 bytes
// back until they know whether there are more.
func passed[B []byte | string](a *answerWriter, b B) {
	addBytes(&a.tally, b)
	if a.n > 2048 {
		a.begun.Store(true)
	}
}

// Flush is http.Flusher: every server here has one.
func (a *answerWriter) Flush() {
	a.begun.Store(true)
	http.NewResponseController(a.ResponseWriter).Flush()
}

// Unwrap is for http.ResponseController.
func (a *answerWriter) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// hijackable is the answer of a server that lets handlers have the connection.
type hijackable struct{ *answerWriter }

// Hijack implements http.Hijacker. Bytes that are sent afterwards are not compared.
func (h hijackable) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	h.r.forget(h.answerWriter)
	return h.ResponseWriter.(http.Hijacker).Hijack()
}

// answers has h answer the request, and keeps what it sent and what it read.
func (r *Request) answers(h http.Handler, w http.ResponseWriter, req *http.Request) {
	a := &answerWriter{ResponseWriter: w, r: r}
	r.c.mu.Lock()
	r.sent = append(r.sent, a)
	r.change()
	r.c.mu.Unlock()
	end := cutTally
	defer func() {
		r.c.mu.Lock()
		a.state = end
		r.change()
		r.c.mu.Unlock()
	}()
	if req.Body != nil && req.Body != http.NoBody {
		// The server looks at the body of its own request when the handler is
		// done: did it ask for 100 Continue?
		ours := *req
		ours.Body = &heard{ReadCloser: req.Body, answer: a, server: req, handler: &ours}
		req = &ours
	}
	if _, ok := w.(http.Hijacker); ok {
		h.ServeHTTP(hijackable{a}, req)
	} else {
		h.ServeHTTP(a, req)
	}
	end = wholeTally
}

func (r *Request) forget(a *answerWriter) {
	r.c.mu.Lock()
	defer r.c.mu.Unlock()
	for i, b := range r.sent {
		if a == b {
			r.sent[i] = nil
		}
	}
}

// checkAnswer checks, at the end, that a response body that was read to its end
// is one that a server sent, whole, as the answer to the request. After a 304 it is the one
// that a cache has stored: RFC 9111 section 4.3.3.
func (r *Request) checkAnswer() {
	r.c.mu.Lock()
	resp, got, sent := r.resp, r.got, r.sent
	skip := resp == nil || r.err != nil || got.state != wholeTally || len(sent) == 0 ||
		resp.Uncompressed || r.method == "HEAD" || resp.StatusCode == http.StatusSwitchingProtocols
	for _, a := range sent {
		skip = skip || a == nil || a.stale || a.state == openTally || a.state == wholeTally && a.same(got)
	}
	r.c.mu.Unlock()
	if !skip {
		r.t.violate(oracleBody, &r.Op, "%s: read a whole body of %d bytes, and no server sent that as the answer to it", r.name, got.n)
	}
}

// checkClosed checks, at the end, that the body of a request that is over was closed. That
// may be after RoundTrip has returned, and not while the body's own Read blocks. That no body
// is closed twice is asked by Strict only: io.Closer leaves to each type what it does then.
// Of the bodies that GetBody returns the documentation says nothing.
func (r *Request) checkClosed(strict bool) {
	for i, b := range r.bodies {
		r.c.mu.Lock()
		over, closes, reads := r.returned && (r.finished || r.err != nil), b.closes, b.reads
		r.c.mu.Unlock()
		switch {
		case i == 0 && over && closes == 0 && reads == 0:
			r.t.violate(oracleCloses, &r.Op, "%s: its request body was never closed", r.name)
		case strict && closes > 1:
			r.t.violate(oracleStrict, &r.Op, "%s: its request body was closed %d times", r.name, closes)
		}
	}
}

// heard is a request body as a server reads it.
type heard struct {
	io.ReadCloser
	answer *answerWriter
	tally
	server, handler *http.Request // the server's request, and the copy of it that the handler has
}

func (b *heard) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	addBytes(&b.tally, p[:n])
	if err == io.EOF && b.state == openTally {
		b.state = wholeTally
		b.check()
	}
	if err == io.EOF {
		b.handler.Trailer = b.server.Trailer // a server may set it only now
	}
	return n, err
}

// check compares what a server read with what the request says it sends. A
// handler of net/http that begins to answer before it has read the body finds
// the rest of it gone: http.ResponseController.EnableFullDuplex says so.
func (b *heard) check() {
	r := b.answer.r
	if r.sends == nil || b.answer.begun.Load() {
		return
	}
	body, err := r.sends()
	if err != nil {
		return
	}
	defer body.Close()
	var want tally
	buf := make([]byte, 4096)
	for err == nil {
		var n int
		n, err = body.Read(buf)
		addBytes(&want, buf[:n])
	}
	if !want.same(b.tally) {
		r.t.violate(oracleBody, &r.Op, "%s: a server read a whole request body of %d bytes, which is not the one of %d bytes that was sent", r.name, b.n, want.n)
	}
}
