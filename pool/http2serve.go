package pool

//lint:file-ignore SA1019 Request.Cancel is part of what net/http promises, deprecated or not.

// A request on an HTTP/2 connection, and what makes the connection go away.

import (
	"errors"
	"net/http"
	"time"

	"golang.org/x/net/http2"
)

// serve sends the request of an attempt on a stream that is reserved for it.
func (s *sharedConn) serve(a *attempt) (*http.Response, error) {
	reused := a.reused
	var rt http.RoundTripper = s.other
	req := a.req
	if s.cc != nil {
		rt, req = s.cc, wholeBodied(req)
	}
	resp, err := rt.RoundTrip(req)
	switch {
	case s.cc == nil && err == nil:
		return resp, nil
	case err == nil && resp.Body != http.NoBody:
		resp.Body = &carriedBody{ReadCloser: resp.Body, s: s, ctx: a.req.Context(), legacy: a.req.Cancel}
		return resp, nil
	case s.cc != nil:
		s.carried.Add(-1)
	}
	if err == nil {
		return resp, nil
	}
	if why := canceled(a.req, a.done); why != nil {
		return nil, why
	}
	e := &attemptError{err: err, reused: reused, again: s.notProcessed(err)}
	if !e.again {
		return nil, e
	}
	if s.cc == nil {
		s.pc.close(HandedOver, err)
		s.pc.t.removeUpgraded(s.pc)
	} else if !errors.As(err, new(http2.StreamError)) {
		e.ours = s.retire()
	}
	return nil, e
}

// retire keeps a connection that is going away from being offered again, and
// reports whether it does so for a request of ours. It closes by itself after its
// last stream.
func (s *sharedConn) retire() (ours bool) {
	t := s.pc.t
	now := t.clock().Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.withdraw(s, now)
	t.dialAgain(s.pc.host, now)
	return s.last
}

// withdraw takes a connection from the requests that come from now on, whose dials
// it may have prevented. Transport.mu must be held.
func (t *Transport) withdraw(s *sharedConn, now time.Time) {
	s.pc.host.removeFromSharing(s.pc)
	t.startDials(s.pc.host, now)
}

// notProcessed reports whether err says that the server did nothing with the
// request. x/net tells that to its own pool with errors it does not export;
// http2_test.go fails if they change.
func (s *sharedConn) notProcessed(err error) bool {
	if gone, ok := err.(interface{ IsHTTP2NoCachedConnError() }); ok {
		gone.IsHTTP2NoCachedConnError()
		return true
	}
	var stream http2.StreamError
	if errors.As(err, &stream) {
		return stream.Code == http2.ErrCodeRefusedStream
	}
	switch err.Error() {
	case "http2: client conn not usable",
		"http2: Transport received Server's graceful shutdown GOAWAY":
		return true
	}
	return false
}
