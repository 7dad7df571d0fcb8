//go:build race

package harness

// raceEnabled is whether this is a build with the race detector. There, time
// that passes in a bubble costs memory that is never given back: the runtime does
// not end the race context of a bubble whose timers have fired, as it does for
// those of a processor (Go 1.26, proc.go), and keeps with it what the bubble's
// goroutines did, 35 KB of a schedule with one request.
const raceEnabled = true
