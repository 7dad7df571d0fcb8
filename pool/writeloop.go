package pool

// Stage 10: the write loop.
//
// One goroutine a connection, so that a server may answer before it has read
// the whole request. It borrows the request from RoundTrip, which does not
// return an error before the loop is done with it.

import (
	"io"
	"maps"
	"net/http"
	"os"
	"sync/atomic"
	"time"
)

// writeSide holds the state of the write loop, and what other goroutines read of it.
type writeSide struct {
	begun atomic.Bool  // a byte of the current request may be out
	n     atomic.Int64 // bytes of the current request that are out

	err    error        // of the connection's Write
	req    http.Request // as written
	header http.Header  // of req, if it differs from the caller's
}

// A requestError is a request that cannot be written on any connection.
type requestError struct{ error }

// writeSideOf makes a persistConn an io.Writer that counts.
type writeSideOf struct{ *persistConn }

func (w writeSideOf) Write(p []byte) (int, error) {
	w.writing.begun.Store(true)
	n, err := w.conn.Write(p)
	w.count(int64(n), err)
	return n, err
}

// ReadFrom lets the connection send a file without copying it through us, where
// it can: the body is unwrapped for that. Anything else is copied here, so that
// an error of the body differs from one of the connection.
func (w writeSideOf) ReadFrom(r io.Reader) (int64, error) {
	if file, body := fileIn(r); file != nil && body.enter() == nil {
		w.writing.begun.Store(true)
		n, err := io.Copy(w.conn, file)
		r.(*io.LimitedReader).N = file.N
		body.leave(nil)
		w.count(n, err)
		return n, err
	}
	buf := copyBuffers.Get().(*[32 << 10]byte)
	defer copyBuffers.Put(buf)
	var sent int64
	for {
		n, err := r.Read(buf[:])
		if n > 0 {
			m, err := w.Write(buf[:n])
			if sent += int64(m); err != nil {
				return sent, err
			}
		}
		if err == io.EOF {
			return sent, nil
		}
		if err != nil {
			return sent, err
		}
	}
}

// fileIn finds the file behind a request's body of known length.
func fileIn(r io.Reader) (*io.LimitedReader, *sentBody) {
	limited, _ := r.(*io.LimitedReader)
	if limited == nil {
		return nil, nil
	}
	body, _ := limited.R.(*sentBody)
	if body == nil {
		return nil, nil
	}
	if _, ok := body.src.(*os.File); !ok {
		return nil, nil
	}
	return &io.LimitedReader{R: body.src, N: limited.N}, body
}

func (w writeSideOf) count(n int64, err error) {
	w.writing.n.Add(n)
	if err != nil {
		w.writing.err = err
	}
}

func (pc *persistConn) writeLoop() {
	defer close(pc.wrote)
	defer putWriter(pc.bw)
	for {
		select {
		case ex := <-pc.writech:
			pc.look(ex)
			// Of a request and the connection's end in the same instant, the
			// end counts: nothing is written, and the retry is safe.
			if pc.broken.Load() {
				return
			}
			if !pc.written(ex, pc.write(ex)) {
				return
			}
		case <-pc.closech:
			return
		}
	}
}

// look waits until the read loop reads again, if ex cannot be sent again: a server that
// has closed the connection in the meantime is noticed before a byte is out. Other
// requests do not wait: they are sent again anyway.
func (pc *persistConn) look(ex *exchange) {
	if !ex.reused || idempotent(ex.req) && canRewind(ex.req) {
		return
	}
	select {
	case <-pc.watching:
	case <-pc.closech:
	}
}

// write writes the request of ex and flushes. It closes the request's body.
func (pc *persistConn) write(ex *exchange) error {
	w := &pc.writing
	w.err = nil
	w.req = *ex.req
	pc.adjust(ex)
	var err error
	if pc.plainProxy {
		err = w.req.WriteProxy(pc.bw)
	} else {
		err = w.req.Write(pc.bw)
	}
	w.req = http.Request{} // or an idle connection would keep the last request alive
	clear(w.header)
	if err == nil {
		err = pc.bw.Flush()
	}
	switch {
	case err == nil:
		return nil
	case w.err != nil:
		return w.err
	}
	if fault := ex.body.fault(); fault != nil {
		return fault
	}
	return requestError{err}
}

// adjust adds to the request as written what the connection asks for. The
// caller's request is not changed.
func (pc *persistConn) adjust(ex *exchange) {
	w := &pc.writing
	if pc.t.DisableKeepAlives && !switchesProtocol(ex.req.Header) {
		w.req.Close = true
	}
	if ex.mayContinue != nil && w.req.ContentLength <= 0 && len(w.req.TransferEncoding) == 0 {
		// Or net/http would read ahead to see whether there is a body, before
		// the server has said that it wants one.
		w.req.TransferEncoding = []string{"chunked"}
	}
	if !ex.askedGzip && pc.proxyAuth == "" {
		return
	}
	if w.header == nil {
		w.header = make(http.Header, len(ex.req.Header)+2)
	}
	maps.Copy(w.header, ex.req.Header)
	w.req.Header = w.header
	if ex.askedGzip {
		w.header["Accept-Encoding"] = onlyGzip
	}
	if pc.proxyAuth != "" {
		w.header.Set("Proxy-Authorization", pc.proxyAuth)
	}
}

var onlyGzip = []string{"gzip"}[:1:1]

// asksGzip reports whether the transport asks for gzip on its own: not if the
// caller says anything about encodings, not for a part of a document, which
// cannot be decompressed, and not for HEAD (golang/go#5522, #8923).
func (pc *persistConn) asksGzip(req *http.Request) bool {
	return !pc.t.DisableCompression && req.Method != "HEAD" &&
		req.Header.Get("Accept-Encoding") == "" && req.Header.Get("Range") == ""
}

// written records the outcome of a write. It reports whether the write loop
// goes on.
func (pc *persistConn) written(ex *exchange, err error) bool {
	d := pc.t.ResponseHeaderTimeout
	timed := err == nil && d > 0
	var due time.Time
	if timed {
		due = pc.t.clock().Now().Add(d)
	}
	pc.mu.Lock()
	ex.written, ex.writeErr, pc.sending = true, err, nil
	if ex.onWritten != nil {
		close(ex.onWritten)
	}
	answered := ex.resp != nil
	if !answered && pc.cause == NotClosed {
		pc.headerDue = due
	}
	pc.mu.Unlock()
	switch {
	case err == nil:
		if timed && !answered {
			pc.awaitHeader(ex)
		}
		return true
	case err == errBodyWithheld:
		// The answer is there, or the read loop is about to hand it out. The
		// connection ends with that, and not before.
	case pc.writing.err == nil:
		// The caller's body failed. The server must not wait for the rest.
		pc.close(WriteFailed, err)
	case answered:
		// The response does not need the rest of the request; the connection
		// ends with it.
	case pc.writing.n.Load() > 0:
		// The server may have answered and hung up on the rest: "413" is worth
		// more to the caller than "broken pipe". The read loop will know at
		// once, unless only this direction is broken (golang/go#11745, #51109).
		pc.awaitLastWord(ex, err)
	default:
		pc.close(WriteFailed, err)
	}
	return false
}

// lastWord is how long a response is waited for after the request could not be
// written to its end.
const lastWord = 200 * time.Millisecond

func (pc *persistConn) awaitLastWord(ex *exchange, err error) {
	patience := pc.t.clock().NewTimer(lastWord)
	defer patience.Stop()
	select {
	case <-ex.ready:
		return
	case <-pc.closech:
		return
	case <-patience.C:
	}
	pc.mu.Lock()
	answered := ex.resp != nil
	pc.mu.Unlock()
	if !answered {
		pc.close(WriteFailed, err)
	}
}

// awaitHeader arms ResponseHeaderTimeout, without a lock. The response may have
// come meanwhile, and have found no timer to stop: no timer stays armed
// (golang/go#9104).
func (pc *persistConn) awaitHeader(ex *exchange) {
	timer := pc.headerTimer.Load()
	if timer != nil {
		timer.Reset(pc.t.ResponseHeaderTimeout)
	} else {
		timer = pc.t.clock().AfterFunc(pc.t.ResponseHeaderTimeout, pc.onHeaderTimeout)
		pc.headerTimer.Store(timer)
	}
	pc.mu.Lock()
	over := ex.resp != nil || pc.cause != NotClosed
	pc.mu.Unlock()
	if over {
		timer.Stop()
	}
}

// onHeaderTimeout claims the exchange before it closes the connection: a
// response in the same instant is either in time or not there.
func (pc *persistConn) onHeaderTimeout() {
	now := pc.t.clock().Now()
	pc.mu.Lock()
	due := pc.cur != nil && pc.cur.resp == nil && !pc.headerDue.IsZero() && !now.Before(pc.headerDue)
	if due && pc.cur.canceled == nil {
		pc.cur.canceled = errHeaderTimeout
	}
	pc.mu.Unlock()
	if due {
		pc.close(HeaderTimeout, errHeaderTimeout)
	}
}
