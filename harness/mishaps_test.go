package harness_test

import "runtime"

// runtimeGoexit does what a helper does that calls FailNow of another test.
func runtimeGoexit() { runtime.Goexit() }

// outOfRange panics where the compiler does not see it.
func outOfRange(s []int, i int) int { return s[i] }
