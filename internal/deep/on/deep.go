//go:build halfopendeep

package on

import "unsafe" // also for linkname

// The edited runtime has variables of these names. In a program that is built with
// the tag but without the overlay, only these variables exist, and they are zero.
var (
	//go:linkname halfopenDeep runtime.halfopenDeep
	halfopenDeep bool
	//go:linkname halfopenBegin runtime.halfopenBegin
	halfopenBegin func(p unsafe.Pointer, size uintptr)
	//go:linkname halfopenID runtime.halfopenID
	halfopenID func() uint64
)

// Deep reports whether bubbles are deep.
func Deep() bool { return halfopenDeep }

// Begin has the bubble of the current goroutine make its inner choices as c says,
// until it ends. The goroutine itself is never preempted.
func (c *Choices) Begin() { halfopenBegin(unsafe.Pointer(c), unsafe.Sizeof(*c)) }

// ID returns the number of the current goroutine.
func ID() uint64 { return halfopenID() }
