//go:build race

package suites

// raceEnabled is whether this is a build with the race detector.
const raceEnabled = true
