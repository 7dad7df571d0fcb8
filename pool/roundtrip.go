package pool

//lint:file-ignore SA1019 Request.Cancel is part of what net/http promises, deprecated or not.

// Stage 1: RoundTrip.
//
// No connection yet. The request is checked, then given to one connection
// after another until one answers or it may not be sent again. Between
// getConn and the round trip the connection belongs to this goroutine.

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptrace"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/net/http/httpguts"
)

// RoundTrip sends req and returns the response to it, as
// [http.RoundTripper] describes. The caller must close the response's body. One
// that was read to its end frees its connection at once. Of one that is closed
// earlier the rest is read away, up to 256 KiB and for up to 50 ms, and closing
// does not wait for that; if there is more, or it takes longer, the connection is
// closed.
//
// A request whose connection fails is sent again, on another connection, if
// the failed one had been in use before and either nothing of the request was
// written, or no byte of a response came and the request is idempotent
// (RFC 9110 section 9.2.2): GET, HEAD, OPTIONS, TRACE, and any method with a
// header "Idempotency-Key" or "X-Idempotency-Key" (whose value, if it is an
// empty slice, is not sent). A request with a body also needs GetBody, unless
// its body has not been touched.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	t.once.Do(t.setUp)
	if err := checkHeader(req); err != nil {
		closeBody(req)
		return nil, err
	}
	sent := trackBody(req)
	if rt := t.alternative(req); rt != nil {
		resp, err := rt.RoundTrip(sent)
		if !errors.Is(err, http.ErrSkipAltProtocol) {
			return resp, err
		}
		// The other protocol may have read the body before it declined
		// (golang/go#32441).
		if sent, err = rewind(sent); err != nil {
			return nil, err
		}
	}
	if err := checkTarget(req); err != nil {
		closeBody(sent)
		return nil, err
	}
	resp, err := t.send(req, sent)
	t.awaitClient(req.Cancel, err)
	return resp, err
}

// send sends the request until one connection answers or it may not be sent again.
// sent is req, or a copy whose body is tracked.
func (t *Transport) send(req, sent *http.Request) (*http.Response, error) {
	ctx := req.Context()
	a := attempt{t: t, caller: req, trace: httptrace.ContextClientTrace(ctx), done: ctx.Done()}
	for {
		a.req = sent
		// A request that is over before it began must not cost the server a
		// byte, warm connection or not (golang/go#25852).
		if err := canceled(sent, a.done); err != nil {
			closeBody(sent)
			return nil, err
		}
		pc, err := t.getConn(&a)
		if err != nil {
			closeBody(sent)
			return nil, err
		}
		resp, err := pc.serve(&a)
		if err == nil {
			resp.Request = req
			return resp, nil
		}
		if !a.mayRetry(err) {
			// The write loop may have ended before it saw the request; then
			// nothing else closes the body (golang/go#49621).
			closeBody(sent)
			return nil, userError(err)
		}
		if sent, err = rewind(sent); err != nil {
			return nil, err
		}
		t.countRetry(&a)
		if err := a.backOff(); err != nil {
			closeBody(sent)
			return nil, err
		}
	}
}

// An attempt holds what the stages of one RoundTrip hand to each other.
type attempt struct {
	t      *Transport
	caller *http.Request // as it was given to RoundTrip
	req    *http.Request // as sent: its body is tracked
	dst    destination
	trace  *httptrace.ClientTrace
	done   <-chan struct{} // of the request's context

	canceled   atomic.Bool // by CancelRequest
	turnedAway int         // how often a server did nothing with it

	// Set by hold, about the connection that it was given.
	reused    bool      // it has been idle, or was given to another request
	used      bool      // it was given to another request
	idleSince time.Time // zero: it was not idle
}

// An attemptError is a failure after which the request may be sent again.
type attemptError struct {
	err    error
	reused bool // the connection had been in use before
	unsent bool // not one byte of the request was written
	early  bool // not one byte of a response was read
	again  bool // the peer has said that it did nothing with the request
	ours   bool // it was asked in vain, as another request is the connection's last
}

func (e *attemptError) Error() string { return e.err.Error() }
func (e *attemptError) Unwrap() error { return e.err }

func userError(err error) error {
	if e, ok := err.(*attemptError); ok {
		return e.err
	}
	return err
}

// mayRetry decides whether the request is sent again after err. A connection
// that fails on its first use is not retried: a server that hangs up on every
// connection would be dialed for ever (golang/go#52459).
func (a *attempt) mayRetry(err error) bool {
	e, ok := err.(*attemptError)
	switch {
	case !ok || !canRewind(a.req):
		return false
	case e.again:
		if !e.ours {
			a.turnedAway++
		}
		return a.turnedAway < maxTurnedAway
	case !e.reused:
		return false
	case e.unsent:
		return true
	}
	return e.early && idempotent(a.req)
}

// idempotent reports whether a second copy of req does no harm.
func idempotent(req *http.Request) bool {
	switch req.Method {
	case "", "GET", "HEAD", "OPTIONS", "TRACE":
		return true
	}
	_, key := req.Header["Idempotency-Key"]
	_, xkey := req.Header["X-Idempotency-Key"]
	return key || xkey
}

// canceled returns the reason why req is over, or nil.
func canceled(req *http.Request, done <-chan struct{}) error {
	return calledOff(req.Context(), done, req.Cancel)
}

// calledOff returns the reason why a request is over that has this context and Cancel,
// or nil.
func calledOff(ctx context.Context, done, legacy <-chan struct{}) error {
	select {
	case <-done:
		return context.Cause(ctx)
	default:
	}
	select {
	case <-legacy:
		return legacyCause(ctx)
	default:
		return nil
	}
}

// legacyCause returns the reason why a request is over whose Cancel is closed. If its
// deadline has passed too, that is the reason, also if the context does not say so yet:
// an [http.Client] with a Timeout ends both at the same instant.
func legacyCause(ctx context.Context) error {
	if due, ok := ctx.Deadline(); ok && time.Until(due) <= 0 {
		return context.DeadlineExceeded
	}
	return errCanceled
}

// clientGrace is how long awaitClient waits.
const clientGrace = 10 * time.Millisecond

// awaitClient waits a moment for Request.Cancel if err is the end of the request's
// deadline. An [http.Client] with a Timeout has set both for the same instant, and adds
// its own words to an error only if it has closed Cancel: which of the two timers is
// first must not decide what the caller reads.
func (t *Transport) awaitClient(legacy <-chan struct{}, err error) {
	if legacy == nil || err != context.DeadlineExceeded {
		return
	}
	patience := t.clock().NewTimer(clientGrace)
	defer patience.Stop()
	select {
	case <-legacy:
	case <-patience.C:
	}
}

// alternative returns the RoundTripper registered for the scheme of req, or nil.
func (t *Transport) alternative(req *http.Request) http.RoundTripper {
	alt := t.alt.Load()
	if alt == nil || (req.URL.Scheme == "https" && onlyHTTP1(req)) {
		return nil
	}
	return (*alt)[req.URL.Scheme]
}

func isHTTP(scheme string) bool { return scheme == "http" || scheme == "https" }

func checkHeader(req *http.Request) error {
	switch {
	case req.URL == nil:
		return errors.New("pool: nil Request.URL")
	case req.Header == nil:
		return errors.New("pool: nil Request.Header")
	case !isHTTP(req.URL.Scheme):
		return nil // the rules are those of another protocol
	}
	if err := validFields("header", req.Header); err != nil {
		return err
	}
	return validFields("trailer", req.Trailer)
}

// validFields returns an error if a field is invalid: of several, that of the first
// by name. It never prints a value, which may be a secret.
func validFields(kind string, h http.Header) error {
	var invalid []string
	for name, values := range h { // in any order: the first by name counts
		if !httpguts.ValidHeaderFieldName(name) || !validValues(values) {
			invalid = append(invalid, name)
		}
	}
	if invalid == nil {
		return nil
	}
	name := slices.Min(invalid)
	if !httpguts.ValidHeaderFieldName(name) {
		return fmt.Errorf("pool: invalid %s field name %q", kind, name)
	}
	return fmt.Errorf("pool: invalid %s field value for %q", kind, name)
}

func validValues(values []string) bool {
	for _, v := range values {
		if !httpguts.ValidHeaderFieldValue(v) {
			return false
		}
	}
	return true
}

func checkTarget(req *http.Request) error {
	switch {
	case !isHTTP(req.URL.Scheme):
		return fmt.Errorf("pool: unsupported protocol scheme %q", req.URL.Scheme)
	case req.Method != "" && !httpguts.ValidHeaderFieldName(req.Method): // both are tokens
		return fmt.Errorf("pool: invalid method %q", req.Method)
	case req.URL.Host == "":
		return errors.New("pool: no Host in request URL")
	}
	return nil
}

// maxTurnedAway bounds how often a server may turn one request away, and
// maxBackOff how long it is waited in between (golang/go#20985, #52459).
const (
	maxTurnedAway = 7
	maxBackOff    = 16 * time.Second
)

// backOff waits before the request is sent again: not at all the first time,
// then for a second, two, four and so on. It returns an error if the request
// ends meanwhile.
func (a *attempt) backOff() error {
	if a.turnedAway < 2 {
		return nil
	}
	d := min(time.Second<<(a.turnedAway-2), maxBackOff)
	timer := a.t.clock().NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-a.done:
	case <-a.req.Cancel:
	}
	return canceled(a.req, a.done)
}
