package main

import (
	"go/ast"
	"go/token"
	"go/types"
	"strings"

	"golang.org/x/tools/go/analysis"
)

// inAnyOrder begins the comment that says why the order of a loop over a map cannot be
// seen. The comment stands in the line of the loop or in the line above.
const inAnyOrder = "in any order:"

// maporder wants programs whose results do not depend on the order of a map. A loop over
// a map is right if the order of its turns does not matter (each turn counts, or writes
// to a key of its own), if its function sorts afterwards, or if a comment says why it is
// right: "in any order: ...".
var maporder = &analysis.Analyzer{
	Name: "maporder",
	Doc:  "report loops over maps whose order the result may depend on",
	Run:  runMaporder,
}

func runMaporder(pass *analysis.Pass) (any, error) {
	for _, file := range sources(pass) {
		excused := map[int]bool{}
		for _, group := range file.Comments {
			if strings.Contains(strings.ToLower(group.Text()), inAnyOrder) {
				excused[pass.Fset.Position(group.End()).Line] = true
			}
		}
		for _, decl := range file.Decls {
			f, ok := decl.(*ast.FuncDecl)
			if !ok || f.Body == nil {
				continue
			}
			ast.Inspect(f.Body, func(n ast.Node) bool {
				loop, ok := n.(*ast.RangeStmt)
				if !ok || !overMap(pass, loop) {
					return true
				}
				line := pass.Fset.Position(loop.Pos()).Line
				if !excused[line] && !excused[line-1] && !commutes(loop.Body.List) && !sortsAfter(pass, f.Body, loop) {
					pass.Reportf(loop.Pos(), "the order of this loop over a map can be seen: sort, or say why not after %q", inAnyOrder)
				}
				return true
			})
		}
	}
	return nil, nil
}

// overMap reports whether a loop goes over a map, or over maps.Keys, maps.Values or
// maps.All of one.
func overMap(pass *analysis.Pass, loop *ast.RangeStmt) bool {
	if call, ok := loop.X.(*ast.CallExpr); ok {
		pkg, name := callee(pass, call)
		return pkg == "maps" && (name == "Keys" || name == "Values" || name == "All")
	}
	_, ok := pass.TypesInfo.TypeOf(loop.X).Underlying().(*types.Map)
	return ok
}

// commutes reports whether the result of statements is the same for any order of turns:
// they count, write to keys, delete keys, or skip a turn.
func commutes(list []ast.Stmt) bool {
	for _, stmt := range list {
		switch stmt := stmt.(type) {
		case *ast.IncDecStmt, *ast.BranchStmt:
		case *ast.AssignStmt:
			if !commutingAssign(stmt) {
				return false
			}
		case *ast.ExprStmt:
			call, ok := stmt.X.(*ast.CallExpr)
			if !ok {
				return false
			}
			if name, ok := call.Fun.(*ast.Ident); !ok || name.Name != "delete" {
				return false
			}
		case *ast.IfStmt:
			if stmt.Else != nil || !commutes(stmt.Body.List) {
				return false
			}
		case *ast.ReturnStmt:
			// The answer is the same in each turn that returns.
			for _, result := range stmt.Results {
				if name, ok := result.(*ast.Ident); !ok || name.Name != "true" && name.Name != "false" {
					return false
				}
			}
		default:
			return false
		}
	}
	return true
}

// commutingAssign reports whether an assignment adds to a sum, writes to a key, or
// keeps the largest or smallest value.
func commutingAssign(stmt *ast.AssignStmt) bool {
	switch stmt.Tok {
	case token.ADD_ASSIGN, token.OR_ASSIGN, token.DEFINE:
		return true
	case token.ASSIGN:
	default:
		return false
	}
	for i, left := range stmt.Lhs {
		if _, ok := left.(*ast.IndexExpr); ok {
			continue
		}
		if i >= len(stmt.Rhs) {
			return false
		}
		call, ok := stmt.Rhs[i].(*ast.CallExpr)
		if !ok {
			return false
		}
		if name, ok := call.Fun.(*ast.Ident); !ok || name.Name != "max" && name.Name != "min" {
			return false
		}
	}
	return true
}

// sortsAfter reports whether body sorts, after a loop, a variable to which the loop
// assigns.
func sortsAfter(pass *analysis.Pass, body *ast.BlockStmt, loop *ast.RangeStmt) bool {
	assigned := map[types.Object]bool{}
	ast.Inspect(loop.Body, func(n ast.Node) bool {
		if stmt, ok := n.(*ast.AssignStmt); ok {
			for _, left := range stmt.Lhs {
				assigned[named(pass, left)] = true
			}
		}
		return true
	})
	sorts := false
	ast.Inspect(body, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || call.Pos() < loop.End() || len(call.Args) == 0 {
			return true
		}
		pkg, name := callee(pass, call)
		if pkg == "sort" || pkg == "slices" && strings.HasPrefix(name, "Sort") {
			object := named(pass, call.Args[0])
			sorts = sorts || object != nil && assigned[object]
		}
		return true
	})
	return sorts
}

// named returns the variable or the field that e names, or nil.
func named(pass *analysis.Pass, e ast.Expr) types.Object {
	switch e := e.(type) {
	case *ast.Ident:
		return pass.TypesInfo.ObjectOf(e)
	case *ast.SelectorExpr:
		return pass.TypesInfo.ObjectOf(e.Sel)
	}
	return nil
}

// callee returns the package and the name of the package-level function that is called.
func callee(pass *analysis.Pass, call *ast.CallExpr) (pkg, name string) {
	fun := call.Fun
	if index, ok := fun.(*ast.IndexExpr); ok {
		fun = index.X
	}
	selector, ok := fun.(*ast.SelectorExpr)
	if !ok {
		return "", ""
	}
	f, ok := pass.TypesInfo.Uses[selector.Sel].(*types.Func)
	if !ok || f.Pkg() == nil {
		return "", ""
	}
	return f.Pkg().Path(), f.Name()
}
