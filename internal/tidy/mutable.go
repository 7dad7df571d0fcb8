package main

import (
	"go/types"
	"strings"

	"golang.org/x/tools/go/analysis"
)

// mutable wants no exported variables except errors: if every importer can change a
// variable, no importer can rely on it. A variable whose type has no exported field is
// right too: it stands for a constant that Go does not have, as time.UTC does. So is one
// whose comment says that it must not be changed: importers know.
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
		if ok && v.Exported() && !inTest(pass, v.Pos()) && !types.Implements(v.Type(), errorType) && !opaque(v.Type()) && !forbidden(pass, v) {
			pass.Reportf(v.Pos(), "%s is a variable that every importer can change", name)
		}
	}
	return nil, nil
}

// forbidden reports whether the comment of a variable forbids to change it.
func forbidden(pass *analysis.Pass, v *types.Var) bool {
	for _, file := range pass.Files {
		for _, group := range file.Comments {
			text := strings.Join(strings.Fields(group.Text()), " ")
			if strings.HasPrefix(text, v.Name()+" ") && strings.Contains(text, "must not be changed") {
				return true
			}
		}
	}
	return false
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
