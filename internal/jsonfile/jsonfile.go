// Package jsonfile says where in a file of JSON a mistake is.
package jsonfile

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Mistake returns an error of package encoding/json about the text of a file, with the file, the
// line and what the file should be. Any other error it returns with the file.
func Mistake(file string, text []byte, want string, err error) error {
	if wrong, ok := errors.AsType[*json.SyntaxError](err); ok {
		return fmt.Errorf("%s:%d: want %s: this is not JSON, or is cut off", file, lineOf(text, wrong.Offset-1), want)
	}
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		field := wrong.Field[strings.LastIndex(wrong.Field, ".")+1:] // of which versions of Go give more, or less
		what := "this"
		if field != "" {
			what = strconv.Quote(field)
		}
		return fmt.Errorf("%s:%d: want %s: %s cannot be %s", file, lineOf(text, wrong.Offset-1), want, what, article(wrong.Value))
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%s:%d: want %s: the file is cut off", file, lineOf(text, int64(len(text))), want)
	}
	return fmt.Errorf("%s: %w", file, err)
}

// article returns a kind of value of JSON with its article.
func article(kind string) string {
	if strings.HasPrefix(kind, "a") || strings.HasPrefix(kind, "o") {
		return "an " + kind
	}
	return "a " + kind
}

// lineOf returns the line, from 1, of a byte.
func lineOf(text []byte, offset int64) int {
	return 1 + bytes.Count(text[:max(0, min(offset, int64(len(text))))], []byte("\n"))
}
