package main

// A grammar of TextMate: see https://macromates.com/manual/en/language_grammars.
type grammar struct {
	Schema    string `json:"$schema"`
	Comment   string `json:"comment"`
	Name      string `json:"name"`
	ScopeName string `json:"scopeName"`
	Patterns  []rule `json:"patterns"`
}

type rule struct {
	Name          string            `json:"name,omitempty"`
	Match         string            `json:"match,omitempty"`
	Begin         string            `json:"begin,omitempty"`
	End           string            `json:"end,omitempty"`
	Captures      map[string]scoped `json:"captures,omitempty"`
	BeginCaptures map[string]scoped `json:"beginCaptures,omitempty"`
	Patterns      []rule            `json:"patterns,omitempty"`
}

type scoped struct {
	Name string `json:"name"`
}

// fileLine is the line that begins a file of the archive.
const fileLine = `^(-- )(\S.*?)( --)\s*$`

// outcomeOfDial matches a dial, and behind it what it comes to, as in fail d1 refuse.
const outcomeOfDial = `\b(d\d+)\s+([a-z][a-z-]*(?::\S+)?)(?:\s|$)`

// textmate returns the grammar. A line of a script is a comment, or a region from its verb to its
// end; the files of the archive come last. A golden trace is colored as a script is.
func textmate(w words) grammar {
	verb := `(` + alternatives(w.verbs) + `)(?:\s|$)`
	arguments := []rule{
		{Name: "string.quoted.double.halfopen", Begin: `"`, End: `"`, Patterns: []rule{{Name: "constant.character.escape.halfopen", Match: `\\.`}}},
		{Name: "string.quoted.single.halfopen", Match: `'[^']*'`},
		{Name: "string.quoted.other.halfopen", Match: "`[^`]*`"},
		{Name: "comment.line.reason.halfopen", Match: `\s--\s.*$`},
		{Match: `\b(as)\s+(\S+)`, Captures: map[string]scoped{"1": {"keyword.operator.halfopen"}, "2": {"constant.language.halfopen"}}},
		{Match: outcomeOfDial, Captures: map[string]scoped{"1": {"variable.parameter.halfopen"}, "2": {"constant.language.halfopen"}}},
		{Name: "support.constant.halfopen", Match: `\b(?:client->server|server->client|client|server|data|fin|rst|dial|gate)\b`},
		{Name: "variable.parameter.halfopen", Match: `\b[rdcm]\d+\b`},
		{Name: "string.unquoted.url.halfopen", Match: `\bhttps?://\S+`},
		{Name: "entity.name.halfopen", Match: `[\w.*-]+:\d+\b`},
		{Name: "constant.language.halfopen", Match: `\b(?:` + alternatives(w.named) + `)(?:\s|$)`},
		{Name: "constant.numeric.halfopen", Match: `\b[\d.]+(?:ns|us|µs|ms|s|m|h)?\b`},
	}
	line := func(before string) rule {
		return rule{Name: "meta.command.halfopen", Begin: `^\s*` + before + `(!\s*)?` + verb, End: `$`,
			BeginCaptures: map[string]scoped{"1": {"keyword.operator.negation.halfopen"}, "2": {"keyword.control.halfopen"}}, Patterns: arguments}
	}
	header := map[string]scoped{"1": {"punctuation.definition.heading.halfopen"}, "2": {"entity.name.section.halfopen"}, "3": {"punctuation.definition.heading.halfopen"}}
	comment := rule{Name: "comment.line.number-sign.halfopen", Match: `^\s*#.*$`}
	return grammar{
		Schema:  "https://raw.githubusercontent.com/martinring/tmlanguage/master/tmlanguage.json",
		Comment: "Made by go generate from the manual of the language; do not edit.",
		Name:    "halfopen race script", ScopeName: "source.halfopen",
		Patterns: []rule{
			comment,
			{Name: "meta.files.halfopen", Begin: fileLine, End: `(?!)`, BeginCaptures: header, Patterns: []rule{
				{Match: fileLine, Captures: header},
				line(`>\s`),
				comment,
				{Name: "comment.line.log.halfopen", Match: `^\|.*$`},
			}},
			line(""),
		},
	}
}

// An extension of VS Code is a folder with this file, package.json.
type manifest struct {
	Name        string            `json:"name"`
	DisplayName string            `json:"displayName"`
	Description string            `json:"description"`
	Version     string            `json:"version"`
	Publisher   string            `json:"publisher"`
	License     string            `json:"license"`
	Engines     map[string]string `json:"engines"`
	Contributes contributions     `json:"contributes"`
}

type contributions struct {
	Languages []language `json:"languages"`
	Grammars  []colors   `json:"grammars"`
}

type language struct {
	ID            string   `json:"id"`
	Aliases       []string `json:"aliases"`
	Extensions    []string `json:"extensions"`
	Configuration string   `json:"configuration"`
}

type colors struct {
	Language  string `json:"language"`
	ScopeName string `json:"scopeName"`
	Path      string `json:"path"`
}

type configuration struct {
	Comments comments `json:"comments"`
}

type comments struct {
	LineComment string `json:"lineComment"`
}

func extension() manifest {
	return manifest{
		Name: "halfopen-scripts", DisplayName: "halfopen race scripts", Description: "Colors for the race scripts of halfopen.",
		Version: "0.1.0", Publisher: "halfopen", License: "BSD-3-Clause", Engines: map[string]string{"vscode": "^1.70.0"},
		Contributes: contributions{
			Languages: []language{{ID: "halfopen", Aliases: []string{"halfopen race script"}, Extensions: []string{".txtar"}, Configuration: "./language-configuration.json"}},
			Grammars:  []colors{{Language: "halfopen", ScopeName: "source.halfopen", Path: "./halfopen.tmLanguage.json"}},
		},
	}
}
