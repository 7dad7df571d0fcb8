package harness

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/halfopen/halfopen/harness/internal/script"
)

// Script is a race script: the moves of a test as text. It is parsed once and
// can be run many times, also concurrently. Its language is described by
// [Manual].
type Script struct {
	// Name is the file's base name without ".txtar".
	Name string
	// File is the path that it was read from, as it is given in errors.
	File string
	// Claim is the first comment: what the script shows.
	Claim string

	parsed   *script.Script
	settings Settings
}

// ParseError is a mistake in a script. Its text is "file:line: verb args:
// cause".
type ParseError struct {
	File string
	Line int
	Text string // the line, without quotes resolved
	Err  error
}

func (e *ParseError) Error() string {
	if e.Text == "" {
		return fmt.Sprintf("%s:%d: %v", e.File, e.Line, e.Err)
	}
	return fmt.Sprintf("%s:%d: %s: %v", e.File, e.Line, e.Text, e.Err)
}

// Unwrap returns the cause.
func (e *ParseError) Unwrap() error { return e.Err }

// ReadScript reads and parses a script.
func ReadScript(file string) (*Script, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	return ParseScript(file, data)
}

// ParseScript parses a script that was read from file. Every mistake that can
// be seen without running it is a [ParseError].
func ParseScript(file string, data []byte) (*Script, error) {
	parsed, mistake := language.Parse(data)
	if mistake != nil {
		return nil, &ParseError{file, mistake.Line, mistake.Text, mistake.Err}
	}
	s := &Script{Name: strings.TrimSuffix(filepath.Base(file), ".txtar"), File: file, Claim: parsed.Claim, parsed: parsed}
	for _, c := range parsed.Commands {
		if c.Verb == "transport" {
			for _, arg := range c.Args {
				s.settings.set(arg) // it was checked
			}
		}
	}
	return s, nil
}

// Comments returns the script's comments, a line each, in order.
func (s *Script) Comments() []string {
	var cs []string
	for _, c := range s.parsed.Commands {
		if c.Verb == "" {
			cs = append(cs, c.Text)
		}
	}
	return cs
}

// traceFile is the file of an archive that holds the golden trace.
const traceFile = "trace"
