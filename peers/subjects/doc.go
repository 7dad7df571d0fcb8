// Package subjects puts clients of others to the cases of package suites: the
// fewest lines that make a subject of each, and, of each, what it does otherwise.
//
// What does not hold is a quirk, with the mechanism in the file and line of the
// peer's source at the version of go.mod, and the peer's own issue where there
// is one. The tests assert the quirks too: one that is gone fails. What no
// test of the peer has is a finding, and has a test of its own, as short as it
// gets; but what crashes or hangs is told in words, in FINDINGS.md.
//
// The goal is not to rank anybody. Where a case asks for what a peer never
// promised, the quirk says so.
//
// The hard word is *real*. The peers are unmodified. Two of them, go-redis and
// fasthttp, keep timers for whoever waits next in a variable of the package,
// and a timer cannot leave the bubble that made it: each run begins with
// that variable empty. Two runs of these at the same time would get each
// other's, so the runs of one process are one after the other.
package subjects
