package main

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/go/analysis/analysistest"
)

// Each rule reports all the code that breaks it in its folder of testdata, and no other
// code.
func TestRules(t *testing.T) {
	for _, rule := range analyzers {
		if rule != length {
			t.Run(rule.Name, func(t *testing.T) {
				analysistest.Run(t, analysistest.TestData(), rule, "./"+rule.Name)
			})
		}
	}
}

// A file of 400 lines and a function of 70 lines are short enough; with one line more
// they are too long.
func TestLength(t *testing.T) {
	function := func(name string, lines int, want string) string {
		return "func " + name + "() {" + want + strings.Repeat("\n", lines-1) + "}\n"
	}
	file := func(lines int, want string) string {
		return "package length" + want + strings.Repeat("\n", lines)
	}
	dir, clean, err := analysistest.WriteFiles(map[string]string{
		"length/short.go":     file(400, ""),
		"length/long.go":      file(401, " // want `the file has 401 lines, over 400`"),
		"length/functions.go": "package length\n\n" + function("short", 70, "") + function("long", 71, " // want `long has 71 lines, over 70`"),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer clean()
	analysistest.Run(t, dir, length, filepath.Join(dir, "src", "length"))
}

// The pages and scripts of the repository have no hard words either. The generated
// pages are checked where their texts are written, in Go.
func TestPages(t *testing.T) {
	generated := []string{"testdata/README.md", "faultnet/CATALOGUE.md"}
	root := os.DirFS("../..")
	pages := 0
	err := fs.WalkDir(root, ".", func(file string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && file != "." && strings.HasPrefix(d.Name(), "."):
			return fs.SkipDir
		case path.Ext(file) != ".md" && path.Ext(file) != ".txtar" || slices.Contains(generated, file) || file == "CHANGELOG.md":
			return nil
		}
		text, err := fs.ReadFile(root, file)
		pages++
		for i, line := range strings.Split(string(text), "\n") {
			for _, hard := range hardWords(line) {
				t.Errorf("%s:%d: %s", file, i+1, hard)
			}
		}
		return err
	})
	if err != nil || pages == 0 {
		t.Errorf("got %d pages, %v", pages, err)
	}
}
