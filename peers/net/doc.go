// Package net measures the module's network in memory against others.
//
//	go test -bench . -count 5 ./net | go run ./cmd/table
//
// runs the same measures on every subject, in one run, under names of the form
// measure/subject, and prints the medians beside each other. Only the ratios
// are worth comparing.
//
// The subjects differ in what they promise. Loopback TCP is the truth; faultnet
// is held to it, call by call, by a test of its own; net.Pipe and memconn's
// unbuffered kind hand bytes over and keep none; bufconn and fasthttputil keep
// them, and know neither half-closes nor resets.
package net
