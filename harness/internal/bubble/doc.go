// Package bubble opens bubbles of virtual time ([testing/synctest]), and says how
// each ended, which of its goroutines are left, and what froze it.
//
// It knows nothing of what runs in a bubble. It is all that knows how the runtime
// prints one: none of that is promised by Go, and its test fails when a release
// changes it.
package bubble
