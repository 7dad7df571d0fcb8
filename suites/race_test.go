//go:build race

package suites_test

// raceEnabled is whether this is a build with the race detector.
const raceEnabled = true
