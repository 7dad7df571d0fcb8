//go:build race

package harness_test

// crowd is how many goroutines a program of TestPrograms leaves behind. The race detector
// takes 17 KB for each.
const crowd = 50_000
