// Package clock is time as a value: what depends on time asks a [Clock] for
// it, and a test hands in one that moves only when told to.
//
// The hard word is *armed*. A timer is armed from the call that starts it
// until it fires or is stopped. What a program will do is written in what it
// has armed, so a [Virtual] can be asked for it: Next says when the next timer
// is due, Timers lists all of them and who armed each, and Step fires exactly
// one.
//
// Two clocks are here. [System] is package time, and inside a bubble of
// [testing/synctest] that is the virtual time of the bubble. [Virtual] needs
// no bubble, and goes further than one does: it is moved to any instant by any
// goroutine, fires one timer at a time, lets the test choose the order of
// timers due at one instant, and holds calls on it in a [Trap]. In a bubble
// Virtual works as well, if what moves it and what uses it are both inside,
// and Virtual.Settle makes the two one machine.
//
// [WithTimeout] and its relatives are the deadlines of package context, on any
// clock.
//
// Goals:
//   - The semantics of package time as of Go 1.23, to the letter: after Stop
//     or Reset no stale value is received, whether or not somebody read the
//     last one. The same cases, and random ones, run against package time in a
//     bubble.
//   - No chance. Timers of one instant fire in the order they were armed,
//     unless Tie chooses another.
//   - A hundred thousand timers are nothing special.
//   - No dependence on package testing, so it can run in a plain program.
//
// Not goals:
//   - To tell when the receiver of a tick has acted on it. That takes a bubble.
//   - The length and capacity of a timer's channel. They are 0 in package time
//     and may be 1 here; no program should ask.
package clock
