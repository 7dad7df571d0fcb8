package main

import (
	"go/ast"
	"go/token"
	"strings"

	"golang.org/x/tools/go/analysis"
)

// sources returns the files of a package that are neither tests nor generated.
func sources(pass *analysis.Pass) []*ast.File {
	var files []*ast.File
	for _, file := range pass.Files {
		if !inTest(pass, file.Pos()) && !ast.IsGenerated(file) {
			files = append(files, file)
		}
	}
	return files
}

// inTest reports whether pos is in a test file.
func inTest(pass *analysis.Pass, pos token.Pos) bool {
	return strings.HasSuffix(pass.Fset.Position(pos).Filename, "_test.go")
}
