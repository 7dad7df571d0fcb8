// Package net compares the speed of this project's in-memory network with others.
//
//	go test -bench . -count 5 ./net | go run ./cmd/table
//
// This command runs the same measures on every subject, in one run, and prints the
// medians in one table. The names of the benchmarks have the form measure/subject.
// Only the ratios are worth comparing.
//
// The subjects differ in what they promise. Loopback TCP is the real thing. A test
// in faultnet compares faultnet with it, call by call. net.Pipe and the unbuffered
// connections of memconn have no buffer. bufconn and fasthttputil have one, but
// neither half-closes nor resets.
package net
