package bubble

import (
	"runtime"
	"sync"
)

// Caller returns the file and line of the innermost call that belongs neither to
// this module's machinery nor to net/http: the line of the user's own code.
func Caller() string {
	var pcs [64]uintptr
	n := runtime.Callers(2, pcs[:])
	callers.mu.Lock()
	defer callers.mu.Unlock()
	if place, ok := callers.places[pcs]; ok {
		return place
	}
	place := placeOf(pcs[:n])
	if len(callers.places) >= mostCallers || callers.places == nil {
		callers.places = make(map[[64]uintptr]string)
	}
	callers.places[pcs] = place
	return place
}

// callers has the places of the stacks that [Caller] has seen. To look up one takes less time than to
// find its functions, and a program has few.
var callers struct {
	mu     sync.Mutex
	places map[[64]uintptr]string
}

// mostCallers is how many stacks are kept.
const mostCallers = 2048

// placeOf returns the place of a stack.
func placeOf(pcs []uintptr) string {
	frames := runtime.CallersFrames(pcs)
	for {
		f, more := frames.Next()
		if f.Function != "" && !passedOver(f.Function) && !helperFile(f.File) {
			place := frame{file: f.File, line: f.Line}.place()
			remember(place, f.File)
			return place
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

// helperFiles has the files that [PassOver] was called with.
var helperFiles sync.Map

// PassOver has [Caller] pass over the functions of a file. It takes the file: the
// names of functions do not show where they stand, as they may be inlined.
func PassOver(file string) {
	helperFiles.Store(file, true)
	callers.mu.Lock()
	defer callers.mu.Unlock()
	callers.places = nil
}

func helperFile(file string) bool {
	_, ok := helperFiles.Load(file)
	return ok
}

// files has the whole names of the files that [Caller] has named, by place: "" if two
// files are called the same.
var files sync.Map

func remember(place, file string) {
	if before, had := files.LoadOrStore(place, file); had && before != file {
		files.Store(place, "")
	}
}

// File returns the whole name of the file of a place that [Caller] returned, or "" if it
// is not known.
func File(place string) string {
	file, _ := files.Load(place)
	name, _ := file.(string)
	return name
}
