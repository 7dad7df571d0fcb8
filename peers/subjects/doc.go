// Package subjects runs the cases of package suites on other projects' clients. It
// has the few lines that make a subject of each client, and the quirks of each.
//
// A case that does not hold is a quirk. The quirk describes the mechanism, with the
// file and the line in the peer's source at the version in go.mod, and names the
// peer's own issue if there is one. The tests assert the quirks too: they fail when a
// quirk is gone. A *finding* is a behaviour that no test of the peer covers. It has a
// test of its own here, as short as possible. But if a peer crashes or hangs,
// FINDINGS.md describes that in words.
//
// The goal is not to rank anybody. Where a case asks for something that a peer never
// promised, the quirk says so.
//
// The hard word is *real*: the peers are not modified. Two of them, go-redis and
// fasthttp, keep timers for the next waiting call in a package-level variable, and a
// timer cannot leave the bubble in which it was made. So each run begins with that
// variable empty. Two runs of these peers at the same time would get each other's
// timers, so the runs of one process are one after the other, as -halfopen.parallel=1 says.
package subjects
