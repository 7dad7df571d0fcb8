package quicgo

import (
	"slices"

	"github.com/halfopen/halfopen/suites"
)

// quirk returns a quirk of each of these cases: one mechanism makes all of them fail.
func quirk(q suites.Quirk, cases ...string) (quirks []suites.Quirk) {
	for _, c := range cases {
		q.Case = c
		quirks = append(quirks, q)
	}
	return quirks
}

var quicVersion = suites.Versions{Module: "github.com/quic-go/quic-go", From: "v0.65.0"}

// http3Quirks has the quirks of quic-go/http3. Files and lines are those of quic-go.
var http3Quirks = slices.Concat(
	quirk(suites.Quirk{
		Reason: "a connection counts as idle as soon as RoundTrip has returned: Transport.doRoundTripOpt (http3/transport.go:217) takes the request off useCount " +
			"when there is a header, and CloseIdleConnections (http3/transport.go:534) then closes the connection under the body",
		Breaks:   "quic-go/http3, Transport.CloseIdleConnections: This method does not interrupt any connections currently in use",
		Versions: quicVersion,
		Chance:   true, // not each sample of schedules closes them between a header and its body
	}, "h3/close-not-in-use"),
	quirk(suites.Quirk{
		Reason: "the context's end cancels the stream (ClientConn.roundTrip, http3/client.go:330), and a Read of the body returns what that leaves there, " +
			"H3_REQUEST_CANCELLED: only RoundTrip itself returns the context's error (http3/client.go:253)",
		Breaks:   "nothing that quic-go promises: net/http, Client.Timeout: the error is a timeout; Request.Context: the context controls the entire lifetime of a request and its response",
		Versions: quicVersion,
	}, "h3/cancel-cause"),
	quirk(suites.Quirk{
		Reason: "the same where an exploration cancels a request while its body is read, which not each sample of schedules does: " +
			"a Read returns H3_REQUEST_CANCELLED (http3/client.go:330)",
		Breaks:   "nothing that quic-go promises: net/http, Request.Context: the context controls the entire lifetime of a request and its response",
		Versions: quicVersion,
		Chance:   true,
	}, "h3/cancel-in-body"),
	quirk(suites.Quirk{
		Reason: "a Read of the body returns what the end of the context leaves on the stream, H3_REQUEST_CANCELLED (http3/client.go:330): http.Client makes a timeout of it " +
			"if its timer had fired before the stream was cancelled",
		Breaks:   "nothing that quic-go promises: net/http, Client.Timeout: the error's Timeout method reports true",
		Versions: quicVersion,
		Chance:   true,
	}, "h3/cancel-client-timeout"),
	quirk(suites.Quirk{
		Reason: "two places close the body of a request that fails: sendRequestBody (http3/client.go:395), which goes on in a goroutine of its own, and RoundTripOpt (http3/transport.go:174); " +
			"a request that is sent again closes it a third time",
		Breaks:   "nothing that quic-go promises: net/http, RoundTripper: RoundTrip must always close the body, and net/http closes it once",
		Versions: quicVersion,
		Chance:   true, // the answer may overtake the end of the body
	}, "h3/cancel-uploading", "h3/body-blocks", "h3/body-closed-once"),
	quirk(suites.Quirk{
		Reason: "sendRequestBody (http3/client.go:394) goes on in a goroutine of its own, whose error is logged and given to the hook WroteRequest, and is not the request's " +
			"(doRequest, http3/client.go:442): a server that reacts to the end of the stream answers it",
		Breaks:   "nothing that quic-go promises: net/http returns the error of a request's body from RoundTrip",
		Versions: quicVersion,
	}, "h3/body-fails", "h3/trace-body-fails"),
	quirk(suites.Quirk{
		Reason: "a body that ends before its Content-Length is sent as it is: sendRequestBody (http3/client.go:404) looks for bytes that are too many, and not for those that are missing",
		Breaks: "RFC 9114 section 4.1.2: a request is malformed if the value of the Content-Length header field does not equal the sum of the DATA frame lengths received, " +
			"and clients MUST NOT generate these",
		Versions: quicVersion,
	}, "h3/body-wrong-length"),
	quirk(suites.Quirk{
		Reason:   "gzipReader.Close (http3/gzip_reader.go:37) closes the body below and leaves its gzip.Reader as it is, which has bytes left",
		Breaks:   "nothing that quic-go promises: net/http returns an error from a Read of a body that is closed",
		Versions: quicVersion,
	}, "h3/body-after-close"),
	quirk(suites.Quirk{
		Reason:   "traceGot1xxResponse (http3/trace.go:49) drops the error of the hook",
		Breaks:   "net/http/httptrace, ClientTrace.Got1xxResponse: If it returns an error, the client request is aborted with that error value",
		Versions: quicVersion,
	}, "h3/trace-hints"),
)
