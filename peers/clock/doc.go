// Package clock measures the module's virtual clock against others.
//
//	go test -bench . ./clock
//
// runs the same measure on every subject, in one run, under names of the form
// measure/subject; ours comes first. Of the metrics, ns/op is for one step of
// the measure (a timer, an advance, a reset), ours/this is how many times as
// long ours takes, and timers is how many there were. Only the ratios are
// worth comparing.
//
// Some subjects need time that grows with the square of the number of timers.
// They get fewer, so that a run takes minutes, and their figures flatter them.
//
// Nor do all do the same work in CreateAndFire and CreateAndCall: the notes
// that are printed first, and end up below the table, say what the fastest ones
// leave out. The subject bare is no clock: it does what one cannot do without
// that keeps the order of deadlines.
package clock
