package harness

import (
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
