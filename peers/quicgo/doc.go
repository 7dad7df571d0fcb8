// Package quicgo runs the cases of package suites on the transport of HTTP/3 of quic-go, with
// quirks for what does not hold, and tests what QUIC alone does: the loss of each packet of a
// handshake, idle timeouts, GOAWAY, 0-RTT, Retry, a small MTU. Connections that move from one
// address to another are left out.
//
// It is a module of its own, because other peers need an older version of quic-go.
//
// The hard word is *deterministic*: in an ordinary bubble quic-go gives the same answers each
// time, and in a deep bubble the same packets, to the byte (TestHTTP3Replays).
package quicgo
