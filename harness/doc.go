// Package harness runs a test of an HTTP transport in a bubble of virtual
// time, on an in-memory network that releases one event at a time, and reports
// everything that is left behind.
//
// # Goals
//
//   - Any order of dials, bytes, FINs, resets, timeouts and cancellations can
//     be written down, and happens each time: same test, same bytes of report.
//   - The transport under test is not modified, and needs no hooks: it gets a
//     dialer.
//   - A leak, a deadlock or a panic is an ordinary failure of the one test that
//     has it, with the line of the user's code that it comes from.
//
// # Non-goals
//
// What happens inside one step is left to the scheduler: which goroutine takes
// a mutex first, which of several ready cases a select takes. Over HTTP/2 with several
// streams on one connection that shows: the same schedule may come out otherwise. An exploration
// runs one in 50 of its schedules again to compare, and says if one does
// ([Exploration.Differed]). In a deep bubble it does not. Memory races are for -race.
//
// # The hard word
//
// Everything rests on *quiet*: the moment when every goroutine of the bubble
// waits for another one, so that nothing can happen before the network releases
// an event or time moves. All verbs return at quiet ("settle"), and between any
// two events there is quiet.
//
// # The six moves of a race
//
// Start a request, hold what is to wait, let it go, settle, want something, end
// with nothing left:
//
//	t.Net.Hold("dial")                        // hold
//	r1 := t.Get("r1", tr, "http://api.test/") // start
//	d1 := t.Net.WantDial()                    // want, settled
//	r1.Cancel()
//	r1.WantErr(context.Canceled)
//	r2 := t.Get("r2", tr, "http://api.test/")
//	d2 := t.Net.WantDial()
//	c1 := d1.Open()                           // let go
//	r2.WantDone(c1, "the orphan is free")     // want, with a reason
//	r2.Finish()
//	d2.Open()
//
// What is not HTTP is an operation: t.Do(ctx, "r1", call) starts a call, which is cancelled
// and waited for in the same way.
// [T.ServeQueue] has a server whose answers are enqueued and whose requests are taken, and [T.Run]
// divides a body into sections, which a report folds.
//
// Servers and clients of datagrams are [T.ServePackets] and [T.Ask]; t.Net.ListenPacket and
// DialPacket give sockets to the code under test.
//
// The same moves as text are a [Script]; [Manual] is its manual.
//
// # Every order
//
// [Explore] runs a body once for each schedule: nothing happens by itself, and
// each run makes the choices differently. A *schedule* is the list of the choices
// by name; a *delay* is a choice that is not what has waited longest; a *fault* is
// an event with another outcome than the normal one. Schedules with few of both
// are tried first, so that the first that fails is simple.
//
// [T.Gates] splits steps inside an unmodified transport: each of its callbacks
// becomes an event too.
//
// # Oracles
//
// In every run, for any transport, without being asked:
//
//   - whenever all is quiet: open connections and dials together are within the
//     limit of a host; no request waits while a connection that would serve is idle,
//     and no dial begins while one is; the request that waits longest is served first; a
//     cancelled request has returned
//   - when a request reaches a server: it must not be there twice unless it may
//     be sent again (RFC 9110 section 9.2.2); no other one failed on that
//     connection; its body is whole
//   - when it returns: with a response or an error, and not both or neither; the
//     answer is its own, and its body what a server sent
//   - at the next quiet point: an error that says that a connection, a context or a time has
//     ended has a cause of the request's own: a fault on its dial or connection, its peer, its
//     cancellation, time that has passed; CloseIdleConnections is none. What the hooks of
//     [httptrace] say is what happened on the wire
//   - at the end: every request has returned, its body is closed, every response body is
//     closed or read to its end, every dial and hold was let go, every fault fired, every state of
//     [T.Sometimes] was reached; once the idle connections are closed no connection
//     is open, and no goroutine is left; a run in which nothing can move any more is
//     stuck
//
// Each oracle has a name, which stands in its failures with the sentence that it enforces: see
// [Manual]. [T.Allow] says, by name and with the reason, that one does not apply. A thing that
// is left at the end has a [Kind] in place of such a name, and cannot be allowed, but for a goroutine
// of the background ([T.AllowGoroutine]). A request
// waits for a connection from its transport's GetConn on, where transports call hooks: what is
// in front of a transport, such as a rate limiter, may hold it back. A Close of the transport's
// own, which ends its requests, is a cause that cannot be seen: a test that calls it allows
// "cause".
//
// Whether a connection is idle is seen on the wire: the last byte of the last
// response has arrived. A response body may be closed before that: a transport may
// then read the rest, so as to use the connection again, as net/http does since Go
// 1.27, or close the connection. Until one of these happens the connection is
// neither idle nor left behind, and its place at a limit is taken; at the end of a
// test five seconds of virtual time pass for it.
//
// [T.AtQuiet] adds checks of one's own, asked between any two events. [T.Strict]
// adds that each connection and each request body is closed once, that nothing is written to it
// afterwards, and that no deadline is armed while it is idle. Timers of package
// time can't be seen from outside: what they hold back shows only as the
// goroutine, the connection or the request that waits for them.
//
// # Runs that stand still
//
// A goroutine that waits for a mutex, or for something outside the bubble, does not
// count as waiting for another one of the bubble: there is no quiet meanwhile, nothing
// arrives and no time passes. After a second of real time (-halfopen.frozen) such a run
// is given up; where a goroutine outside the bubble can run, which may end the wait,
// after ten.
//
//   - A mutex: if its holder waits for time or for the network, the run stands still
//     although the code may be right. Such a run is *undecided*: a test is skipped with a
//     report that says which goroutine waits, an exploration goes on with its other
//     schedules, and fails only for what these show. In a *deep bubble* waiting for a
//     mutex counts too: halfopen test, of cmd/halfopen, is go test with such bubbles.
//   - A real socket, a channel or a sync.WaitGroup from outside: the test fails, at the
//     line that waits.
//   - A goroutine that runs for twelve seconds, or for thirty on a busy machine, and neither
//     ends nor waits: the test fails.
//
// The next test runs in each case. The goroutines of the bubble cannot be freed.
//
// # Ordinary tests
//
// Without [Net.Hold] everything goes through by itself, and a test is an
// ordinary one: code under test may block, and time passes when nothing else
// can.
//
// [T.NewServer] makes an [net/http/httptest.Server] on this network, so that a test
// with [net/http/httptest.NewServer] becomes one of the harness by one line:
//
//	srv := t.NewServer(handler) // was httptest.NewServer(handler)
//	defer srv.Close()
//	resp, err := srv.Client().Get(srv.URL)
//
// The clients of package httptest's own servers dial past the network, that of
// NewTestServer, new in Go 1.27, too: a test that hands one to the harness ends with
// an error that says so.
package harness
