package script

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/halfopen/halfopen/internal/nearest"
)

// Language is the verbs of scripts, and what their arguments may be.
type Language struct {
	// Sections is the verbs, in the order of the manual.
	Sections []Section
	// Kinds checks an argument that stands for a word in capitals: "EVENT...". Those
	// that the grammar knows itself need not be there: NAME, R, D, C, N, DURATION,
	// STATUS, HEADER..., RAW. A nil function takes anything.
	Kinds map[string]func(arg string) error
}

// Section is a few verbs that belong together.
type Section struct {
	Title string
	Verbs []Verb
}

// Verb is one verb of the language.
type Verb struct {
	Name string
	// Args is the arguments as the manual shows them: "NAME URL [HEADER...]". Those in
	// brackets may be missing; one that ends in dots takes all words that are left.
	Args string
	// Doc says what the verb does.
	Doc string
	// Negatable says that ! can stand in front of it.
	Negatable bool
	// Early is the mistake of the verb behind the first request, or "".
	Early string
	// Mode checks an argument that stands for MODE.
	Mode func(arg string) error
	// Acts says that the verb does something to a server or a host, which another line names.
	Acts bool
	// Check checks the arguments together, or is nil.
	Check func(args []string) error
}

// usage returns the verb and its arguments.
func (v *Verb) usage() string {
	if v.Args == "" {
		return v.Name
	}
	return v.Name + " " + v.Args
}

// param is one argument that a verb takes.
type param struct {
	kind     string // the word in capitals, with its dots
	optional bool
	rest     bool // it takes all words that are left
}

func (v *Verb) params() (params []param) {
	for _, f := range strings.Fields(v.Args) {
		kind := strings.Trim(f, "[]")
		params = append(params, param{kind: kind, optional: f[0] == '[', rest: strings.HasSuffix(kind, "...")})
	}
	return params
}

// behindNegation is the argument that stands behind ! only.
const behindNegation = "[ERROR]"

// patternKind is the one kind that is of several words: they are one argument.
const patternKind = "EVENT..."

// arrange checks the number of arguments, and makes one of the words of a pattern.
func (v *Verb) arrange(args []string) ([]string, error) {
	params := v.params()
	least := 0
	for _, p := range params {
		if !p.optional {
			least++
		}
	}
	most := len(params)
	if last := most - 1; last >= 0 && params[last].rest {
		switch {
		case params[last].kind != patternKind:
			most = 1 << 10
		case last < len(args):
			args = append(args[:last:last], strings.Join(args[last:], " "))
		}
	}
	if len(args) < least || len(args) > most {
		return nil, fmt.Errorf("usage: %s", v.usage())
	}
	return args, nil
}

// verb returns the verb of that name, or nil.
func (l *Language) verb(name string) *Verb {
	for _, s := range l.Sections {
		for i := range s.Verbs {
			if s.Verbs[i].Name == name {
				return &s.Verbs[i]
			}
		}
	}
	return nil
}

// second returns the words that stand behind the first one of verbs of two words.
func (l *Language) second(first string) (words []string) {
	for _, name := range l.verbNames() {
		if word, ok := strings.CutPrefix(name, first+" "); ok {
			words = append(words, word)
		}
	}
	return words
}

func (l *Language) verbNames() (names []string) {
	for _, s := range l.Sections {
		for _, v := range s.Verbs {
			names = append(names, v.Name)
		}
	}
	return names
}

// checker checks the lines of a script in their order, so that a wrong name is a
// mistake of the line that has it.
type checker struct {
	language *Language
	script   *Script
	requests []string // those that the lines so far have named
	queries  []string
}

// check checks a line's arguments.
func (k *checker) check(v *Verb, args []string) error {
	late := v.Early != "" && len(k.requests) > 0
	params := v.params()
	for i, arg := range args {
		if err := k.checkArg(v, params[min(i, len(params)-1)].kind, arg); err != nil {
			return err
		}
	}
	if late {
		return fmt.Errorf("%s", v.Early)
	}
	if v.Check != nil {
		return v.Check(args)
	}
	return nil
}

func (k *checker) checkArg(v *Verb, kind, arg string) error {
	switch kind {
	case "NAME", "QUERY":
		switch {
		case slices.Contains(k.requests, arg):
			return fmt.Errorf("there is a request %s already", arg)
		case slices.Contains(k.queries, arg):
			return fmt.Errorf("there is a query %s already", arg)
		case kind == "QUERY":
			k.queries = append(k.queries, arg)
		default:
			k.requests = append(k.requests, arg)
		}
		return nil
	case "R", "OP":
		switch {
		case slices.Contains(k.requests, arg), kind == "OP" && slices.Contains(k.queries, arg):
			return nil
		case slices.Contains(k.queries, arg):
			return fmt.Errorf("%s is a query, and this is about a request", arg)
		}
		return fmt.Errorf("unknown request %s%s", arg, nearest.DidYouMean(arg, slices.Concat(k.requests, k.queries)))
	case "D", "C":
		letter := strings.ToLower(kind)
		number, ok := strings.CutPrefix(arg, letter)
		if n, err := strconv.ParseUint(number, 10, 31); !ok || err != nil || n == 0 {
			return fmt.Errorf("bad name %q: want %s1, %s2 and so on", arg, letter, letter)
		}
		return nil
	case "N":
		if _, err := strconv.ParseUint(arg, 10, 31); err != nil {
			return fmt.Errorf("bad number %q: want 0, 1, 2 and so on", arg)
		}
		return nil
	case "STATUS":
		if n, err := strconv.ParseUint(arg, 10, 31); err != nil || n < 100 || n > 999 {
			return fmt.Errorf("bad status %q: want a code from 100 to 999", arg)
		}
		return nil
	case "DURATION":
		if d, err := time.ParseDuration(arg); err != nil || d < 0 {
			return fmt.Errorf("bad duration %q: want 90s, 1ms and the like", arg)
		}
		return nil
	case "HEADER...":
		if name, _, ok := strings.Cut(arg, ":"); !ok || name == "" {
			return fmt.Errorf("bad header %q: want Name:value", arg)
		}
		return nil
	case "RAW":
		_, err := k.script.Raw(arg)
		return err
	}
	check, ok := k.language.Kinds[kind]
	switch {
	case v.Mode != nil && (kind == "MODE" || kind == "MODE..."):
		return v.Mode(arg)
	case !ok:
		panic("harness: verb " + v.Name + " has an unknown argument " + kind)
	case check != nil:
		return check(arg)
	}
	return nil
}
