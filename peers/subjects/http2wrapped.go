//go:build go1.27 && !http2legacy

package subjects

import (
	"slices"

	"github.com/halfopen/halfopen/suites"
)

const http2Name = "x/net/http2 over net/http"

// http2Quirks has the quirks of x/net's HTTP/2 transport where it wraps net/http: it
// dials, and net/http does everything else. Where net/http is the cause, the quirk of
// net/http explains the mechanism.
var http2Quirks = concat(
	http2Alone,
	ofNetHTTP(both("body-wrong-length", "http2-goaway-unprocessed")...),
	quirk(suites.Quirk{
		Reason: "a request that shares the dial of another request fails when the other request was cancelled and CloseIdleConnections is called: " +
			"net/http then cancels the dial, because it knows of no other request that waits for it (Transport.CloseIdleConnections), " +
			"and Transport.dialForRoundTrip (transport_wrap.go:315) returns the error of the dial to each request that waits",
		Breaks: http2CloseIdleDoc, Versions: xnetVersion,
	}, append(both("leak-late-dial"), "h2c/close-late-dial")...),
)

// ofNetHTTP returns the quirks of net/http for these cases.
func ofNetHTTP(cases ...string) []suites.Quirk {
	return slices.DeleteFunc(slices.Clone(suites.NetHTTPQuirks), func(q suites.Quirk) bool { return !slices.Contains(cases, q.Case) })
}
