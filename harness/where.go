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
		if f.Function != "" && !passedOver(f.Function) {
			return frame{file: f.File, line: f.Line}.place()
		}
		if !more {
			return ""
		}
	}
}

// casesPath is what the cases of package suites call instead of T's methods.
const casesPath = "github.com/halfopen/halfopen/suites.(*Env)."

// passedOver is also what expectations go through: what they are about is the
// line that expects.
func passedOver(function string) bool {
	for _, p := range [...]string{packagePath + ".", networkPath + ".", casesPath, "net/http.", "net/http/", "runtime.", "reflect.",
		"github.com/onsi/gomega", "github.com/stretchr/testify/"} {
		if strings.HasPrefix(function, p) {
			return true
		}
	}
	return false
}
