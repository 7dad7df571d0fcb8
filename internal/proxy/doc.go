// Package proxy is the program behind "halfopen proxy": a proxy on loopback whose
// connections are subject to rules, for programs in any language.
//
// # Goals
//
//   - Programs that are not changed: they know an HTTP or SOCKS5 proxy by its address, or
//     dial an address that is mapped to that of their server.
//   - The rules of race scripts: places and effects are words of that language
//     ([ParseRules]), and package faultnet carries them out.
//   - Toxiproxy's HTTP API, so that its clients in any language drive it ([Admin]).
//   - The same numbers each time: c3 is the third connection that was accepted, d3 its dial.
//
// # Non-goals
//
// It decides no order: real sockets, and the programs on both sides, go on by themselves, in
// real time. What a program has asked its own kernel for cannot be made to fail here: see the
// table of verdicts in verdicts.go.
//
// # The hard word
//
// A *mapping* is an address that is listened on and the address to which its connections go.
// Toxiproxy calls it a proxy. A *toxic*, its word too, is an effect on one direction of a
// mapping's connections.
package proxy
