// Grammar writes what editors need to color race scripts: a grammar of TextMate in an extension of
// VS Code, and a syntax file of Vim. All words are those of the manual, so that neither can
// know other verbs than the language has.
//
//	go run ./internal/grammar docs/editors
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/halfopen/halfopen/harness"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: go run ./internal/grammar FOLDER")
		os.Exit(2)
	}
	for name, data := range files(harness.Manual()) {
		file := filepath.Join(os.Args[1], filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		if err := os.WriteFile(file, data, 0o666); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}

// files returns the files for editors by their names.
func files(manual string) map[string][]byte {
	w := wordsOf(manual)
	return map[string][]byte{
		"vscode/package.json":                asJSON(extension()),
		"vscode/language-configuration.json": asJSON(configuration{Comments: comments{LineComment: "#"}}),
		"vscode/halfopen.tmLanguage.json":    asJSON(textmate(w)),
		"vim/syntax/halfopen.vim":            vim(w),
	}
}

func asJSON(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		panic("grammar: " + err.Error()) // the values are those of this file
	}
	return b.Bytes()
}

// words has the words of the language.
type words struct {
	verbs []string // those of two words too
	named []string // errors, oracles, answers and modes; outcomes are known by their place in a line
}

// An item of the manual is "- `[!] want dial [D]`: what it does".
var item = regexp.MustCompile("(?m)^- `(?:\\[!\\] )?([^`]+)`")

// wordsOf returns the words that the manual has.
func wordsOf(manual string) words {
	_, rest, _ := strings.Cut(manual, "## Verbs")
	verbs, tables, _ := strings.Cut(rest, "\n## ")
	var w words
	for _, m := range item.FindAllStringSubmatch(verbs, -1) {
		name, rest, _ := strings.Cut(m[1], " ")
		if second, _, _ := strings.Cut(rest, " "); name == "want" || name == "may" {
			name += " " + second
		}
		w.verbs = append(w.verbs, name)
	}
	before, rest, _ := strings.Cut(tables, "\nOUTCOME, ")
	_, after, _ := strings.Cut(rest, "\n\nORACLE ")
	for _, m := range item.FindAllStringSubmatch(before+after, -1) {
		name, _, _ := strings.Cut(m[1], ":")
		w.named = append(w.named, name)
	}
	for _, list := range []*[]string{&w.verbs, &w.named} {
		// A longer word first, so that no other one ends inside it.
		slices.SortFunc(*list, func(a, b string) int {
			if len(a) != len(b) {
				return len(b) - len(a)
			}
			return strings.Compare(a, b)
		})
		*list = slices.Compact(*list)
	}
	return w
}

// alternatives returns a regular expression for one of the words.
func alternatives(words []string) string {
	var quoted []string
	for _, w := range words {
		quoted = append(quoted, strings.ReplaceAll(regexp.QuoteMeta(w), " ", `\s+`))
	}
	return strings.Join(quoted, "|")
}
