package pool

// Stage 11: the body.
//
// The caller owns the response's body and, through it, the connection's
// reader. Reading it to the end gives both back, in the caller's goroutine;
// closing it before the end closes the connection, since the rest of the body
// stands between it and the next response.

import (
	"io"
	"sync/atomic"
)

// responseBody is part of its exchange: it costs no allocation.
type responseBody struct {
	ex    *exchange
	src   io.ReadCloser // the framing that http.ReadResponse set up
	state atomic.Int32
	err   error // of the Read that ended the body; set before state is bodyEnded
}

const (
	bodyOpen int32 = iota
	bodyEnded
	bodyClosed
)

func (b *responseBody) Read(p []byte) (int, error) {
	switch b.state.Load() {
	case bodyClosed:
		return 0, errReadClosed
	case bodyEnded:
		return 0, b.err
	}
	n, err := b.src.Read(p)
	if err != nil {
		err = b.end(err)
	}
	return n, err
}

// end takes the request off the connection at the end of the body, or closes
// the connection if the body broke off.
func (b *responseBody) end(err error) error {
	ex, pc := b.ex, b.ex.pc
	if err != io.EOF {
		// A connection that was closed for a cancellation says so, whatever
		// error the network has for that (golang/go#34658).
		if why := ex.calledOff(); why != nil {
			err = why
		} else {
			pc.close(readBroke(err), err)
		}
	}
	b.err = err
	if !b.state.CompareAndSwap(bodyOpen, bodyEnded) {
		return errReadClosed // Close came first and has closed the connection
	}
	if err == io.EOF {
		pc.finish(ex)
	}
	return err
}

// calledOff closes the connection if the request of ex is over, and says why.
func (ex *exchange) calledOff() error {
	pc := ex.pc
	if why := canceled(ex.req, ex.x.done); why != nil {
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

// Close closes the connection unless the body has been read to its end.
func (b *responseBody) Close() error {
	if b.state.Swap(bodyClosed) == bodyOpen {
		pc := b.ex.pc
		pc.close(BodyUnread, errReadClosed)
		pc.t.disown(pc, b.ex.req)
	}
	return nil
}
