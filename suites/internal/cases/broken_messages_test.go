package cases_test

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"time"

	"github.com/halfopen/halfopen/harness"
	"github.com/halfopen/halfopen/suites"
)

// brokenMessages is mistakes of where a message ends, and what stands in it.
var brokenMessages = []breakage{
	{"HTTP/1.0 is taken for HTTP/1.1", 0, withBug("close ignored"), []string{"body-framing"}},
	{"a response without a body costs its connection", 0, withBug("no body closes"), []string{"body-framing"}},
	{"the first of two lengths counts", 0, dialing(firstLength), []string{"body-framing-wrong"}},
	{"a body of length 0 is not looked at", 0, wrapped(zeroIsEmpty), []string{"body-no-length"}},
	{"a trailer is not delivered", 0, wrapped(withoutTrailer), []string{"body-trailers"}},
	{"a trailer is not sent", suites.H2C, h2c(wrapped(trailerKept)), []string{"body-trailers"}},
	{"what was decompressed looks as if it was not", 0, wrapped(unzipped), []string{"body-gzip-fields"}},
	{"gzip is not asked for", 0, setting(func(s *harness.Settings) { s.DisableCompression = true }), []string{"body-gzip-asked"}},
	{"gzip is asked for, always", 0, wrapped(alwaysGzip), []string{"body-gzip-range", "body-gzip-off"}},
	{"DisableCompression is not heeded", 0, ignoring("DisableCompression"), []string{"body-gzip-off"}},
	{"a body that cannot be decompressed is no response", 0, wrapped(unzipped), []string{"body-gzip-broken"}},
	{"a body that was closed is at its end", 0, wrapped(cutIsEnd), []string{"body-after-close"}},
	{"what is added stays in the request", 0, wrapped(marked), []string{"body-request-untouched"}},
	{"MaxResponseHeaderBytes is not heeded", 0, ignoring("MaxResponseHeaderBytes"), []string{"body-header-limit", "body-header-endless", "body-hints-endless"}},
	{"each informational response may be as long as the header", 0, wrapped(looksAtHints), []string{"body-hints-endless"}},
	{"the callers that look at them have no more informational responses", 0, retold(func(t *httptrace.ClientTrace) { t.Got1xxResponse = nil }), []string{"body-hints-seen"}},
	{"the time for the header begins with the request", 0, wrappedEach(timedFromStart), []string{"broken-header-timeout"}},
	{"what timed out goes on", 0, givesUpAlone, []string{"broken-answer-at-timeout", "broken-header-timeout"}},
	{"an idle connection is not read", 0, withBug(""), []string{"broken-speaks-first"}},
	{"no answer is read before all is written", 0, withBug(""), []string{"broken-out-of-step"}},
	{"a body waits although there is no time for it", 0, setting(func(s *harness.Settings) { s.ExpectContinueTimeout = time.Second }), []string{"expect-no-timeout"}},
	{"a 100 is waited for for ever", 0, withBug("waits for ever"), []string{"expect-after-header"}},
	{"Request.Close is kept from the server", 0, wrapped(keepsOpen), []string{"body-on-wire"}},
}

// looksAtHints has a look at each informational response.
func looksAtHints(rt http.RoundTripper, req *http.Request) (*http.Response, error) {
	trace := &httptrace.ClientTrace{Got1xxResponse: func(int, textproto.MIMEHeader) error { return nil }}
	return rt.RoundTrip(req.WithContext(httptrace.WithClientTrace(req.Context(), trace)))
}

// timedFromStart has the time for the header begin with the request.
func timedFromStart(s harness.Settings) func(http.RoundTripper, *http.Request) (*http.Response, error) {
	return func(rt http.RoundTripper, req *http.Request) (*http.Response, error) {
		ctx, cancel := context.WithTimeout(req.Context(), max(s.ResponseHeaderTimeout, time.Nanosecond))
		context.AfterFunc(req.Context(), cancel)
		return rt.RoundTrip(req.WithContext(ctx))
	}
}

// firstLength reads the second of two lengths as if it was the first.
func firstLength(c net.Conn) net.Conn { return lengthConn{c} }

type lengthConn struct{ net.Conn }

func (c lengthConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	copy(p, bytes.ReplaceAll(p[:n], []byte("Content-Length: 3"), []byte("Content-Length: 2")))
	return n, err
}

// zeroIsEmpty believes that a body of length 0 is empty.
func zeroIsEmpty(rt http.RoundTripper, req *http.Request) (*http.Response, error) {
	if req.Body != nil && req.ContentLength == 0 {
		req.Body.Close()
		req = req.Clone(req.Context())
		req.Body = nil
	}
	return rt.RoundTrip(req)
}

func withoutTrailer(rt http.RoundTripper, req *http.Request) (*http.Response, error) {
	resp, err := rt.RoundTrip(req)
	if err == nil {
		resp.Trailer = nil
	}
	return resp, err
}

func trailerKept(rt http.RoundTripper, req *http.Request) (*http.Response, error) {
	req = req.Clone(req.Context())
	req.Trailer = nil
	return rt.RoundTrip(req)
}

func alwaysGzip(rt http.RoundTripper, req *http.Request) (*http.Response, error) {
	req = req.Clone(req.Context())
	req.Header.Set("Accept-Encoding", "gzip")
	return rt.RoundTrip(req)
}

func marked(rt http.RoundTripper, req *http.Request) (*http.Response, error) {
	if req.Header != nil {
		req.Header.Set("X-Seen", "1")
	}
	return rt.RoundTrip(req)
}
