package harness

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/tools/txtar"

	"github.com/halfopen/halfopen/faultnet"
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

	archive  *txtar.Archive
	settings Settings
	commands []*command
}

// command is one line of a script.
type command struct {
	line   int
	verb   *verb
	negate bool
	args   []string
	why    []string
	text   string // a comment's, if verb is nil
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

// Unwrap is the cause.
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
	s := &Script{
		Name:    strings.TrimSuffix(filepath.Base(file), ".txtar"),
		File:    file,
		archive: txtar.Parse(data),
	}
	names := newNames(s)
	n := 0
	for text := range strings.Lines(string(s.archive.Comment)) {
		n++
		text = strings.TrimSpace(text)
		fail := func(err error) error { return &ParseError{file, n, text, err} }
		switch {
		case text == "":
			continue
		case text[0] == '#':
			text = strings.TrimSpace(strings.TrimLeft(text, "#"))
			if s.Claim == "" {
				s.Claim = text
			}
			s.commands = append(s.commands, &command{line: n, text: text})
			continue
		}
		c, err := parseCommand(text)
		if err != nil {
			return nil, fail(err)
		}
		c.line = n
		if err := names.check(c); err != nil {
			return nil, fail(err)
		}
		s.commands = append(s.commands, c)
	}
	if s.Claim == "" {
		return nil, &ParseError{File: file, Line: 1, Err: fmt.Errorf("a script begins with its claim: # and a sentence")}
	}
	return s, nil
}

// Comments is the script's comments, a line each, in order.
func (s *Script) Comments() []string {
	var cs []string
	for _, c := range s.commands {
		if c.verb == nil {
			cs = append(cs, c.text)
		}
	}
	return cs
}

// file is the content of a file of the archive.
func (s *Script) file(name string) ([]byte, bool) {
	for _, f := range s.archive.Files {
		if f.Name == name {
			return f.Data, true
		}
	}
	return nil, false
}

// traceFile is the file of an archive that holds the golden trace.
const traceFile = "trace"

// parseCommand splits a line into its verb and arguments.
func parseCommand(text string) (*command, error) {
	words, err := splitWords(text)
	if err != nil {
		return nil, err
	}
	c := &command{}
	if words[0].bare("!") {
		c.negate = true
		words = words[1:]
	}
	for i, w := range words {
		if w.bare("--") {
			c.why = []string{joinWords(words[i+1:])}
			words = words[:i]
			break
		}
	}
	if len(words) == 0 {
		return nil, fmt.Errorf("a verb is missing")
	}
	name, rest := words[0].text, words[1:]
	if (name == "want" || name == "may") && len(rest) > 0 {
		name, rest = name+" "+rest[0].text, rest[1:]
	}
	c.verb = findVerb(name)
	if c.verb == nil {
		return nil, fmt.Errorf("unknown verb %q%s", name, didYouMean(name, verbNames()))
	}
	for _, w := range rest {
		c.args = append(c.args, w.text)
	}
	if c.negate && !c.verb.negatable {
		return nil, fmt.Errorf("! cannot stand in front of %s", name)
	}
	if c.why != nil && !strings.HasPrefix(name, "want") {
		return nil, fmt.Errorf("only a want has a reason behind it")
	}
	return c, c.arity()
}

// arity checks the number of arguments, and makes one of the words of a
// pattern.
func (c *command) arity() error {
	params := c.verb.params
	least := 0
	for _, p := range params {
		if !p.optional {
			least++
		}
		if p.rest && len(c.args) > 0 {
			i := len(params) - 1
			if i < len(c.args) && p.kind == patternParam {
				c.args = append(c.args[:i:i], strings.Join(c.args[i:], " "))
			}
		}
	}
	most := len(params)
	if most > 0 && params[most-1].rest && params[most-1].kind != patternParam {
		most = 1 << 10
	}
	if len(c.args) < least || len(c.args) > most {
		return fmt.Errorf("usage: %s", c.verb.usage())
	}
	return nil
}

// word is one word of a line.
type word struct {
	text   string
	quoted bool
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
			words = append(words, word{text, true})
			s = s[len(prefix):]
		case '\'':
			text, rest, ok := strings.Cut(s[1:], "'")
			if !ok {
				return nil, fmt.Errorf("the quote ' has no end")
			}
			words = append(words, word{text, true})
			s = rest
		default:
			i := strings.IndexAny(s, " \t")
			if i < 0 {
				i = len(s)
			}
			words = append(words, word{s[:i], false})
			s = s[i:]
		}
	}
	return words, nil
}

// names is what the lines so far have named, so that a wrong name is a
// mistake of the line that has it.
type names struct {
	script   *Script
	requests []string
	started  bool
}

func newNames(s *Script) *names { return &names{script: s} }

// check checks each argument for what it is to be.
func (n *names) check(c *command) error {
	for i, arg := range c.args {
		p := c.verb.params[min(i, len(c.verb.params)-1)]
		if err := n.checkArg(p, arg); err != nil {
			return err
		}
	}
	if modes := modesOf(c.verb.name); modes != nil {
		for _, arg := range c.args[1:] {
			if err := checkMode(modes, arg); err != nil {
				return err
			}
		}
	}
	if c.verb.name == "transport" {
		if n.started {
			return fmt.Errorf("the transport is made before the first request")
		}
	}
	return nil
}

func (n *names) checkArg(p param, arg string) error {
	switch p.kind {
	case newRequestParam:
		for _, have := range n.requests {
			if have == arg {
				return fmt.Errorf("there is a request %s already", arg)
			}
		}
		n.requests = append(n.requests, arg)
		n.started = true
	case requestParam:
		for _, have := range n.requests {
			if have == arg {
				return nil
			}
		}
		return fmt.Errorf("unknown request %s%s", arg, didYouMean(arg, n.requests))
	case dialParam, connParam:
		letter := strings.ToLower(p.name)
		number, ok := strings.CutPrefix(arg, letter)
		if n, err := strconv.ParseUint(number, 10, 31); !ok || err != nil || n == 0 {
			return fmt.Errorf("bad name %q: want %s1, %s2 and so on", arg, letter, letter)
		}
	case numberParam:
		if _, err := strconv.ParseUint(arg, 10, 31); err != nil {
			return fmt.Errorf("bad number %q", arg)
		}
	case durationParam:
		if d, err := time.ParseDuration(arg); err != nil || d < 0 {
			return fmt.Errorf("bad duration %q: want 90s, 1ms and the like", arg)
		}
	case patternParam:
		pattern, outcome := splitPattern(arg)
		if _, err := faultnet.ParsePattern(pattern); err != nil || outcome == "" {
			return err
		}
		if outcome == "pass" {
			return nil
		}
		_, err := parseFault(outcome)
		return err
	case outcomeParam:
		_, err := verdict(arg)
		return err
	case errorParam:
		return checkError(arg)
	case headerParam:
		if name, _, ok := strings.Cut(arg, ":"); !ok || name == "" {
			return fmt.Errorf("bad header %q: want Name:value", arg)
		}
	case directionParam, errnoParam, answerParam:
		return checkFaultArg(p.kind, arg)
	case gateParam:
		if n.started {
			return fmt.Errorf("gates come before the first request")
		}
		return checkGate(arg)
	case settingParam:
		return n.script.settings.set(arg)
	case rawParam:
		_, err := n.script.raw(arg)
		return err
	}
	return nil
}

// splitPattern splits "c1 server fin as reset".
func splitPattern(s string) (pattern, outcome string) {
	pattern, outcome, _ = strings.Cut(s, " as ")
	return pattern, outcome
}

// raw is the bytes that an argument stands for: its own, or, for "@name",
// those of the archive's file as an HTTP/1 message: the lines up to the first
// empty one end in CRLF, what follows is sent as it is without its last line
// break.
func (s *Script) raw(arg string) (string, error) {
	name, ok := strings.CutPrefix(arg, "@")
	if !ok {
		return arg, nil
	}
	data, ok := s.file(name)
	if !ok {
		var have []string
		for _, f := range s.archive.Files {
			have = append(have, f.Name)
		}
		return "", fmt.Errorf("no file -- %s -- in this script%s", name, didYouMean(name, have))
	}
	head, body, _ := bytes.Cut(data, []byte("\n\n"))
	head = bytes.ReplaceAll(head, []byte("\n"), []byte("\r\n"))
	return string(head) + "\r\n\r\n" + string(bytes.TrimSuffix(body, []byte("\n"))), nil
}
