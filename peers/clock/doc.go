// Package clock compares the speed of this project's virtual clock with others.
//
//	go test -bench . ./clock
//
// This command runs the same measures on every subject, in one run. The names of
// the benchmarks have the form measure/subject; ours comes first. Of the figures,
// ns/op is the time of one step of the measure (a timer, an advance, a reset),
// ours/this is how many times as long ours takes, and timers is the number of
// timers. Only the ratios are worth comparing.
//
// Some subjects need time that grows with the square of the number of timers.
// They get fewer timers, so that a run takes minutes, and their figures look
// better than they are.
//
// Not all subjects do the same work in CreateAndFire and CreateAndCall. The notes
// that are printed first, and that stand below the table, say what the fastest
// ones leave out. The subject bare is not a clock. It does only the work that
// every clock has to do that keeps the order of deadlines.
package clock
