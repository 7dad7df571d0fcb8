package main

import (
	"fmt"
	"go/ast"
	"regexp"
	"strings"

	"golang.org/x/tools/go/analysis"
)

// plain lists the words that make a sentence hard, each with a better one. Each is
// hard nearly everywhere: a word that is often right, such as behind, is not here.
var plain = []struct {
	word   *regexp.Regexp
	better string
}{
	{regexp.MustCompile(`(?i)\b(whoever|whosoever)\b`), "say which goroutine, connection or caller"},
	{regexp.MustCompile(`(?i)\b(nobody|somebody)\b`), "say which goroutine or caller does, or that none does"},
	{regexp.MustCompile(`(?m)(^|["\x60]|// |[.:;] )Who [a-z]+`), "goroutines, connections and code are it: say which"},
	{regexp.MustCompile(`(?i)\b(of|to|by|for|from|only|than|and|or|but|as|with) who\b`), "goroutines, connections and code are it: say which"},
	{regexp.MustCompile(`(?i)\b(is|are|be|been|was|were|not) (told|heard)\b`), "say what happens: gets, learns, is printed, has an effect"},
	{regexp.MustCompile(`(?i)\b(tells?|says?)( nothing)? of\b`), `"describes", or "does not mention"`},
	{regexp.MustCompile(`(?i)\b(come|comes|came|become|becomes|became) of\b`), "say what the result is"},
	{regexp.MustCompile(`(?i)\bas it comes\b`), "say when: in this order, at once, in pieces"},
	{regexp.MustCompile(`(?i)\b(of|for|after|by|in|with) so (many|much|long)\b`), "name the number or the time"},
	{regexp.MustCompile(`(?i)\b(nothing|none|no one) but\b`), `"only"`},
	{regexp.MustCompile(`(?i)\bby lots?\b`), `"at random"`},
	{regexp.MustCompile(`(?i)\sanew\b`), `"again"`},
	{regexp.MustCompile(`(?i)\bmend(s|ed|ing)?\b`), `"fix"`},
	{regexp.MustCompile(`(?i)\b(splitted|cutted|blacklist|whitelist)\b`), "use the field's word"},
}

// riddle matches a comment that says what something is in place of what it does.
var riddle = regexp.MustCompile(`^\s*((A|An|The) )?\w+ (is|are) (what|who)\b`)

// noun matches the comment of a function that names a thing in place of what the
// function does.
var noun = regexp.MustCompile(`^\s*(\w+) (is|are) (not )?(a|an|the|all|each|every|those|that|how|why|where|which|one|two)\b`)

// typeSuffixes are the ends of type names that say nothing.
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
			case *ast.FuncDecl:
				if m := noun.FindStringSubmatch(n.Doc.Text()); m != nil && m[1] == n.Name.Name {
					pass.Reportf(n.Doc.Pos(), "the comment of %s names a thing: say with a verb what the function does", n.Name.Name)
				}
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
	for _, hard := range hardWords(text) {
		pass.Reportf(n.Pos(), "%s", hard)
	}
}

// hardWords returns a sentence about each hard word in text.
func hardWords(text string) (found []string) {
	for _, p := range plain {
		if word := p.word.FindString(text); word != "" {
			found = append(found, fmt.Sprintf("%q makes this sentence hard: %s", strings.TrimLeft(word, "/.:;\"\x60 "), p.better))
		}
	}
	return found
}
