package proxy

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"golang.org/x/tools/txtar"

	"github.com/halfopen/halfopen/faultnet"
	"github.com/halfopen/halfopen/harness"
)

// Rules decide what happens to the connections of a proxy, in the order of their lines.
type Rules struct {
	lines   []ruleLine
	list    []*rule
	routes  map[string]string   // addresses, by the address that is dialed
	answers map[string][]string // hosts, by the name that is looked up
}

// ruleLine is a line of a file of rules.
type ruleLine struct{ where, text string }

// rule is a line of a file of rules that has an effect on events.
type rule struct {
	where   string // file:line
	text    string
	words   []string // of its pattern
	verdict faultnet.Verdict
	apply   faultnet.Rule // the verdict, for the events that are selected among those of the pattern
	shape   bool

	// Both are guarded by Proxy.logging.
	fired int
	seen  map[string]map[string]int // by number and by event: how often it was decided about
}

// verbs are those of race scripts that have a meaning here.
var verbs = []string{"fault", "shape", "resolve", "route"}

// instead says what to use in place of verbs of race scripts that have none.
var instead = map[string]string{
	"hold":      "no line lets go what is held: use fault EVENT... as stall, or as delay:1s",
	"release":   "nothing is held here",
	"lift":      "a rule is in force until the rules change: say first N, nth N or for DURATION behind its outcome",
	"partition": "use fault * as lose always",
	"clog":      "use fault C server->client data as stall",
	"sever":     "use fault C server->client data as reset",
	"backlog":   "the servers are real",
	"crash":     "use fault dial * ADDR as black-hole always",
	"kill":      "use fault dial * ADDR as refuse always",
	"serve":     "the servers are real: rules name their addresses",
	"peer":      "the servers are real: rules name their addresses",
	"get":       "the clients are real: they have the proxy's address",
	"post":      "the clients are real: they have the proxy's address",
}

// ParseRules reads a file of rules: a race script with the verbs fault, shape, resolve and
// route only. Its first line is its claim: # and a sentence. Every mistake is a
// [harness.ParseError], with the line.
func ParseRules(file string, data []byte) (*Rules, error) {
	if _, err := harness.ParseScript(file, data); err != nil {
		return nil, err
	}
	rules := &Rules{routes: make(map[string]string), answers: make(map[string][]string)}
	n := 0
	for text := range strings.Lines(string(txtar.Parse(data).Comment)) {
		n++
		text = strings.TrimSpace(text)
		if text == "" || text[0] == '#' {
			continue
		}
		if err := rules.add(fmt.Sprintf("%s:%d", file, n), text); err != nil {
			return nil, &harness.ParseError{File: file, Line: n, Text: text, Err: err}
		}
	}
	return rules, nil
}

// add adds what a line says. The line is one of a race script.
func (r *Rules) add(where, text string) error {
	words := strings.Fields(text)
	verb, rest := words[0], words[1:]
	if !slices.Contains(verbs, verb) {
		if better, ok := instead[verb]; ok {
			return fmt.Errorf("a proxy has no verb %s: %s", verb, better)
		}
		return fmt.Errorf("a proxy has no verb %s; there are: %s", strings.TrimLeft(verb, "! "), strings.Join(verbs, ", "))
	}
	if i := slices.IndexFunc(rest, func(w string) bool { return strings.ContainsAny(w, "\"'`") }); i >= 0 {
		return fmt.Errorf("%s: a rule needs no quotes", rest[i])
	}
	r.lines = append(r.lines, ruleLine{where, text})
	switch verb {
	case "resolve":
		r.answers[rest[0]] = rest[1:]
		return nil
	case "route":
		if len(rest) < 2 {
			return fmt.Errorf("want the address that is dialed, and the one that is reached: route api.test:80 127.0.0.1:8080")
		}
		r.routes[rest[0]] = rest[1]
		return nil
	}
	as := slices.Index(rest, "as")
	if as < 0 || as == len(rest)-1 {
		return fmt.Errorf("want an outcome: %s EVENT... as OUTCOME", verb)
	}
	v, which, err := faultnet.ParseFault(strings.Join(rest[as+1:], " "))
	if err != nil {
		return err
	}
	added := &rule{where: where, text: text, words: rest[:as], verdict: v, shape: verb == "shape", seen: make(map[string]map[string]int)}
	if err := added.check(); err != nil {
		return err
	}
	if len(which) == 0 && !added.shape {
		which = []faultnet.Selection{faultnet.First(1)} // the next, as in a script
	}
	added.apply = faultnet.On("*", v, which...)
	r.list = append(r.list, added)
	return nil
}

// check refuses a rule that could have no effect here.
func (r *rule) check() error {
	for _, w := range r.words {
		if _, err := path.Match(w, ""); err != nil {
			return fmt.Errorf("event pattern: %v in %q", err, w)
		}
	}
	if what, ok := elsewhere(r.words); ok {
		return fmt.Errorf("%s", what)
	}
	name := verdictName(r.verdict)
	if why, ok := refused(r.verdict); ok {
		return fmt.Errorf("a proxy cannot do %s: %s", name, why)
	}
	if kinds := kindsOf(r.words); kinds&r.verdict.Kinds() == 0 {
		return fmt.Errorf("%s is for %s events, and %q for %s events", name, r.verdict.Kinds()&atProxy, strings.Join(r.words, " "), kinds)
	}
	if r.shape && !slices.Contains(shapes, name) {
		return fmt.Errorf("a shape is what a link is like: %s; for %s use fault, with always", strings.Join(shapes, ", "), name)
	}
	return nil
}

// match reports whether the words of the pattern match those of an event's name.
func (r *rule) match(name []string) bool {
	if len(r.words) > len(name) {
		return false
	}
	for i, w := range r.words {
		if ok, _ := path.Match(w, name[i]); !ok {
			return false
		}
	}
	return true
}

// count notes that the rule has decided about an event of that name and number, and returns how
// often it has.
func (r *rule) count(number, name string) int {
	r.fired++
	if r.seen[number] == nil {
		r.seen[number] = make(map[string]int)
	}
	r.seen[number][name]++
	return r.seen[number][name]
}

// eventName returns the number of an event's connection, and the words of its name. The number is
// the owner's name.
func eventName(e *faultnet.Event) (number string, words []string) {
	if e.Kind == faultnet.Dial {
		return e.Owner, []string{"dial", "d" + e.Owner, e.Addr}
	}
	number, from := e.From.Owner(), e.From.Side().String()
	if e.Kind == faultnet.Data {
		return number, []string{"c" + number, from + "->" + e.From.Peer().Side().String(), "data"}
	}
	return number, []string{"c" + number, from, e.Kind.String()}
}

// target returns where a dial of an address goes: the addresses are tried in turn. There are
// none if the name has the empty answer.
func (r *Rules) target(address string) []string {
	if to, ok := r.routes[address]; ok {
		return []string{to}
	}
	host, port, ok := cutPort(address)
	answer, known := r.answers[host]
	if !ok || !known {
		return []string{address}
	}
	targets := make([]string, len(answer))
	for i, h := range answer {
		targets[i] = joinPort(h, port)
	}
	return targets
}

// verdictName returns the name of a verdict without its parameters.
func verdictName(v faultnet.Verdict) string {
	name, _, _ := strings.Cut(v.String(), ":")
	return name
}
