//go:build !halfopendeep

package on

// Deep reports whether bubbles are deep.
func Deep() bool { return false }

// Begin does nothing: an ordinary bubble has no inner choices.
func (c *Choices) Begin() {}

// ID returns 0.
func ID() uint64 { return 0 }
