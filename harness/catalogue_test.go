package harness_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/halfopen/halfopen/faultnet"
	"github.com/halfopen/halfopen/harness"
)

// The catalogue is a folder of scripts, one a fault, in a folder for each place. The
// first line of a script names place and fault, the second has the line that causes
// the fault, which the script contains, and what causes it in Go.
const catalogueFolder = "../testdata/catalogue"

// cataloguePlaces are the folders, in the order of a request's life.
var cataloguePlaces = []string{
	"resolve", "dial", "proxy", "tls", "write", "read", "link", "idle", "close", "accept", "http1-server", "http2", "packet", "process",
}

// A catalogued fault is one script of the catalogue.
type catalogued struct {
	place, fault string
	line         string // with the verb
	goForm       string
	script       *harness.Script
	text         string
}

// Each script of the catalogue holds with net/http.
func TestCatalogue(t *testing.T) {
	for _, place := range cataloguePlaces {
		for _, c := range catalogue(t, place) {
			t.Run(c.place+"/"+c.fault, func(t *testing.T) {
				report, err := c.script.TestReport(nil)
				if err != nil {
					t.Fatal(err)
				}
				if report.Failed() {
					t.Errorf("%s", report)
				}
			})
		}
	}
}

// catalogue returns the faults of one place, by the names of their files.
func catalogue(t *testing.T, place string) (faults []catalogued) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(catalogueFolder, place, "*.txtar"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts of %s (%v)", place, err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		script, err := harness.ParseScript(file, data)
		if err != nil {
			t.Fatal(err)
		}
		c := catalogued{script: script, text: string(data)}
		lines := strings.Split(c.text, "\n")
		var titled, caused, inGo bool
		c.place, c.fault, titled = strings.Cut(strings.TrimPrefix(lines[0], "# "), ": ")
		c.fault = strings.TrimSuffix(c.fault, ".")
		c.line, caused = strings.CutPrefix(lines[1], "# fault: ")
		c.line, c.goForm, inGo = strings.Cut(c.line, "; in Go: ")
		if !titled || !caused || !inGo {
			t.Errorf("%s: the first two lines are not\n# PLACE: FAULT.\n# fault: LINE; in Go: NAME", file)
		}
		if !slices.Contains(lines[2:], c.line) {
			t.Errorf("%s:2: the script does not have the line %q", file, c.line)
		}
		faults = append(faults, c)
	}
	return faults
}

// The table in the documentation is made from the scripts, each names something that
// is exported, and nothing that a script can say is without a script.
func TestCatalogueTable(t *testing.T) {
	declared := append(exported(t, "faultnet", "../faultnet"), exported(t, "harness", ".")...)
	var faults []catalogued
	titles := map[string]bool{}
	said := ""
	for _, place := range cataloguePlaces {
		for _, c := range catalogue(t, place) {
			faults = append(faults, c)
			said += c.text
			title := c.place + ": " + c.fault
			if titles[title] {
				t.Errorf("%s: two scripts", title)
			}
			titles[title] = true
			if !slices.Contains(declared, c.goForm) {
				t.Errorf("%s: there is no %s", title, c.goForm)
			}
		}
	}
	folders, err := os.ReadDir(catalogueFolder)
	for _, f := range folders {
		if !slices.Contains(cataloguePlaces, f.Name()) {
			t.Errorf("%s is no place", f.Name())
		}
	}
	for _, v := range faultnet.Verdicts() {
		if !v.IsHold() && !strings.Contains(said, " "+v.String()) {
			t.Errorf("verdict %s: no script", v)
		}
	}
	for _, a := range harness.Answers() {
		if !strings.Contains(said, "misbehave c1 "+a.Name+"\n") {
			t.Errorf("answer %s: no script", a.Name)
		}
	}
	for _, verb := range []string{"serve-tls", "serve-proxy", "serve-h2"} {
		for _, m := range harness.Modes(verb) {
			if !strings.Contains(said, " "+m) {
				t.Errorf("mode %s of %s: no script", m, verb)
			}
		}
	}

	const file = "../faultnet/CATALOGUE.md"
	table := catalogueTable(faults)
	if *update && err == nil {
		err = os.WriteFile(file, []byte(table), 0o666)
	}
	if err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(file); err != nil || string(got) != table {
		t.Errorf("%s is not the table of the scripts: run go test ./harness -run CatalogueTable -update (%v)", file, err)
	}
}

// catalogueTable returns the page of the documentation.
func catalogueTable(faults []catalogued) string {
	var b strings.Builder
	b.WriteString(`# The catalogue of faults

Each fault, the line of a script that causes it, what causes it in Go, and
whether an exploration can try it at every place by itself (Bounds.Effects, by
the outcome's name). A fault of a call is not an event that waits, and a fault of
a peer is a property of that peer: explorations run with both, but do not place them.

This page is made from the scripts in testdata/catalogue, one a fault, and is
compared with them. Each is a test: "go test ./harness -run
'TestCatalogue/PLACE/FAULT'". The manual of the lines is testdata/README.md.

| place | fault | in a script | in Go | sweep |
|---|---|---|---|---|
`)
	for _, c := range faults {
		fmt.Fprintf(&b, "| %s | %s | `%s` | `%s` | %s |\n", c.place, c.fault, c.line, c.goForm, sweptAs(c.line))
	}
	b.WriteString(`
## Left out

- dial, the dialer panics: net/http dials in a goroutine of its own, where a panic
  ends the process, so that no script may say it. In Go, a rule of Install that panics
  does it in the dial that it is asked about.
- idle, a connection put back twice: a transport does that, not a network. The oracles
  of the pool find it.
- close, Close blocks while the pool holds its lock: ` + "`fault C client close as block`" + ` does
  it, but a goroutine that waits for a mutex is not durably blocked. The bubble freezes,
  and the watchdog says so.
`)
	return b.String()
}

// sweptAs returns the name in Bounds.Effects of the outcome that a line has, if an
// exploration can place it.
func sweptAs(line string) string {
	words := strings.Fields(line)
	for i, w := range words {
		if w == "as" || w == "fail" && i == 0 {
			name := words[i+1]
			if w == "fail" {
				name = words[2]
			}
			if v, err := faultnet.ParseVerdict(name); err == nil && v.Kinds()&^faultnet.Calls != 0 && !strings.HasPrefix(line, "fault accept") {
				return "`" + v.String() + "`"
			}
		}
	}
	return ""
}

// exported lists the declarations of a package: "faultnet.Refuse",
// "faultnet.Conn.Break".
func exported(t *testing.T, pkg, dir string) (names []string) {
	t.Helper()
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), ".go") || strings.HasSuffix(f.Name(), "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), dir+"/"+f.Name(), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			for _, name := range declares(d) {
				names = append(names, pkg+"."+name)
			}
		}
	}
	return names
}

func declares(d ast.Decl) (names []string) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		name := d.Name.Name
		if d.Recv != nil {
			of := d.Recv.List[0].Type
			if star, ok := of.(*ast.StarExpr); ok {
				of = star.X
			}
			if id, ok := of.(*ast.Ident); ok {
				name = id.Name + "." + name
			}
		}
		return []string{name}
	case *ast.GenDecl:
		for _, s := range d.Specs {
			switch s := s.(type) {
			case *ast.TypeSpec:
				names = append(names, s.Name.Name)
			case *ast.ValueSpec:
				for _, id := range s.Names {
					names = append(names, id.Name)
				}
			}
		}
	}
	return names
}
