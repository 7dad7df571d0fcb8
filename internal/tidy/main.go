// Tidy is a vet tool that enforces this project's house style, as far as a program can
// see it. `make lint` runs it over both modules:
//
//	go vet -vettool=$(tidy) ./...
//
// Each rule is an analyzer of golang.org/x/tools/go/analysis. It has a folder of
// testdata with code that breaks it.
package main

import (
	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/unitchecker"
)

// analyzers lists the rules, in the order of the house style.
var analyzers = []*analysis.Analyzer{
	documented,
	mutable,
	maporder,
	length,
	plainwords,
	subject,
}

func main() { unitchecker.Main(analyzers...) }
