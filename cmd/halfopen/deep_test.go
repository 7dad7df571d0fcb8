package main

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

const heldOverSleep = `package held

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		go func() {
			mu.Lock()
			defer mu.Unlock()
			time.Sleep(time.Hour) // virtual
		}()
		synctest.Wait()
		mu.Lock()
		defer mu.Unlock()
	})
}

func TestFails(t *testing.T) { t.Error("on purpose") }
`

// A test that freezes without the deep bubble, because a mutex is held over a sleep,
// passes. The flags are those of go test, and so is the exit code.
func TestGoTest(t *testing.T) {
	dir := t.TempDir()
	for file, text := range map[string]string{"go.mod": "module held\n\ngo 1.26\n", "held_test.go": heldOverSleep} {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(dir)
	for _, tt := range []struct {
		run  string
		code exit
		want string
	}{
		{"TestHeld", 0, "--- PASS: TestHeld"},
		{"TestFails", 1, "on purpose"},
	} {
		code, out, errs := halfopen("test", "-v", "-timeout=60s", "-run", tt.run, ".")
		if code != tt.code || !strings.Contains(out, tt.want) {
			t.Errorf("%s: got exit code %d, %s%s", tt.run, code, out, errs)
		}
	}
	code, out, errs := halfopen("overlay")
	if code != held || !strings.Contains(out, "export GOFLAGS='") || !strings.Contains(out, "-tags=halfopendeep'") {
		t.Errorf("got exit code %d, %s%s", code, out, errs)
	}
}

// The error for an unknown Go release names the release and says what to do.
func TestGoRefused(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the go command of this test is a shell script")
	}
	dir := t.TempDir()
	script := "#!/bin/sh\necho '{\"GOVERSION\":\"go1.25.3\",\"GOROOT\":\"/nowhere\",\"GOMODCACHE\":\"/nowhere/mod\"}'\n"
	if err := os.WriteFile(filepath.Join(dir, "go"), []byte(script), 0o777); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir)
	const want = ": go1.25.3: the deep bubble works only with Go 1.26 and Go 1.27: choose one of them, as in GOTOOLCHAIN=go1.27.3, or run without the deep bubble, as in go test\n"
	for _, args := range [][]string{{"test", "./..."}, {"overlay"}} {
		code, out, errs := halfopen(args...)
		if code != mistake || out != "" || errs != "halfopen "+args[0]+want {
			t.Errorf("%v: got exit code %d, %s%s", args, code, out, errs)
		}
	}
	code, _, errs := halfopen("run", "-deep", "x.txtar")
	if code != mistake || errs != "halfopen run: -deep"+want {
		t.Errorf("run -deep: got exit code %d, %s", code, errs)
	}
}

// The help says how to use the deep bubble and how to test without it.
func TestDeepHelp(t *testing.T) {
	if code, out, _ := halfopen("test", "-h"); code != held || !strings.Contains(out, "To test without the deep bubble, run go test.") {
		t.Errorf("got exit code %d, %s", code, out)
	}
	if code, out, _ := halfopen("overlay", "-h"); code != held || !strings.Contains(out, `eval "$(halfopen overlay)"`) {
		t.Errorf("got exit code %d, %s", code, out)
	}
}
