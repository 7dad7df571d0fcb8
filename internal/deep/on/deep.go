//go:build halfopendeep

package on

import _ "unsafe" // for linkname

// halfopenDeep is true in the edited runtime, which has a variable of this name.
// In a program that is built with the tag but without the overlay, only this
// variable exists, and it is false.
//
//go:linkname halfopenDeep runtime.halfopenDeep
var halfopenDeep bool

// Deep reports whether bubbles are deep.
func Deep() bool { return halfopenDeep }
