// Package deep makes bubbles deep: in a [testing/synctest] bubble that runs on
// the Go runtime as this package edits it, nothing is left to chance, and
// waiting for a mutex does not stop time.
//
// # One command
//
// A test that freezes because a mutex is held while time passes, or that fails
// once in a hundred runs, is run as it is:
//
//	go run github.com/halfopen/halfopen/cmd/halfopen test ./...
//
// That is go test with an overlay: a few lines of the runtime and of package
// sync are others than in the Go tree. To leave it out, run go test. Nothing in
// the test or in the code under test changes, and nothing in the Go tree.
//
// # What it does
//
// In a bubble, and only there:
//
//   - Waiting for a sync.Mutex or sync.RWMutex is durable exactly while a
//     goroutine of the same bubble holds it. Time goes on, synctest.Wait
//     returns, and goroutines that wait for each other's mutexes are a deadlock
//     that is reported at once. While a goroutine outside holds the mutex, or
//     one of another bubble, the wait is what it always was: time stands still.
//   - One goroutine of a bubble runs at a time. Those that are ready wait in the
//     order in which they became ready. This is the same for any GOMAXPROCS.
//     Different bubbles run in parallel.
//   - A select draws the order of its cases from a generator of the bubble with
//     a fixed seed. Timers of one instant fire in the order in which they were
//     first armed. A mutex is not spun for, and its waiters go by virtual time.
//   - A map that is made in a bubble has the same seed in each run, and a range
//     begins at its first entry.
//   - crypto/rand, the top-level functions of math/rand and math/rand/v2, and
//     seeds of hash/maphash come from generators of the bubble with fixed seeds.
//     TLS bytes are the same in each run. (Keys that are made in a deep bubble
//     are no secrets.)
//   - A sync.Pool keeps nothing: what another bubble, or the time before,
//     left in it is not seen, so the first run is like the others.
//   - A goroutine that waits for the garbage collector, that is preempted or
//     that is in a system call keeps its turn. One that comes back from the
//     network poller, from a thread of its own or from a coroutine waits for it.
//
// # What it does not do
//
//   - What comes from outside comes when it comes: sockets, processes, channels
//     made outside, goroutines outside. A wait for a channel made outside is not
//     durable.
//   - A system call that takes more than half a second of real time loses its
//     turn, as it may wait for a goroutine of its bubble. So does a goroutine
//     that computes for five seconds while others are ready.
//   - A range over a map with more than eight keys that are pointers, or that
//     was made outside the bubble, begins anywhere: addresses, and seeds from
//     outside, differ from process to process.
//   - A mutex that is locked in a bubble and unlocked outside it counts as held
//     by the bubble until the bubble ends.
//   - Data races are found by -race, which works together with it.
//   - Two bubbles that each hold a lock and wait for a lock of the other stop
//     each other's time.
//
// # How it is made safe
//
//   - The edits are made from the Go tree that the go command uses in the
//     current directory. Each has an anchor, a statement of a function, that is
//     found by parsing and has to be there exactly as often as expected; if it
//     is not, nothing is made, and the error names the release, the file and the
//     anchor. What was edited is compiled before it is used.
//   - Go 1.26 and Go 1.27 are known. Another release is refused by its name.
//   - Until a process opens its first bubble the edits do nothing. Outside
//     bubbles they do one thing after that: a goroutine that gets a mutex that
//     others wait for has their waits judged. One thing is different from the
//     start: the keys of the hash functions of maps are fixed, which cannot be
//     seen but in the order of a map in a bubble.
//   - The files are kept in the user's cache directory, below halfopen/deep, in
//     a folder named after the release and a hash of the edits and of the files
//     that they were made from. A folder appears at once and is never changed.
//     It may be deleted at any time.
//   - The go command takes no overlay for a Go tree that it has downloaded by
//     itself. For such a tree Prepare makes a tree of symbolic links with the
//     edited files in it, which is GOROOT then. (On Windows that takes the right
//     to make symbolic links.)
//
// # How it works
//
// The files in source are added to the runtime and to package sync; the table
// in edits.go says where they are called from. Of these, order.go.txt is the
// order of goroutines, syscalls.go.txt what becomes of it in a system call,
// chance.go.txt what was chance, and locks.go.txt decides which waits for locks
// are durable.
//
// Package on tells a program whether its bubbles are deep.
package deep
