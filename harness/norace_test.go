//go:build !race

package harness_test

// crowd is how many goroutines a program of TestPrograms leaves behind.
const crowd = 100_000
