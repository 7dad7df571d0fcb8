package main

import (
	"slices"

	"golang.org/x/tools/go/analysis"
)

// bareNames are names without a subject: in a package of many files they can mean
// anything.
var bareNames = []string{
	"add", "all", "answer", "buf", "check", "chunked", "count", "data", "del", "digits", "do", "edge",
	"end", "facts", "find", "get", "intact", "is", "list", "lots", "next", "number", "ok", "one", "play",
	"put", "remove", "run", "samples", "seen", "set", "study", "told", "trusted", "two", "unknown",
	"where", "which", "with", "without",
}

// manyFiles is the number of files of a package in which a package-level name must
// carry its subject.
const manyFiles = 8

// subject wants package-level names to carry their subject, in packages of many files.
var subject = &analysis.Analyzer{
	Name: "subject",
	Doc:  "report package-level names such as ok, set or two in packages of many files",
	Run:  runSubject,
}

func runSubject(pass *analysis.Pass) (any, error) {
	if len(pass.Files) < manyFiles {
		return nil, nil
	}
	scope := pass.Pkg.Scope()
	for _, name := range scope.Names() {
		if slices.Contains(bareNames, name) {
			pass.Reportf(scope.Lookup(name).Pos(), "%s does not carry its subject, in a package of %d files", name, len(pass.Files))
		}
	}
	return nil, nil
}
