package nearest

import (
	"fmt"
	"testing"
)

// The nearest name is suggested, and none that is too far.
func TestDidYouMean(t *testing.T) {
	names := []string{"refuse", "reset", "hold"}
	for wrong, want := range map[string]string{"refsue": "refuse", "rest": "reset", "hodl": "hold", "HOLD": "hold", "hol": "hold", "xyzzy": "", "x": "", "": ""} {
		if want != "" {
			want = fmt.Sprintf(" (did you mean %q?)", want)
		}
		if got := DidYouMean(wrong, names); got != want {
			t.Errorf("%s: got %q, want %q", wrong, got, want)
		}
	}
}
