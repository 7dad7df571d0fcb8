// Package faultnet is a network in memory: listeners, dials and connections
// that behave as those of Linux TCP do, to the error value, and sockets for
// datagrams that behave as those of UDP. Every event can be held, let go or made to
// fail.
//
// # Goals
//
//   - Unmodified programs: http.Server, http.Transport, crypto/tls and HTTP/2
//     run on it. [Net.DialContext] and [Net.Listen] are all they need.
//   - True to TCP: a FIN and a reset are two things, an end can be half-closed,
//     closing with unread data resets, buffers are bounded, and an error is the
//     [net.OpError] around the system call's number that the kernel gives.
//   - Order in the caller's hand: what is about to happen is an [Event] with a
//     stable name, and [Net.Hold], [Net.Install] or [Net.Drive] decide when and
//     how it does.
//   - At home in a testing/synctest bubble: a goroutine that waits on it is durably
//     blocked.
//
// # Non-goals
//
// A connection has no packets, no congestion and no lost bytes: what TCP hides from a
// program does not happen here. Datagrams are lost only where a rule says so, or a
// buffer is full. Where speed and truth conflict, truth wins.
//
// # How true it is
//
// A test runs a list of cases, and random ones, on this network and on the
// kernel's loopback, and compares step by step what each call returned, whether
// it blocked, the TCP state of both ends and the bytes that wait there. What is
// still different:
//
//   - Its connections are no [syscall.Conn]: a file descriptor cannot be faked. File
//     and MultipathTCP are missing too; all other methods of [net.TCPConn] are there.
//   - ReadFrom and WriteTo never splice: between two connections their errors name
//     read or write where Linux names splice.
//   - Keep-alive probes are never sent: [Conn.Break] with ETIMEDOUT does what their
//     end does. A receive buffer that is made smaller is so at once, where Linux
//     keeps the window that the peer knows.
//   - A Read and a Write that are both blocked end in one order: the Write gets the
//     error of a reset. On Linux Go's scheduler lets the Read win now and then.
//   - Close never blocks. With a positive linger time Linux waits for what is
//     unsent; here, a test that holds the network still would wait for itself.
//   - A buffer is as large as the [Net] says, and does not grow with use.
//   - A listener's backlog has no bound, where Linux drops the dials above it.
//   - An end that Linux keeps in TIME_WAIT is CLOSED, and its port is free.
//   - A write of a datagram never blocks: what was sent has left. A receive buffer
//     counts the memory that Linux 6 takes for each datagram on amd64.
//
// # The hard word
//
// A *half-open* connection (RFC 9293 section 3.5.1) is one whose one end has
// closed or lost it while the other still believes in it: the commonest root of
// bugs in connection pools. [Conn.Vanish] makes one.
//
// # Where to begin
//
// The zero [Net] is free-running: everything happens as soon as it can.
//
//	var n faultnet.Net
//	l, err := n.Listen("tcp", "api.test:80")
//	go http.Serve(l, handler)
//	client := &http.Client{Transport: &http.Transport{DialContext: n.DialContext}}
//
// A [Rule] gives each event a [Verdict]:
//
//	lift := n.Install(faultnet.On("dial * api.test:80", faultnet.Refuse))
//	defer lift()
//
// [Net.ListenPacket] and [Net.DialPacket] open sockets for datagrams; each datagram is an
// event of its own, and any may be released first.
//
// Every fault that it can cause is a row of CATALOGUE.md: verdicts of events, of
// calls (c1 client write), of links ([Net.Shape]) and what befalls hosts
// ([Net.Partition], [Net.Crash]). [Nth], [First], [After], [From] and [For]
// say which events a verdict is for, and [Net.WrapConn], [Net.WrapListener] and
// [Net.WrapDialer] give the same rules to the connections of any program.
//
// A [Recorder] does not change what happens: it notes it, on real connections.
//
// Blocked calls wait on condition variables; no mutex is ever held while
// something is waited for.
package faultnet
