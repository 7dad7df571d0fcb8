package recording

import (
	"bytes"
	"strconv"
	"time"
	"unicode/utf8"
)

// A lineSplitter splits lines into words. The words of a line are valid until the next one is split:
// a trace has millions of lines, and most of their words are looked at once.
type lineSplitter struct {
	words [][]byte
	text  []byte // what stands in quotes, without escapes
}

// split splits a line at spaces. A word in quotes is a string of Go.
func (s *lineSplitter) split(line []byte) ([][]byte, error) {
	s.words, s.text = s.words[:0], s.text[:0]
	for rest := trimSpaces(line); len(rest) > 0; rest = trimSpaces(rest) {
		if rest[0] != '"' {
			end := bytes.IndexByte(rest, ' ')
			if end < 0 {
				end = len(rest)
			}
			s.words, rest = append(s.words, rest[:end]), rest[end:]
			continue
		}
		word, after, err := s.unquote(rest)
		if err != nil {
			return nil, err
		}
		s.words, rest = append(s.words, word), after
	}
	if len(s.words) == 0 {
		return nil, traceError("a line of spaces")
	}
	return s.words, nil
}

func trimSpaces(b []byte) []byte {
	for len(b) > 0 && b[0] == ' ' {
		b = b[1:]
	}
	return b
}

// unquote takes a string of Go from the beginning of rest. It reads the escapes that
// [strconv.QuoteToASCII] writes for bytes, and leaves all others to package strconv.
func (s *lineSplitter) unquote(rest []byte) (word, after []byte, err error) {
	from := len(s.text)
	for i := 1; i < len(rest); {
		n := bytes.IndexByte(rest[i:], '"')
		if n < 0 {
			break
		}
		if k := bytes.IndexByte(rest[i:i+n], '\\'); k >= 0 {
			n = k
		}
		if !plain(rest[i : i+n]) {
			return s.unquoteSlowly(rest, from)
		}
		s.text = append(s.text, rest[i:i+n]...)
		i += n
		if rest[i] == '"' {
			return s.text[from:len(s.text):len(s.text)], rest[i+1:], nil
		}
		c, size := escaped(rest[i+1:])
		if size == 0 {
			return s.unquoteSlowly(rest, from)
		}
		s.text = append(s.text, c)
		i += 1 + size
	}
	return s.unquoteSlowly(rest, from)
}

// plain reports whether bytes stand for themselves between quotes.
func plain(b []byte) bool {
	for _, c := range b {
		if c < ' ' || c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// escaped returns the byte that an escape stands for whose backslash is gone, and the
// length of the rest of it; 0 if it is a rare one.
func escaped(b []byte) (c byte, size int) {
	switch {
	case len(b) == 0:
		return 0, 0
	case b[0] == 'n':
		return '\n', 1
	case b[0] == 'r':
		return '\r', 1
	case b[0] == 't':
		return '\t', 1
	case b[0] == '"', b[0] == '\\':
		return b[0], 1
	case b[0] == 'x' && len(b) >= 3 && hexDigit(b[1]) < 16 && hexDigit(b[2]) < 16:
		return hexDigit(b[1])<<4 | hexDigit(b[2]), 3
	}
	return 0, 0
}

// hexDigit returns the value of a digit, or 16.
func hexDigit(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10
	}
	return 16
}

// unquoteSlowly takes any string of Go.
func (s *lineSplitter) unquoteSlowly(rest []byte, from int) (word, after []byte, err error) {
	quoted, err := strconv.QuotedPrefix(string(rest))
	if err != nil {
		return nil, nil, traceError("a quote without its end, or a bad escape: %.40q", rest)
	}
	text, err := strconv.Unquote(quoted)
	if err != nil {
		return nil, nil, traceError("bad quotes: %.40q", quoted)
	}
	s.text = append(s.text[:from], text...)
	return s.text[from:len(s.text):len(s.text)], rest[len(quoted):], nil
}

// isName reports whether s is that letter and a number.
func isName(s []byte, letter byte) bool {
	if len(s) < 2 || len(s) > 10 || s[0] != letter || s[1] == '0' {
		return false
	}
	for _, c := range s[1:] {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

// parseTime reads seconds with up to nine digits behind the point.
func parseTime(s []byte) (time.Duration, error) {
	seconds, fraction, _ := bytes.Cut(s, []byte("."))
	n, err := strconv.ParseUint(string(seconds), 10, 32)
	if err == nil && len(fraction) <= 9 {
		var nanos uint64
		if len(fraction) > 0 {
			nanos, err = strconv.ParseUint(string(fraction), 10, 32)
		}
		if err == nil {
			for range 9 - len(fraction) {
				nanos *= 10
			}
			return time.Duration(n)*time.Second + time.Duration(nanos), nil
		}
	}
	return 0, traceError("bad time %.40q: want seconds, as 1.250000", s)
}

// numbers reads as many words as there are in ns.
func numbers(words [][]byte, ns ...*int64) error {
	if len(words) != len(ns) {
		return traceError("got %d numbers, want %d", len(words), len(ns))
	}
	for i, w := range words {
		n, err := strconv.ParseUint(string(w), 10, 62)
		if err != nil {
			return traceError("bad number %.40q: want 0, 1, 2 and so on", w)
		}
		*ns[i] = int64(n)
	}
	return nil
}

// known returns the one of the words that is b, without making a string of it, or "".
func known(b []byte, words []string) string {
	for _, w := range words {
		if string(b) == w {
			return w
		}
	}
	return ""
}
