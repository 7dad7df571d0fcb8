package pool

//lint:file-ignore SA1019 Request.Cancel is part of what net/http promises, deprecated or not.

// Stage 8: the exchange.
//
// While a request is served the connection belongs to it: the goroutine of
// RoundTrip waits in serve, the write loop writes, the read loop reads the
// header, and the caller reads the body. Where the response ends, the request
// is taken off the connection, which goes to stage 6.

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"golang.org/x/net/http/httpguts"
)

// An exchange is one request and its response on one connection.
type exchange struct {
	pc          *persistConn
	attempt     *attempt
	reused      bool            // as the attempt says, which may go on to another connection
	req         *http.Request   // not to be read once the caller has closed the response's body
	ctx         context.Context // of req
	legacy      <-chan struct{} // Request.Cancel of req
	body        *sentBody       // of req, if it is tracked
	askedGzip   bool            // by us, so that we undo it
	ready       chan struct{}   // closed when resp may be returned
	mayContinue chan bool       // with Expect: the answer to "may the body come?"

	// Guarded by persistConn.mu.

	begun     bool // it was on the connection
	draining  bool // the caller has closed the body, and the rest of it is read away
	resp      *http.Response
	canceled  error
	written   bool          // the write loop is done with it
	writeErr  error         // with this result
	onWritten chan struct{} // closed then; nil unless finish waits for that

	keepAlive bool // both sides mean to go on; set before resp
	bodyless  bool // the response ends with its header; set before resp
	respBody  responseBody
}

// serve sends the request of an attempt and returns the response. It owns pc on entry;
// afterwards pc belongs to the response's body, or is closed or pooled.
func (pc *persistConn) serve(a *attempt) (*http.Response, error) {
	if pc.shared != nil {
		return pc.shared.serve(a)
	}
	ex := &exchange{
		pc: pc, attempt: a, reused: a.reused, ready: make(chan struct{}),
		req: a.req, ctx: a.req.Context(), legacy: a.req.Cancel, body: tracked(a.req),
	}
	ex.askedGzip = pc.asksGzip(a.req)
	ex.expectContinue()
	if pc.begin(ex) {
		pc.writech <- ex // never blocks: the write loop took the one before
	}
	select {
	case <-ex.ready:
	case <-pc.closech:
	case <-a.done:
		pc.cancel(ex, context.Cause(ex.ctx), false)
	case <-ex.legacy:
		pc.cancel(ex, legacyCause(ex.ctx), false)
	}
	// Whatever ended the wait, a response that was there before the end counts.
	pc.mu.Lock()
	resp := ex.resp
	pc.mu.Unlock()
	if resp != nil {
		if ex.bodyless {
			pc.finish(ex)
		}
		return resp, nil
	}
	<-pc.closech
	return nil, pc.failure(ex)
}

// begin puts ex on the connection, unless that is closed.
func (pc *persistConn) begin(ex *exchange) bool {
	pc.mu.Lock()
	defer pc.mu.Unlock()
	if pc.cause != NotClosed {
		return false
	}
	pc.cur, pc.sending, ex.begun = ex, ex, true
	pc.writing.begun.Store(false)
	pc.writing.n.Store(0)
	return true
}

// cancel closes the connection because ex is called off. It is too late for
// that when the response is there, or in the body when the body has ended or is
// drained: the goroutine that waits for the end of the request closes it then.
func (pc *persistConn) cancel(ex *exchange, why error, inBody bool) bool {
	pc.mu.Lock()
	late := pc.cur != ex || (ex.resp != nil) != inBody || ex.onWritten != nil || ex.draining
	if !late && ex.canceled == nil {
		ex.canceled = why
	}
	pc.mu.Unlock()
	if !late {
		pc.close(Canceled, why)
	}
	return !late
}

// failure returns the reason why ex has no response. A cancellation comes before anything that
// the network says in the same instant, and an error of the caller's body
// before that of the connection it made us close (golang/go#16049, #19231).
func (pc *persistConn) failure(ex *exchange) error {
	defer pc.t.clearHolder(pc, ex.attempt)
	// The write loop may still be using the request, which the caller may
	// change once we return. A body that is stuck in its Read does not keep
	// this waiting: the write loop will see that it has been stopped.
	if ex.body == nil || !ex.body.stop() {
		<-pc.wrote
	}
	pc.mu.Lock()
	cause, err, why, writeErr := pc.cause, pc.err, ex.canceled, ex.writeErr
	unsent := !ex.begun || pc.writing.n.Load() == 0
	pc.mu.Unlock()
	if why == nil {
		why = canceled(ex.req, ex.attempt.done)
	}
	if why == nil && ex.attempt.canceled.Load() {
		why = legacyCause(ex.ctx)
	}
	if why != nil {
		return why
	}
	if ex.body != nil {
		if err := ex.body.readError(); err != nil {
			return err
		}
	}
	if wrong, ok := writeErr.(requestError); ok {
		return fmt.Errorf("pool: %w", wrong.error)
	}
	switch {
	case cause == ServerFIN && !ex.begun:
		err = idleEndError{err}
	case cause == BadResponse || cause == WriteFailed && !unsent:
		err = brokenError(err)
	}
	return &attemptError{
		err:    &CloseError{Cause: cause, Conn: pc.id, Reused: ex.reused, Err: err},
		reused: ex.reused,
		unsent: unsent,
		early:  cause == ServerFIN || cause == ReadFailed || cause == WriteFailed,
	}
}

// finish takes ex off the connection after its response, and pools or closes
// that. It runs where the response ends: in RoundTrip if there is no body, in
// the last Read or in a drain. In the first two the goroutine is the caller's, so
// that the connection is back before that can ask for another one
// (golang/go#13633); in all, it is watched again before PutIdleConn can take its
// time.
func (pc *persistConn) finish(ex *exchange) {
	why := pc.keepable(ex)
	select {
	case <-pc.watching: // that was for this request
	default:
	}
	pc.mu.Lock()
	if pc.cause != NotClosed {
		pc.mu.Unlock()
		pc.t.clearHolder(pc, ex.attempt)
		return
	}
	pc.cur = nil
	pc.mu.Unlock()
	if why == NotClosed {
		why = pc.t.tryPutIdleConn(pc)
	}
	kept := why == NotClosed
	if kept {
		pc.responseOver <- struct{}{}
	}
	ex.tracePutIdle(why)
	if !kept {
		pc.close(why, errNotKept)
	}
}

// keepable returns NotClosed if the connection may serve another request, or else
// the cause for which it is to be closed.
func (pc *persistConn) keepable(ex *exchange) Cause {
	switch {
	case !ex.keepAlive:
		return Finished
	case pc.reading.sawEOF:
		return ServerFIN
	case pc.br.Buffered() > 0:
		// Bytes after the end of the response answer nothing: a HEAD that was
		// answered with a body, say. They must not be read as the response to
		// the next request (golang/go#68653).
		return Unsolicited
	case !pc.requestWritten(ex):
		return RequestUnsent
	}
	return NotClosed
}

// writeGrace is how long the end of a request is waited for when its response
// is over first.
const writeGrace = 50 * time.Millisecond

// requestWritten reports whether the request has been written in full. Most
// often it has; or the write loop has just not been scheduled since, while the
// server read all of it and answered; or the server answered early and the
// write is stalled, and then the connection is of no more use.
func (pc *persistConn) requestWritten(ex *exchange) bool {
	pc.mu.Lock()
	if ex.written {
		defer pc.mu.Unlock()
		return ex.writeErr == nil
	}
	if ex.onWritten == nil {
		ex.onWritten = make(chan struct{})
	}
	done := ex.onWritten
	pc.mu.Unlock()

	patience := pc.t.clock().NewTimer(writeGrace)
	defer patience.Stop()
	select {
	case <-done:
	case <-pc.closech:
	case <-ex.attempt.done:
	case <-ex.legacy:
	case <-patience.C:
	}
	pc.mu.Lock()
	defer pc.mu.Unlock()
	return ex.written && ex.writeErr == nil
}

func (ex *exchange) tracePutIdle(why Cause) {
	trace := ex.attempt.trace
	if trace == nil || trace.PutIdleConn == nil {
		return
	}
	if err, told := putIdleErrors[why]; told {
		trace.PutIdleConn(&CloseError{Cause: why, Conn: ex.pc.id, Reused: ex.reused, Err: err})
	} else if why == NotClosed {
		trace.PutIdleConn(nil)
	}
}

// wantsClose reports whether the request is to be the last on its connection: a
// client that says so may send no other (RFC 9112 section 9.6).
func wantsClose(req *http.Request) bool {
	return req.Close || httpguts.HeaderValuesContainsToken(req.Header["Connection"], "close")
}
