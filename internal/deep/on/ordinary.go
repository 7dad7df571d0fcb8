//go:build !halfopendeep

package on

// Deep reports whether bubbles are deep.
func Deep() bool { return false }
