package main

import (
	"go/types"

	"golang.org/x/tools/go/analysis"
)

// mutable wants no exported variables except errors: if every importer can change a
// variable, no importer can rely on it. A variable whose type has no exported field is
// right too: it stands for a constant that Go does not have, as time.UTC does.
var mutable = &analysis.Analyzer{
	Name: "mutable",
	Doc:  "report exported package-level variables that are neither errors nor opaque values",
	Run:  runMutable,
}

func runMutable(pass *analysis.Pass) (any, error) {
	errorType := types.Universe.Lookup("error").Type().Underlying().(*types.Interface)
	scope := pass.Pkg.Scope()
	for _, name := range scope.Names() {
		v, ok := scope.Lookup(name).(*types.Var)
		if ok && v.Exported() && !inTest(pass, v.Pos()) && !types.Implements(v.Type(), errorType) && !opaque(v.Type()) {
			pass.Reportf(v.Pos(), "%s is a variable that every importer can change", name)
		}
	}
	return nil, nil
}

// opaque reports whether t is a named struct, or a pointer to one, without exported fields.
func opaque(t types.Type) bool {
	if p, ok := t.(*types.Pointer); ok {
		t = p.Elem()
	}
	if _, ok := t.(*types.Named); !ok {
		return false
	}
	s, ok := t.Underlying().(*types.Struct)
	for i := 0; ok && i < s.NumFields(); i++ {
		ok = !s.Field(i).Exported()
	}
	return ok
}
