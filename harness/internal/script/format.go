package script

import (
	"bytes"
	"strings"

	"golang.org/x/tools/txtar"
)

// Format returns the text of the script as it is best read: one space between words, which
// keep their quotes, an empty line in front of each comment that follows a verb, and no other
// empty lines. The files of the archive stay as they are. It reports whether that differs
// from the text that was parsed.
func (s *Script) Format() (text []byte, changed bool) {
	var b bytes.Buffer
	verbs := false // since the last comment
	for line := range strings.Lines(string(s.Archive.Comment)) {
		line = strings.TrimSpace(line)
		switch {
		case line == "":
			continue
		case line[0] == '#':
			comment := strings.TrimSpace(strings.TrimLeft(line, "#"))
			if verbs {
				b.WriteString("\n")
			}
			line, verbs = strings.TrimSpace("# "+comment), false
		default:
			line, verbs = spaced(line), true
		}
		b.WriteString(line + "\n")
	}
	if len(s.Archive.Files) > 0 {
		b.WriteString("\n")
	}
	text = txtar.Format(&txtar.Archive{Comment: b.Bytes(), Files: s.Archive.Files})
	return text, !bytes.Equal(text, s.text)
}

// spaced returns a line of a script with one space between its words.
func spaced(line string) string {
	words, _ := splitWords(line) // it was parsed
	var b strings.Builder
	for i, w := range words {
		if i > 0 {
			b.WriteString(" ")
		}
		b.WriteString(w.source)
	}
	return b.String()
}
