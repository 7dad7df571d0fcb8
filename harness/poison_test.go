//go:build poison

package harness_test

import _ "unsafe" // for linkname

// stackPoisonCopy is a setting of the runtime. If it is 1, the runtime overwrites each stack
// that it has moved elsewhere. What still reads the old one ends the process.
//
//go:linkname stackPoisonCopy runtime.stackPoisonCopy
var stackPoisonCopy int

func init() { stackPoisonCopy = 1 }
