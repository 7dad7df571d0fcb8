// Package diagnose reads the goroutines of a process (a profile of /debug/pprof/goroutine with debug=2
// or debug=1, or what a panic or SIGQUIT prints) and says which connections wait for what.
//
// It knows the goroutines of net/http, of its HTTP/2, and of golang.org/x/net/http2 by the names of
// their functions: those of Go 1.26 and 1.27. It takes one pass over the file, and keeps of each
// goroutine that has to do with a connection about a hundred bytes.
package diagnose

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// frame is a call on the stack of a goroutine.
type frame struct {
	function string // with its package, without arguments
	receiver uint64 // the first argument, if it is a pointer that is known
	file     string // with its line
}

// goroutine is one goroutine of a dump, or several that are alike.
type goroutine struct {
	id      int64 // 0 in a profile with debug=1
	n       int
	state   string
	minutes int
	frames  []frame // the innermost first
	created frame   // the go statement
	creator int64
	origin  []frame // of the goroutines that started it (GODEBUG=tracebackancestors)
}

// What is read.
const (
	mostInLine  = 1 << 20
	mostFrames  = 200
	mostInFrame = 512 // bytes of a function's or a file's name
)

// dump reads goroutines.
type dump struct {
	file   string
	in     *bufio.Reader
	line   int
	text   string
	again  bool // the line is to be read again
	counts bool // it is a profile with debug=1
	cut    bool // the file ends in the midst of a goroutine
}

func (d *dump) wrong(format string, args ...any) error {
	return fmt.Errorf("%s:%d: %s", d.file, d.line, fmt.Sprintf(format, args...))
}

// next reads a line, without its end.
func (d *dump) next() error {
	if d.again {
		d.again = false
		return nil
	}
	d.line++
	text, err := d.in.ReadSlice('\n')
	switch {
	case errors.Is(err, bufio.ErrBufferFull):
		return d.wrong("a line of more than %d bytes", mostInLine)
	case err == io.EOF && len(text) > 0:
	case err == io.EOF:
		d.line--
		return io.EOF
	case err != nil:
		return fmt.Errorf("%s: %w", d.file, err)
	}
	d.text = string(bytes.TrimRight(text, "\r\n"))
	return nil
}

const (
	debug1Head = "goroutine profile: total "
	leaksHead  = "goroutineleak profile: total " // of Go 1.27, and of an experiment of Go 1.26
	headWord   = "goroutine "
	wanted     = "want a goroutine profile (/debug/pprof/goroutine?debug=2), or what a panic or SIGQUIT prints"
)

// begin finds the first goroutine: what a panic says stands in front of it.
func (d *dump) begin() error {
	first, _ := d.in.Peek(2)
	switch {
	case len(first) == 0:
		d.line = 1
		return d.wrong("an empty file; %s", wanted)
	case string(first) == "\x1f\x8b":
		return fmt.Errorf("%s: offset 0: this is the packed profile for go tool pprof; ask for ?debug=2", d.file)
	}
	for {
		err := d.next()
		switch {
		case err == io.EOF:
			return d.wrong("no line \"goroutine 1 [running]:\" in it; %s", wanted)
		case err != nil:
			return err
		case strings.IndexByte(d.text, 0) >= 0:
			return d.wrong("this is no text; %s", wanted)
		case strings.HasPrefix(d.text, debug1Head), strings.HasPrefix(d.text, leaksHead):
			_, total, _ := strings.Cut(d.text, ": total ")
			if _, err := strconv.ParseUint(total, 10, 32); err != nil {
				return d.wrong("bad number of goroutines: %.60q", d.text)
			}
			d.counts = true
			return nil
		case isHead(d.text):
			d.again = true
			return nil
		}
	}
}

// isHead reports whether a line begins a goroutine.
func isHead(line string) bool {
	rest, ok := strings.CutPrefix(line, headWord)
	return ok && rest != "" && rest[0] >= '0' && rest[0] <= '9' && strings.Contains(rest, "[")
}

// each calls f for each goroutine. What it is given is used again.
func (d *dump) each(f func(*goroutine)) error {
	if err := d.begin(); err != nil {
		return err
	}
	var g goroutine
	for {
		g = goroutine{frames: g.frames[:0], origin: g.origin[:0]}
		err := d.goroutine(&g)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		f(&g)
	}
}

func (d *dump) goroutine(g *goroutine) error {
	if d.counts {
		return d.counted(g)
	}
	for {
		if err := d.next(); err != nil {
			return err
		}
		if isHead(d.text) {
			break
		}
		if strings.HasPrefix(d.text, headWord) && strings.HasSuffix(d.text, "]:") {
			return d.wrong("bad goroutine: %.60q", d.text)
		}
	}
	if err := d.head(g); err != nil {
		return err
	}
	frames := &g.frames
	for {
		err := d.next()
		switch {
		case err == io.EOF:
			return nil // the last one; the next call returns io.EOF again
		case err != nil:
			return err
		case d.text == "":
			return nil
		case isHead(d.text):
			d.again = true
			return nil
		case strings.HasPrefix(d.text, "[originating from goroutine "):
			frames = &g.origin
			continue
		case strings.HasPrefix(d.text, "\t"), strings.HasPrefix(d.text, "..."), strings.HasPrefix(d.text, "labels: "), !strings.Contains(d.text, "."):
			continue // what is elided, "goroutine running on other thread; stack unavailable"
		}
		at, err := d.frame(g, len(*frames) < mostFrames, frames == &g.origin)
		if err != nil {
			return err
		}
		if at != nil {
			*frames = append(*frames, *at)
		}
	}
}

// head reads "goroutine 18 gp=0xc000 m=nil [select, 5 minutes, locked to thread]:", which may have labels
// behind its state.
func (d *dump) head(g *goroutine) error {
	rest := d.text[len(headWord):]
	id, _, _ := strings.Cut(rest, " ")
	n, err := strconv.ParseInt(id, 10, 64)
	_, state, _ := strings.Cut(rest, "[")
	end := strings.IndexByte(state, ']')
	if err != nil || n <= 0 || end < 0 {
		return d.wrong("bad goroutine: %.60q", d.text)
	}
	g.id, g.n = n, 1
	for i, word := range strings.Split(state[:end], ", ") {
		minutes, isTime := strings.CutSuffix(word, " minutes")
		switch {
		case i == 0:
			g.state = cutName(word)
		case isTime:
			if g.minutes, err = strconv.Atoi(minutes); err != nil || g.minutes < 0 {
				return d.wrong("bad time: %.60q", d.text)
			}
		}
	}
	return nil
}

// frame reads a call and the line behind it, with its file.
func (d *dump) frame(g *goroutine, keep, origin bool) (*frame, error) {
	text := d.text
	err := d.next()
	switch {
	case err == io.EOF:
		d.cut = true
		return nil, nil
	case err != nil:
		return nil, err
	case !strings.HasPrefix(d.text, "\t"):
		return nil, d.wrong("want the file of %.60q, got %.60q", text, d.text)
	}
	at := frame{file: fileOf(d.text[1:])}
	if by, ok := strings.CutPrefix(text, "created by "); ok {
		name, id, _ := strings.Cut(by, " in goroutine ")
		at.function = cutName(name)
		if !origin {
			g.created = at
			g.creator, _ = strconv.ParseInt(id, 10, 64)
			return nil, nil
		}
	} else {
		at.function, at.receiver = call(text)
	}
	if !keep {
		return nil, nil
	}
	return &at, nil
}

// call splits "net/http.(*persistConn).readLoop(0xc000, ...)". A pointer with a question mark may be
// of something else.
func call(text string) (function string, receiver uint64) {
	open := argumentsAt(text)
	if open < 0 {
		return cutName(text), 0
	}
	first, _, _ := strings.Cut(strings.TrimRight(text[open+1:], ")"), ",")
	if hex, ok := strings.CutPrefix(first, "0x"); ok {
		receiver, _ = strconv.ParseUint(hex, 16, 64)
	}
	return cutName(text[:open]), receiver
}

// argumentsAt returns where the arguments of a call begin: at the first parenthesis that is not that
// of a receiver, which begins behind a point.
func argumentsAt(text string) int {
	for i := 1; i < len(text); i++ {
		if text[i] == '(' && text[i-1] != '.' {
			return i
		}
	}
	return -1
}

// fileOf returns "dir/file.go:12" of "dir/file.go:12 +0x1f fp=...".
func fileOf(text string) string {
	at, _, _ := strings.Cut(text, " +0x")
	return cutName(at)
}

func cutName(s string) string { return s[:min(len(s), mostInFrame)] }

// counted reads a group of a profile with debug=1.
func (d *dump) counted(g *goroutine) error {
	for {
		if err := d.next(); err != nil {
			return err
		}
		count, rest, ok := strings.Cut(d.text, " @")
		if !ok {
			if d.text == "" || strings.HasPrefix(d.text, "#") {
				continue
			}
			return d.wrong("want \"COUNT @ ADDRESSES\", got %.60q", d.text)
		}
		n, err := strconv.ParseUint(count, 10, 31)
		if err != nil || n == 0 || strings.Trim(rest, " 0123456789abcdefx") != "" {
			return d.wrong("bad group: %.60q", d.text)
		}
		g.n = int(n)
		break
	}
	for {
		err := d.next()
		switch {
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		case !strings.HasPrefix(d.text, "#"):
			d.again = d.text != ""
			return nil
		case !strings.HasPrefix(d.text, "#\t"):
			continue // "# labels: {...}"
		}
		fields := strings.Split(d.text[2:], "\t")
		function, file := "", fields[len(fields)-1]
		if len(fields) < 3 {
			return d.wrong("want \"# ADDRESS FUNCTION FILE\", got %.60q", d.text)
		}
		function, _, _ = strings.Cut(fields[1], "+0x")
		if len(g.frames) < mostFrames {
			g.frames = append(g.frames, frame{function: cutName(function), file: cutName(file)})
		}
	}
}
