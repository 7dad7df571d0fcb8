package pool

import (
	"encoding/json"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// mutantsReport is what "make mutants" gives; it does not run this test on the
// mutants themselves, which would all fail it.
var mutantsReport = flag.String("mutants", "", "`file` that gremlins wrote with --output, for TestSurvivors to compare")

// enough is how many percent of the covered mutants the tests must kill.
const enough = 90

// What testdata/survivors.txt says of the mutants that no test kills is so: each
// is a mutant of the source as it is, and has a reason. With -mutants it is
// also what gremlins has just found, no more and no less, and little enough.
func TestSurvivors(t *testing.T) {
	all := allMutants(t)
	listed := listedMutants(t)
	for m, n := range listed {
		if have := countMutants(all, m.mutant); have < n {
			t.Errorf("survivors.txt: %s is listed %d times, and the source has it %d times", m.mutant, n, have)
		}
	}
	if *mutantsReport != "" {
		compareReport(t, all, listed)
	}
}

// A mutant is one token of one line replaced. What it is does not depend on
// where in its file the function stands.
type mutant struct {
	file, fn, kind string
	before, after  string // the line
}

func (m mutant) String() string {
	return fmt.Sprintf("%s %s %s\n-\t%s\n+\t%s\n", m.file, m.fn, m.kind, m.before, m.after)
}

// A survivor is a mutant as listed.
type survivor struct {
	mutant
	hangs bool // the tests do not end
}

// A place is where gremlins says that a mutant is.
type place struct {
	file         string
	line, column int
	kind         string
}

// mutations is what gremlins does unless told otherwise, by the token.
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

// allMutants is every mutant of the package.
func allMutants(t *testing.T) map[place]mutant {
	all := make(map[place]mutant)
	files, _ := filepath.Glob("*.go")
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		src, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		fset := token.NewFileSet()
		f, err := parser.ParseFile(fset, name, src, 0)
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(string(src), "\n")
		for _, d := range f.Decls {
			fn := funcName(d)
			ast.Inspect(d, func(n ast.Node) bool {
				tok, at := tokenOf(n)
				pos := fset.Position(at)
				for kind, to := range mutations[tok] {
					line := lines[pos.Line-1]
					after := line[:pos.Column-1] + to.String() + line[pos.Column-1+len(tok.String()):]
					all[place{name, pos.Line, pos.Column, kind}] = mutant{name, fn, kind, strings.TrimSpace(line), strings.TrimSpace(after)}
				}
				return true
			})
		}
	}
	return all
}

// funcName is "f", "T.f", or "-" outside of functions.
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

// tokenOf is the token of n that gremlins would change.
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

func countMutants(all map[place]mutant, m mutant) (n int) {
	for _, other := range all {
		if other == m {
			n++
		}
	}
	return n
}

// listedMutants reads testdata/survivors.txt.
func listedMutants(t *testing.T) map[survivor]int {
	data, err := os.ReadFile("testdata/survivors.txt")
	if err != nil {
		t.Fatal(err)
	}
	listed := make(map[survivor]int)
	for entry := range strings.SplitSeq(strings.TrimSpace(string(data)), "\n\n") {
		if strings.HasPrefix(entry, "#") {
			continue
		}
		lines := strings.Split(entry, "\n")
		head := strings.Fields(lines[0])
		hangs := len(head) == 4 && head[3] == "hangs"
		if len(lines) < 4 || len(head) != 3 && !hangs ||
			lines[1][0] != '-' || lines[2][0] != '+' || strings.TrimSpace(lines[3]) == "" {
			t.Errorf("survivors.txt: got\n%s\nwant FILE FUNCTION KIND [hangs], the line with - and +, and a reason", entry)
			continue
		}
		listed[survivor{mutant{head[0], head[1], head[2], strings.TrimSpace(lines[1][1:]), strings.TrimSpace(lines[2][1:])}, hangs}]++
	}
	return listed
}

// compareReport compares what gremlins found with what is listed.
func compareReport(t *testing.T, all map[place]mutant, listed map[survivor]int) {
	status := readReport(t, all)
	found := make(map[survivor]int)
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
			found[survivor{m, false}]++
		case "TIMED OUT":
			hang++
			found[survivor{m, true}]++
		case "NOT COVERED", "NOT VIABLE":
		default:
			t.Errorf("%s: got status %q: the run is not whole, or of another source", m, status[at])
		}
	}
	for m, n := range found {
		if listed[m] < n {
			t.Errorf("survivors.txt does not list: %s(hangs: %v) x %d", m.mutant, m.hangs, n-listed[m])
		}
	}
	for m, n := range listed {
		if found[m] < n {
			t.Errorf("survivors.txt lists, and it was killed: %s(hangs: %v) x %d", m.mutant, m.hangs, n-found[m])
		}
	}
	percent := 100 * float64(killed+hang) / float64(max(1, killed+hang+lived))
	t.Logf("of %d covered mutants the tests kill %d and hang in %d: %.1f %%; %d survive; %d do not compile and do not count",
		killed+hang+lived, killed, hang, percent, lived, broken)
	if percent < enough {
		t.Errorf("killed: got %.1f %%, want at least %d %%", percent, enough)
	}
}

// readReport is the status of each mutant, as gremlins has it.
func readReport(t *testing.T, all map[place]mutant) map[place]string {
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
func compiles(t *testing.T, at place, m mutant) bool {
	src, err := os.ReadFile(at.file)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(src), "\n")
	lines[at.line-1] = m.after
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
