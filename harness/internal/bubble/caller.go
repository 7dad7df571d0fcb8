package bubble

import (
	"runtime"
	"strings"
)

// Caller returns the file and line of the innermost call that belongs neither to
// this module's machinery nor to net/http: the line of the user's own code.
func Caller() string {
	var pcs [64]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs[:])])
	for {
		f, more := frames.Next()
		if f.Function != "" && !passedOver(f.Function) && !caseEnv(f.File) {
			return frame{file: f.File, line: f.Line}.place()
		}
		if !more {
			return ""
		}
	}
}

// passedOver reports whether a function is one that calls pass through. Packages of
// expectations are: an expectation is about the line that expects.
func passedOver(function string) bool {
	return ofHarness(function) || startsWithOne(function, "net/http.", "net/http/", "runtime.", "reflect.",
		"github.com/onsi/gomega", "github.com/stretchr/testify/")
}

// caseEnv reports whether a file of package suites stands between its cases, or a
// pool of the user's, and the harness. The names of functions do not tell: they may
// be inlined.
func caseEnv(file string) bool {
	rest, ok := strings.CutPrefix(file, moduleRoot+"/suites/")
	return ok && (rest == "env.go" || rest == "connenv.go" || rest == "client.go")
}

var moduleRoot = func() string {
	_, file, _, _ := runtime.Caller(0)
	return strings.TrimSuffix(file, "/harness/internal/bubble/caller.go")
}()
