package harness

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
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
	sum      string // a fingerprint of the text
}

// ReadScript reads and parses a script: a regular file of at most 4 MiB.
func ReadScript(file string) (*Script, error) {
	data, err := readFile(file, mostInFile)
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
	sum := sha256.Sum256(bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n")))
	s.sum = fmt.Sprintf("%x", sum[:8])
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

// Format returns the script as it is best read: one space between words, an empty line in front
// of each comment that follows a verb, and the files of the archive as they are. It reports
// whether that differs from the text that was parsed.
func (s *Script) Format() (text []byte, changed bool) { return s.parsed.Format() }

// traceFile is the file of an archive that holds the golden trace.
const traceFile = "trace"

// TestReport runs the script with a transport of the maker; nil is [NetHTTP]. The
// error is not nil, and a [NotApplicable], if the maker cannot serve it.
func (s *Script) TestReport(maker Maker) (*Report, error) {
	return s.run(s.Name, maker, settings{again: "halfopen run " + s.File, timeline: wantsTimeline()})
}

func (s *Script) run(name string, maker Maker, set settings) (*Report, error) {
	if maker == nil {
		maker = NetHTTP
	}
	var rt http.RoundTripper
	r := runOnce(nil, name, func(t *T) { rt = s.play(t, maker) }, set)
	s.goldenTrace(r, rt)
	return r, r.NotApplicable()
}

// ExploreReport explores the script: its requests start in any order, everything that
// travels arrives in any order, and what "may" happen does so anywhere. Its
// wants are checked where they stand, after a settle. The oracles of every
// run, and that nothing is left behind, hold for each order. A script that lets events
// happen by name is a [ParseError].
func (s *Script) ExploreReport(maker Maker, bounds Bounds, progress func(*Exploration)) (*Exploration, error) {
	return s.explore(maker, bounds, nil, progress)
}

// ReplayReport runs one schedule of an exploration of the script again.
func (s *Script) ReplayReport(maker Maker, file string) (*Exploration, error) {
	return s.explore(maker, Bounds{Schedules: None}, []string{file}, nil)
}

// byHand is the verbs that let an event happen, or fail, by name. They are for a script
// that is one order, and not for one that is explored.
var byHand = []string{"open", "fail", "let", "next"}

func (s *Script) explore(maker Maker, bounds Bounds, files []string, progress func(*Exploration)) (*Exploration, error) {
	if maker == nil {
		maker = NetHTTP
	}
	for _, c := range s.parsed.Commands {
		if slices.Contains(byHand, c.Verb) {
			return nil, &ParseError{s.File, c.Line, s.parsed.Line(c.Line), fmt.Errorf("an exploration decides what happens next: a script that is explored cannot say %s", c.Verb)}
		}
	}
	x, err := explore(s.File, "halfopen explore "+s.File, bounds, func(t *T) { s.play(t, maker) }, files, progress)
	if err == nil && x.Program != "" {
		x.Program += " " + s.sum
	}
	return x, err
}

// play runs the script's commands with a transport of the maker, which it returns.
func (s *Script) play(t *T, maker Maker) http.RoundTripper {
	rt := maker.Make(t, s.settings)
	if t.scheduler == nil {
		// A script of a race has the dials in hand.
		t.Net.hold("dial")
	}
	p := &scriptRun{t: t, script: s.parsed, rt: rt}
	for _, c := range s.parsed.Commands {
		if c.Verb == "forget" {
			t.forgets = append(t.forgets, c.Args[0]) // before the body can come
		}
	}
	for _, c := range s.parsed.Commands {
		at := fmt.Sprintf("%s:%d", s.File, c.Line)
		if c.Verb == "" {
			t.journal.enter(at, "")
			t.journal.write(sectionLine, c.Text)
			continue
		}
		want := ""
		if strings.HasPrefix(c.Verb, "want") {
			want = s.parsed.Line(c.Line)
		}
		t.journal.enter(at, want)
		if c.Idle != "" {
			t.fatal(KindUsage, c.Idle)
		}
		verbs[c.Verb](p, &command{c.Negate, c.Args, c.Why})
	}
	return rt
}
