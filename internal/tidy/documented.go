package main

import (
	"go/ast"
	"go/token"
	"strings"

	"golang.org/x/tools/go/analysis"
)

// documented wants a comment on every exported name, and on the exported methods of
// exported types. The comment of a function, method or type begins with its name. For
// constants and variables a comment on their group, or at the end of the line, is enough.
var documented = &analysis.Analyzer{
	Name: "documented",
	Doc:  "report exported names that have no comment of their own",
	Run:  runDocumented,
}

func runDocumented(pass *analysis.Pass) (any, error) {
	if pass.Pkg.Name() == "main" {
		return nil, nil
	}
	for _, file := range sources(pass) {
		for _, decl := range file.Decls {
			switch decl := decl.(type) {
			case *ast.FuncDecl:
				if decl.Name.IsExported() && exportedReceiver(decl) {
					wantComment(pass, decl.Name, decl.Doc)
				}
			case *ast.GenDecl:
				for _, spec := range decl.Specs {
					documentedSpec(pass, decl, spec)
				}
			}
		}
	}
	return nil, nil
}

// documentedSpec checks one type, or the names of one line of constants or variables.
func documentedSpec(pass *analysis.Pass, decl *ast.GenDecl, spec ast.Spec) {
	switch spec := spec.(type) {
	case *ast.TypeSpec:
		doc := spec.Doc
		if doc == nil && decl.Lparen == token.NoPos {
			doc = decl.Doc
		}
		if spec.Name.IsExported() {
			wantComment(pass, spec.Name, doc)
		}
	case *ast.ValueSpec:
		for _, name := range spec.Names {
			if name.IsExported() && decl.Doc == nil && spec.Doc == nil && spec.Comment == nil {
				pass.Reportf(name.Pos(), "%s is exported and has no comment", name.Name)
			}
		}
	}
}

// wantComment reports name if doc does not begin with it.
func wantComment(pass *analysis.Pass, name *ast.Ident, doc *ast.CommentGroup) {
	if doc == nil {
		pass.Reportf(name.Pos(), "%s is exported and has no comment", name.Name)
		return
	}
	words := strings.Fields(doc.Text())
	if len(words) > 0 && (words[0] == "A" || words[0] == "An" || words[0] == "The") {
		words = words[1:]
	}
	if len(words) == 0 || strings.TrimRight(words[0], ",:") != name.Name {
		pass.Reportf(name.Pos(), "the comment of %s does not begin with its name", name.Name)
	}
}

// exportedReceiver reports whether a function has no receiver or a receiver of an
// exported type.
func exportedReceiver(decl *ast.FuncDecl) bool {
	if decl.Recv == nil {
		return true
	}
	typ := decl.Recv.List[0].Type
	for {
		switch t := typ.(type) {
		case *ast.StarExpr:
			typ = t.X
		case *ast.IndexExpr:
			typ = t.X
		case *ast.Ident:
			return t.IsExported()
		default:
			return false
		}
	}
}
