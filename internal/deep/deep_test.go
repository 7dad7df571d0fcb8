package deep

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// planFor returns a plan for the Go tree that GOTOOLCHAIN selects, or skips the
// test if this machine cannot get it.
func planFor(t *testing.T, toolchain string) plan {
	t.Helper()
	t.Setenv("GOTOOLCHAIN", toolchain)
	g, err := askGo()
	if err != nil {
		t.Skipf("no %s here: %v", toolchain, err)
	}
	return plan{edits: edits, version: g.GOVERSION, root: g.GOROOT, cache: t.TempDir(), tree: isBelow(g.GOMODCACHE, g.GOROOT), log: io.Discard}
}

// Every edit finds its anchor, in each known release.
func TestAnchors(t *testing.T) {
	for _, toolchain := range []string{"local", "go1.26.8", "go1.27.3"} {
		t.Run(toolchain, func(t *testing.T) {
			p := planFor(t, toolchain)
			originals, err := p.read()
			if err != nil {
				t.Fatal(err)
			}
			files, err := p.edited(originals)
			if err != nil {
				t.Fatal(err)
			}
			for file, text := range files {
				if bytes.Equal(text, originals[file]) {
					t.Errorf("%s is not edited", file)
				}
			}
		})
	}
}

const small = `package p

type box struct{ n int }

const (
	one = iota
	two
)

var names = []string{one: "one"}

func (b *box) add(n int) {
	b.n += n
	if n > 1 {
		b.n++
	}
}
`

// The text of an edit goes where its place says.
func TestPlaces(t *testing.T) {
	for _, tt := range []struct {
		e    edit
		want string
	}{
		{edit{in: "box.add", text: "n--"}, "func (b *box) add(n int) {\n\tn--\n\tb.n += n"},
		{edit{in: "box.add", at: "b.n += n", text: "n--"}, "add(n int) {\n\tn--\n\tb.n += n"},
		{edit{in: "box.add", at: "if n > 1", text: "n--"}, "b.n += n\n\tn--\n\tif n > 1 {"},
		{edit{in: "box.add", at: "if n > 1", how: after, text: "n--"}, "b.n++\n\t}\n\tn--\n}"},
		{edit{in: "box.add", at: "if n > 1", how: within, text: "n--"}, "if n > 1 {\n\t\tn--\n\t\tb.n++"},
		{edit{in: "box.add", at: "if n > 1", how: instead, text: "if n > 2"}, "if n > 2 {\n\t\tb.n++"},
		{edit{in: "type box", text: "; m int"}, "n int\n\tm int\n"},
		{edit{in: "const one", text: "three"}, "two\n\tthree\n)"},
		{edit{in: "var names", text: `, two: "two",`}, "{one: \"one\", two: \"two\"}"},
	} {
		got, err := apply("go1.26", "p.go", []byte(small), []edit{tt.e})
		if err != nil {
			t.Errorf("%+v: %v", tt.e, err)
		} else if !strings.Contains(strings.ReplaceAll(string(got), "\n\n", "\n"), tt.want) {
			t.Errorf("%+v: got\n%s\nwant in it\n%s", tt.e, got, tt.want)
		}
	}
}

// For an anchor that is missing, or is found too often, the error names the
// release, the file and the anchor.
func TestAnchorErrors(t *testing.T) {
	twice := strings.Replace(small, "b.n++", "b.n += n", 1)
	for _, tt := range []struct{ src, in, at, want string }{
		{small, "box.add", "b.n--", `go1.26.9: p.go: got the anchor "box.add, b.n--" 0 times, want 1: halfopen does not know this Go tree`},
		{small, "add", "b.n++", `go1.26.9: p.go: got the anchor "add, b.n++" 0 times, want 1: halfopen does not know this Go tree`},
		{small, "type bag", "", `go1.26.9: p.go: got the anchor "type bag" 0 times, want 1: halfopen does not know this Go tree`},
		{twice, "box.add", "b.n += n", `go1.26.9: p.go: got the anchor "box.add, b.n += n" 2 times, want 1: halfopen does not know this Go tree`},
	} {
		_, err := apply("go1.26.9", "p.go", []byte(tt.src), []edit{{in: tt.in, at: tt.at, text: "n--"}})
		if err == nil || err.Error() != tt.want {
			t.Errorf("got %v, want %s", err, tt.want)
		}
	}
}

// The error for an unknown release names it.
func TestReleases(t *testing.T) {
	for _, version := range []string{"go1.26", "go1.26.8", "go1.26.8-ours", "go1.27.3 X:jsonv2"} {
		if err := checkRelease(version); err != nil {
			t.Error(err)
		}
	}
	for _, version := range []string{"go1.25.3", "go1.28.0", "go1.2", "go1.260", "go1.27rc1", "devel go1.27-0123456"} {
		err := checkRelease(version)
		if err == nil || !strings.HasPrefix(err.Error(), version+": the deep bubble works only with Go 1.26 and Go 1.27: choose one of them") {
			t.Errorf("%s: got %v", version, err)
		}
	}
}

// The user's build tags stay set, and arguments for the test binary do not
// change.
func TestTags(t *testing.T) {
	for _, tt := range []struct{ args, goflags, tags, rest string }{
		{"-v .", "", Tag, "-v ."},
		{"-tags=a,b -v .", "", "a,b," + Tag, "-v ."},
		{"-v --tags a . -args -tags=b", "", "a," + Tag, "-v . -args -tags=b"},
		{"-v .", "-mod=mod -tags=c", "c," + Tag, "-v ."},
		{"-tags a", "-tags=c", "a," + Tag, ""},
	} {
		tags, rest := withTag(strings.Fields(tt.args), tt.goflags)
		if tags != tt.tags || strings.Join(rest, " ") != tt.rest {
			t.Errorf("%q, GOFLAGS=%q: got tags %s, args %q", tt.args, tt.goflags, tags, rest)
		}
	}
	b := Build{Overlay: "/o", goflags: "-mod=mod -tags=c"}
	if got := b.Environment(); !slices.Equal(got, []string{"GOFLAGS=-mod=mod -overlay=/o -tags=c," + Tag}) {
		t.Errorf("got %q", got)
	}
	for args, want := range map[string]bool{"-v -overlay=x": true, "--overlay x": true, "-v .": false, "-args -overlay=x": false} {
		if hasOverlay(strings.Fields(args), "-mod=mod") != want {
			t.Errorf("%s: got %t", args, !want)
		}
	}
	if !hasOverlay(nil, "-mod=mod -overlay=x") {
		t.Error("the overlay of GOFLAGS is not seen")
	}
}

// build builds the program in testdata with the deep bubble, and returns its path.
func build(t *testing.T, flags ...string) (program string, out []byte, err error) {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("testdata/program")); err != nil {
		t.Fatal(err)
	}
	b, err := Prepare(nil, t.Output())
	if err != nil {
		t.Fatal(err)
	}
	program = filepath.Join(dir, "program.test")
	cmd := b.Command("test", append(flags, "-c", "-o", program, ".")...)
	cmd.Dir = dir
	out, err = cmd.CombinedOutput()
	return program, out, err
}

// runProgram runs the program in its folder.
func runProgram(program string, args []string, env ...string) ([]byte, error) {
	cmd := exec.Command(program, args...)
	cmd.Dir, cmd.Env = filepath.Dir(program), append(os.Environ(), env...)
	return cmd.CombinedOutput()
}

// The tests of the program in testdata pass with the deep bubble, and print the
// same in each process, on one, two and four processors, and under the race detector.
// The race detector finds the race that one of the tests makes.
func TestProgram(t *testing.T) {
	program, out, err := build(t)
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var first string
	same := func(program, procs, skip string) {
		out, err := runProgram(program, []string{"-test.skip=" + skip}, "GOMAXPROCS="+procs)
		if err != nil {
			t.Errorf("GOMAXPROCS=%s: %v\n%s", procs, err, out)
		}
		if first == "" {
			first = string(out)
		}
		if string(out) != first {
			t.Errorf("GOMAXPROCS=%s: got\n%s\nat first:\n%s", procs, out, first)
		}
	}
	same(program, "1", "Spin") // it takes five seconds
	same(program, "2", "^$")
	same(program, "4", "Spin")
	if !strings.Contains(first, "outcome TestH2C") {
		t.Errorf("got\n%s", first)
	}

	program, out, err = build(t, "-race")
	if err != nil && bytes.Contains(out, []byte("-race")) {
		t.Skipf("no race detector here: %s", out)
	}
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	same(program, "1", "Spin")
	same(program, "4", "Spin")
	out, err = runProgram(program, []string{"-test.run=^TestRace$"}, "WANT_RACE=1")
	if err == nil || !bytes.Contains(out, []byte("WARNING: DATA RACE")) {
		t.Errorf("got %v\n%s\nwant a race", err, out)
	}
}

// The tests of packages harness and planted about inner choices, and those whose result is another one
// in a deep bubble, pass in one. The stacks that the runtime has moved are overwritten: a choice
// that read an old one would end the process.
func TestHarness(t *testing.T) {
	b, err := Prepare(nil, t.Output())
	if err != nil {
		t.Fatal(err)
	}
	cmd := b.Command("test", "-count=1", "-tags=poison", "-ldflags=-checklinkname=0", "-run=^Test(Inside|Planted|Uncontrolled|Frozen)",
		"github.com/halfopen/halfopen/harness", "github.com/halfopen/halfopen/internal/planted")
	if out, err := cmd.CombinedOutput(); err != nil || bytes.Count(out, []byte("ok ")) != 2 {
		t.Errorf("%v\n%s", err, out)
	}
}

// Several processes at the same time get the same folder. It is complete, and no
// other folder is left.
func TestMadeOnce(t *testing.T) {
	p := planFor(t, "local")
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			b, err := p.make()
			if err != nil {
				t.Error(err)
				return
			}
			if b.Tree != "" {
				if _, err := os.Stat(filepath.Join(b.Tree, "src", "runtime", "halfopen_order.go")); err != nil {
					t.Error(err)
				}
				return
			}
			text, err := os.ReadFile(b.Overlay)
			if err != nil || bytes.Contains(text, []byte("made-")) || !bytes.Contains(text, []byte("halfopen_order.go")) {
				t.Errorf("%v\n%s", err, text)
			}
		})
	}
	wg.Wait()
	entries, err := os.ReadDir(p.cache)
	if err != nil || len(entries) != 1 || !strings.HasPrefix(entries[0].Name(), p.version+"-") {
		t.Errorf("got %v, %v", entries, err)
	}
}

// For an edit that does not compile, the error says so, and no file is left.
func TestDoesNotCompile(t *testing.T) {
	p := planFor(t, "local")
	p.edits = append(slices.Clone(edits), edit{file: "internal/sync/mutex.go", in: "Mutex.lockSlow", text: "nothing.Of(that)"})
	_, err := p.make()
	if err == nil || !strings.HasPrefix(err.Error(), p.version+": the edited runtime does not compile") || !strings.Contains(err.Error(), "undefined: nothing") {
		t.Errorf("got %v", err)
	}
	if entries, err := os.ReadDir(p.cache); err != nil || len(entries) != 0 {
		t.Errorf("got files left: %v, %v", entries, err)
	}
}

// In a tree of links the edited files are real files, and everything else is a
// link.
func TestTree(t *testing.T) {
	root, to := t.TempDir(), filepath.Join(t.TempDir(), "goroot")
	for _, file := range []string{"VERSION", "bin/go", "src/fmt/print.go", "src/sync/pool.go", "src/sync/map.go", "src/sync/atomic/doc.go"} {
		if err := writeFile(filepath.Join(root, file), []byte(file)); err != nil {
			t.Fatal(err)
		}
	}
	if err := link(to, root, "", map[string][]byte{"sync/pool.go": []byte("edited"), "sync/halfopen.go": []byte("added")}); err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string]string{"VERSION": "link", "bin": "link", "src/fmt": "link", "src/sync/atomic": "link", "src/sync/map.go": "link", "src/sync/pool.go": "edited", "src/sync/halfopen.go": "added"} {
		info, err := os.Lstat(filepath.Join(to, file))
		if err != nil {
			t.Error(err)
			continue
		}
		got := "link"
		if info.Mode().IsRegular() {
			text, _ := os.ReadFile(filepath.Join(to, file))
			got = string(text)
		}
		if got != want {
			t.Errorf("%s: got %s, want %s", file, got, want)
		}
	}
}
