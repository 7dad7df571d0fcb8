package harness

import (
	"reflect"
	"strings"

	"github.com/halfopen/halfopen/faultnet"
	"github.com/halfopen/halfopen/harness/internal/script"
)

//go:generate sh -c "go run ../cmd/halfopen verbs > ../testdata/README.md"
//go:generate go run ../internal/grammar ../docs/editors

// Manual returns the manual of the script language, in Markdown. It is made from
// the verbs themselves.
func Manual() string { return language.Manual(manualTables()) }

// ManualOf returns the part of the manual that is about a verb ("hold", "want body", or "want"
// for all of that word), a section ("start", "let go"), or a word in capitals ("outcome"). Its
// error names those that there are.
func ManualOf(topic string) (string, error) { return language.ManualOf(topic, manualTables()) }

// manualTables returns the values that arguments can have.
func manualTables() []script.Table {
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
	settings := script.Table{Intro: "SETTING is one of these fields of http.Transport or of its HTTP2 (Proxy is a URL; Protocols has names such as HTTP1,HTTP2, and UnencryptedHTTP2 alone is HTTP/2 without TLS):"}
	for _, f := range reflect.VisibleFields(reflect.TypeFor[Settings]()) {
		settings.Line = append(settings.Line, f.Name)
	}
	return append(tables, script.Table{Intro: "GATE is one of:", Line: gates}, settings)
}
