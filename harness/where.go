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

func passedOver(function string) bool {
	for _, p := range [...]string{packagePath + ".", networkPath + ".", "net/http.", "net/http/", "runtime.", "reflect."} {
		if strings.HasPrefix(function, p) {
			return true
		}
	}
	return false
}
