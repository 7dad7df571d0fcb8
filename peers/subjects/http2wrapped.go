//go:build go1.27 && !http2legacy

package subjects

import (
	"slices"

	"github.com/halfopen/halfopen/suites"
)

const http2Name = "x/net/http2 over net/http"

// http2Quirks is what x/net's HTTP/2 transport does where it wraps net/http: it
// dials, and net/http does everything else. The mechanism of what net/http does is
// told where net/http's own quirks are.
var http2Quirks = concat(
	http2Alone,
	ofNetHTTP(both("body-of-another-length")...),
	quirk(suites.Quirk{
		Reason: "a request that shares the dial of another one fails with it when that other one has given up and CloseIdleConnections is called: " +
			"net/http then cancels the dial, as it knows of no other request that waits for it (Transport.CloseIdleConnections), " +
			"and Transport.dialForRoundTrip (transport_wrap.go:315) hands the error of the dial to each request that does",
		Breaks: http2CloseIdleDoc, Versions: xnetVersion,
	}, both("leak-dial-too-late")...),
)

// ofNetHTTP returns the quirks of net/http that are of these cases.
func ofNetHTTP(cases ...string) []suites.Quirk {
	return slices.DeleteFunc(suites.NetHTTPQuirks(), func(q suites.Quirk) bool { return !slices.Contains(cases, q.Case) })
}
