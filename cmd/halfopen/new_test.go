package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What new writes is a package whose tests pass, in a package that has code and in one that
// has none. A mistake of the code under test is found by it. Nothing is overwritten.
func TestNew(t *testing.T) {
	m := newUserModule(t, "example.test/leaks/v2")
	m.write("code.go", "package code\n")
	if err := os.Mkdir(filepath.Join(m.dir, "inner-most"), 0o777); err != nil {
		t.Fatal(err)
	}
	t.Chdir(m.dir)
	for folder, name := range map[string]string{"": "code", "inner-most": "innermost"} {
		args := []string{"new"}
		if folder != "" {
			args = append(args, folder)
		}
		code, out, errs := halfopen(args...)
		if code != held || errs != "" || !strings.Contains(out, "wrote "+filepath.Join(folder, "leaks_test.go")) || strings.Contains(out, "go get") {
			t.Fatalf("got exit code %d\n%s%s", code, out, errs)
		}
		test, err := os.ReadFile(filepath.Join(folder, "leaks_test.go"))
		if err != nil || !strings.HasPrefix(string(test), "package "+name+"\n") {
			t.Errorf("%q: got %v and\n%s\nwant package %s", folder, err, test, name)
		}
		if code, _, errs := halfopen(args...); code != mistake || !strings.Contains(errs, "is there already") {
			t.Errorf("again: got exit code %d, %s", code, errs)
		}
	}
	if out, err := m.test(); err != nil || strings.Count(out, "ok  \texample.test/leaks/v2") != 2 {
		t.Errorf("got %v:\n%s", err, out)
	}
	test, _ := os.ReadFile("leaks_test.go")
	m.write("leaks_test.go", strings.Replace(string(test), "resp.Body.Close()", "_ = resp", 1))
	if out, err := m.test("-run", "TestOneCall"); err == nil || !strings.Contains(out, "never closed  (leaks_test.go:") {
		t.Errorf("a body that is not closed: got %v:\n%s", err, out)
	}
}

// A folder outside of every module, and a module that does not require halfopen.
func TestNewElsewhere(t *testing.T) {
	t.Chdir(t.TempDir())
	if code, _, errs := halfopen("new"); code != mistake || !strings.Contains(errs, "is in no module: begin with go mod init") {
		t.Errorf("got exit code %d, %s", code, errs)
	}
	if err := os.WriteFile("go.mod", []byte("module 7\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	code, out, errs := halfopen("new")
	test, _ := os.ReadFile("leaks_test.go")
	if code != held || !strings.Contains(out, "\n  go get github.com/halfopen/halfopen\n  go test .\n") || !strings.HasPrefix(string(test), "package leaks\n") {
		t.Errorf("got exit code %d\n%s%s\n%s", code, out, errs, test)
	}
}
