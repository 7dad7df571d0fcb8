package bubble

import (
	"bytes"
	"fmt"
	"maps"
	"math"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

// Goroutine is one goroutine of a dump.
type Goroutine struct {
	number  uint64
	bubble  uint64
	state   string  // "chan receive", without "durable" and the bubble
	durable bool    // the runtime counts it as blocked until another one of the bubble acts
	frames  []frame // innermost first
	creator frame
}

// frame is one call on a stack.
type frame struct {
	function string // "net/http.(*Transport).getConn"
	file     string
	line     int
}

// goroutines returns those of the bubble with that number, or, for 0, those that are
// in no bubble, by number.
func goroutines(bubble uint64) []Goroutine {
	const usual = 2 << 10 // bytes of a goroutine: to begin again costs as much as the dump
	buf := make([]byte, max(16, runtime.NumGoroutine())*usual)
	for {
		n := runtime.Stack(buf, true)
		if n < len(buf) {
			buf = buf[:n]
			break
		}
		buf = make([]byte, 2*len(buf))
	}
	var gs []Goroutine
	stacks := make(map[string]Goroutine) // by their text: most goroutines of a crowd have the same
	for text := range bytes.SplitSeq(buf, []byte("\n\n")) {
		head, rest, _ := bytes.Cut(text, []byte("\n"))
		g, ok := parseHeader(string(head))
		if !ok || g.bubble != bubble {
			continue
		}
		stack, known := stacks[string(rest)]
		if !known {
			own := string(rest)
			stack.parseFrames(own)
			stacks[own] = stack
		}
		g.frames, g.creator = stack.frames, stack.creator
		gs = append(gs, g)
	}
	slices.SortFunc(gs, func(a, b Goroutine) int { return int(a.number) - int(b.number) })
	return gs
}

// inBubble stands before the number of a goroutine's bubble.
const inBubble = "synctest bubble "

// parseHeader reads "goroutine 7 [select (durable), synctest bubble 3]:".
func parseHeader(s string) (g Goroutine, ok bool) {
	s, ok = strings.CutPrefix(s, "goroutine ")
	if !ok {
		return g, false
	}
	number, s, ok := strings.Cut(s, " [")
	if !ok {
		return g, false
	}
	// Newer releases print more between the number and the bracket.
	number, _, _ = strings.Cut(number, " ")
	g.number, _ = strconv.ParseUint(number, 10, 64)
	s, _, _ = strings.Cut(s, "]")
	for i, word := range strings.Split(s, ", ") {
		switch {
		case i == 0:
			g.state, g.durable = strings.CutSuffix(word, " (durable)")
		case strings.HasPrefix(word, inBubble):
			g.bubble, _ = strconv.ParseUint(word[len(inBubble):], 10, 64)
		}
	}
	return g, true
}

func (g *Goroutine) parseFrames(s string) {
	lines := strings.Split(strings.TrimRight(s, "\n"), "\n")
	for i := 0; i+1 < len(lines); i += 2 {
		f := frame{function: lines[i]}
		created := strings.HasPrefix(f.function, "created by ")
		if created {
			f.function = strings.TrimPrefix(f.function, "created by ")
			f.function, _, _ = strings.Cut(f.function, " in goroutine")
		} else if j := strings.LastIndex(f.function, "("); j > 0 {
			f.function = f.function[:j]
		}
		place, _, _ := strings.Cut(strings.TrimSpace(lines[i+1]), " +0x")
		if j := strings.LastIndex(place, ":"); j > 0 {
			f.file = place[:j]
			f.line, _ = strconv.Atoi(place[j+1:])
		}
		if created {
			g.creator = f
		} else {
			g.frames = append(g.frames, f)
		}
	}
}

// internal reports whether the frame is one that a reader of a report does
// not want to see: the runtime's, and the harness's own.
func (f frame) internal() bool {
	return startsWithOne(f.function, "runtime.", "internal/", "sync.", "sync/", "time.Sleep", "testing.", "testing/") || ofHarness(f.function)
}

// harness is the path of the package that this one serves.
const harness = "github.com/halfopen/halfopen/harness"

// prefixes begin the names of the functions of the harness and of its network.
var prefixes = []string{harness + ".", harness + "/internal/bubble.", harness + "/internal/search.", harness + "/internal/peer.",
	"github.com/halfopen/halfopen/faultnet."}

// HarnessPrefixes returns what the names of the functions of the harness and of its
// network begin with.
func HarnessPrefixes() []string { return slices.Clone(prefixes) }

// ofHarness reports whether a function is of the harness or of its network.
func ofHarness(function string) bool { return startsWithOne(function, prefixes...) }

// Describe returns a name for a goroutine, which is the function that it runs, and where
// it is: " at pool.(*Pool).Get pool.go:12", or "" if that says nothing. The program
// counters are those of its stack, innermost first.
func Describe(pcs []uintptr) (name, place string) {
	if i := slices.Index(pcs, 0); i >= 0 {
		pcs = pcs[:i]
	}
	frames := runtime.CallersFrames(pcs)
	for more := len(pcs) > 0; more; {
		var f runtime.Frame
		f, more = frames.Next()
		if f.Function == "" || f.Function == "runtime.goexit" {
			continue
		}
		at := frame{function: f.Function, file: f.File, line: f.Line}
		if place == "" && !at.internal() {
			place = " at " + at.String()
		}
		name = at.function[strings.LastIndex(at.function, "/")+1:]
	}
	return name, place
}

// Place returns the function with the last element of its package's path, the file and the
// line of a program counter, as a stack has it.
func Place(pc uintptr) string {
	f, _ := runtime.CallersFrames([]uintptr{pc}).Next()
	if f.Function == "" {
		return "an unknown place"
	}
	return f.Function[strings.LastIndex(f.Function, "/")+1:] + " " + frame{file: f.File, line: f.Line}.place()
}

func startsWithOne(s string, prefixes ...string) bool {
	return slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(s, p) })
}

// String returns the function with the last element of its package's path, and
// its file and line unless it is of the standard library.
func (f frame) String() string {
	short := f.function[strings.LastIndex(f.function, "/")+1:]
	if isStandard(f.function) {
		return short
	}
	return short + " " + f.place()
}

// receiver returns the type that the function is a method of, with its package's path, or
// the function itself.
func (f frame) receiver() string {
	if i := strings.Index(f.function, ")."); i > 0 {
		return f.function[:i]
	}
	return f.function
}

// place returns "file.go:12".
func (f frame) place() string { return fmt.Sprintf("%s:%d", filepath.Base(f.file), f.line) }

// isStandard reports whether a function is of the standard library: the first
// element of its package's path has no dot.
func isStandard(function string) bool {
	first, rest, slash := strings.Cut(function, "/")
	if slash {
		return !strings.Contains(first, ".") && !strings.HasPrefix(rest, "x/")
	}
	pkg, _, _ := strings.Cut(first, ".")
	return pkg != "main" && !strings.HasSuffix(pkg, "_test")
}

// String returns the goroutine in a line: the reason why it waits, its innermost
// frames that say something, and the function that started it.
func (g Goroutine) String() string {
	var b strings.Builder
	b.WriteString(g.state)
	b.WriteString(":")
	shown := 0
	for _, f := range g.frames {
		if f.internal() {
			continue
		}
		if shown++; shown > 4 {
			b.WriteString(" < ...")
			break
		}
		if shown > 1 {
			b.WriteString(" <")
		}
		b.WriteString(" " + f.String())
	}
	if shown == 0 && len(g.frames) > 0 {
		b.WriteString(" " + g.frames[0].String())
	}
	if g.creator.function != "" && !g.creator.internal() {
		b.WriteString(", started by " + g.creator.String())
	}
	return b.String()
}

// Calls reports whether the function is on the goroutine's stack. Its package may be named
// without the path: "http.(*Transport).getConn".
func (g Goroutine) Calls(function string) bool {
	return slices.ContainsFunc(g.frames, func(f frame) bool {
		return f.function == function || f.function[strings.LastIndex(f.function, "/")+1:] == function
	})
}

// StartedBy reports whether the function has started the goroutine.
func (g Goroutine) StartedBy(function string) bool { return g.creator.function == function }

// Ours reports whether only the harness has to do with this goroutine: its
// driver, the test's body while it runs or waits in a verb, or a server of the
// harness that waits for connections.
func (g Goroutine) Ours() bool {
	if g.state == "running" {
		return true
	}
	for i, f := range g.frames {
		if f.function == "net/http.(*Server).Serve" && i <= 3 {
			return true
		}
		if !f.internal() {
			return false
		}
	}
	return g.creator.function == "" || g.creator.internal()
}

// Blocked returns a line for each of the bubble's goroutines that is blocked and
// not the harness's own: those in code of the user's first, and each kind in alphabetical
// order; equal lines are one, with their number.
func (b *Bubble) Blocked() []string {
	var users, others []Goroutine
	for _, g := range b.Goroutines() {
		_, own := g.userFrame()
		switch {
		case !g.durable || g.Ours(): // one that is about to run is seen by chance
		case own:
			users = append(users, g)
		default:
			others = append(others, g)
		}
	}
	return append(countedLines(users, math.MaxInt), countedLines(others, math.MaxInt)...)
}

// Lines returns a line for each goroutine, the equal ones in one, at most ten.
func Lines(gs []Goroutine) []string { return countedLines(gs, 10) }

// countedLines returns a line for each goroutine, in alphabetical order; equal lines are
// one, with their number, and so are those after the most.
func countedLines(gs []Goroutine, most int) []string {
	count := make(map[string]int)
	for _, g := range gs {
		count[g.String()]++
	}
	var lines []string
	for _, line := range slices.Sorted(maps.Keys(count)) {
		if n := count[line]; n > 1 {
			line = fmt.Sprintf("%s (%d of them)", line, n)
		}
		lines = append(lines, line)
	}
	return firstLines(lines, most)
}

// firstLines returns the first lines, and how many others there are.
func firstLines(lines []string, most int) []string {
	if len(lines) <= most {
		return lines
	}
	return append(lines[:most:most], fmt.Sprintf("and %d other lines", len(lines)-most))
}

// PanicFrames returns the calls of a panic's stack, from the function that panicked
// on, without the harness's own.
func PanicFrames(stack []byte) []string {
	_, text, _ := strings.Cut(string(stack), "\n")
	var g Goroutine
	g.parseFrames(text)
	start := 0
	for i, f := range g.frames {
		if f.function == "panic" {
			start = i + 1
		}
	}
	var lines []string
	for _, f := range g.frames[start:] {
		if !f.internal() {
			lines = append(lines, f.String())
		}
	}
	return lines
}
