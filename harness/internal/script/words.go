package script

import (
	"fmt"
	"strconv"
	"strings"
)

// word is one word of a line.
type word struct {
	text   string
	quoted bool
	source string // with its quotes
}

func (w word) bare(s string) bool { return !w.quoted && w.text == s }

func joinWords(ws []word) string {
	var b strings.Builder
	for i, w := range ws {
		if i > 0 {
			b.WriteString(" ")
		}
		b.WriteString(w.text)
	}
	return b.String()
}

// splitWords splits a line at spaces. A word in double quotes has the escapes
// of a Go string, one in single quotes or back quotes none.
func splitWords(s string) ([]word, error) {
	var words []word
	for s = strings.TrimSpace(s); s != ""; s = strings.TrimLeft(s, " \t") {
		switch q := s[0]; q {
		case '"', '`':
			prefix, err := strconv.QuotedPrefix(s)
			if err != nil {
				return nil, fmt.Errorf("the quote %c has no end or a bad escape", q)
			}
			text, _ := strconv.Unquote(prefix)
			words = append(words, word{text, true, prefix})
			s = s[len(prefix):]
		case '\'':
			text, rest, ok := strings.Cut(s[1:], "'")
			if !ok {
				return nil, fmt.Errorf("the quote ' has no end")
			}
			words = append(words, word{text, true, s[:len(s)-len(rest)]})
			s = rest
		default:
			i := strings.IndexAny(s, " \t")
			if i < 0 {
				i = len(s)
			}
			words = append(words, word{s[:i], false, s[:i]})
			s = s[i:]
		}
	}
	return words, nil
}
