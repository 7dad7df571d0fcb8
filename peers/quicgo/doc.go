// Package quicgo runs the cases of package suites on the transport of HTTP/3 of quic-go, with
// quirks for what does not hold, and tests what QUIC alone does: the loss of each packet of a
// handshake, idle timeouts, GOAWAY, 0-RTT, Retry, a small MTU. Connections that move from one
// address to another are left out.
//
// golang.org/x/net/quic runs over the same network, and loses each packet too (TestXNetEachPacket). It has no HTTP/3
// that others can import, and the cases for clients are about connections, so it is no subject of the suites.
//
// It is a module of its own, because other peers need an older version of quic-go.
//
// The hard word is *deterministic*: in an ordinary bubble quic-go gives the same answers each
// time, and in a deep bubble the same packets, to the byte (TestHTTP3Replays).
package quicgo
