// Package pool is an http.RoundTripper whose connection pool can be read,
// counted and taken apart: the algorithm of net/http told in its own stages.
//
// # Goals
//
//   - All that [net/http.Transport] promises for HTTP/1.1, and HTTP/2 through
//     golang.org/x/net/http2, sentence by sentence in PROMISES.md;
//     http.Client runs on it unchanged.
//   - One file a stage, each with a word on what owns the connection there:
//     roundtrip.go, getconn.go, idle.go, dialqueue.go, dial.go, putidle.go,
//     conn.go, exchange.go, readloop.go, writeloop.go, body.go, drain.go.
//   - Books: [Transport.Stats] counts dials, reuses, waits and the causes of
//     each close; [Transport.Ledger] says which request holds which connection since when.
//   - No bug that is public. Where one is open in net/http, a comment has its
//     number and a test shows that it is not here.
//   - The same events give the same result: where two come in one instant, one
//     of them wins for a reason, and it is not chance.
//   - Every wait is on a channel, with no lock held, so that a whole transport
//     fits into a testing/synctest bubble. All time comes from a clock.
//
// # Non-goals
//
//   - Messages: net/http parses and writes them.
//   - HTTP/2 frames: their timers are those of package time.
//   - Connections outside the pool: those of NewClientConn are net/http's.
//   - Policy, such as retries after an answer, hedging or rate limits.
//
// # The hard word
//
// An orphan is a dial whose request is gone: it was served by another
// connection, or called off. It goes on, because its connection will serve
// another request (golang/go#59017), and it is bounded, because a dialer that
// hangs would make more of them with each request that gives up
// (golang/go#76784). See [Transport.MaxOrphanDialsPerHost].
//
// # A connection's owners
//
// Every connection has one owner at a time, which alone writes to it, pools it or
// gives it away:
//
//	its dial  ->  a request  ->  the body of a response  ->  the idle list
//	                 ^                  |                         ^   |
//	                 |                  +->  the body's drain  ->-+   |
//	                 +------------------------------------------------+
//
// Any goroutine may close it, once, with a [Cause].
package pool
