// Tidy is a vet tool that enforces what of this project's house style a program can
// see. `make lint` runs it over both modules:
//
//	go vet -vettool=$(tidy) ./...
//
// Each rule is an analyzer of golang.org/x/tools/go/analysis, with a folder of
// testdata that breaks it.
package main

import (
	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/unitchecker"
)

// analyzers are the rules, in the order of the house style.
var analyzers = []*analysis.Analyzer{
	documented,
	mutable,
	maporder,
	length,
	plainwords,
	subject,
}

func main() { unitchecker.Main(analyzers...) }
