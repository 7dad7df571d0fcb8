package pool

// Stage 11: the body.
//
// The caller owns the response's body and, through it, the connection's
// reader. Reading it to the end gives both back, in the caller's goroutine.
// Closing it before the end leaves both to stage 12, or closes the connection.

import (
	"io"
	"maps"
	"net/http"
	"sync"
)

// responseBody is part of its exchange: it costs no allocation.
type responseBody struct {
	ex   *exchange
	src  io.ReadCloser // the framing that http.ReadResponse set up
	left int64         // bytes that src still has; negative: its length is not known

	// Where src is chunked, wire is what net/http gives the trailer to, and
	// resp is what the caller has. They are two, as what is read after Close
	// must not change the caller's.
	wire, resp *http.Response

	mu     sync.Mutex // never held while src is read
	reads  int        // in src.Read
	ended  bool       // a Read has failed
	err    error      // with this
	closed bool
}

func (b *responseBody) Read(p []byte) (int, error) {
	if err := b.enter(); err != nil {
		return 0, err
	}
	n, err := b.src.Read(p)
	return n, b.leave(n, err)
}

func (b *responseBody) enter() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.closed:
		return errReadClosed
	case b.ended:
		return b.err
	}
	b.reads++
	return nil
}

// leave takes the request off the connection at the end of the body, or closes
// the connection if the body broke off.
func (b *responseBody) leave(n int, err error) error {
	if err != nil && err != io.EOF {
		err = b.ex.broke(err)
		b.ex.pc.t.awaitClient(b.ex.legacy, err)
	}
	b.mu.Lock()
	b.reads--
	b.left -= int64(n)
	switch {
	case err == nil:
		b.mu.Unlock()
		return nil
	case b.closed:
		b.mu.Unlock()
		return errReadClosed // Close came first and has closed the connection
	case b.ended:
		defer b.mu.Unlock()
		return b.err // another Read came first
	}
	b.ended, b.err = true, err
	if err == io.EOF {
		b.passTrailer()
	}
	b.mu.Unlock()
	if err == io.EOF {
		b.ex.pc.finish(b.ex)
	}
	return err
}

// passTrailer gives the caller the trailer that stood behind the last chunk.
func (b *responseBody) passTrailer() {
	switch {
	case b.wire == nil:
	case b.resp.Trailer == nil:
		b.resp.Trailer = b.wire.Trailer
	default:
		maps.Copy(b.resp.Trailer, b.wire.Trailer)
	}
}

// broke closes the connection because a read of the body failed, and says why
// it did. A connection that was closed for a cancellation says so, whatever
// error the network has for that (golang/go#34658).
func (ex *exchange) broke(err error) error {
	if why := ex.calledOff(); why != nil {
		return why
	}
	ex.pc.close(readBroke(err), err)
	return err
}

// calledOff closes the connection if the request of ex is over, and says why.
func (ex *exchange) calledOff() error {
	pc := ex.pc
	if why := canceled(ex.req, ex.attempt.done); why != nil {
		pc.cancel(ex, why, true)
	}
	pc.mu.Lock()
	defer pc.mu.Unlock()
	return ex.canceled
}

func readBroke(err error) Cause {
	if err == io.ErrUnexpectedEOF {
		return ServerFIN
	}
	return ReadFailed
}

// Close gives up the rest of the body, if there is one: it is read away, or the
// connection is closed. It waits for neither the network nor a Read that is
// under way, which ends with the connection.
func (b *responseBody) Close() error {
	b.mu.Lock()
	over, reading := b.ended || b.closed, b.reads > 0
	b.closed = true
	b.mu.Unlock()
	if over {
		return nil
	}
	ex, pc := b.ex, b.ex.pc
	if reading || !pc.drained(ex) {
		pc.close(BodyUnread, errReadClosed)
		pc.t.clearHolder(pc, ex.attempt)
	}
	return nil
}
