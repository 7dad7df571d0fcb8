package harness

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
)

// The methods of testing.T that change the process, or the shape of a test.

// TempDir returns a new folder, which is removed with the clean-ups. Each run of an
// exploration has its own.
func (t *T) TempDir() string {
	dir, err := os.MkdirTemp("", "halfopen")
	if err != nil {
		t.fatal(KindError, fmt.Sprintf("TempDir: %v", err))
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Errorf("TempDir: %v", err)
		}
	})
	return dir
}

// Setenv sets a variable of the environment, which the clean-ups set back. The environment is
// that of the whole process: a test that runs in parallel with others is refused, as by
// [testing.T.Setenv], and so is a run while another one has set a variable, such as that of an
// exploration with [Bounds.Parallel].
func (t *T) Setenv(key, value string) {
	if t.std != nil && runsInParallel(t.std) {
		t.fatal(KindUsage, "Setenv: the test, or one around it, is parallel (t.Parallel), and the environment is one for all tests")
	}
	if !t.setsEnv {
		if !environment.TryLock() {
			t.fatal(KindUsage, "Setenv: a run at the same time has set a variable (Bounds.Parallel must be 1)")
		}
		t.setsEnv = true
		before := t.atEnd
		t.atEnd = func() {
			environment.Unlock()
			if before != nil {
				before()
			}
		}
	}
	before, was := os.LookupEnv(key)
	if err := os.Setenv(key, value); err != nil {
		t.fatal(KindUsage, fmt.Sprintf("Setenv: %v", err))
	}
	t.Cleanup(func() {
		if was {
			os.Setenv(key, before)
		} else {
			os.Unsetenv(key)
		}
	})
}

// environment is held by the run that has set a variable.
var environment sync.Mutex

// Skip ends the body, and the test is skipped with the arguments as its reason, formatted as by
// Println. It is [T.NotApplicable] with the name that tests know.
func (t *T) Skip(args ...any) {
	t.NotApplicable(errors.New(strings.TrimSuffix(fmt.Sprintln(args...), "\n")))
}

// Skipf is Skip with a reason that is formatted as by Printf.
func (t *T) Skipf(format string, args ...any) { t.NotApplicable(fmt.Errorf(format, args...)) }

// Run calls f as a section of the body, on the same network: a report folds its steps to the
// name when a later section fails. It reports whether nothing has failed in f. A Fatal in f ends the
// whole body: no later section could say what the network is.
func (t *T) Run(name string, f func(t *T)) bool {
	t.must(f != nil, "Run: the function of %q is nil", name)
	before := t.journal.count()
	t.journal.write(sectionLine, name)
	f(t)
	t.journal.write(sectionLine, "after "+name)
	return t.journal.count() == before
}

// AllowGoroutine says, with the reason, that a goroutine may be left at the end that has this
// function on its stack, such as one that a library keeps in the background and that cannot be
// stopped. The function is named as failures name it: "metrics.(*Meter).loop".
func (t *T) AllowGoroutine(function, reason string) {
	t.step("allow-goroutine", function, reason)
	t.lacks("AllowGoroutine(%q)", function)
	if strings.TrimSpace(function) == "" || strings.TrimSpace(reason) == "" {
		t.fatal(KindUsage, "AllowGoroutine: it needs the name of a function, and a reason")
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.backgrounds = append(t.backgrounds, function)
}
