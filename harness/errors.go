package harness

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"

	"github.com/halfopen/halfopen/internal/nearest"
)

// errorNames is the errors that a script can name; anything else is a part of
// the error's text, in quotes or not.
var errorNames = []struct {
	name string
	doc  string
	is   func(error) bool
}{
	{"canceled", "context.Canceled", errorIs(context.Canceled)},
	{"deadline", "context.DeadlineExceeded", errorIs(context.DeadlineExceeded)},
	{"timeout", "a net.Error with Timeout()", func(err error) bool {
		var ne net.Error
		return errors.As(err, &ne) && ne.Timeout()
	}},
	{"refused", "ECONNREFUSED", errorIs(syscall.ECONNREFUSED)},
	{"reset", "ECONNRESET", errorIs(syscall.ECONNRESET)},
	{"pipe", "EPIPE", errorIs(syscall.EPIPE)},
	{"closed", "net.ErrClosed", errorIs(net.ErrClosed)},
	{"eof", "io.EOF", errorIs(io.EOF)},
	{"unexpected-eof", "io.ErrUnexpectedEOF", errorIs(io.ErrUnexpectedEOF)},
}

// errorIs returns a function that reports whether an error matches the target.
func errorIs(target error) func(error) bool {
	return func(err error) bool { return errors.Is(err, target) }
}

// matchError returns a function that reports whether an error is the one of an ERROR argument.
func matchError(arg string) func(error) bool {
	for _, e := range errorNames {
		if e.name == arg {
			return e.is
		}
	}
	return func(err error) bool { return err != nil && strings.Contains(err.Error(), arg) }
}

// checkError refuses a bare word that is no name: it is a typing mistake more
// often than a part of a text.
func checkError(arg string) error {
	if strings.ContainsAny(arg, " :.") {
		return nil
	}
	var names []string
	for _, e := range errorNames {
		if e.name == arg {
			return nil
		}
		names = append(names, e.name)
	}
	return fmt.Errorf("unknown error %q%s; there are: %s, and any text of more than a word",
		arg, nearest.DidYouMean(arg, names), strings.Join(names, ", "))
}

// ParseError is a mistake in a script. Its text is "file:line: verb args:
// cause".
type ParseError struct {
	File string
	Line int
	Text string // the line, without quotes resolved
	Err  error
}

// Error returns the place, the line and the cause.
func (e *ParseError) Error() string {
	if e.Text == "" {
		return fmt.Sprintf("%s:%d: %s", e.File, e.Line, cutText(e.Err.Error(), mostInText))
	}
	return fmt.Sprintf("%s:%d: %s: %s", e.File, e.Line, cutLine(e.Text), cutText(e.Err.Error(), mostInText))
}

// Unwrap returns the cause.
func (e *ParseError) Unwrap() error { return e.Err }
