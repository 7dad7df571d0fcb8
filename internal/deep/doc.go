// Package deep makes bubbles deep. It edits a few lines of the Go runtime. In a
// [testing/synctest] bubble on the edited runtime, nothing is left to chance,
// and waiting for a mutex does not stop time.
//
// # One command
//
// A test may freeze because a mutex is held while time passes, or fail once in a
// hundred runs. Such a test runs, without a change, with
//
//	go run github.com/halfopen/halfopen/cmd/halfopen test ./...
//
// This command is go test with an overlay, which replaces a few lines of the
// runtime and of package sync. To run without it, use go test. The test, the code
// under test and the Go tree do not change.
//
// # What it does
//
// In a bubble, and only there:
//
//   - Waiting for a sync.Mutex or sync.RWMutex is durable exactly while a
//     goroutine of the same bubble holds it. Time goes on, synctest.Wait
//     returns, and goroutines that wait for each other's mutexes are a deadlock
//     that is reported at once. While a goroutine outside the bubble holds the
//     mutex, the wait is as in an ordinary bubble: time stands still.
//   - One goroutine of a bubble runs at a time. The goroutines that are ready
//     wait in the order in which they became ready. This is the same for any
//     GOMAXPROCS. Different bubbles run in parallel.
//   - A select takes the order of its cases from a generator of the bubble with
//     a fixed seed. Timers of one instant fire in the order in which they were
//     first armed. A goroutine does not spin for a mutex, and how long it has
//     waited for one is measured in virtual time.
//   - A map that is made in a bubble has the same seed in each run, and a range
//     begins at its first entry.
//   - crypto/rand, the top-level functions of math/rand and math/rand/v2, and
//     seeds of hash/maphash come from generators of the bubble with fixed seeds.
//     TLS bytes are the same in each run. (Keys that are made in a deep bubble
//     are not secret.)
//   - A sync.Pool keeps nothing in a bubble. What another bubble, or code outside
//     bubbles, has put into it is not found, so the first run is like the others.
//     Some pools of packages fmt, io and net/http are an exception: they have
//     buffers that are reset when they are taken, so that nothing shows. (Without
//     them each schedule would allocate all its buffers.)
//   - A goroutine that waits for the garbage collector, that is preempted or
//     that is in a system call keeps its turn. One that comes back from the
//     network poller, from a thread of its own or from a coroutine waits for its
//     turn.
//
// # What it does not do
//
//   - It does not order events from outside the bubble: sockets, processes,
//     channels made outside, goroutines outside. A wait for a channel made
//     outside is not durable. A channel has no holder. Even if nothing outside has
//     used it so far, its first use may be the one that the bubble waits for.
//   - A goroutine whose system call takes more than half a second of real time
//     loses its turn, because it may wait for a goroutine of its bubble. The same
//     holds for a goroutine that computes for five seconds while others are ready,
//     and, where inner choices are made, for one that makes 65,536 in a row.
//   - A range over some maps begins anywhere: maps with more than eight keys that
//     are pointers, because addresses differ from process to process, and maps
//     made outside the bubble, because their seeds do.
//   - A mutex that is locked in a bubble and unlocked outside it counts as held
//     by the bubble until the bubble ends.
//   - It does not find data races. The race detector does, and works together
//     with it.
//   - It does not help two bubbles that each hold a lock and wait for a lock of
//     the other: each stops the time of the other.
//
// # How it is made safe
//
//   - The edits are applied to the Go tree that the go command uses in the
//     current directory. Each edit has an anchor, such as a statement of a
//     function. The anchor is found by parsing, and must be found exactly as
//     often as expected. Otherwise nothing is made, and the error names the
//     release, the file and the anchor. The edited packages are compiled before
//     they are used.
//   - Only Go 1.26 and Go 1.27 are known. The error for another release names it.
//   - Until a process opens its first bubble the edits do nothing. Outside
//     bubbles they do one thing after that: a goroutine that gets a mutex that
//     others wait for has their waits judged. One thing is different from the
//     start: the keys of the hash functions of maps are fixed, which cannot be
//     seen but in the order of a map in a bubble.
//   - The files are kept in the user's cache directory, below halfopen/deep, in
//     a folder named after the release and a hash of the edits and of the files
//     that they were made from. A folder appears at once and is never changed.
//     It may be deleted at any time.
//   - The go command accepts no overlay for a Go tree that it has downloaded by
//     itself. For such a tree Prepare makes a tree of symbolic links and edited
//     files, and GOROOT is set to it. (On Windows that needs the right to make
//     symbolic links.)
//
// # How it works
//
// The files in source are added to the runtime and to package sync; the table
// in edits.go says which functions call them. The file order.go.txt orders the
// goroutines, syscalls.go.txt keeps that order during system calls, chance.go.txt
// provides the random numbers, choice.go.txt makes the inner choices that a program
// takes part in (docs/deep.md lists them), and locks.go.txt decides which waits for locks
// are durable.
//
// With package on a program finds out whether its bubbles are deep.
package deep
