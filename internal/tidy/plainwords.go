package main

import (
	"go/ast"
	"regexp"
	"strings"

	"golang.org/x/tools/go/analysis"
)

// plain are the words that make a sentence hard, each with the better one.
var plain = []struct {
	word   *regexp.Regexp
	better string
}{
	{regexp.MustCompile(`(?i)\b(whoever|whosoever)\b`), "say which goroutine, connection or caller"},
	{regexp.MustCompile(`(?i)\bnobody\b`), "say what does not: no goroutine, no caller"},
	{regexp.MustCompile(`(?i)\bby lots?\b`), `"at random"`},
	{regexp.MustCompile(`(?i)\bof somebody's\b`), "say whose"},
	{regexp.MustCompile(`(?i)\b(splitted|cutted|blacklist|whitelist)\b`), "use the field's word"},
}

// riddle is a comment that says what something is in place of what it does.
var riddle = regexp.MustCompile(`^\s*\w+ (is|are) (what|who)\b`)

// typeSuffixes end the names of types that say nothing.
var typeSuffixes = []string{"Manager", "Helper", "Util", "Utils", "Scenario", "Mock", "Chaos"}

// plainwords wants plain English in comments and printed texts, and the field's
// words in the names of types.
var plainwords = &analysis.Analyzer{
	Name: "plainwords",
	Doc:  "report words that make a sentence hard, and names that say nothing",
	Run:  runPlainwords,
}

func runPlainwords(pass *analysis.Pass) (any, error) {
	for _, file := range pass.Files {
		for _, group := range file.Comments {
			for _, comment := range group.List {
				wantPlain(pass, comment, comment.Text)
			}
			if riddle.MatchString(group.Text()) {
				pass.Reportf(group.Pos(), `"X is what Y" is a riddle: begin with what it does`)
			}
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.BasicLit:
				wantPlain(pass, n, n.Value)
			case *ast.TypeSpec:
				for _, suffix := range typeSuffixes {
					if strings.HasSuffix(n.Name.Name, suffix) {
						pass.Reportf(n.Name.Pos(), "%s says nothing: use the field's word", n.Name.Name)
					}
				}
			}
			return true
		})
	}
	return nil, nil
}

// wantPlain reports the hard words of a comment or a literal.
func wantPlain(pass *analysis.Pass, n ast.Node, text string) {
	if file := pass.Fset.Position(n.Pos()).Filename; strings.HasSuffix(file, "plainwords.go") {
		return // the list itself
	}
	for _, p := range plain {
		if word := p.word.FindString(text); word != "" {
			pass.Reportf(n.Pos(), "%q makes this sentence hard: %s", word, p.better)
		}
	}
}
