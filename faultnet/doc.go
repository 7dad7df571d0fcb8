// Package faultnet is a network in memory: listeners, dials and connections
// that behave as those of Linux TCP do, to the error value, and whose every
// event can be held, let go or made to fail.
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
//   - At home in a testing/synctest bubble: whoever waits on it is durably
//     blocked.
//
// # Non-goals
//
// It has no packets, no congestion and no lost bytes: what TCP hides from a
// program does not happen here. It is not fast at the price of truth.
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
// Blocked calls wait on condition variables; no mutex is ever held while
// something is waited for.
package faultnet
