package main

import (
	"go/ast"

	"golang.org/x/tools/go/analysis"
)

// A file or a function that is longer contains a second idea. Tables count too: a long
// table belongs in a variable of its own, or in testdata.
const (
	mostFileLines     = 400
	mostFunctionLines = 70
)

// length wants short files and short functions, in tests as well.
var length = &analysis.Analyzer{
	Name: "length",
	Doc:  "report files of over 400 lines and functions of over 70",
	Run:  runLength,
}

func runLength(pass *analysis.Pass) (any, error) {
	for _, file := range pass.Files {
		if ast.IsGenerated(file) {
			continue
		}
		if lines := pass.Fset.Position(file.FileEnd).Line; lines > mostFileLines {
			pass.Reportf(file.Name.Pos(), "the file has %d lines, over %d: find the second idea in it", lines, mostFileLines)
		}
		for _, decl := range file.Decls {
			f, ok := decl.(*ast.FuncDecl)
			if !ok {
				continue
			}
			if lines := pass.Fset.Position(f.End()).Line - pass.Fset.Position(f.Pos()).Line + 1; lines > mostFunctionLines {
				pass.Reportf(f.Name.Pos(), "%s has %d lines, over %d: find the second idea in it", f.Name.Name, lines, mostFunctionLines)
			}
		}
	}
	return nil, nil
}
