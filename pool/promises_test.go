package pool

import (
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"go/version"
	"net/http"
	"net/http/httptrace"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// Whatever http.Transport has, and each sentence of its documentation, is in the
// table of PROMISES.md, with a file that keeps it and tests that show it, or
// with a reason why not.
func TestPromises(t *testing.T) {
	rows := readPromises(t)
	tests := testSources(t)
	for _, r := range rows {
		r.check(t, tests)
	}
	checkSubjects(t, rows, tests)
	// The last of its tags is the release of the Go that runs this, also of one
	// that is not released yet.
	tags := build.Default.ReleaseTags
	checkSentences(t, rows, tags[len(tags)-1], documentation(t))
}

// A promise is a row of the table.
type promise struct {
	of          string // "IdleConnTimeout", "Clone()", "ClientTrace.GotConn"
	since       string // the first release that says so, such as "go1.27"; empty: the first of all
	until       string // the last one; empty: none
	first, last int    // sentences; zero: the thing itself
	opens       string // their first words
	ends        string // and the last ones, if they count
	words       string
	files       []string
	tests       []string
}

var promiseRow = regexp.MustCompile("^\\| `([^`]+)`(?: (since|until) (1\\.\\d+))? \\|(?: (\\d+)(?:–(\\d+))? ([^|]*)…(?: ([^|]+))?)? \\| ([^|]+) \\| ([^|]*) \\| ([^|]*) \\|$")

func readPromises(t *testing.T) (rows []promise) {
	data, err := os.ReadFile("PROMISES.md")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		line = strings.TrimSuffix(line, "\n")
		if !strings.HasPrefix(line, "| `") {
			continue
		}
		m := promiseRow.FindStringSubmatch(line)
		if m == nil {
			t.Errorf("PROMISES.md: got %s, want six columns", line)
			continue
		}
		p := promise{of: m[1], opens: m[6], ends: m[7], words: m[8]}
		switch m[2] {
		case "since":
			p.since = "go" + m[3]
		case "until":
			p.until = "go" + m[3]
		}
		p.first, _ = strconv.Atoi(m[4])
		if p.last, _ = strconv.Atoi(m[5]); p.last == 0 {
			p.last = p.first
		}
		p.files, p.tests = strings.Fields(m[9]), strings.Fields(m[10])
		if len(p.files) == 0 || len(p.tests) == 0 || (p.files[0] == "–") != (p.tests[0] == "–") {
			t.Errorf("PROMISES.md: got %s, want a file and a test, or – and –", line)
			continue
		}
		rows = append(rows, p)
	}
	return rows
}

// kept reports whether there is something to keep, and the pool does.
func (p promise) kept() bool { return p.files[0] != "–" }

// made reports whether that release makes the promise.
func (p promise) made(release string) bool {
	return version.Compare(p.since, release) <= 0 && (p.until == "" || version.Compare(release, p.until) <= 0)
}

func (p promise) check(t *testing.T, tests map[string]string) {
	if !p.kept() {
		return
	}
	for _, name := range p.files {
		if files, _ := filepath.Glob(name); len(files) != 1 || strings.HasSuffix(name, "_test.go") {
			t.Errorf("%s %d: there is no file %s", p.of, p.first, name)
		}
	}
	for _, name := range p.tests {
		if _, ok := tests[name]; !ok {
			t.Errorf("%s %d: there is no test %s", p.of, p.first, name)
		}
	}
}

// checkSubjects wants rows for each field and method, which the pool has with
// the same type and without which neither file nor test could do.
func checkSubjects(t *testing.T, rows []promise, tests map[string]string) {
	ours, theirs := reflect.TypeFor[Transport](), reflect.TypeFor[http.Transport]()
	var subjects []string
	for i := range theirs.NumField() {
		f := theirs.Field(i)
		if !f.IsExported() {
			continue
		}
		subjects = append(subjects, f.Name)
		if mine, ok := ours.FieldByName(f.Name); !ok || mine.Type != f.Type {
			t.Errorf("%s: got no field of that type", f.Name)
		}
		if !mentions(rows, f.Name, f.Name, tests) {
			t.Errorf("%s: none of its files and none of its tests has that name", f.Name)
		}
	}
	pt, po := reflect.PointerTo(theirs), reflect.PointerTo(ours)
	for i := range pt.NumMethod() {
		m := pt.Method(i)
		subjects = append(subjects, m.Name+"()")
		mine, ok := po.MethodByName(m.Name)
		same := ok && mine.Type.NumIn() == m.Type.NumIn() && mine.Type.NumOut() == m.Type.NumOut()
		if kept := slices.ContainsFunc(rows, func(p promise) bool { return p.of == m.Name+"()" && p.kept() }); kept != same {
			t.Errorf("%s(): got it said to be kept: %v, and there: %v", m.Name, kept, same)
		}
	}
	hooks := reflect.TypeFor[httptrace.ClientTrace]()
	for i := range hooks.NumField() {
		name := hooks.Field(i).Name
		subjects = append(subjects, "ClientTrace."+name)
		if !mentions(rows, "ClientTrace."+name, name, tests) {
			t.Errorf("ClientTrace.%s: none of its tests has that name", name)
		}
	}
	subjects = append(subjects, "Transport", "RoundTripper", "RoundTripper.RoundTrip", "Response.Body")
	for _, s := range subjects {
		if !slices.ContainsFunc(rows, func(p promise) bool { return p.of == s }) {
			t.Errorf("%s: got no row for it", s)
		}
	}
	for _, p := range rows {
		if !slices.Contains(subjects, p.of) {
			t.Errorf("%s: there is no such thing", p.of)
		}
	}
}

// A row that is of some releases only is looked at on those, and on no other.
func TestPromiseMade(t *testing.T) {
	for _, tt := range []struct {
		p             promise
		on26, on27, x bool
	}{
		{promise{}, true, true, true},
		{promise{since: "go1.27"}, false, true, true},
		{promise{until: "go1.26"}, true, false, false},
		{promise{until: "go1.27"}, true, true, false},
	} {
		if got := [...]bool{tt.p.made("go1.26"), tt.p.made("go1.27"), tt.p.made("go1.28")}; got != [...]bool{tt.on26, tt.on27, tt.x} {
			t.Errorf("since %q until %q: got %v on 1.26, 1.27 and 1.28", tt.p.since, tt.p.until, got)
		}
	}
}

// mentions reports whether a test of the rows for subject has that name in it,
// and for a field also one of the files.
func mentions(rows []promise, subject, name string, tests map[string]string) bool {
	word := regexp.MustCompile(`\b` + name + `\b`)
	inFile, inTest := subject != name, false
	for _, p := range rows {
		if p.of != subject {
			continue
		}
		for _, file := range p.files {
			src, _ := os.ReadFile(file)
			inFile = inFile || word.Match(src)
		}
		for _, test := range p.tests {
			inTest = inTest || word.MatchString(tests[test])
		}
	}
	return inFile && inTest
}

// checkSentences wants each sentence of the documentation of a release in one
// row, by its first words and, where the row has them, its last.
func checkSentences(t *testing.T, rows []promise, release string, docs map[string][]string) {
	seen := make(map[string]int)
	for _, p := range rows {
		if p.first == 0 || !p.made(release) {
			continue
		}
		if p.first != seen[p.of]+1 || p.last < p.first || p.last > len(docs[p.of]) {
			t.Errorf("%s: got sentences %d to %d after %d, of %d", p.of, p.first, p.last, seen[p.of], len(docs[p.of]))
			continue
		}
		seen[p.of] = p.last
		got := docs[p.of][p.first-1]
		if !strings.HasPrefix(got, p.opens) || p.opens == "" || !strings.HasSuffix(got, p.ends) {
			t.Errorf("%s %d: got %q, want it to be %q… %s", p.of, p.first, got, p.opens, p.ends)
		}
	}
	for of, sentences := range docs {
		if seen[of] != len(sentences) {
			t.Errorf("%s: got %d of %d sentences in the table; the next is %q", of, seen[of], len(sentences), sentences[seen[of]])
		}
	}
}

// documentation returns the sentences of the net/http of the Go that runs this
// about its Transport, by what they are about.
func documentation(t *testing.T) map[string][]string {
	docs := make(map[string][]string)
	for _, name := range []string{"transport.go", "roundtrip.go", "clientconn.go", "client.go", "response.go"} {
		file := filepath.Join(build.Default.GOROOT, "src", "net", "http", name)
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Recv != nil && d.Name.IsExported() && funcName(d) == "Transport."+d.Name.Name {
					docs[d.Name.Name+"()"] = sentencesOf(d.Doc)
				}
			case *ast.GenDecl:
				for _, s := range d.Specs {
					if typ, ok := s.(*ast.TypeSpec); ok {
						documentType(docs, d, typ)
					}
				}
			}
		}
	}
	return docs
}

func documentType(docs map[string][]string, d *ast.GenDecl, typ *ast.TypeSpec) {
	var fields *ast.FieldList
	prefix := ""
	switch u := typ.Type.(type) {
	case *ast.StructType:
		fields = u.Fields
	case *ast.InterfaceType:
		fields, prefix = u.Methods, typ.Name.Name+"."
	}
	switch typ.Name.Name {
	case "Transport", "RoundTripper":
		docs[typ.Name.Name] = sentencesOf(d.Doc)
	case "Response": // of which only the body is the transport's
		body := slices.IndexFunc(fields.List, func(f *ast.Field) bool { return f.Names[0].Name == "Body" })
		docs["Response.Body"] = sentencesOf(fields.List[body].Doc)
		return
	default:
		return
	}
	for _, f := range fields.List {
		if len(f.Names) > 0 && f.Names[0].IsExported() {
			docs[prefix+f.Names[0].Name] = sentencesOf(f.Doc)
		}
	}
}

var sentenceEnd = regexp.MustCompile(`\. ["A-Z]`)

// sentencesOf returns the sentences of a comment, without the marks of links and
// quotes.
func sentencesOf(doc *ast.CommentGroup) (all []string) {
	marks := strings.NewReplacer("[", "", "]", "", `"`, "")
	for paragraph := range strings.SplitSeq(doc.Text(), "\n\n") {
		rest := strings.Join(strings.Fields(paragraph), " ")
		for rest != "" {
			sentence := rest
			if end := sentenceEnd.FindStringIndex(rest); end != nil {
				sentence = rest[:end[0]+1]
			}
			rest = strings.TrimSpace(rest[len(sentence):])
			all = append(all, marks.Replace(sentence))
		}
	}
	return all
}

// testSources returns the text of each test and each race script, by its name.
func testSources(t *testing.T) map[string]string {
	tests := make(map[string]string)
	scripts, _ := filepath.Glob("testdata/races/*.txtar")
	shared, _ := filepath.Glob("../testdata/races/*.txtar")
	for _, name := range append(scripts, shared...) {
		src, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		tests[strings.TrimSuffix(filepath.Base(name), ".txtar")] = string(src)
	}
	files, _ := filepath.Glob("*_test.go")
	for _, name := range files {
		src, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		fset := token.NewFileSet()
		f, err := parser.ParseFile(fset, name, src, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && strings.HasPrefix(fn.Name.Name, "Test") {
				tests[fn.Name.Name] = string(src[fset.Position(fn.Pos()).Offset:fset.Position(fn.End()).Offset])
			}
		}
	}
	return tests
}
