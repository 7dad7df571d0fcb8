package recording_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/halfopen/halfopen/internal/recording"
)

// A word in quotes is what package strconv makes of it, wherever it stands in a line.
func FuzzQuoted(f *testing.F) {
	for _, quoted := range []string{`""`, `"a b"`, `"\r\n\t\"\\"`, `"\x00\xff\xfF"`, `"\u00e9\U0001F600\101\a"`, `"é"`, `"a` + "\t" + `b"`, `"` + "\xff" + `"`,
		`"\'"`, `"\q"`, `"\x0"`, `"\xg0"`, `"open`, `"open\`, `"open\"`, `"`, `"a"b`} {
		f.Add(quoted)
	}
	for b := range 256 {
		f.Add(strconv.QuoteToASCII(string([]byte{'a', byte(b), 'z'})))
	}
	f.Fuzz(func(t *testing.T, quoted string) {
		if !strings.HasPrefix(quoted, `"`) || strings.Contains(quoted, "\n") {
			return
		}
		words, err := recording.Split("1.0 x " + quoted)
		prefix, wrong := strconv.QuotedPrefix(quoted)
		want, unquoted := strconv.Unquote(prefix)
		if wrong != nil || unquoted != nil {
			if err == nil {
				t.Errorf("%s: got %q, want an error", quoted, words)
			}
			return
		}
		if _, err := recording.Split("1.0 x " + prefix); err != nil || err == nil && len(words) >= 3 && words[2] != want {
			t.Errorf("%s: got %q, %v, want %q", quoted, words, err, want)
		}
	})
}

// The words of a line stay apart, quoted or not.
func TestSplit(t *testing.T) {
	got, err := recording.Split(`  1.0  c1 error "read" "a \"b\" c"  ` + `"\u0041\r"x`)
	if want := []string{"1.0", "c1", "error", "read", `a "b" c`, "A\r", "x"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
}
