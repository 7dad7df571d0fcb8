package suites

// NetHTTPQuirks has what net/http's transport does otherwise than the cases say. It must
// not be changed.
var NetHTTPQuirks = []Quirk{
	// Of the pool.
	{
		Case: "limit-dials-after-cancel",
		Reason: "a dial goes on when its request is gone (Transport.getConn detaches its context), " +
			"and without MaxConnsPerHost nothing bounds how many do",
		Issue:    "golang/go#76784",
		Breaks:   "net/http: the context controls the entire lifetime of a request and its response: obtaining a connection, ...",
		Versions: since126,
	},
	{Case: "h2/limit-idle", Reason: evictedAndOpen, Breaks: maxIdleConnsDoc, Versions: since126},
	{Case: "h2c/limit-idle", Reason: evictedAndOpen, Breaks: maxIdleConnsDoc, Versions: since126},
	{Case: "h2/idle-evicted-or-used", Reason: evictedAndOpen, Breaks: maxIdleConnsDoc, Versions: since126},
	{Case: "h2c/idle-evicted-or-used", Reason: evictedAndOpen, Breaks: maxIdleConnsDoc, Versions: since126},
	{Case: "h2/idle-least-recent-evicted", Reason: evictedAndOpen, Breaks: maxIdleConnsDoc, Versions: since126},
	{Case: "h2c/idle-least-recent-evicted", Reason: evictedAndOpen, Breaks: maxIdleConnsDoc, Versions: since126},
	{Case: "h2c/limit-never-exceeded", Reason: slotOfTheShared, Breaks: maxConnsPerHostDoc, Versions: since126},
	{Case: "h2c/limit-slot-after-close", Reason: slotOfTheShared, Breaks: maxConnsPerHostDoc, Versions: since126},
	{Case: "h2c/limit-slot-after-idle-timeout", Reason: idleSinceDialed, Breaks: maxConnsPerHostDoc, Versions: since126},
	{Case: "h2c/idle-timeout-restarts", Reason: idleSinceDialed, Breaks: idleConnTimeoutDoc, Versions: since126},
	{Case: "h2c/idle-timeout-not-in-use", Reason: idleSinceDialed, Breaks: idleConnTimeoutDoc, Versions: since126},
	{Case: "h2/idle-server-shutdown", Reason: goneAndOpen, Issue: "golang/go#39752", Breaks: closeIdleDoc, Versions: before127},
	{Case: "h2c/idle-server-shutdown", Reason: goneAndOpen, Issue: "golang/go#39752", Breaks: closeIdleDoc, Versions: before127},
	{Case: "h2c/limit-keep-alives-off", Reason: reservedAndOpen, Breaks: keepAlivesDoc, Versions: since126},
	{Case: "h2/http2-goaway-unprocessed", Reason: reservedAndOpen, Breaks: closeIdleDoc, Versions: since126},
	{Case: "h2c/http2-goaway-unprocessed", Reason: reservedAndOpen, Breaks: closeIdleDoc, Versions: since126},
	{
		Case: "http1/leak-context",
		Reason: "a wantConn that never dialed stays in Transport.connsPerHostWait, and there alone, until the next request to the host that finds no room; " +
			"its ctx is cleared when it is served or gives up, its cancelCtx, which holds the same context, is not",
		Issue:    "golang/go#50798",
		Breaks:   `net/http, wantConn.ctx: "context for dial, cleared after delivered or canceled"`,
		Versions: since126,
	},
	{
		Case: "close-request-header",
		Reason: "persistConn.readLoop looks at Request.Close and not at the header Connection, which is sent all the same: " +
			"the connection is kept unless the server says close too",
		Breaks:   "RFC 9112 section 9.6: who sends the close option MUST NOT send further requests, and MUST close the connection after the final response",
		Versions: since126,
	},

	{
		Case: "http1/trace-got-unused-conn",
		Reason: "Transport.tryPutIdleConn marks each connection that becomes idle as reused (persistConn.markReused), " +
			"also one whose dial ended when its request had another connection: no request has used that",
		Breaks:   "net/http/httptrace, GotConnInfo.Reused: whether this connection has been previously used for another HTTP request",
		Versions: since126,
	},

	// Of exchanges.
	{
		Case: "body-after-head",
		Reason: "persistConn.readLoop puts the connection into the idle list first and looks only then whether bytes are left over: " +
			"a request that takes it in between reads them as its answer",
		Issue:    "golang/go#68653",
		Breaks:   "RFC 9112 section 6.3: any response to a HEAD request is always terminated by the first empty line after the header fields",
		Versions: since126,
	},
	{
		Case: "http1/body-blocks",
		Reason: "persistConn.mapRoundTripError waits for the write loop, which is in the body's Read, " +
			"and the body is not closed before the write loop is done",
		Issue:    "golang/go#78555",
		Breaks:   "net/http, Request.Context: the context controls the entire lifetime of a request and its response: obtaining a connection, sending the request, ...",
		Versions: since126,
	},
	{Case: "h2/body-wrong-length", Reason: shortAndSent, Breaks: contentLengthRule, Versions: since126},
	{Case: "h2c/body-wrong-length", Reason: shortAndSent, Breaks: contentLengthRule, Versions: since126},
	{
		Case: "http1/body-early-answer",
		Reason: "persistConn.readLoop keeps an answer without a body back while it waits for the request to be written (wroteRequest, 50 ms): " +
			"a reset in that time fails the write, and the request with it, although its answer is there",
		Issue:    "golang/go#11745",
		Breaks:   "RFC 9112 section 9.5: a client sending a message body SHOULD monitor the network connection for an error response while it is transmitting the request",
		Versions: since126,
	},
	{
		Case: "http2-reset-once",
		Reason: "http2canRetryError takes RST_STREAM with PROTOCOL_ERROR for a connection that was not usable (golang/go#47635): " +
			"any request is sent again, at once and on a new connection, and since Transport.roundTrip dials those itself, for ever",
		Issue:    "golang/go#52459",
		Breaks:   "RFC 9110 section 9.2.2: a client SHOULD NOT automatically retry a request with a non-idempotent method",
		Versions: before127,
	},
	{
		Case: "http1/body-closed-while-read-rest",
		Reason: "bodyEOFSignal.Close has the read loop drain the body while another goroutine is in its Read: if that one reads the end, " +
			"bodyEOFSignal.fn tells the read loop, which has gone on, and Read waits for eofc for ever",
		Issue:    "golang/go#81404",
		Breaks:   "net/http: the response body is streamed on demand as the Body field is read",
		Versions: drains127,
	},
	{
		Case: "http1/body-trailer-after-close",
		Reason: "maybeDrainBody reads the body to its end when Close has returned, and body.readTrailer writes what it finds there to the Response, " +
			"which is the caller's by then: a data race",
		Issue:    "golang/go#81521",
		Breaks:   "net/http: Trailer must not be accessed concurrently with Read calls on the Body (and may be when there are none); after Body.Read has returned io.EOF, Trailer will contain any trailer values",
		Versions: drains127,
	},
	{
		Case: "http1/proxy-connect-not-pooled",
		Reason: "readTransfer gives a success to CONNECT a body by its Content-Length or Transfer-Encoding, " +
			"and persistConn.readLoop puts the connection into the idle list when that body has been read",
		Breaks:   "RFC 9110 section 9.3.6: a client MUST ignore any Content-Length or Transfer-Encoding header fields received in a successful response to CONNECT",
		Versions: Versions{From: "go1.26", Until: "go1.27.2"},
	},
	{Case: "h2/http2-strict-streams", Reason: reservedInLine, Issue: "golang/go#70809", Breaks: strictDoc, Versions: since126},
	{Case: "h2c/http2-strict-streams", Reason: reservedInLine, Issue: "golang/go#70809", Breaks: strictDoc, Versions: since126},

	// Of a ClientConn.
	{
		Case: "conn-body-invalid-request",
		Reason: "ClientConn.RoundTrip gives the reservation back and returns when validateClientConnRequest finds a mistake, " +
			"and does not close the body",
		Breaks:   roundTripperDoc,
		Versions: since126,
	},
	{
		Case: "http1/conn-body-unsent",
		Reason: "persistConn.roundTrip returns the error of waitForAvailability at once, before the request is the write loop's, " +
			"which alone closes bodies; Transport.roundTrip, which closes them otherwise, has no part in it",
		Breaks:   roundTripperDoc,
		Versions: since126,
	},
	{
		Case: "http1/conn-close-body-blocks",
		Reason: "persistConn.mapRoundTripError waits for the write loop, which is in the body's Read, " +
			"and the body is closed only when the write loop is done",
		Issue:    "golang/go#78555",
		Breaks:   "net/http, ClientConn.Close: outstanding RoundTrip calls are interrupted",
		Versions: since126,
	},
	{Case: "h2/conn-closed-unused", Reason: unusedAndClosed, Breaks: availableDoc, Versions: since126},
	{Case: "h2c/conn-closed-unused", Reason: unusedAndClosed, Breaks: availableDoc, Versions: since126},
	{Case: "h2/conn-closed-reserved", Reason: countedAndClosed, Breaks: inFlightDoc, Versions: since126},
	{Case: "h2c/conn-closed-reserved", Reason: countedAndClosed, Breaks: inFlightDoc, Versions: since126},
	{
		Case: "conn-limit-raised",
		Reason: "processSettingsNoWrite of the HTTP/2 read loop stores the new MAX_CONCURRENT_STREAMS and signals nothing: " +
			"a request in awaitOpenSlotForStreamLocked stays there until a stream ends, though Available says that there is room",
		Breaks:   "net/http, ClientConn.RoundTrip: RoundTrip waits for the connection to become available before sending the request",
		Versions: since126,
	},
	{
		Case: "conn-reservation-kept",
		Reason: "the HTTP/2 connection takes a request's reservation off before it waits for room (decrStreamReservationsLocked in writeRequest), " +
			"and one more when it is cancelled there (cleanupWriteRequest, for a stream without a number), which another caller has reserved",
		Breaks:   "net/http, ClientConn.InFlight: the number of requests in flight, including reserved requests",
		Versions: since126,
	},
	{
		Case: "conn-hook-no-body",
		Reason: "ClientConn.shouldRunStateHook compares with what it saw when it ran last, and RoundTrip has it run at its end only: " +
			"a request without a reservation, over before RoundTrip returns, was never seen in flight",
		Breaks:   "net/http, ClientConn.SetStateHook: f is called when InFlight decreases (existing requests complete)",
		Versions: since126,
	},
	{
		Case: "conn-hook-set-late",
		Reason: "SetStateHook calls maybeRunStateHook, which runs the hook in the goroutine of its caller: " +
			"a caller that holds a lock which the hook takes too waits for ever",
		Breaks:   "net/http, ClientConn.SetStateHook: if the connection's state has changed since it was created, f is called immediately in a separate goroutine",
		Versions: since126,
	},
}

// The versions of Go: none before 1.26 was looked at.
var (
	since126  = Versions{From: "go1.26"}
	before127 = Versions{From: "go1.26", Until: "go1.27"}
	drains127 = Versions{From: "go1.27", Until: "go1.27.2"} // bodies are drained since go1.27
)

const (
	shortAndSent = "http2clientStream.writeRequestBody counts the bytes down and looks only whether there are too many: " +
		"a body that is shorter is sent with END_STREAM as if it was whole, and whatever the server answers is the answer"
	contentLengthRule = "RFC 9113 section 8.1.1: a request is malformed if its content-length " +
		"does not equal the sum of the DATA frame payload lengths that form the content"

	evictedAndOpen = "Transport.tryPutIdleConn takes the connection used least recently off its list, and persistConn.close leaves " +
		"one of HTTP/2 open: it stays in the HTTP/2 transport's own pool"
	slotOfTheShared = "an HTTP/2 connection is closed, for the books only, when it would be put into the idle list after CloseIdleConnections: " +
		"persistConn.close gives its place back while it stays open and in use, and the next request dials"
	idleSinceDialed = "persistConn.idleAt of an HTTP/2 connection is set when its dial is done and never again: queueForIdleConn takes a connection " +
		"that is in use for one that was idle since, takes it off the list, gives its place back, and dials another that is then closed as superfluous"
	goneAndOpen = "GOAWAY on an idle connection takes it out of the pool that CloseIdleConnections looks through (clientConnPool.MarkDead), " +
		"and with no stream to end, nothing closes it until the server does"

	reservedAndOpen = "an HTTP/2 connection that is to close with its last stream (GOAWAY, DisableKeepAlives) closes in forgetStreamID, if no request has reserved a stream: " +
		"one that has, and finds that it may not be used any more, gives its place back in cleanupWriteRequest, where nothing looks whether it was the last"

	reservedInLine = "a request that waits for a stream (ClientConn.awaitOpenSlotForStreamLocked) counts those in line behind it, " +
		"each of which has a reservation (ReserveNewRequest), as streams in use: if they are as many as the limit it waits for ever"
	strictDoc = "net/http: HTTP2Config.StrictMaxConcurrentRequests: new requests sent when a connection's concurrency limit has been exceeded " +
		"will block until an existing request completes"

	unusedAndClosed = "availableLocked of the HTTP/2 connection asks idleStateLocked, which has a connection that was closed before its first request " +
		"take one, for that request to learn the error: Available is the server's limit then"
	countedAndClosed = "InFlight of the HTTP/2 connection is currentRequestCountLocked, which does not look whether the connection is closed: " +
		"reservations and resets that were not confirmed are counted for ever"

	roundTripperDoc = "net/http, RoundTripper: RoundTrip must always close the body, including on errors"
	availableDoc    = "net/http, ClientConn.Available: it returns 0 if the connection is closed"
	inFlightDoc     = "net/http, ClientConn.InFlight: it returns 0 if the connection is closed"

	maxIdleConnsDoc    = "net/http: MaxIdleConns controls the maximum number of idle (keep-alive) connections across all hosts"
	maxConnsPerHostDoc = "net/http: MaxConnsPerHost optionally limits the total number of connections per host"
	idleConnTimeoutDoc = "net/http: IdleConnTimeout is the maximum amount of time an idle (keep-alive) connection will remain idle"
	keepAlivesDoc      = "net/http: DisableKeepAlives, if true, disables HTTP keep-alives and will only use the connection to the server for a single HTTP request"
	closeIdleDoc       = "net/http: CloseIdleConnections closes any connections which were previously connected from previous requests but are now sitting idle"
)
