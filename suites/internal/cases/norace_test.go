//go:build !race

package cases_test

// raceEnabled is whether this is a build with the race detector.
const raceEnabled = false
