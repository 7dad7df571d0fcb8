package pool

//lint:file-ignore SA1019 Request.Cancel is part of what net/http promises, deprecated or not.

// Stage 9: the read loop.
//
// One goroutine a connection. It owns the reader while the connection is idle
// and until the response's header is there; then the body owns it, and gives
// it back with responseOver. It ends when the connection is closed or handed over.

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"maps"
	"math"
	"net/http"
	"net/textproto"
	"strings"
	"time"
)

// readSide holds the state of reading; it belongs to the reader's owner.
type readSide struct {
	sawEOF bool
	limit  int64 // bytes that may still be read
}

// readSideOf makes a persistConn an io.Reader that counts.
type readSideOf struct{ *persistConn }

func (r readSideOf) Read(p []byte) (int, error) {
	if r.reading.limit <= 0 {
		return 0, fmt.Errorf("server response headers exceeded %d bytes; aborted", r.t.maxHeaderBytes())
	}
	n, err := r.conn.Read(p[:min(int64(len(p)), r.reading.limit)])
	if err == io.EOF {
		r.reading.sawEOF = true
	}
	r.reading.limit -= int64(n)
	return n, err
}

func (pc *persistConn) readLoop() {
	for pc.readOne() {
	}
	pc.mu.Lock()
	free := pc.cur == nil
	pc.mu.Unlock()
	if free {
		putReader(pc.br) // neither a body nor the owner of an upgraded connection reads from it
	}
}

// readOne waits for one response, hands it out, and waits for its end.
func (pc *persistConn) readOne() bool {
	pc.reading.limit = pc.t.maxHeaderBytes()
	pc.watching <- struct{}{} // never blocks: finish has taken the one before
	_, err := pc.br.Peek(1)
	ex := pc.expected(err)
	if ex == nil {
		return false
	}
	if err != nil {
		pc.close(readCause(err), err)
		return false
	}
	resp, err := pc.readHeader(ex)
	if err != nil {
		pc.close(BadResponse, err)
		return false
	}
	pc.reading.limit = math.MaxInt64
	// After a CONNECT of the caller's the connection may be a tunnel, whatever
	// the status says.
	ex.keepAlive = !resp.Close && !wantsClose(ex.req) && resp.StatusCode >= 200 && ex.req.Method != "CONNECT"

	if _, switched := resp.Body.(io.Writer); switched {
		if pc.respond(ex, resp) {
			pc.close(HandedOver, errHandedOver)
			close(ex.ready)
		}
		return false
	}
	if ex.bodyless = ex.req.Method == "HEAD" || resp.ContentLength == 0; !ex.bodyless {
		resp = ex.wrapBody(resp)
	}
	if !pc.respond(ex, resp) {
		return false
	}
	close(ex.ready)
	return pc.proceed(ex)
}

// expected returns the exchange that waits for the byte that came, or for the
// error that came in its place. It is nil if there is none; then the connection is
// closed, and leaves the idle list without a request having to find out
// (golang/go#15461).
func (pc *persistConn) expected(err error) *exchange {
	pc.mu.Lock()
	ex := pc.cur
	pc.mu.Unlock()
	switch {
	case err != nil && ex == nil:
		pc.close(readCause(err), err)
	case err != nil:
		return ex
	case ex == nil || !pc.writing.begun.Load():
		// No byte of a request is out: whatever this is, it does not answer
		// the one that is about to be written (golang/go#68653).
		cause := Unsolicited
		if says408(pc.br) {
			cause = ServerFIN // a server's way to say that it was idle too long
		}
		pc.close(cause, errUnsolicited)
	default:
		return ex
	}
	return nil
}

func readCause(err error) Cause {
	if err == io.EOF {
		return ServerFIN
	}
	return ReadFailed
}

// says408 reports whether the buffer begins with a status line of 408
// (golang/go#32310).
func says408(br *bufio.Reader) bool {
	b, _ := br.Peek(min(br.Buffered(), len("HTTP/1.1 408")))
	return len(b) == len("HTTP/1.1 408") && string(b[:7]) == "HTTP/1." && string(b[8:]) == " 408"
}

// respond makes resp the outcome of ex, unless ex was called off.
func (pc *persistConn) respond(ex *exchange, resp *http.Response) bool {
	pc.mu.Lock()
	timed := !pc.headerDue.IsZero()
	pc.headerDue = time.Time{}
	ok := ex.canceled == nil && pc.cause == NotClosed
	if ok {
		ex.resp = resp
	}
	pc.mu.Unlock()
	if timed {
		// Not armed yet: then the write loop sees the response and stops it.
		if timer := pc.headerTimer.Load(); timer != nil {
			timer.Stop()
		}
	}
	return ok
}

// proceed waits until the connection may be read from again, and reports false
// if that will not be. The body's end is looked at first: a request that was
// called off in the same instant has its response.
func (pc *persistConn) proceed(ex *exchange) bool {
	if !ex.bodyless { // or it ends now, and there is nothing to call off
		select {
		case <-pc.responseOver:
			return true
		case <-pc.closech:
			return false
		case <-ex.attempt.done:
			if pc.cancel(ex, context.Cause(ex.ctx), true) {
				return false
			}
		case <-ex.legacy:
			if pc.cancel(ex, legacyCause(ex.ctx), true) {
				return false
			}
		}
	}
	select {
	case <-pc.responseOver:
		return true
	case <-pc.closech:
		return false
	}
}

// readHeader reads the responses to ex up to the final one, which is that of
// the first status that is not 1xx, or 101 (golang/go#26161).
func (pc *persistConn) readHeader(ex *exchange) (*http.Response, error) {
	trace := ex.attempt.trace
	if trace != nil && trace.GotFirstResponseByte != nil {
		trace.GotFirstResponseByte()
	}
	for {
		resp, err := http.ReadResponse(pc.br, ex.req)
		if err != nil {
			return nil, err
		}
		code := resp.StatusCode
		switch {
		case code == http.StatusContinue:
			if trace != nil && trace.Got100Continue != nil && ex.mayContinue != nil {
				trace.Got100Continue()
			}
			ex.sendBody(true)
			fallthrough
		case code >= 100 && code < 200 && code != http.StatusSwitchingProtocols:
			if trace != nil && trace.Got1xxResponse != nil {
				if err := trace.Got1xxResponse(code, textproto.MIMEHeader(resp.Header)); err != nil {
					return nil, err
				}
				// A hook that sees them decides how many there may be.
				// Unseen, they share one limit with the final header.
				pc.reading.limit = pc.t.maxHeaderBytes()
			}
			continue
		}
		// A final status in place of 100. The body has to be sent all the
		// same, or the server would take the next request for it; unless the
		// connection ends here (golang/go#67555).
		ex.sendBody(!resp.Close && !wantsClose(ex.req))
		if code == http.StatusSwitchingProtocols && switchesProtocol(resp.Header) {
			resp.Body = pc.handedOver()
		}
		resp.TLS = pc.tlsState
		return resp, nil
	}
}

// wrapBody returns resp, or a copy of it, with a body that reports its end to
// the connection and undoes the compression that we asked for.
func (ex *exchange) wrapBody(resp *http.Response) *http.Response {
	b := &ex.respBody
	b.ex, b.src, b.left = ex, resp.Body, resp.ContentLength
	if len(resp.TransferEncoding) > 0 {
		b.wire, b.resp = resp, new(http.Response)
		*b.resp = *resp
		b.resp.Trailer = maps.Clone(resp.Trailer)
		resp = b.resp
	}
	resp.Body = b
	if ex.askedGzip && strings.EqualFold(resp.Header.Get("Content-Encoding"), "gzip") {
		resp.Body = &gzipBody{body: b}
		resp.Header.Del("Content-Encoding")
		resp.Header.Del("Content-Length")
		resp.ContentLength = -1
		resp.Uncompressed = true
	}
	return resp
}
