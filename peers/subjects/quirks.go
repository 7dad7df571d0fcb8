package subjects

import "github.com/halfopen/halfopen/suites"

// quirk returns a quirk of each of these cases: one mechanism makes all of them fail.
func quirk(q suites.Quirk, cases ...string) []suites.Quirk {
	var quirks []suites.Quirk
	for _, c := range cases {
		q.Case = c
		quirks = append(quirks, q)
	}
	return quirks
}

// both returns the names of the cases over both protocols of HTTP/2.
func both(cases ...string) (names []string) {
	for _, c := range cases {
		names = append(names, "h2/"+c, "h2c/"+c)
	}
	return names
}

// concat returns the quirks of all lists.
func concat(lists ...[]suites.Quirk) (all []suites.Quirk) {
	for _, l := range lists {
		all = append(all, l...)
	}
	return all
}

var fasthttpVersion = suites.Versions{Module: "github.com/valyala/fasthttp", From: "v1.73.0"}

// fastQuirks has the quirks of both clients of fasthttp. Files and lines are those of
// fasthttp.
var fastQuirks = concat(
	quirk(suites.Quirk{
		Reason: "a request that has begun to dial waits for its own dial: HostClient.AcquireConn (client.go:1792) dials in the goroutine of its caller, and ReleaseConn (client.go:1968) " +
			"passes a free connection only to a request that waits at MaxConns and for which no dial has begun (decConnsCount, client.go:1907)",
		Breaks: "nothing that fasthttp promises: only net/http serves a request by the dial or the free connection, whichever comes first", Versions: fasthttpVersion,
	}, "limit-never-exceeded", "order-dials-race", "order-idle-before-dial", "cancel-anywhere", "cancel-at-callbacks", "cancel-got-connection", "cancel-late", "idle-dial-wins", "idle-timeout-unused",
		"idle-server-close-in-flight", "idle-late-dial-closed", "idle-timeout-both-sides", "idle-wins", "broken-anywhere", "body-blocks", "body-closed-once", "close-late-dial",
		"close-response-before-post", "close-orphaned-dials", "close-not-in-use", "leak-dial-after-cancel", "leak-close-after-answer"),
	quirk(suites.Quirk{
		Reason: "a request has no context: when its caller gives up, the request goes on, with its dial, its place in line, its body and its connection, " +
			"until the server has answered or ReadTimeout is over (HostClient.Do, client.go:1495)",
		Issue: "valyala/fasthttp#2198", Breaks: "nothing that fasthttp promises: net/http: the context controls the entire lifetime of a request", Versions: fasthttpVersion,
	}, "limit-dials-after-cancel", "limit-hosts-apart", "limit-apart", "limit-late-places", "cancel-client-timeout",
		"cancel-uploading", "cancel-written", "body-dropped", "leak-late-dial", "leak-waiter-timeout", "leak-silent-server", "leak-timed-out", "cancel-silent-peer"),
	quirk(suites.Quirk{
		Reason: "a response is not read before the whole request is written: transport.RoundTrip (client.go:3231) does one after the other; if a server answers early " +
			"and stops reading, the client waits until WriteTimeout is over",
		Breaks: "RFC 9112 section 9.5: a client sending a message body SHOULD monitor the network connection for an error response while it is transmitting the request", Versions: fasthttpVersion,
	}, "body-early-answer", "broken-out-of-step"),
	quirk(suites.Quirk{
		Reason: "the client does not read from a connection while it is idle: only the next request notices a FIN, a reset or bytes that belong to no request, " +
			"and it fails if it must not be sent again (HostClient.ReleaseConn, client.go:1968, only puts the connection on a list)",
		Issue: "valyala/fasthttp#882", Breaks: "RFC 9112 section 9.5: implementations SHOULD constantly monitor open connections for a received closure signal and respond to it as appropriate", Versions: fasthttpVersion,
	}, "idle-server-close-before-post", "idle-server-close-seen", "idle-restart", "idle-after-server-shutdown", "broken-fin-idle", "broken-reset-idle", "broken-unsolicited", "broken-speaks-first",
		"idle-server-close-in-use", "tls-close-notify"),
	quirk(suites.Quirk{
		Reason: "connsCleaner (client.go:1858) checks connections each MaxIdleConnDuration after its start, and not when the oldest one is due: " +
			"a connection that becomes idle just after a check stays open for almost twice as long",
		Breaks: "fasthttp: MaxIdleConnDuration: idle keep-alive connections are closed after this duration", Versions: fasthttpVersion,
	}, "idle-timeout", "idle-timeout-restarts", "idle-timeout-closes", "idle-timeout-each"),
	quirk(suites.Quirk{
		Reason: "Response.ReadLimitBody (http.go:1582) takes every informational response except 100 as the answer: the answer itself stays on the connection, " +
			"and the next request on the connection gets it (TestFastHints)",
		Issue: "valyala/fasthttp#2333", Breaks: "RFC 9110 section 15.2: a client MUST be able to parse one or more 1xx responses received prior to a final response", Versions: fasthttpVersion,
	}, "reuse-after-hints", "body-hints", "retry-not-answered"),
	quirk(suites.Quirk{
		Reason: "Response.ReadBody (http.go:1620) reads a body whose length is known to its end before it returns the response, even with StreamResponseBody: " +
			"if the body is cut off, the request fails, and is sent again if that is allowed",
		Breaks: "fasthttp: StreamResponseBody enables response body streaming", Versions: fasthttpVersion,
	}, "cancel-cause", "body-cancel", "body-close-idle", "body-cut", "body-drain-bounded", "body-reset", "close-while-drained", "tls-incomplete-close"),
	quirk(suites.Quirk{
		Reason: "a GET is sent again, up to MaxIdemponentCallAttempts times, even if the connection that breaks is new, and even if it broke with an answer that cannot be parsed (HostClient.Do, client.go:1544)",
		Breaks: "nothing: fasthttp: MaxIdemponentCallAttempts is the maximum number of attempts for idempotent calls", Versions: fasthttpVersion,
	}, "idle-limit-closed", "broken-first-use", "retry-not-new", "body-framing-wrong"),
	quirk(suites.Quirk{
		Reason: "closing a body that was not read to its end puts its connection back into the pool (client.go:3297; only a close with an error calls CloseConn): " +
			"the rest of that body is taken as the answer to the next request (TestFastHalfRead)",
		Issue: "valyala/fasthttp#1743", Breaks: "RFC 9112 section 9.3: a client MUST read the entire response message body if it intends to reuse the same connection", Versions: fasthttpVersion,
	}, "body-closed-unread", "body-closed-while-read", "body-drained", "body-limit", "broken-answers"),
	quirk(suites.Quirk{
		Reason: "a body in chunks that is cut off between two chunks ends as if it were complete: requestStream.Read (streaming.go:33) passes on the io.EOF " +
			"that readHexInt (bytesconv.go:357) returns when the connection ends before the size of a chunk",
		Breaks: "RFC 9112 section 8: a message body that uses the chunked transfer coding is incomplete if the zero-sized chunk that terminates the encoding has not been received", Versions: fasthttpVersion,
	}, "body-closed-after-error"),
	quirk(suites.Quirk{
		Reason: "the connection becomes free when the body is closed, and not when it was read to its end: CloseBodyStream releases it (client.go:3286)",
		Breaks: "fasthttp says so: you must CloseBodyStream or ReleaseResponse after you use it", Versions: fasthttpVersion,
	}, "reuse-read-and-not-closed"),
	quirk(suites.Quirk{
		Reason: "a response to HEAD, or one that has arrived completely, frees its connection at once: so the order in which bodies are read does not matter, " +
			"and bytes after the answer are dropped with the buffer, while the connection stays (HostClient.ReleaseReader, client.go:2053)",
		Breaks: "RFC 9112 section 6.3: a client MUST NOT process, cache, or forward such extra data as a separate response", Versions: fasthttpVersion,
	}, "order-newest-first", "body-after-head"),
	quirk(suites.Quirk{
		Reason: "isIdempotent (client.go:1586) knows only GET, HEAD and PUT, and a request of which nothing was written counts as sent; " +
			"the error is fasthttp's own, ErrConnectionClosed instead of io.EOF (client.go:1572)",
		Breaks: "RFC 9110 section 9.2.2: PUT, DELETE, and safe request methods are idempotent", Versions: fasthttpVersion,
	}, "retry-idempotent", "retry-unsent", "broken-fin-in-flight-post"),
	quirk(suites.Quirk{
		Reason: "isIdempotent (client.go:1586) looks at the method alone: a header Idempotency-Key changes nothing",
		Breaks: "nothing that fasthttp promises: only net/http reads that header; RFC 9110 section 9.2.2 lets a client send a POST again if it knows that it may", Versions: fasthttpVersion,
	}, "retry-key-empty"),
	quirk(suites.Quirk{
		Reason: "ResponseHeader.parseHeaders (header.go:3109) takes a response without a length for one that goes on to the end of its connection, a response to HEAD too, and closes the connection",
		Breaks: "RFC 9112 section 6.3: any response to a HEAD request is always terminated by the first empty line after the header fields, regardless of the header fields present", Versions: fasthttpVersion,
	}, "body-framing"),
	quirk(suites.Quirk{
		Reason: "a 101 frees its connection as a response without a body does (transport.RoundTrip, client.go:3308): the next request is sent on it, to a server that speaks another protocol there",
		Breaks: "RFC 9110 section 7.8: the server switches to the protocol right after the empty line that ends the 101", Versions: fasthttpVersion,
	}, "body-upgrade-place"),
	quirk(suites.Quirk{
		Reason: "the client does not check the request: it sends a name or a value of a header field with a line break, and any method",
		Breaks: "RFC 9110 section 5.5: field values containing CR, LF, or NUL characters are invalid and dangerous", Versions: fasthttpVersion,
	}, "body-invalid-request"),
	quirk(suites.Quirk{
		Reason: "transport.RoundTrip treats CONNECT as any other request: after a success the connection goes back into the pool (closeConn, client.go:3282), " +
			"and the bytes in the tunnel are taken as the answer to the next request",
		Breaks: "RFC 9110 section 9.3.6: a client MUST ignore any Content-Length or Transfer-Encoding header fields received in a successful response to CONNECT", Versions: fasthttpVersion,
	}, "proxy-connect-not-pooled"),
	quirk(suites.Quirk{
		Reason: "a program cannot get the connection that a 101 has changed: only the server has an Upgrade",
		Breaks: "nothing that fasthttp promises", Versions: fasthttpVersion,
	}, "body-upgrade", "body-upgrade-first-bytes"),
)

var xnetVersion = suites.Versions{Module: "golang.org/x/net", From: "v0.62.0"}

// http2Alone has the quirks of x/net's HTTP/2 transport that it has with and without
// net/http inside. Files and lines are those of x/net/http2. The other quirks are in
// http2own.go and http2wrapped.go.
var http2Alone = concat(
	quirk(suites.Quirk{
		Reason: "it speaks only HTTP/2: it cannot use a server that does not offer HTTP/2 by ALPN",
		Breaks: "nothing: its documentation says that it is an HTTP/2 transport", Versions: xnetVersion,
	}, "h2/tls-alpn-changes", "h2/tls-close-notify"),
	quirk(suites.Quirk{
		Reason: "the dialer of the subject does the handshake (Transport.DialTLSContext), and no hook is called for it; the package's own dialer (Transport.dialTLSWithContext, transport_common.go:470) calls none either",
		Breaks: "nothing that it promises: http2: DialTLSContext specifies an optional dial function", Versions: xnetVersion,
	}, "h2/trace-handshake"),
	quirk(suites.Quirk{
		Reason: "requests to one host share one dial (clientConnPool.getStartDialLocked, client_conn_pool.go:114; Transport.dialForRoundTrip, transport_wrap.go:253, where it wraps net/http), " +
			"and no second dial begins while the first one runs: the case wants two",
		Breaks: "nothing: RFC 9113 section 9.1: clients SHOULD NOT open more than one HTTP/2 connection to a given host and port pair", Versions: xnetVersion,
	}, both("leak-silent-server")...),
)

const http2CloseIdleDoc = "http2: CloseIdleConnections closes any connections which were previously connected from previous requests but are now sitting idle. " +
	"It does not interrupt any connections currently in use"

var redigoVersion = suites.Versions{Module: "github.com/gomodule/redigo", From: "v1.9.3"}

var redigoQuirks = concat(
	quirk(suites.Quirk{
		Reason: "a call on a pool that was closed may panic instead of failing: waitVacantConn (pool.go:387) sends on a channel that Close (pool.go:337) has closed (FINDINGS.md)",
		Breaks: "redigo: GetContext: if the context expires before the connection is complete, an error is returned", Versions: redigoVersion,
	}, "close-then-use"),
	quirk(suites.Quirk{
		Reason: "only GetContext looks for connections that were idle for too long (pool.go:220): without a call of it they stay open",
		Issue:  "gomodule/redigo#385", Breaks: "redigo: IdleTimeout: close connections after remaining idle for this duration", Versions: redigoVersion,
	}, "idle-closed-by-timeout"),
	quirk(suites.Quirk{
		Reason: "a command whose context is done from the start closes its connection, although nothing was written: conn.DoContext (redis/conn.go:787 and 804) calls fatal",
		Breaks: "redigo: DoContext: if the context expires before the command is complete, an error is returned; nothing about the connection", Versions: redigoVersion,
	}, "cancel-before-idle"),
)

var goredisVersion = suites.Versions{Module: "github.com/redis/go-redis/v9", From: "v9.23.0"}

var goredisQuirks = concat(
	quirk(suites.Quirk{
		Reason: "after PoolSize failed dials, no command dials: ConnPool.dialConn (internal/pool/pool.go:700) returns the last error at once " +
			"until a dial of the pool's own, once a second, has succeeded; until then one failure makes every new command fail",
		Issue: "redis/go-redis#3062", Breaks: "go-redis: PoolSize is the base number of socket connections", Versions: goredisVersion,
	}, "limit-slot-after-failure", "stuck-after-break"),
	quirk(suites.Quirk{
		Reason: "a command that was sent is not cancelled: baseClient._process (redis.go:1724) uses only the deadline of its context",
		Issue:  "redis/go-redis#2276", Breaks: "go-redis: ContextTimeoutEnabled controls whether the client respects context timeouts and deadlines, and does not mention cancellations", Versions: goredisVersion,
	}, "cancel-awaiting-answer", "cancel-handshake", "cancel-with-deadline"),
	quirk(suites.Quirk{
		Reason: "only Get looks for connections that were idle for too long (isHealthyConn, internal/pool/pool.go:2085): without a call of it they stay open",
		Issue:  "redis/go-redis#3575", Breaks: "nothing: go-redis: ConnMaxIdleTime: expired connections may be closed lazily before reuse", Versions: goredisVersion,
	}, "idle-closed-by-timeout"),
)

var (
	puddleVersion = suites.Versions{Module: "github.com/jackc/puddle/v2", From: "v2.2.3"}
	pgxVersion    = suites.Versions{Module: "github.com/jackc/pgx/v5", From: "v5.12.0"}
)

var puddleQuirks = quirk(suites.Quirk{
	Reason: "Close (pool.go:190) does not wake a call that waits for a place (pool.go:361); both wait (FINDINGS.md)",
	Breaks: "puddle: ErrClosedPool occurs on an attempt to acquire a connection from a closed pool or a pool that is closed while the acquire is waiting", Versions: puddleVersion,
}, "close-waiter")

var pgxQuirks = concat(
	quirk(suites.Quirk{
		Reason: "a place does not become free before its connection is cleaned up, and asyncClose (pgconn/pgconn.go:840) waits up to 15 s for a silent server: " +
			"after one query that timed out, each of the calls in line may wait up to 15 s",
		Breaks: "nothing: pgconn: CleanupDone gives pools a way to avoid exceeding the maximum pool size", Versions: pgxVersion,
	}, "broken-silence"),
	quirk(suites.Quirk{
		Reason: "Pool.Close (pgxpool/pool.go:480) calls puddle's Close, which does not wake a call that waits for a place (FINDINGS.md)",
		Breaks: "pgxpool: Close closes all connections in the pool and rejects future Acquire calls", Versions: pgxVersion,
	}, "close-waiter"),
)

var grpcQuirks = quirk(suites.Quirk{
	Reason: "every call wakes an idle channel before it checks its context: ClientConn.Invoke calls idlenessMgr.OnCallBegin, which connects",
	Breaks: "nothing that gRPC promises: a call whose context is done fails as it should", Versions: suites.Versions{Module: "google.golang.org/grpc", From: "v1.85.0"},
}, "cancel-before")
