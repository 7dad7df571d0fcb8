package nearest

import (
	"fmt"
	"strings"
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

// All names are listed, but a long list does not hide a suggestion.
func TestThereAre(t *testing.T) {
	short := []string{"refuse", "reset"}
	long := append(short, strings.Repeat("x", 300))
	for _, tt := range []struct {
		wrong string
		names []string
		want  string
	}{
		{"rest", short, ` (did you mean "reset"?); there are: refuse, reset`},
		{"rest", long, ` (did you mean "reset"?)`},
		{"hold", long, "; there are: " + strings.Join(long, ", ")},
	} {
		if got := ThereAre(tt.wrong, tt.names); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.wrong, got, tt.want)
		}
	}
}
