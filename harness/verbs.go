package harness

import (
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"

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
		"GATE...": checkGate, "ADDR": checkAddress, "URL": checkURL, "TEXT": nil, "METHOD": nil, "HOST": nil, "HOSTS...": nil,
		"FROM": checkAddress, "TO": checkAddress, "DIRECTION": checkDirection, "ERRNO": checkErrno, "ANSWER": checkAnswer,
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
			case "fault", "shape":
				w.Check = func(args []string) error { return checkFault(v.name, args[0]) }
			}
			w.Acts = slices.Contains(actingVerbs, v.name)
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
	if strings.HasSuffix(pattern, " as") {
		return fmt.Errorf("an outcome is missing behind as; there are: %s", strings.Join(outcomeNames(), ", "))
	}
	if err := checkPattern(pattern); err != nil || outcome == "" {
		return err
	}
	if outcome == "pass" {
		return nil
	}
	_, _, err := parseFault(outcome)
	return err
}

// actingVerbs do something to a server or a host.
var actingVerbs = []string{"backlog", "partition", "heal", "crash", "kill", "restart", "sever", "unlisten", "pause", "resume", "keep-alive"}

// checkFault checks what a fault or a shape does: that it says an outcome, and one that fits the events.
func checkFault(verb, arg string) error {
	pattern, outcome := splitPattern(arg)
	if outcome == "" {
		return fmt.Errorf("an outcome is missing: %s %s as OUTCOME", verb, pattern)
	}
	v, _, err := parseFault(outcome)
	if err != nil {
		return err
	}
	return fits(pattern, v)
}

// checkAddress returns an error for what is no "host:port".
func checkAddress(arg string) error {
	_, port, err := net.SplitHostPort(arg)
	if n, bad := strconv.Atoi(port); err != nil || port == "" || bad == nil && (n < 0 || n > 65535) {
		return fmt.Errorf("bad address %.80q: want host:port, as in api.test:80", arg)
	}
	return nil
}

// checkURL returns an error for a URL without a scheme or a host.
func checkURL(arg string) error {
	if u, err := url.Parse(arg); err != nil || u.Scheme == "" || u.Host == "" {
		return fmt.Errorf("bad URL %.80q: want a whole one, as in http://api.test/", arg)
	}
	return nil
}

func checkOutcome(arg string) error {
	_, err := parseOutcome(arg)
	return err
}

func checkAnswer(arg string) error {
	_, err := peer.FindAnswer(arg)
	return err
}
