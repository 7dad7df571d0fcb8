//go:build halfopendeep

package on

import _ "unsafe" // for linkname

// halfopenDeep is a variable of the edited runtime, where it is true. Built with
// the tag and without the overlay, this one stands alone and is false.
//
//go:linkname halfopenDeep runtime.halfopenDeep
var halfopenDeep bool

// Deep reports whether bubbles are deep.
func Deep() bool { return halfopenDeep }
