//go:build !go1.27 || http2legacy

package subjects

import "github.com/halfopen/halfopen/suites"

const http2Name = "x/net/http2"

// http2Quirks is what x/net's HTTP/2 transport does by itself, where net/http
// does not dial for it: files and lines are those of x/net/http2.
var http2Quirks = concat(
	http2Alone,
	quirk(suites.Quirk{
		Reason: "a request waits for a dial that another one has begun until that dial ends, whatever its own context says: " +
			"clientConnPool.getClientConn (client_conn_pool.go:87) receives from dialCall.done and from nothing else",
		Issue:  "golang/go#67665",
		Breaks: "net/http: for outgoing client requests, the context controls the entire lifetime of a request and its response: obtaining a connection, ...", Versions: xnetVersion,
	}, append(both("order-dials-race", "cancel-anywhere", "cancel-who-dialed", "close-late-dial", "leak-dial-of-the-cancelled", "leak-dial-too-late"),
		"h2/tls-cancelled", "h2/http2-dies")...),
	quirk(suites.Quirk{
		Reason: "a request that gets no connection returns without closing its body: Transport.roundTripViaPool (transport_common.go:342) and the checks in front of it " +
			"are not among the early errors that were mended",
		Issue: "golang/go#48341", Breaks: "net/http: RoundTrip must always close the body, including on errors", Versions: xnetVersion,
	}, both("cancel-uploading", "body-closed-once", "body-of-a-bad-request")...),
	quirk(suites.Quirk{
		Reason: "GOAWAY on an idle connection takes it out of the pool that CloseIdleConnections looks through (clientConnPool.MarkDead), and with no stream to end, " +
			"nothing closes it until the server does",
		Issue: "golang/go#39752", Breaks: http2CloseIdleDoc, Versions: xnetVersion,
	}, both("idle-server-leaves")...),
	quirk(suites.Quirk{
		Reason: "clientStream.writeRequestBody looks only whether there are too many bytes (transport.go:1565): a body that is shorter than its length is sent with END_STREAM as if it was whole",
		Breaks: "RFC 9113 section 8.1.1: a request is malformed if its content-length does not equal the sum of the DATA frame payload lengths that form the content", Versions: xnetVersion,
	}, both("body-of-another-length")...),
	quirk(suites.Quirk{
		Reason: "a frame whose length a middlebox has changed is waited for by the server, and the server's answer by the client: ReadIdleTimeout, which would end that, is 0 unless it is asked for",
		Breaks: "nothing: http2: ReadIdleTimeout: if zero, no health check is performed", Versions: xnetVersion,
	}, "h2c/http2-dies"),
)
