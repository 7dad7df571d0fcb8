package subjects

import (
	"crypto/tls"
	"net/http"

	"github.com/imroc/req/v3"

	"github.com/halfopen/halfopen/harness"
	"github.com/halfopen/halfopen/suites"
)

// Req makes the transport of imroc/req, for HTTP/1: over HTTP/2 a request that finds no
// connection in the pool is dialed by a dialer of package net, and not by that of SetDial
// (Transport.dialTLSWithContext, internal/http2/transport.go:657).
func Req(t *harness.T, s harness.Settings) (http.RoundTripper, error) {
	rt := req.NewTransport().SetDial(t.Net.DialContext).SetProxy(nil).DisableAutoDecode().EnableForceHTTP1().
		SetTLSClientConfig(&tls.Config{RootCAs: harness.TrustedRoots(), NextProtos: []string{"http/1.1", "h2"}, ClientSessionCache: tls.NewLRUClientSessionCache(0)})
	rt.MaxIdleConns, rt.IdleConnTimeout, rt.TLSHandshakeTimeout, rt.ExpectContinueTimeout = 0, 0, 0, 0
	return rt, s.Apply(rt)
}

var reqVersion = suites.Versions{Module: "github.com/imroc/req/v3", From: "v3.58.0"}

const reqLifetimeDoc = "net/http: the context controls the entire lifetime of a request and its response: obtaining a connection, sending the request, ..."

// Files and lines are those of imroc/req. Its transport began as a copy of net/http's, and has
// kept what that does.
var reqQuirks = concat(
	quirk(suites.Quirk{
		Reason: "a dial goes on when its request is gone (Transport.getConn detaches its context, transport.go:1782), and without MaxConnsPerHost nothing bounds how many do",
		Issue:  "golang/go#76784", Breaks: reqLifetimeDoc, Versions: reqVersion,
	}, "limit-dials-after-cancel"),
	quirk(suites.Quirk{
		Reason: "persistConn.readLoop puts the connection into the idle list (transport.go:2737) before its request has the response: a request that takes the connection in between, " +
			"and is cancelled, fails the first one too; and bytes that are left over count as its answer",
		Issue: "golang/go#68653", Breaks: "RFC 9112 section 6.3: any response to a HEAD request is always terminated by the first empty line after the header fields", Versions: reqVersion,
	}, "body-after-head"),
	quirk(suites.Quirk{
		Reason: "persistConn.mapRoundTripError (transport.go:2600) waits for the write loop, which is in the body's Read, and the body is not closed before the write loop is done",
		Issue:  "golang/go#78555", Breaks: reqLifetimeDoc, Versions: reqVersion,
	}, "body-blocks"),
	quirk(suites.Quirk{
		Reason: "persistConn.readLoop keeps an answer without a body back while it waits for the request to be written (wroteRequest, transport.go:3280): a reset in that time fails the write, " +
			"and the request with it, although its answer is there",
		Issue:  "golang/go#11745",
		Breaks: "RFC 9112 section 9.5: a client sending a message body SHOULD monitor the network connection for an error response while it is transmitting the request", Versions: reqVersion,
	}, "body-early-answer"),
	quirk(suites.Quirk{
		Reason: "the limit begins again with each informational response (persistConn.readResponse, transport.go:2897), and does not count what the buffer holds by then",
		Breaks: "req, Options: MaxResponseHeaderBytes specifies a limit on how many response bytes are allowed in the server's response header", Versions: reqVersion,
	}, "body-header-endless"),
	quirk(suites.Quirk{
		Reason: "Transport.dialConn reads a proxy's answer to CONNECT with http.ReadResponse (transport.go:2215), which has no limit",
		Breaks: "req, Options: MaxResponseHeaderBytes specifies a limit on how many response bytes are allowed in the server's response header", Versions: reqVersion,
	}, "proxy-endless"),
	quirk(suites.Quirk{
		Reason: "readTransfer (transfer.go:450) gives a success to CONNECT a body by its Content-Length or Transfer-Encoding, and persistConn.readLoop puts the connection into the idle list when that body has been read",
		Breaks: "RFC 9110 section 9.3.6: a client MUST ignore any Content-Length or Transfer-Encoding header fields received in a successful response to CONNECT", Versions: reqVersion,
	}, "proxy-connect-not-pooled"),
	quirk(suites.Quirk{
		Reason: "persistConn.readLoop looks at Request.Close (transport.go:2721) and not at the header Connection, which is sent all the same: the connection is kept unless the server says close too",
		Breaks: "RFC 9112 section 9.6: who sends the close option MUST NOT send further requests, and MUST close the connection after the final response", Versions: reqVersion,
	}, "close-request-header"),
	quirk(suites.Quirk{
		Reason: "Transport.tryPutIdleConn marks each connection that becomes idle as reused (transport.go:1354), also one whose dial ended when its request had another connection: no request has used that",
		Breaks: "net/http/httptrace, GotConnInfo.Reused: whether this connection has been previously used for another HTTP request", Versions: reqVersion,
	}, "trace-got-unused-conn"),
	quirk(suites.Quirk{
		Reason: "a wantConn that never dialed stays in Transport.connsPerHostWait (transport.go:1873), and there alone, until the next request to the host that finds no room; " +
			"its ctx is cleared when it is served or gives up (transport.go:1638), its cancelCtx, which holds the same context, is not",
		Issue: "golang/go#50798", Breaks: "req, wantConn.ctx: context for dial, cleared after delivered or canceled", Versions: reqVersion,
	}, "leak-context"),
)
