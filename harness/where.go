package harness

import (
	"runtime"
	"strings"
)

// where is the file and line of the innermost caller that belongs neither to
// this module's machinery nor to net/http: the line of the user's own code.
func where() string {
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

// passedOver is also what expectations go through: what they are about is the
// line that expects.
func passedOver(function string) bool {
	for _, p := range [...]string{packagePath + ".", networkPath + ".", "net/http.", "net/http/", "runtime.", "reflect.",
		"github.com/onsi/gomega", "github.com/stretchr/testify/"} {
		if strings.HasPrefix(function, p) {
			return true
		}
	}
	return false
}

// caseEnv reports whether the file is one of package suites that is between its
// cases, or a pool of the user's, and this package. The names of its functions do
// not tell: they may be inlined.
func caseEnv(file string) bool {
	rest, ok := strings.CutPrefix(file, moduleRoot+"/suites/")
	return ok && (rest == "env.go" || rest == "connenv.go" || rest == "client.go")
}

var moduleRoot = func() string {
	_, file, _, _ := runtime.Caller(0)
	return strings.TrimSuffix(file, "/harness/where.go")
}()
