// Package peer is servers and proxies that misbehave: over HTTP/1, HTTP/2 and TLS, and
// as proxies of HTTP and SOCKS. Each is one connection at a time, on a network of
// package faultnet; each way to misbehave is a mode, or an answer, of a table that the
// manual prints.
package peer
