package subjects

import (
	"slices"

	"github.com/halfopen/halfopen/suites"
)

// The quirks of transports around net/http's. Each has those of net/http as well, but for
// the ones that what is in front of it hides.

var (
	oauth2Version       = suites.Versions{Module: "golang.org/x/oauth2", From: "v0.38.0"}
	retryableVersion    = suites.Versions{Module: "github.com/hashicorp/go-retryablehttp", From: "v0.7.8"}
	limiterVersion      = suites.Versions{Module: "golang.org/x/time", From: "v0.16.0"}
	singleflightVersion = suites.Versions{Module: "golang.org/x/sync", From: "v0.24.0"}
)

// netHTTPBut returns the quirks of net/http without those of these cases.
func netHTTPBut(cases ...string) []suites.Quirk {
	return slices.DeleteFunc(slices.Clone(suites.NetHTTPQuirks), func(q suites.Quirk) bool { return slices.Contains(cases, q.Case) })
}

var (
	otelQuirks   = suites.NetHTTPQuirks
	cachedQuirks = suites.NetHTTPQuirks
)

var oauth2Quirks = concat(suites.NetHTTPQuirks, quirk(suites.Quirk{
	Reason: "Transport has a method CancelRequest that does only log once that it does nothing (transport.go:64)",
	Issue:  "golang/oauth2#487",
	Breaks: "nothing that it promises: oauth2: CancelRequest does nothing; a caller that looks for the method, as Client.Timeout once did, takes it for one that cancels", Versions: oauth2Version,
}, "cancel-by-transport", "cancel-one-of-many"))

const retryableSays = "; the documentation of retryablehttp.RoundTripper is that it does not always act exactly as a RoundTripper should"

// retryableQuirks has the quirks of go-retryablehttp. Files and lines are those of it.
var retryableQuirks = concat(
	netHTTPBut("limit-dials-after-cancel", "http1/leak-context"),
	quirk(suites.Quirk{
		Reason: "nothing closes the body of the request: FromRequest (client.go:305) reads it into memory (getBodyReaderAndContentLength, client.go:278), " +
			"and what it passes on has a copy of it for a body",
		Breaks: "net/http: RoundTripper: RoundTrip must always close the body, including on errors" + retryableSays, Versions: retryableVersion,
	}, "cancel-ended-before", "cancel-uploading", "retry-at-callback", "retry-get-body-fails", "retry-many-stale", "retry-no-get-body", "retry-stream", "retry-whole-body",
		"body-closed-once", "body-fails", "body-invalid-request", "body-no-length", "body-on-wire", "body-trailers", "body-wrong-length",
		"expect-after-header", "expect-answer-whole", "expect-cancelled", "expect-continue", "expect-final-answer", "expect-no-timeout", "expect-timeout",
		"route-request-empty", "route-scheme-unknown", "trace-continue", "trace-order"),
	quirk(suites.Quirk{
		Reason: "the whole body is read before the request is sent (getBodyReaderAndContentLength, client.go:278), also if its context has ended or the server does not want it",
		Breaks: "nothing: retryablehttp: if an io.Reader is provided, the full body will be read prior to the first request", Versions: retryableVersion,
	}, "broken-out-of-step", "expect-body-not-sent", "trace-body-fails"),
	quirk(suites.Quirk{
		Reason: "baseRetryPolicy (client.go:523) has a request sent again after almost every error, whatever its method and whether its connection was new: one that may have been carried out, too",
		Breaks: "RFC 9110 section 9.2.2: a client SHOULD NOT automatically retry a request with a non-idempotent method; " +
			"retryablehttp: if an error is returned by the client (connection errors etc), then a retry is invoked", Versions: retryableVersion,
	}, "broken-anywhere", "broken-fin-in-flight-post", "broken-restart", "broken-header-timeout", "retry-not-answered", "retry-post-once"),
	quirk(suites.Quirk{
		Reason: "a request that may be sent again is, once more than net/http sends it, after almost every error, a timeout and an answer that is none among them (baseRetryPolicy, client.go:523)",
		Breaks: "nothing: retryablehttp: if an error is returned by the client (connection errors etc), then a retry is invoked", Versions: retryableVersion,
	}, "order-after-failed-dial", "idle-limit-closed", "broken-answer-at-timeout", "broken-first-use", "broken-vanish", "retry-not-cancelled", "retry-not-new",
		"body-framing-wrong", "body-header-endless", "body-hints-endless", "tls-timeout", "leak-failed"),
	quirk(suites.Quirk{
		Reason: "the error of a request that timed out has no method Timeout, because fmt.Errorf wraps it (Client.Do, client.go:841): url.Error.Timeout says no, unless the timer of Client.Timeout fires before its context ends, at the same instant",
		Breaks: "net/http: Client.Do: the url.Error value's Timeout method will report true if the request timed out", Versions: retryableVersion, Chance: true,
	}, "cancel-client-timeout"),
	quirk(suites.Quirk{
		Reason: "an answer with a status of 500 and more that comes again is an error, and no response (Client.Do, client.go:841)",
		Breaks: "net/http: RoundTripper must return err == nil if it obtained a response" + retryableSays, Versions: retryableVersion,
	}, "proxy-answers"),
	quirk(suites.Quirk{
		Reason: "a request that fails, or whose context ends, closes all idle connections of the client, to every host (Client.Do, client.go:811, calls CloseIdleConnections)",
		Breaks: "nothing that it says: net/http, Transport: by default, Transport caches connections for future re-use", Versions: retryableVersion,
	}, "reuse-after-error-status", "cancel-before-start", "cancel-limit", "leak-waiter-timeout"),
)

// limitedQuirks has what a limiter does to cases of more requests than may go at once.
var limitedQuirks = concat(
	netHTTPBut("limit-dials-after-cancel"),
	quirk(suites.Quirk{
		Reason: "Limiter.WaitN (rate/rate.go:241) sleeps until the limiter has a place for the request, and the case lets no time pass",
		Breaks: "nothing: rate: Wait blocks until lim permits an event to happen", Versions: limiterVersion,
	}, "limit-late-places", "cancel-bodyless", "cancel-in-callback", "idle-many-per-host", "idle-room-again", "retry-at-callback", "retry-idempotent", "retry-not-answered",
		"body-framing", "body-no-length", "expect-final-answer", "proxy-refuses", "leak-behind-dial", "leak-many-hosts"),
)

// sharedQuirks has what sharing does to cases of several requests at one time.
var sharedQuirks = concat(
	netHTTPBut("http1/leak-context"),
	quirk(suites.Quirk{
		Reason: "a request for a page that another one has asked for just now takes no connection of its own and has its answer, or its error (Group.DoChan, singleflight/singleflight.go:121): " +
			"the case wants two on the wire",
		Breaks: "nothing: singleflight: if a duplicate comes in, the duplicate caller waits for the original to complete and receives the same results", Versions: singleflightVersion,
	}, "limit-slot-after-failed-dial", "limit-slot-after-last-response", "order-after-failed-dial", "order-first-come", "order-idle-before-dial", "order-newest-first",
		"cancel-late", "cancel-limit-fails", "cancel-waiter", "idle-default-per-host", "idle-dial-wins", "idle-late-dial-closed", "idle-limit", "idle-limit-closed",
		"idle-limit-of-all", "idle-many-per-host", "idle-max-per-host", "idle-room-again", "idle-timeout-each", "idle-timeout-unused", "idle-wins", "broken-dial",
		"retry-many-stale", "trace-got-conn", "trace-put-idle", "leak-silent-server"),
	quirk(suites.Quirk{
		Reason: "the result of singleflight is a value (Group.DoChan, singleflight/singleflight.go:121): the subject reads a body whole before any request has its response",
		Breaks: "nothing that singleflight promises: net/http: the response body is streamed on demand", Versions: singleflightVersion,
	}, "cancel-cause", "idle-after-header-timeout", "body-cancel", "body-close-idle", "body-closed-after-error", "body-closed-unread", "body-closed-while-read", "body-closed-while-read-rest",
		"body-cut", "body-drain-bounded", "body-dropped", "body-gzip-closed-while-read", "body-limit", "body-trailer-after-close", "close-while-drained"),
)
