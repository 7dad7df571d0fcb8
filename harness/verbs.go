package harness

import (
	"reflect"
	"strings"

	"github.com/halfopen/halfopen/faultnet"
	"github.com/halfopen/halfopen/harness/internal/peer"
	"github.com/halfopen/halfopen/harness/internal/script"
)

// verbSections is all verbs, in the order of the manual.
var verbSections = []struct {
	title string
	verbs []*verb
}{
	{"Before", verbsBefore},
	{"Start", verbsStart},
	{"What may happen, when the script is explored", verbsMay},
	{"Hold", verbsHold},
	{"Let go", verbsLetGo},
	{"What a scripted peer does", verbsPeer},
	{"What the caller does with a body", verbsBody},
	{"Hosts, links and peers that misbehave", faultVerbs()},
	{"Want", verbsWant},
}

// verbs is the functions of the verbs, by name.
var verbs = func() map[string]func(*scriptRun, *command) {
	all := make(map[string]func(*scriptRun, *command))
	for _, s := range verbSections {
		for _, v := range s.verbs {
			all[v.name] = v.run
		}
	}
	return all
}()

// language is the grammar of scripts.
var language = func() *script.Language {
	l := &script.Language{Kinds: map[string]func(string) error{
		"EVENT...": checkEvent, "OUTCOME": checkOutcome, "ERROR": checkError, "SETTING=VALUE...": func(arg string) error { return new(Settings).set(arg) },
		"GATE...": checkGate, "ADDR": nil, "URL": nil, "TEXT": nil, "METHOD": nil, "HOST": nil, "HOSTS...": nil,
		"FROM": nil, "TO": nil, "DIRECTION": checkDirection, "ERRNO": checkErrno, "ANSWER": checkAnswer,
		"ORACLE": checkOracle, "OPERATION...": nil,
	}}
	for _, s := range verbSections {
		section := script.Section{Title: s.title}
		for _, v := range s.verbs {
			w := script.Verb{Name: v.name, Args: v.args, Doc: v.doc, Negatable: v.negatable}
			switch v.name {
			case "gates":
				w.Early = "gates come before the first request"
			case "transport":
				w.Early = "the transport is made before the first request"
			}
			if modes := modesOf(v.name); modes != nil {
				w.Mode = func(arg string) error { return peer.CheckMode(modes, arg) }
			}
			section.Verbs = append(section.Verbs, w)
		}
		l.Sections = append(l.Sections, section)
	}
	return l
}()

// checkEvent checks an event pattern, and the outcome behind it: "c1 server fin as
// reset".
func checkEvent(arg string) error {
	pattern, outcome := splitPattern(arg)
	if err := checkPattern(pattern); err != nil || outcome == "" {
		return err
	}
	if outcome == "pass" {
		return nil
	}
	_, _, err := parseFault(outcome)
	return err
}

func checkOutcome(arg string) error {
	_, err := parseOutcome(arg)
	return err
}

func checkAnswer(arg string) error {
	_, err := peer.FindAnswer(arg)
	return err
}

//go:generate sh -c "go run ../cmd/halfopen verbs > ../testdata/README.md"

// Manual returns the manual of the script language, in Markdown. It is made from
// the verbs themselves.
func Manual() string {
	errors := script.Table{Intro: "ERROR is one of these names, or a part of the error's text, in quotes:"}
	for _, e := range errorNames {
		errors.Rows = append(errors.Rows, script.Row{Name: e.name, Doc: e.doc})
	}
	outcomes := script.Table{Intro: "OUTCOME, and what stands behind `as`, is one of these; none, or `pass`, is the normal course:"}
	for _, v := range faultnet.Verdicts() {
		if !v.IsHold() {
			outcomes.Rows = append(outcomes.Rows, script.Row{Name: v.String() + v.Params(),
				For: strings.ReplaceAll(v.Kinds().String(), "|", ", ") + " events", Doc: v.Doc()})
		}
	}
	answers := script.Table{Intro: "ANSWER is one of these wrong or unusual answers:"}
	for _, a := range Answers() {
		answers.Rows = append(answers.Rows, script.Row{Name: a.Name, Doc: a.Doc})
	}
	oracles := script.Table{Intro: "ORACLE is one of these, each with the sentence that it enforces:"}
	for _, row := range oracleTable {
		oracles.Rows = append(oracles.Rows, script.Row{Name: string(row.name), Doc: row.rule})
	}
	tables := []script.Table{errors, outcomes, oracles, {Intro: "ERRNO is one of:", Line: faultnet.ErrnoNames()}, answers}
	for _, verb := range []string{"serve-tls", "serve-proxy", "serve-h2"} {
		modes := script.Table{Intro: "MODE of " + verb + " is one of these:"}
		for _, m := range modesOf(verb) {
			modes.Rows = append(modes.Rows, script.Row{Name: m.Name, Doc: m.Doc})
		}
		tables = append(tables, modes)
	}
	settings := script.Table{Intro: "SETTING is one of these fields of http.Transport or of its HTTP2:"}
	for _, f := range reflect.VisibleFields(reflect.TypeFor[Settings]()) {
		settings.Line = append(settings.Line, f.Name)
	}
	return language.Manual(append(tables, script.Table{Intro: "GATE is one of:", Line: gates}, settings))
}
