package pool

// Stage 12: the drain.
//
// The caller has closed a response's body before its end, and the rest of it
// stands between the connection and the next response. A goroutine takes the
// caller's place at the reader and reads the rest away, as net/http does since
// Go 1.27 (golang/go#77370): what is there or comes soon costs less than
// another connection. Meanwhile the connection belongs to the drain: it is
// neither a request's nor idle, and its place stays taken.

import (
	"io"
	"time"
)

const (
	// drainBytes is how much of a body is read away, and no more of a body
	// is asked for that says it is longer.
	drainBytes = 256 << 10

	// drainTime is how long the rest of a body is waited for.
	drainTime = 50 * time.Millisecond
)

// drained reads away what is left of the body of ex, at once or in a goroutine,
// and reports false if the connection had better be closed. Nothing else reads
// from it. A cancellation that came before counts, and none from now on: code
// that has closed a body ends the request's context next, as http.Client does
// if it has a Timeout.
func (pc *persistConn) drained(ex *exchange) bool {
	b := &ex.respBody
	if !ex.keepAlive || !pc.t.keepsAlive() || b.left > drainBytes || ex.calledOff() != nil {
		return false
	}
	pc.mu.Lock()
	// The write loop must be done with the request, which is the caller's again
	// once the body is closed.
	ex.draining = ex.written && ex.writeErr == nil && pc.cause == NotClosed
	ok := ex.draining
	pc.mu.Unlock()
	if !ok {
		return false
	}
	now := pc.t.clock().Now()
	pc.t.mu.Lock()
	pc.state, pc.since, pc.holder = Draining, now, nil
	pc.t.mu.Unlock()
	if b.left >= 0 && b.left <= int64(pc.br.Buffered()) {
		pc.drain(ex) // does not wait: the connection is back before the caller asks for another
	} else {
		go pc.drain(ex)
	}
	return true
}

// drain reads until the end of the body, and gives the connection back, or
// until it breaks off, is too long or takes too long, and closes it. When the
// time is over that is what ends the read.
func (pc *persistConn) drain(ex *exchange) {
	giveUp := func() { pc.close(BodyUnread, errReadClosed) }
	patience := pc.t.clock().AfterFunc(drainTime, giveUp)
	_, err := io.CopyN(io.Discard, ex.respBody.src, drainBytes+1)
	switch {
	case !patience.Stop(): // giveUp has begun
	case err == io.EOF:
		pc.finish(ex)
	case err == nil:
		giveUp()
	default:
		pc.close(readBroke(err), err)
	}
}
