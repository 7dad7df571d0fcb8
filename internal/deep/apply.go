package deep

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"slices"
	"strings"
)

// edit changes one file of a Go tree at an anchor. An anchor is a declaration,
// or a function and the head of a statement in it. It is found by parsing.
type edit struct {
	file string // the path below GOROOT/src
	in   string // "newproc", "Mutex.Lock" for a method, or "type X", "const X", "var X" for a declaration
	at   string // the head of the statement, that is the statement without its block; "" for the function's beginning or the declaration's end
	how  place
	text string
	n    int    // how many such statements the function has; 0 means 1
	only string // the Go release that has the anchor: "1.26" or "1.27"; "" for all
}

// place says where the text of an edit goes.
type place int

const (
	before  place = iota // before the statement
	after                // after the statement
	instead              // in place of the head of the statement
	within               // at the beginning of the statement's block
)

// anchorError says that a Go tree does not have the anchor of an edit, or does
// not have it as often as expected.
type anchorError struct {
	version, file, in, at string
	got, want             int
}

func (e *anchorError) Error() string {
	anchor := e.in
	if e.at != "" {
		anchor += ", " + e.at
	}
	return fmt.Sprintf("%s: %s: got the anchor %q %d times, want %d: halfopen does not know this Go tree", e.version, e.file, anchor, e.got, e.want)
}

// splice replaces the bytes from one offset to another by text.
type splice struct {
	from, to int
	text     string
}

// apply returns the source of a file after all its edits, formatted.
func apply(version, file string, src []byte, edits []edit) ([]byte, error) {
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, file, src, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", version, err)
	}
	s := source{fset.File(f.FileStart), src, f}
	var splices []splice
	for _, e := range edits {
		found := s.find(e)
		want := max(e.n, 1)
		if len(found) != want {
			return nil, &anchorError{version, file, e.in, e.at, len(found), want}
		}
		splices = append(splices, found...)
	}
	// Begin at the end of the file, so that the offsets of the other splices stay
	// right. Of two splices at one offset, the first in the table comes first in
	// the file.
	order := make([]int, len(splices))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		if splices[a].from != splices[b].from {
			return splices[b].from - splices[a].from
		}
		return b - a
	})
	out := slices.Clone(src)
	for _, i := range order {
		p := splices[i]
		out = slices.Concat(out[:p.from], []byte(p.text), out[p.to:])
	}
	out, err = format.Source(out)
	if err != nil {
		return nil, fmt.Errorf("%s: %s, edited: %w", version, file, err)
	}
	return out, nil
}

// source is a parsed file.
type source struct {
	tok  *token.File
	text []byte
	file *ast.File
}

func (s source) offset(p token.Pos) int { return s.tok.Offset(p) }

// find returns a splice for each place where the edit's anchor is found.
func (s source) find(e edit) (found []splice) {
	kind, name, isDecl := strings.Cut(e.in, " ")
	for _, d := range s.file.Decls {
		switch d := d.(type) {
		case *ast.GenDecl:
			if isDecl && d.Tok.String() == kind {
				found = append(found, s.inDecl(d, name, e.text)...)
			}
		case *ast.FuncDecl:
			if isDecl || funcName(d) != e.in || d.Body == nil {
				continue
			}
			if e.at == "" {
				at := s.offset(d.Body.Lbrace) + 1
				found = append(found, splice{at, at, "\n" + e.text + "\n"})
				continue
			}
			ast.Inspect(d.Body, func(n ast.Node) bool {
				if stmt, ok := n.(ast.Stmt); ok {
					found = append(found, s.atStmt(stmt, e)...)
				}
				return true
			})
		}
	}
	return found
}

// inDecl returns the splice that puts text at the end of the declaration of
// name: a struct, a composite literal, or the group of constants it is in.
func (s source) inDecl(d *ast.GenDecl, name, text string) []splice {
	for _, spec := range d.Specs {
		end := token.NoPos
		switch spec := spec.(type) {
		case *ast.TypeSpec:
			if t, ok := spec.Type.(*ast.StructType); ok && spec.Name.Name == name {
				end = t.Fields.Closing
			}
		case *ast.ValueSpec:
			if spec.Names[0].Name != name {
				continue
			}
			if d.Tok == token.CONST {
				end = d.Rparen
			} else if len(spec.Values) == 1 {
				if lit, ok := spec.Values[0].(*ast.CompositeLit); ok {
					end = lit.Rbrace
				}
			}
		}
		if end.IsValid() {
			at := s.offset(end)
			return []splice{{at, at, text + "\n"}}
		}
	}
	return nil
}

// atStmt returns the splice at a statement, if its head is the edit's anchor.
func (s source) atStmt(stmt ast.Stmt, e edit) []splice {
	from, to := s.offset(stmt.Pos()), s.offset(stmt.End())
	block := blockOf(stmt)
	head := to
	if block != nil {
		head = s.offset(block.Lbrace)
	}
	if oneLine(s.text[from:head]) != e.at {
		return nil
	}
	switch e.how {
	case before:
		return []splice{{from, from, e.text + "\n"}}
	case after:
		return []splice{{to, to, "\n" + e.text}}
	case within:
		return []splice{{head + 1, head + 1, "\n" + e.text + "\n"}}
	}
	return []splice{{from, head, e.text + " "}}
}

// blockOf returns the block of a statement, or nil if it has none.
func blockOf(stmt ast.Stmt) *ast.BlockStmt {
	switch stmt := stmt.(type) {
	case *ast.IfStmt:
		return stmt.Body
	case *ast.ForStmt:
		return stmt.Body
	case *ast.RangeStmt:
		return stmt.Body
	case *ast.BlockStmt:
		return stmt
	}
	return nil
}

// oneLine returns source text with each run of white space replaced by one space.
func oneLine(text []byte) string { return string(bytes.Join(bytes.Fields(text), []byte(" "))) }

// funcName returns the name of a function, with its receiver's type in front.
func funcName(d *ast.FuncDecl) string {
	if d.Recv == nil {
		return d.Name.Name
	}
	t := d.Recv.List[0].Type
	if star, ok := t.(*ast.StarExpr); ok {
		t = star.X
	}
	switch generic := t.(type) {
	case *ast.IndexExpr:
		t = generic.X
	case *ast.IndexListExpr:
		t = generic.X
	}
	if name, ok := t.(*ast.Ident); ok {
		return name.Name + "." + d.Name.Name
	}
	return d.Name.Name
}
