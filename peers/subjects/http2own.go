//go:build !go1.27 || http2legacy

package subjects

import "github.com/halfopen/halfopen/suites"

const http2Name = "x/net/http2"

// http2Quirks has the quirks of x/net's HTTP/2 transport where it does not wrap
// net/http. The files and lines are those of x/net/http2.
var http2Quirks = concat(
	http2Alone,
	quirk(suites.Quirk{
		Reason: "a request that shares the dial of another request waits until the dial ends, even if its own context ends before: " +
			"clientConnPool.getClientConn (client_conn_pool.go:87) receives only from dialCall.done",
		Issue:  "golang/go#67665",
		Breaks: "net/http: for outgoing client requests, the context controls the entire lifetime of a request and its response: obtaining a connection, ...", Versions: xnetVersion,
	}, append(both("order-dials-race", "cancel-anywhere", "cancel-at-callbacks", "cancel-dialing-request", "close-late-dial", "leak-dial-after-cancel", "leak-late-dial"),
		"h2/tls-cancelled", "h2/http2-connection-lost")...),
	quirk(suites.Quirk{
		Reason: "Request.Cancel is not looked at while a request waits for its connection (clientConnPool.getClientConn, client_conn_pool.go:87): only ClientConn.roundTrip (transport.go:1077) does",
		Breaks: "nothing that it promises: net/http, Request.Cancel: not all implementations of RoundTripper may support Cancel", Versions: xnetVersion,
	}, both("cancel-channel")...),
	quirk(suites.Quirk{
		Reason: "a request whose connection turns out to be unusable is sent again with the body that was closed: clientStream.cleanupWriteRequest (transport.go:1329) closes it, " +
			"and shouldRetryRequest (transport_common.go:420) returns the same request because nothing of its body was read",
		Breaks: "io, Closer: the behavior of Close after the first call is undefined; a body whose Read fails after Close fails the request", Versions: xnetVersion,
	}, both("retry-stream")...),
	quirk(suites.Quirk{
		Reason: "a connection that is to close with its last stream (GOAWAY) closes in ClientConn.forgetStreamID (transport.go:1771), if no request has reserved a stream: one that has, " +
			"and finds that it may not be used any more, gives its place back in cleanupWriteRequest (transport.go:1310), where nothing looks whether it was the last",
		Breaks: http2CloseIdleDoc, Versions: xnetVersion,
	}, both("http2-goaway-unprocessed")...),
	quirk(suites.Quirk{
		Reason: "a request that gets no connection returns without closing its body: the fix for early errors left out Transport.roundTripViaPool (transport_common.go:342) " +
			"and the checks before it",
		Issue: "golang/go#48341", Breaks: "net/http: RoundTrip must always close the body, including on errors", Versions: xnetVersion,
	}, both("cancel-uploading", "body-closed-once", "body-invalid-request", "route-request-empty")...),
	quirk(suites.Quirk{
		Reason: "GOAWAY on an idle connection removes it from the pool in which CloseIdleConnections looks for connections (clientConnPool.MarkDead); because no stream is open " +
			"whose end would close it, it stays open until the server closes it",
		Issue: "golang/go#39752", Breaks: http2CloseIdleDoc, Versions: xnetVersion,
	}, both("idle-server-shutdown")...),
	quirk(suites.Quirk{
		Reason: "clientStream.writeRequestBody checks only for too many bytes (transport.go:1565): a body that is shorter than its length is sent with END_STREAM as if it were complete",
		Breaks: "RFC 9113 section 8.1.1: a request is malformed if its content-length does not equal the sum of the DATA frame payload lengths that form the content", Versions: xnetVersion,
	}, both("body-wrong-length")...),
	quirk(suites.Quirk{
		Reason: "a middlebox has changed the length of a frame: the server waits for the rest of the frame, and the client for the server's answer; ReadIdleTimeout would end that, but its default is 0",
		Breaks: "nothing: http2: ReadIdleTimeout: if zero, no health check is performed", Versions: xnetVersion,
	}, "h2c/http2-connection-lost"),
)
