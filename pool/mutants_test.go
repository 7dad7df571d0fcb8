package pool

import (
	"encoding/json"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/printer"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// mutantsReport is set by "make mutants", which does not run this test on the
// mutants themselves: all would fail it.
var mutantsReport = flag.String("mutants", "", "`file` that gremlins wrote with --output, for TestSurvivors to compare")

// enough is how many percent of the covered mutants the tests must kill.
const enough = 98

// What testdata/survivors.txt says about the mutants that no test kills is so: each
// is a mutant of the source as it is, and has a reason. With -mutants it is
// also what gremlins has just found, no more and no less, and little enough.
func TestSurvivors(t *testing.T) {
	all := allMutants(t)
	listed := listedMutants(t)
	known := make(map[mutant]bool)
	for _, m := range all {
		known[m.mutant] = true
	}
	for m := range listed {
		if !known[m] {
			t.Errorf("survivors.txt: the source has no %s", m)
		}
	}
	if *mutantsReport != "" {
		compareReport(t, all, listed)
	}
}

// A mutant is one operator of one expression replaced. What else is on its line
// does not matter, nor where its function stands.
type mutant struct {
	fn, kind      string
	nth           int    // of the equal expressions of the function, from 1
	before, after string // the expression
}

func (m mutant) String() string {
	nth := ""
	if m.nth > 1 {
		nth = fmt.Sprintf(" #%d", m.nth)
	}
	return fmt.Sprintf("%s %s%s\n-\t%s\n+\t%s\n", m.fn, m.kind, nth, m.before, m.after)
}

// A mutation is a mutant with the tokens that make it.
type mutation struct {
	mutant
	from, to token.Token
}

// A place is where gremlins says that a mutant is.
type place struct {
	file         string
	line, column int
	kind         string
}

// mutations lists the changes that gremlins makes by default, by the token.
var mutations = map[token.Token]map[string]token.Token{
	token.ADD: {"ARITHMETIC_BASE": token.SUB},
	token.SUB: {"ARITHMETIC_BASE": token.ADD, "INVERT_NEGATIVES": token.ADD},
	token.MUL: {"ARITHMETIC_BASE": token.QUO},
	token.QUO: {"ARITHMETIC_BASE": token.MUL},
	token.REM: {"ARITHMETIC_BASE": token.MUL},
	token.INC: {"INCREMENT_DECREMENT": token.DEC},
	token.DEC: {"INCREMENT_DECREMENT": token.INC},
	token.EQL: {"CONDITIONALS_NEGATION": token.NEQ},
	token.NEQ: {"CONDITIONALS_NEGATION": token.EQL},
	token.LSS: {"CONDITIONALS_NEGATION": token.GEQ, "CONDITIONALS_BOUNDARY": token.LEQ},
	token.LEQ: {"CONDITIONALS_NEGATION": token.GTR, "CONDITIONALS_BOUNDARY": token.LSS},
	token.GTR: {"CONDITIONALS_NEGATION": token.LEQ, "CONDITIONALS_BOUNDARY": token.GEQ},
	token.GEQ: {"CONDITIONALS_NEGATION": token.LSS, "CONDITIONALS_BOUNDARY": token.GTR},
}

// allMutants returns every mutant of the package.
func allMutants(t *testing.T) map[place]mutation {
	all := make(map[place]mutation)
	files, _ := filepath.Glob("*.go")
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		src, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		addMutants(t, all, name, src)
	}
	return all
}

// addMutants adds every mutant of a file.
func addMutants(t *testing.T, all map[place]mutation, name string, src []byte) {
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, name, src, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range f.Decls {
		fn := funcName(d)
		seen := make(map[mutant]int)
		ast.Inspect(d, func(n ast.Node) bool {
			from, at := tokenOf(n)
			pos := fset.Position(at)
			for kind, to := range mutations[from] {
				m := mutant{fn: fn, kind: kind, before: expression(fset, n, from), after: expression(fset, n, to)}
				seen[m]++
				m.nth = seen[m]
				all[place{name, pos.Line, pos.Column, kind}] = mutation{m, from, to}
			}
			return true
		})
	}
}

// expression returns n in a line, with that operator.
func expression(fset *token.FileSet, n ast.Node, op token.Token) string {
	switch old := n.(type) {
	case *ast.BinaryExpr:
		e := *old
		e.Op = op
		n = &e
	case *ast.UnaryExpr:
		e := *old
		e.Op = op
		n = &e
	case *ast.IncDecStmt:
		e := *old
		e.Tok = op
		n = &e
	}
	var b strings.Builder
	printer.Fprint(&b, fset, n)
	return strings.Join(strings.Fields(b.String()), " ")
}

// A mutant stays what it is when its line changes around it, and equal expressions
// of one function are two mutants.
func TestMutantsNamed(t *testing.T) {
	named := func(src string) string {
		all := make(map[place]mutation)
		addMutants(t, all, "x.go", []byte("package x\n"+src))
		var names []string
		for _, m := range all {
			if m.kind == "CONDITIONALS_NEGATION" {
				names = append(names, m.String())
			}
		}
		slices.Sort(names)
		return strings.Join(names, "")
	}
	const want = "f CONDITIONALS_NEGATION\n-\ta != b\n+\ta == b\nf CONDITIONALS_NEGATION #2\n-\ta != b\n+\ta == b\n"
	for _, src := range []string{
		"func f() bool { return a != b || a != b }",
		"var c int\n\nfunc f() bool {\n\tif done && a !=\n\t\tb {\n\t\treturn true\n\t}\n\treturn a != b // as ever\n}",
	} {
		if got := named(src); got != want {
			t.Errorf("%s: got\n%swant\n%s", src, got, want)
		}
	}
}

// funcName returns "f", "T.f", or "-" outside of functions.
func funcName(d ast.Decl) string {
	fn, ok := d.(*ast.FuncDecl)
	if !ok {
		return "-"
	}
	if fn.Recv == nil {
		return fn.Name.Name
	}
	typ := fn.Recv.List[0].Type
	if star, ok := typ.(*ast.StarExpr); ok {
		typ = star.X
	}
	if generic, ok := typ.(*ast.IndexExpr); ok {
		typ = generic.X
	}
	return typ.(*ast.Ident).Name + "." + fn.Name.Name
}

// tokenOf returns the token of n that gremlins would change.
func tokenOf(n ast.Node) (token.Token, token.Pos) {
	switch n := n.(type) {
	case *ast.BinaryExpr:
		return n.Op, n.OpPos
	case *ast.UnaryExpr:
		return n.Op, n.OpPos
	case *ast.IncDecStmt:
		return n.Tok, n.TokPos
	}
	return token.ILLEGAL, token.NoPos
}

// listedMutants reads testdata/survivors.txt.
func listedMutants(t *testing.T) map[mutant]bool {
	data, err := os.ReadFile("testdata/survivors.txt")
	if err != nil {
		t.Fatal(err)
	}
	listed := make(map[mutant]bool)
	for entry := range strings.SplitSeq(strings.TrimSpace(string(data)), "\n\n") {
		if strings.HasPrefix(entry, "#") {
			continue
		}
		m, ok := parseSurvivor(entry)
		if !ok || listed[m] {
			t.Errorf("survivors.txt: got\n%s\nwant FUNCTION KIND [#N], the expression with - and +, and a reason, once", entry)
			continue
		}
		listed[m] = true
	}
	return listed
}

func parseSurvivor(entry string) (m mutant, ok bool) {
	lines := strings.Split(entry, "\n")
	head := strings.Fields(lines[0])
	m.nth = 1
	if nth, found := strings.CutPrefix(head[len(head)-1], "#"); found {
		m.nth, _ = strconv.Atoi(nth)
		head = head[:len(head)-1]
	}
	if len(lines) < 4 || len(head) != 2 || lines[1][0] != '-' || lines[2][0] != '+' || strings.TrimSpace(lines[3]) == "" {
		return m, false
	}
	m.fn, m.kind = head[0], head[1]
	m.before, m.after = strings.TrimSpace(lines[1][1:]), strings.TrimSpace(lines[2][1:])
	return m, true
}

// compareReport compares what gremlins found with what is listed.
func compareReport(t *testing.T, all map[place]mutation, listed map[mutant]bool) {
	status := readReport(t, all)
	found := make(map[mutant]bool)
	killed, lived, hang, broken := 0, 0, 0, 0
	for at, m := range all {
		switch status[at] {
		case "KILLED":
			if at.kind == "ARITHMETIC_BASE" && !compiles(t, at, m) {
				broken++ // gremlins takes that for a test that fails
				continue
			}
			killed++
		case "LIVED":
			lived++
			found[m.mutant] = true
		case "TIMED OUT":
			hang++
		case "NOT COVERED", "NOT VIABLE":
		default:
			t.Errorf("%s: got status %q: the run is not whole, or of another source", m, status[at])
		}
	}
	for m := range found {
		if !listed[m] {
			t.Errorf("survivors.txt does not list: %s", m)
		}
	}
	for m := range listed {
		if !found[m] {
			t.Errorf("survivors.txt lists, and it was killed: %s", m)
		}
	}
	percent := 100 * float64(killed+hang) / float64(max(1, killed+hang+lived))
	t.Logf("of %d covered mutants the tests kill %d and hang in %d: %.1f %%; %d survive; %d do not compile and do not count",
		killed+hang+lived, killed, hang, percent, lived, broken)
	if percent < enough {
		t.Errorf("killed: got %.1f %%, want at least %d %%", percent, enough)
	}
}

// readReport reads the status of each mutant from the report of gremlins.
func readReport(t *testing.T, all map[place]mutation) map[place]string {
	data, err := os.ReadFile(*mutantsReport)
	if err != nil {
		t.Fatal(err)
	}
	var report struct {
		Files []struct {
			Name      string `json:"file_name"`
			Mutations []struct {
				Type, Status string
				Line, Column int
			}
		}
	}
	if err := json.Unmarshal(data, &report); err != nil {
		t.Fatal(err)
	}
	status := make(map[place]string)
	for _, f := range report.Files {
		for _, m := range f.Mutations {
			at := place{f.Name, m.Line, m.Column, m.Type}
			if _, ok := all[at]; !ok {
				t.Errorf("the report has %v, and the source does not", at)
			}
			status[at] = m.Status
		}
	}
	return status
}

// compiles reports whether the mutant at that place does.
func compiles(t *testing.T, at place, m mutation) bool {
	src, err := os.ReadFile(at.file)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(src), "\n")
	line := lines[at.line-1]
	lines[at.line-1] = line[:at.column-1] + m.to.String() + line[at.column-1+len(m.from.String()):]
	dir := t.TempDir()
	changed, overlay := filepath.Join(dir, at.file), filepath.Join(dir, "overlay.json")
	original, err := filepath.Abs(at.file)
	if err != nil {
		t.Fatal(err)
	}
	replace, _ := json.Marshal(map[string]any{"Replace": map[string]string{original: changed}})
	if err := os.WriteFile(changed, []byte(strings.Join(lines, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(overlay, replace, 0o600); err != nil {
		t.Fatal(err)
	}
	return exec.Command("go", "build", "-overlay", overlay, ".").Run() == nil
}
