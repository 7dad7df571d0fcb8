package main

import (
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/go/analysis/analysistest"
)

// Each rule reports what breaks it in its folder of testdata, and nothing else there.
func TestRules(t *testing.T) {
	for _, rule := range analyzers {
		if rule != length {
			t.Run(rule.Name, func(t *testing.T) {
				analysistest.Run(t, analysistest.TestData(), rule, "./"+rule.Name)
			})
		}
	}
}

// A file of 400 lines and a function of 70 are short enough; a line more is not.
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
