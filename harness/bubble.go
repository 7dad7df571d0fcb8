package harness

import (
	"bytes"
	"fmt"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
)

// This file is all that knows how a bubble is opened, and how the runtime
// prints one. None of it is promised by Go; bubble_test.go says so when a
// release changes it.

// ending is how a bubble ended.
type ending struct {
	id       uint64      // the bubble's number in goroutine dumps
	goexit   bool        // its root goroutine ended early: a race was seen
	deadlock error       // goroutines were left that nothing can wake
	left     []goroutine // those
	panicked any         // what a panic of the root was, if it was another one
	frozen   *Failure    // it did not end: see T.guard
	stack    []byte
}

// bubble runs f as the root of a new bubble, whose id it is told, and returns when the bubble has
// ended, however it ended. A nil t serves a plain program: a zero testing.T
// does, as long as nobody fails it. The bubble has a goroutine of its own,
// because a deadlock is a panic in it and a failed t ends it.
func bubble(t *testing.T, frozen <-chan Failure, f func(id uint64)) ending {
	var end ending
	if t == nil {
		t = new(testing.T)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		finished := false
		defer func() {
			if r := recover(); r != nil {
				end.deadlock = fmt.Errorf("%v", r)
			} else if !finished {
				end.goexit = true
			}
		}()
		synctest.Test(t, func(*testing.T) {
			// A panic here would be the end of the process.
			defer func() {
				if r := recover(); r != nil {
					end.panicked, end.stack = r, debug.Stack()
				}
			}()
			end.id = bubbleID()
			f(end.id)
		})
		finished = true
	}()
	select {
	case <-done:
	case f := <-frozen:
		return ending{frozen: &f} // what is left of it cannot be freed
	}
	if end.deadlock != nil {
		end.left = goroutines(end.id)
	}
	return end
}

// bubbleID is the number of the bubble that the caller runs in, or 0.
func bubbleID() uint64 {
	var buf [128]byte
	head, _, _ := bytes.Cut(buf[:runtime.Stack(buf[:], false)], []byte("\n"))
	g, _ := parseHeader(string(head))
	return g.bubble
}

// goroutine is one goroutine of a dump.
type goroutine struct {
	number  uint64
	bubble  uint64
	state   string  // "chan receive", without "durable" and the bubble
	durable bool    // the runtime counts it as blocked until another one of the bubble acts
	frames  []frame // innermost first
	creator frame
}

type frame struct {
	function string // "net/http.(*Transport).getConn"
	file     string
	line     int
}

// ownGoroutines is how many goroutines of a bubble are package testing's, and
// ours that drives it.
const ownGoroutines = 3

// goroutines is a dump of the bubble's goroutines, by number.
func goroutines(bubble uint64) []goroutine {
	buf := make([]byte, 32<<10)
	for {
		n := runtime.Stack(buf, true)
		if n < len(buf) {
			buf = buf[:n]
			break
		}
		buf = make([]byte, 4*len(buf))
	}
	var gs []goroutine
	for text := range strings.SplitSeq(string(buf), "\n\n") {
		head, rest, _ := strings.Cut(text, "\n")
		g, ok := parseHeader(head)
		if !ok || g.bubble != bubble {
			continue
		}
		g.parseFrames(rest)
		gs = append(gs, g)
	}
	slices.SortFunc(gs, func(a, b goroutine) int { return int(a.number) - int(b.number) })
	return gs
}

// parseHeader reads "goroutine 7 [select (durable), synctest bubble 3]:".
func parseHeader(s string) (g goroutine, ok bool) {
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
		case strings.HasPrefix(word, "synctest bubble "):
			g.bubble, _ = strconv.ParseUint(word[len("synctest bubble "):], 10, 64)
		}
	}
	return g, true
}

func (g *goroutine) parseFrames(s string) {
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
// not want to see: the runtime's, and this package's own.
func (f frame) internal() bool {
	for _, p := range [...]string{"runtime.", "internal/", "sync.", "time.Sleep", "testing.", "testing/",
		packagePath + ".", networkPath + "."} {
		if strings.HasPrefix(f.function, p) {
			return true
		}
	}
	return false
}

// packagePath is this package's, and networkPath that of its network.
const (
	packagePath = "github.com/halfopen/halfopen/harness"
	networkPath = "github.com/halfopen/halfopen/faultnet"
)

// String is the function with the last element of its package's path, and
// its file and line unless it is of the standard library.
func (f frame) String() string {
	short := f.function[strings.LastIndex(f.function, "/")+1:]
	if isStandard(f.function) {
		return short
	}
	return short + " " + f.place()
}

// place is "file.go:12".
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

// compact is the goroutine in a line: what it waits for, its innermost frames
// that say something, and who started it.
func (g goroutine) compact() string {
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

// calls reports whether the function is on the goroutine's stack.
func (g goroutine) calls(function string) bool {
	return slices.ContainsFunc(g.frames, func(f frame) bool { return f.function == function })
}

// ours reports whether only the harness has to do with this goroutine: its
// driver, the test's body while it runs or waits in a verb, or a server of the
// harness that waits for connections.
func (g goroutine) ours() bool {
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

// compactAll is the distinct compact lines of those goroutines that are not
// the harness's own, in alphabetical order, with their number where it is more
// than one.
func compactAll(gs []goroutine) []string {
	count := make(map[string]int)
	for _, g := range gs {
		// Who is about to run is not blocked, and is seen by chance.
		if g.durable && !g.ours() {
			count[g.compact()]++
		}
	}
	lines := make([]string, 0, len(count))
	for line, n := range count {
		if n > 1 {
			line = fmt.Sprintf("%s (%d of them)", line, n)
		}
		lines = append(lines, line)
	}
	slices.Sort(lines)
	return lines
}
