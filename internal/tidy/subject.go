package main

import (
	"slices"

	"golang.org/x/tools/go/analysis"
)

// bareNames carry no subject: in a package of many files they can mean anything.
var bareNames = []string{
	"add", "all", "answer", "buf", "check", "chunked", "count", "data", "del", "digits", "do", "edge",
	"end", "facts", "find", "get", "intact", "is", "list", "lots", "next", "number", "ok", "one", "play",
	"put", "remove", "run", "samples", "seen", "set", "study", "told", "trusted", "two", "unknown",
	"where", "which", "with", "without",
}

// manyFiles is the number of files from which on a package-level name has to carry
// its subject.
const manyFiles = 8

// subject wants names at the level of a package of many files to say of what they are.
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
			pass.Reportf(scope.Lookup(name).Pos(), "%s does not say of what, in a package of %d files", name, len(pass.Files))
		}
	}
	return nil, nil
}
