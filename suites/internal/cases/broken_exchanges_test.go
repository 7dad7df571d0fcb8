package cases_test

import (
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"sync"

	"golang.org/x/net/http2"

	"github.com/halfopen/halfopen/suites"
)

// brokenExchanges is mistakes of what goes over a connection.
var brokenExchanges = []breakage{
	// Cancellation.
	{"a cancellation is ignored", 0, withBug("cancel ignored"),
		[]string{"cancel-anywhere", "cancel-written", "expect-cancelled", "body-cancel", "cancel-uploading", "cancel-silent-peer", "cancel-client-timeout"}},
	{"whether a request is over is looked at behind its answer", 0, wrapped(lateDeaf), []string{"cancel-ended-before"}},
	{"Request.Cancel is heeded in a dial, and no longer", 0, wrapped(heedsInDial), []string{"cancel-channel"}},
	{"Request.Cancel closes the connection of a request that is over", 0, wrapped(closedForEver), []string{"cancel-channel"}},
	{"CancelRequest knows no dials", 0, cancelRequest(func(started bool) bool { return started }), []string{"cancel-by-transport"}},
	{"CancelRequest does nothing", 0, cancelRequest(func(bool) bool { return false }), []string{"cancel-by-transport", "cancel-one-of-many"}},
	{"a cancellation is an error of the connection", 0, wrapped(nameless), []string{"cancel-cause", "cancel-late-failure"}},
	{"a cancellation is not passed on", 0, wrapped(deaf), []string{"cancel-uploading", "tls-cancelled", "proxy-silent", "proxy-socks-silent"}},
	{"a cancellation is ignored once there is a connection", 0, wrapped(deafWithConnection), []string{"cancel-got-connection"}},
	{"what is over is sent", 0, withBug("sent after cancel"), []string{"cancel-before-start"}},
	{"a body that is cancelled ends as its connection does", 0, withBug(""), []string{"cancel-in-body"}},
	{"a timeout is an error like others", 0, wrapped(nameless), []string{"cancel-deadline-tie", "tls-timeout"}},
	{"a cancellation comes too late", 0, withBug("cancel closes pooled conn"), []string{"cancel-after-response"}},
	{"who waits for a dial shares its fate", suites.H2C, oneFate, []string{"cancel-dialing-request"}},

	// Connections that break.
	{"an idle connection is not read", 0, withBug(""), []string{"broken-fin-idle", "broken-reset-idle", "broken-unsolicited", "broken-answers"}},
	{"a broken connection stays open", 0, withBug("broken conn left open"), []string{"broken-anywhere"}},
	{"a dial that failed keeps its place", 0, withBug("no dial after failure"), []string{"broken-dial"}},
	{"nothing is sent again", 0, withBug("never retried"), []string{"broken-restart", "broken-fin-in-flight", "broken-reset-in-flight"}},
	{"a POST is sent again", 0, withBug("everything retried"), []string{"broken-fin-in-flight-post", "retry-post-once"}},
	{"what timed out goes on", 0, givesUpAlone, []string{"broken-silence", "broken-vanish"}},
	{"everything is sent fifty times", 0, wrapped(stubborn), []string{"broken-first-use", "retry-bounded"}},

	// Sending again.
	{"an Idempotency-Key is not looked at", 0, withBug(""), []string{"retry-idempotent"}},
	{"what was not sent is taken for sent", 0, withBug(""), []string{"retry-unsent"}},
	{"the rest of a body is sent again", 0, withBug("rest of body retried"), []string{"retry-whole-body"}},
	{"a body that is used up is sent again", 0, withBug("stream retried"), []string{"retry-stream", "retry-no-get-body"}},
	{"a key without values is no key", 0, wrapped(keyDropped), []string{"retry-key-empty"}},
	{"a key without values is sent", 0, wrapped(keySent), []string{"retry-key-empty"}},
	{"one idle connection may have ended, not two", 0, wrapped(triedOnce), []string{"retry-many-stale"}},
	{"a body that cannot be had again is no body", 0, wrapped(emptyAgain), []string{"retry-get-body-fails"}},
	{"what is cancelled is sent again", 0, wrapped(undead), []string{"retry-not-cancelled"}},
	{"a request is sent again whatever it is", 0, wrapped(twice), []string{"retry-not-answered", "retry-not-new"}},

	// Bodies.
	{"a body is not closed if there is no connection", 0, withBug(""), []string{"body-closed-once"}},
	{"a body is never closed", 0, wrapped(unclosed), []string{"body-invalid-request", "body-closed-once", "expect-body-not-sent"}},
	{"a body that fails is at its end", 0, wrapped(endsEarly), []string{"body-fails"}},
	{"a length is not looked at", 0, wrapped(ofAnyLength), []string{"body-wrong-length"}},
	{"who cancels waits for the body", 0, withBug(""), []string{"body-blocks"}},
	{"no answer is read before all is written", 0, withBug(""), []string{"body-early-answer"}},
	{"a body that was not read is forgotten", 0, withBug("pooled with unread body"), []string{"body-closed-early", "body-closed-unread"}},
	{"a body that was cut is at its end", 0, wrapped(cutIsEnd),
		[]string{"body-whole-or-error", "body-cut", "body-reset", "tls-incomplete-close"}},
	{"what is compressed is not read to its end", 0, wrapped(unzipped), []string{"body-gzip"}},
	{"who closes a body waits for its reader", 0, wrapped(polite), []string{"body-closed-while-read"}},
	{"the part of a body that has arrived is drained, and the rest is not", 0, draining("drained in part"), []string{"body-drained"}},
	{"what is left of a body is waited for for ever", 0, draining("drains for ever"), []string{"body-drain-bounded"}},
	{"a connection that could not be drained keeps its place", 0, draining("slot lost after error"), []string{"body-drain-bounded"}},
	{"Close and Read wait for each other", 0, wrapped(entangled), []string{"body-closed-while-read-rest", "body-closed-while-read"}},
	{"what failed is read on", 0, draining("drained after error"), []string{"body-closed-after-error"}},
	{racy, 0, draining("drain writes trailer"), []string{"body-trailer-after-close"}},
	{"1xx taken as answer", 0, withBug("1xx taken as answer"), []string{"body-hints"}},
	{"a connection that changed its protocol is pooled", 0, withBug(""), []string{"body-upgrade"}},
	{"what is behind an answer is left there", 0, withBug(""), []string{"body-after-head"}},
	{"a connection is pooled with its answer", 0, withBug("pooled before body end"), []string{"body-dropped", "body-limit"}},
	{"no connection is kept", 0, keepsNone, []string{"body-finished", "body-none", "proxy-for-http"}},
	{"CloseIdleConnections closes all", 0, closesAll, []string{"body-close-idle"}},

	// 100 Continue.
	{"a body is sent at once", 0, ignoring("ExpectContinueTimeout"), []string{"expect-continue", "expect-body-not-sent"}},
	{"a 100 is the answer", 0, withBug("100 taken as answer"), []string{"expect-continue"}},
	{"a 100 is waited for for ever", 0, withBug("waits for ever"), []string{"expect-timeout"}},
	{"a body was withheld, and its connection closed", 0, withBug("closed with unread response"), []string{"expect-answer-whole"}},
	{"a body was withheld, and its connection pooled", 0, withBug("pooled with withheld body"), []string{"expect-final-answer"}},

	// Proxies.
	{"a refusal of a proxy leaves its connection", 0, tunnels("refused and open"), []string{"proxy-refuses", "proxy-breaks"}},
	{"an answer of a proxy comes in one piece", 0, tunnels("one read"), []string{"proxy-slow-connect"}},
	{"a proxy is waited for for ever", 0, tunnels(""), []string{"proxy-silent"}},
	{"a veto leaves the connection", 0, tunnels("vetoed and open"), []string{"proxy-vetoed"}},
	{"a refusal of a SOCKS proxy leaves its connection", 0, socks("refused and open"), []string{"proxy-socks-refuses"}},
	{"a SOCKS proxy is waited for for ever", 0, socks(""), []string{"proxy-socks-silent"}},
	{"a tunnel that has no length is a response without a body", 0, withBug(""), []string{"proxy-connect-not-pooled"}},

	// TLS.
	{"a certificate is not looked at", 0, gullible, []string{"tls-refused"}},
	{"a handshake that failed leaves its connection", 0, handshakes, []string{"tls-breaks"}},
	{"a handshake takes for ever", 0, ignoring("TLSHandshakeTimeout"), []string{"tls-timeout"}},
	{"what ALPN chose is not looked at", suites.H2, presumesHTTP2, []string{"tls-alpn-changes"}},
	{"a close_notify is ignored", 0, miniOverTLS, []string{"tls-close-notify"}},
	{"only a *tls.Conn is asked for what was negotiated", suites.H2, overTLS(asksNobody), []string{"tls-dialtls-any-conn"}},

	// HTTP/2.
	{"a connection a request", suites.H2C, oneEach, []string{"http2-one-connection"}},
	{"the settings of the server are not looked at", suites.H2C, mangled(withoutFrames(http2.FrameSettings), nil), []string{"http2-streams-limit"}},
	{"a GOAWAY is not looked at", suites.H2C, mangled(withoutFrames(http2.FrameGoAway), nil),
		[]string{"http2-goaway-unprocessed", "http2-goaway-last", "http2-goaway-idle"}},
	{"StrictMaxConcurrentRequests is not heeded", suites.H2C, h2c(ignoring("StrictMaxConcurrentRequests")), []string{"http2-strict-streams"}},
	{"every GOAWAY is for all streams", suites.H2C, mangled(nothingProcessed, nil), []string{"http2-goaway-processed"}},
	{"a refused stream is an error", suites.H2C, mangled(resetWith(http2.ErrCodeCancel), nil), []string{"http2-refused"}},
	{"every reset is a refusal", suites.H2C, mangled(resetWith(http2.ErrCodeRefusedStream), nil), []string{"http2-reset-once"}},
	{"a cancellation ends the connection", suites.H2C, mangled(nil, fatal(http2.FrameRSTStream)), []string{"http2-cancel-others"}},
	{"a cancellation is kept from the server", suites.H2C, mangled(nil, withoutFrames(http2.FrameRSTStream)), []string{"http2-cancel-sent"}},
	{"the window of the connection is not given back", suites.H2C, mangled(nil, withoutWindow), []string{"http2-window-returned", "http2-unread-body"}},
	{"the health check is not made", suites.H2C, ignoresHTTP2Config, []string{"http2-silent-peer"}},
	{"Request.Close is not passed on", suites.H2C, h2c(wrapped(keepsOpen)), []string{"http2-request-close"}},
	{"no answer is given before the body is sent", suites.H2C, h2c(wrapped(sentFirst)), []string{"http2-early-answer"}},
	{"a POST is sent again when its connection died", suites.H2C, h2c(wrapped(twice)), []string{"http2-connection-lost"}},
	{"a cancellation is not passed on in HTTP/2", suites.H2, overTLS(wrapped(deaf)), []string{"http2-any-server"}},
}

// deaf does not pass a cancellation on.
func deaf(rt http.RoundTripper, req *http.Request) (*http.Response, error) {
	return rt.RoundTrip(req.WithContext(context.WithoutCancel(req.Context())))
}

// deafWithConnection does not pass a cancellation on once there is a connection.
func deafWithConnection(rt http.RoundTripper, req *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(req.Context()))
	stop := context.AfterFunc(req.Context(), cancel)
	trace := &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { stop() }}
	return rt.RoundTrip(req.WithContext(httptrace.WithClientTrace(ctx, trace)))
}

// nameless has errors that have a text and no type.
func nameless(rt http.RoundTripper, req *http.Request) (*http.Response, error) {
	resp, err := rt.RoundTrip(req)
	if err != nil {
		err = errors.New(err.Error())
	}
	return resp, err
}

// stubborn sends a request again until it is answered, and does not do so for
// ever only because a test would not end.
func stubborn(rt http.RoundTripper, req *http.Request) (resp *http.Response, err error) {
	for range 50 {
		if resp, err = rt.RoundTrip(req); err == nil {
			break
		}
	}
	return resp, err
}

// twice sends a request again that failed.
func twice(rt http.RoundTripper, req *http.Request) (*http.Response, error) {
	resp, err := rt.RoundTrip(req)
	if err != nil && req.Context().Err() == nil {
		if req.GetBody != nil {
			req = req.Clone(req.Context())
			req.Body, _ = req.GetBody()
		}
		return rt.RoundTrip(req)
	}
	return resp, err
}

// undead sends a request again that failed, its context or not.
func undead(rt http.RoundTripper, req *http.Request) (*http.Response, error) {
	resp, err := rt.RoundTrip(req)
	if err != nil {
		return rt.RoundTrip(req.WithContext(context.WithoutCancel(req.Context())))
	}
	return resp, err
}

// triedOnce has no more than one new copy of a body.
func triedOnce(rt http.RoundTripper, req *http.Request) (*http.Response, error) {
	if get := req.GetBody; get != nil {
		req = req.Clone(req.Context())
		copies := 0
		req.GetBody = func() (io.ReadCloser, error) {
			if copies++; copies > 1 {
				return nil, errors.New("enough")
			}
			return get()
		}
	}
	return rt.RoundTrip(req)
}

// emptyAgain sends an empty body where GetBody fails.
func emptyAgain(rt http.RoundTripper, req *http.Request) (*http.Response, error) {
	if get := req.GetBody; get != nil {
		req = req.Clone(req.Context())
		req.GetBody = func() (io.ReadCloser, error) {
			body, err := get()
			if err != nil {
				return http.NoBody, nil
			}
			return body, nil
		}
	}
	return rt.RoundTrip(req)
}

// keyDropped takes a field without values off before the transport sees it, and keySent gives
// it one.
func keyDropped(rt http.RoundTripper, req *http.Request) (*http.Response, error) {
	return rt.RoundTrip(withKey(req, nil))
}

func keySent(rt http.RoundTripper, req *http.Request) (*http.Response, error) {
	return rt.RoundTrip(withKey(req, []string{""}))
}

func withKey(req *http.Request, values []string) *http.Request {
	req = req.Clone(req.Context())
	for _, key := range []string{"Idempotency-Key", "X-Idempotency-Key"} {
		if v, ok := req.Header[key]; ok && len(v) == 0 {
			if delete(req.Header, key); values != nil {
				req.Header[key] = values
			}
		}
	}
	return req
}

// keepsOpen does not pass Request.Close on.
func keepsOpen(rt http.RoundTripper, req *http.Request) (*http.Response, error) {
	req = req.Clone(req.Context())
	req.Close = false
	return rt.RoundTrip(req)
}

func unclosed(rt http.RoundTripper, req *http.Request) (*http.Response, error) {
	return rt.RoundTrip(withBody(req, func(b io.ReadCloser) io.ReadCloser { return io.NopCloser(b) }))
}

func endsEarly(rt http.RoundTripper, req *http.Request) (*http.Response, error) {
	return rt.RoundTrip(withBody(req, func(b io.ReadCloser) io.ReadCloser { return endingBody{b} }))
}

func ofAnyLength(rt http.RoundTripper, req *http.Request) (*http.Response, error) {
	req = req.Clone(req.Context())
	if req.Body != nil {
		req.ContentLength = -1
	}
	return rt.RoundTrip(req)
}

func withBody(req *http.Request, f func(io.ReadCloser) io.ReadCloser) *http.Request {
	if req.Body == nil {
		return req
	}
	req = req.Clone(req.Context())
	req.Body = f(req.Body)
	return req
}

func cutIsEnd(rt http.RoundTripper, req *http.Request) (*http.Response, error) {
	resp, err := rt.RoundTrip(req)
	if err == nil {
		resp.Body = endingBody{resp.Body}
	}
	return resp, err
}

// endingBody takes every error for its end.
type endingBody struct{ io.ReadCloser }

func (b endingBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil {
		err = io.EOF
	}
	return n, err
}

func polite(rt http.RoundTripper, req *http.Request) (*http.Response, error) {
	resp, err := rt.RoundTrip(req)
	if err == nil {
		resp.Body = politeBody{resp.Body, make(chan struct{}, 1)}
	}
	return resp, err
}

// politeBody is read, or closed, by one at a time.
type politeBody struct {
	io.ReadCloser
	turn chan struct{}
}

func (b politeBody) Read(p []byte) (int, error) {
	b.turn <- struct{}{}
	defer func() { <-b.turn }()
	return b.ReadCloser.Read(p)
}

func (b politeBody) Close() error {
	b.turn <- struct{}{}
	defer func() { <-b.turn }()
	return b.ReadCloser.Close()
}

// sentFirst gives no answer before the body of the request is sent.
func sentFirst(rt http.RoundTripper, req *http.Request) (*http.Response, error) {
	sent := make(chan struct{})
	if req.Body == nil {
		close(sent)
	}
	resp, err := rt.RoundTrip(withBody(req, func(b io.ReadCloser) io.ReadCloser { return &sendingBody{ReadCloser: b, sent: sent} }))
	select {
	case <-sent:
	case <-req.Context().Done():
	}
	return resp, err
}

type sendingBody struct {
	io.ReadCloser
	sent chan struct{}
	once sync.Once
}

func (b *sendingBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err == io.EOF {
		b.once.Do(func() { close(b.sent) })
	}
	return n, err
}

// unzipped decompresses, and stops where the compressed data does, which is
// before the end of the message.
func unzipped(rt http.RoundTripper, req *http.Request) (*http.Response, error) {
	req = req.Clone(req.Context())
	req.Header.Set("Accept-Encoding", "gzip")
	resp, err := rt.RoundTrip(req)
	if err != nil || resp.Header.Get("Content-Encoding") != "gzip" {
		return resp, err
	}
	z, err := gzip.NewReader(resp.Body)
	if err != nil {
		return nil, err
	}
	z.Multistream(false)
	resp.Body = struct {
		io.Reader
		io.Closer
	}{z, resp.Body}
	resp.ContentLength = -1
	return resp, nil
}
