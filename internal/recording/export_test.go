package recording

import "slices"

// Words returns each word that a trace may have.
func Words() []string {
	return slices.Concat(connEvents, dialFailures, []string{"dial", "fail", "open", "began", "end"})
}
