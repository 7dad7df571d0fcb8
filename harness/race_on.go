//go:build race

package harness

// raceEnabled is whether this is a build with the race detector.
const raceEnabled = true
