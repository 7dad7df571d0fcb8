package script

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/tools/txtar"

	"github.com/halfopen/halfopen/internal/nearest"
)

// Script is a script that was parsed.
type Script struct {
	// Claim is the first comment: what the script shows.
	Claim    string
	Commands []Command
	Archive  *txtar.Archive

	text []byte
}

// Command is one line of a script.
type Command struct {
	Line   int
	Verb   string // "" for a comment
	Negate bool
	Args   []string
	Why    []string
	Text   string // of a comment
	Idle   string // why it would do nothing, or ""
}

// Error is a mistake in a script.
type Error struct {
	Line int
	Text string // the line, without quotes resolved
	Err  error
}

// Parse parses a script. Every mistake that can be seen without running it is an
// Error.
func (l *Language) Parse(data []byte) (*Script, *Error) {
	s := &Script{Archive: txtar.Parse(data), text: data}
	k := &checker{language: l, script: s}
	n := 0
	for text := range strings.Lines(string(s.Archive.Comment)) {
		n++
		switch text = strings.TrimSpace(text); {
		case text == "":
		case text[0] == '#':
			text = strings.TrimSpace(strings.TrimLeft(text, "#"))
			if s.Claim == "" {
				s.Claim = text
			}
			s.Commands = append(s.Commands, Command{Line: n, Text: text})
		default:
			c, err := k.command(text)
			if err != nil {
				return nil, &Error{n, text, err}
			}
			c.Line = n
			s.Commands = append(s.Commands, c)
		}
	}
	if s.Claim == "" {
		return nil, &Error{Line: 1, Err: fmt.Errorf("a script begins with its claim: # and a sentence")}
	}
	l.findPlaces(s)
	return s, nil
}

// command splits a line into its verb and arguments, and checks them.
func (k *checker) command(text string) (c Command, err error) {
	words, err := splitWords(text)
	if err != nil {
		return c, err
	}
	if words[0].bare("!") {
		c.Negate = true
		words = words[1:]
	}
	for i, w := range words {
		if w.bare("--") {
			c.Why = []string{joinWords(words[i+1:])}
			words = words[:i]
			break
		}
	}
	if len(words) == 0 {
		return c, fmt.Errorf("a verb is missing")
	}
	name, rest := words[0].text, words[1:]
	if words := k.language.second(strings.ToLower(name)); len(words) > 0 {
		if len(rest) == 0 {
			return c, fmt.Errorf("a word is missing behind %s: %s", name, strings.Join(words, ", "))
		}
		if second := rest[0].text; !slices.Contains(words, strings.ToLower(second)) && nearest.DidYouMean(second, words) == "" {
			return c, fmt.Errorf("unknown word %q behind %s: there are %s", second, name, strings.Join(words, ", "))
		}
		name, rest = name+" "+rest[0].text, rest[1:]
	}
	v := k.language.verb(name)
	if v == nil {
		near := nearest.DidYouMean(name, k.language.verbNames())
		if near == "" && strings.Trim(strings.ToLower(name), "abcdefghijklmnopqrstuvwxyz-") == "" {
			near = "; halfopen verbs prints all verbs"
		}
		return c, fmt.Errorf("unknown verb %q%s", name, near)
	}
	var args []string
	for _, w := range rest {
		args = append(args, w.text)
	}
	if c.Negate && !v.Negatable {
		return c, fmt.Errorf("! cannot stand in front of %s", name)
	}
	if c.Why != nil && !strings.HasPrefix(name, "want") {
		return c, fmt.Errorf("only a want has a reason behind it")
	}
	c.Verb = name
	if c.Args, err = v.arrange(args); err != nil {
		return c, err
	}
	if !c.Negate && strings.HasSuffix(v.Args, behindNegation) && len(c.Args) == len(v.params()) {
		return c, fmt.Errorf("%s is an error, which is wanted only with ! in front of %s", c.Args[len(c.Args)-1], name)
	}
	return c, k.check(v, c.Args)
}

// File returns the content of a file of the archive.
func (s *Script) File(name string) ([]byte, bool) {
	for _, f := range s.Archive.Files {
		if f.Name == name {
			return f.Data, true
		}
	}
	return nil, false
}

// Line returns the text of a line, from 1.
func (s *Script) Line(n int) string {
	lines := strings.Split(string(s.Archive.Comment), "\n")
	return strings.TrimSpace(lines[n-1])
}

// Raw returns the bytes that an argument stands for: its own, or, for "@name",
// those of the archive's file as an HTTP/1 message: the lines up to the first
// empty one end in CRLF; the rest is sent as it is without its last line break.
func (s *Script) Raw(arg string) (string, error) {
	name, ok := strings.CutPrefix(arg, "@")
	if !ok {
		return arg, nil
	}
	data, ok := s.File(name)
	if !ok {
		var have []string
		for _, f := range s.Archive.Files {
			have = append(have, f.Name)
		}
		return "", fmt.Errorf("no file -- %s -- in this script%s", name, nearest.DidYouMean(name, have))
	}
	head, body, _ := bytes.Cut(data, []byte("\n\n"))
	head = bytes.ReplaceAll(head, []byte("\n"), []byte("\r\n"))
	return string(head) + "\r\n\r\n" + string(bytes.TrimSuffix(body, []byte("\n"))), nil
}
