// Package clock makes time a value: code that depends on time asks a [Clock]
// for it, and a test passes in a clock that moves only when the test moves it.
//
// The hard word is *armed*. A timer is armed from the call that starts it
// until it fires or is stopped. The armed timers show what a program will do
// next, and a [Virtual] lists them: Next returns when the next timer is due,
// Timers lists all timers and the place in the code that armed each one, and
// Step fires exactly one.
//
// The package has two clocks. [System] is package time; inside a bubble of
// [testing/synctest] that is the virtual time of the bubble. [Virtual] needs
// no bubble, and can do more than a bubble's time: any goroutine can move it
// to any instant, it can fire one timer at a time, the test can choose the
// order of timers that are due at one instant, and a [Trap] can hold calls on
// it. Virtual also works in a bubble, if the goroutines that move it and those
// that use it are all inside. There, Virtual.Settle lets the bubble come to
// rest between two timers.
//
// [WithTimeout] and its relatives are the deadlines of package context, on any
// clock.
//
// Goals:
//   - Exactly the semantics of package time since Go 1.23: after Stop or
//     Reset no stale value is received, whether or not the program has read
//     the last value. The same cases, and random programs, run against package
//     time in a bubble.
//   - No chance. Timers of one instant fire in the order in which they were
//     armed, unless Tie chooses another order.
//   - A clock with a hundred thousand timers is still fast.
//   - No import of package testing, so that a program can use the clock too.
//
// Not goals:
//   - To know when the receiver of a tick has acted on it. Only a bubble can.
//   - The length and capacity of a timer's channel. Both are 0 in package time
//     and may be 1 here; a program should not depend on them.
package clock
