package diagnose

import (
	"cmp"
	"slices"
	"strings"
)

// kind names the work of a goroutine for a connection.
type kind uint8

const (
	other kind = iota
	readsBody
	waitsForBody // a readLoop whose response has a body that is open
	readLoop     // it reads: an idle connection, or one that waits for a response
	drains
	writeStuck
	bodySource
	roundTrip
	waitsInLine // getConn: for a dial, or in line
	dials
	stream // of HTTP/2, on behalf of a request
	streamTrip
	streamReads
	streamStuck
	streamInLine
	conn2
	serves
	servesIdle
	sqlInLine
	sqlTx
	sqlRows
)

// What the names of functions begin with, in the form of [plain].
const (
	h1 = "http."
	h2 = "http2."
)

// rule says that a goroutine with these functions on its stack is of a kind; the first rule that fits
// is it.
type rule struct {
	kind kind
	top  string   // what it is in, of the functions that are not of the runtime; "" is any
	all  []string // functions that are on its stack
}

var rules = []rule{
	{readsBody, "", []string{h1 + "(*bodyEOFSignal).Read", h1 + "(*persistConn).Read"}},
	{drains, "", []string{h1 + "(*persistConn).readLoop", h1 + "(*body).Read"}},
	{readLoop, "", []string{h1 + "(*persistConn).readLoop", h1 + "(*persistConn).Read"}},
	{waitsForBody, h1 + "(*persistConn).readLoop", nil},
	{other, h1 + "(*persistConn).writeLoop", nil}, // it waits for the next request
	{writeStuck, "", []string{h1 + "(*persistConn).writeLoop"}},
	{roundTrip, h1 + "(*persistConn).roundTrip", nil},
	{waitsInLine, h1 + "(*Transport).getConn", nil},
	{dials, "", []string{h1 + "(*Transport).dialConnFor"}},
	{streamReads, "", []string{h2 + "transportResponseBody.Read"}},
	{streamStuck, "", []string{h2 + "(*clientStream).awaitFlowControl"}},
	{streamInLine, "", []string{h2 + "(*ClientConn).awaitOpenSlotForStreamLocked"}},
	{stream, "", []string{h2 + "(*clientStream).writeRequest"}},
	{streamTrip, h2 + "(*ClientConn).roundTrip", nil},
	{conn2, "", []string{h2 + "(*ClientConn).readLoop"}},
	{serves, "", []string{h1 + "serverHandler.ServeHTTP"}},
	{servesIdle, "", []string{h1 + "(*conn).serve", h1 + "(*connReader).Read"}},
	{servesIdle, "", []string{h2 + "(*serverConn).serve"}},
	{sqlInLine, "sql.(*DB).conn", nil},
	{sqlTx, "", []string{"sql.(*Tx).awaitDone"}},
	{sqlRows, "", []string{"sql.(*Rows).awaitDone"}},
}

// plain returns the name of a function of the packages that rules name, in one form for each version
// of Go: HTTP/2 is a part of net/http before Go 1.27, and a package of its own since.
func plain(function string) string {
	switch {
	case strings.HasPrefix(function, "net/http/internal/http2."):
		return h2 + function[len("net/http/internal/http2."):]
	case strings.HasPrefix(function, "golang.org/x/net/http2."):
		return h2 + function[len("golang.org/x/net/http2."):]
	case strings.HasPrefix(function, "net/http.(*http2"):
		return h2 + "(*" + function[len("net/http.(*http2"):]
	case strings.HasPrefix(function, "net/http.http2"):
		return h2 + function[len("net/http.http2"):]
	case strings.HasPrefix(function, "net/http."):
		return h1 + function[len("net/http."):]
	case strings.HasPrefix(function, "database/sql."):
		return function[len("database/"):]
	}
	return function
}

// kindOf returns the kind of a goroutine, the connection that it is of, if that is known, and the calls
// of the program that led there.
func kindOf(g *goroutine) (k kind, conn uint64, place string) {
	names := make([]string, 0, 64)
	relevant := false
	for _, f := range g.frames {
		name := plain(f.function)
		relevant = relevant || strings.HasPrefix(name, "http") || strings.HasPrefix(name, "sql.")
		names = append(names, name)
	}
	if !relevant {
		return other, 0, ""
	}
	top := slices.IndexFunc(names, func(n string) bool { return !strings.HasPrefix(n, "runtime.") })
	for _, r := range rules {
		if r.top != "" && (top < 0 || names[top] != r.top) {
			continue
		}
		if !slices.ContainsFunc(r.all, func(want string) bool { return !slices.Contains(names, want) }) {
			k = r.kind
			if k == writeStuck && readsSource(names) {
				k = bodySource
			}
			return k, connOf(g, names), r.placeIn(g, names)
		}
	}
	return other, 0, ""
}

// placeIn returns the calls of the program on a stack that this rule fits. In a goroutine of the transport
// there are none, but for those of the connection's own type.
func (r *rule) placeIn(g *goroutine, names []string) string {
	switch r.kind {
	case serves, dials, sqlInLine:
		return placeOf(g.frames)
	case roundTrip, waitsInLine, streamTrip, streamReads, readsBody:
		from := cmp.Or(r.top, strings.Join(r.all[:min(1, len(r.all))], ""))
		return placeOf(g.frames[slices.Index(names, from):])
	}
	return ""
}

// readsSource reports whether a writeLoop waits for bytes of the request's body, and not for the
// connection: the innermost call that reads or writes is a read.
func readsSource(names []string) bool {
	for _, name := range names {
		switch name[strings.LastIndexByte(name, '.')+1:] {
		case "Write":
			return false
		case "Read":
			return true
		}
	}
	return false
}

// connMethods is the methods whose receiver is a connection.
var connMethods = []string{h1 + "(*persistConn).readLoop", h1 + "(*persistConn).writeLoop", h1 + "(*persistConn).roundTrip", h1 + "(*persistConn).Read"}

func connOf(g *goroutine, names []string) uint64 {
	for i, name := range names {
		if slices.Contains(connMethods, name) && g.frames[i].receiver != 0 {
			return g.frames[i].receiver
		}
	}
	return 0
}

// stageOf returns what a dial does.
func stageOf(g *goroutine) string {
	has := func(prefix string) bool {
		return slices.ContainsFunc(g.frames, func(f frame) bool { return strings.HasPrefix(f.function, prefix) })
	}
	switch {
	case has("net.(*Resolver)"), has("net.lookup"), has("net.cgoLookup"):
		return "looks its host up"
	case has("net.(*netFD).connect"), has("net.(*netFD).dial"):
		return "connects"
	case has("crypto/tls."), has("net/http.(*persistConn).addTLS"):
		return "in its TLS handshake"
	case has("net.(*sysDialer)"), has("net.(*Dialer)"):
		return "connects"
	case has("net/http.(*Transport).dialConn.func"):
		return "waits for its proxy"
	case has("net/http.(*Transport).dial"):
		return "in the transport's dialer"
	}
	return "begins"
}

// standard is the first elements of the paths of packages of the standard library.
var standard = map[string]bool{"archive": true, "bufio": true, "bytes": true, "cmp": true, "compress": true, "container": true, "context": true,
	"crypto": true, "database": true, "debug": true, "embed": true, "encoding": true, "errors": true, "expvar": true, "flag": true, "fmt": true,
	"go": true, "hash": true, "html": true, "image": true, "internal": true, "io": true, "iter": true, "log": true, "maps": true, "math": true,
	"mime": true, "net": true, "os": true, "path": true, "plugin": true, "reflect": true, "regexp": true, "runtime": true, "slices": true,
	"sort": true, "strconv": true, "strings": true, "structs": true, "sync": true, "syscall": true, "testing": true, "text": true, "time": true,
	"unicode": true, "unique": true, "unsafe": true, "vendor": true, "weak": true}

// isUsers reports whether a function is of the program, and not of the standard library, nor of
// its own HTTP/2.
func isUsers(function string) bool {
	first, _, isPath := strings.Cut(function, "/")
	if !isPath {
		first, _, _ = strings.Cut(function, ".")
	}
	return first != "" && !standard[first] && !strings.HasPrefix(function, "golang.org/x/net/http2.")
}

// mostInPlace is how many calls of the program are shown of one stack.
const mostInPlace = 3

// placeOf returns the innermost calls of the program on a stack, or "".
func placeOf(frames []frame) string {
	var b strings.Builder
	n := 0
	for _, f := range frames {
		if n == mostInPlace || !isUsers(f.function) || strings.Contains(f.function, ".gowrap") || strings.HasPrefix(f.file, "<autogenerated>") {
			continue
		}
		if n++; n > 1 {
			b.WriteString(" < ")
		}
		b.WriteString(f.function + "  " + f.file)
	}
	return b.String()
}

// startOf returns the go statement of the program that started a goroutine, or "". It is among those of
// its ancestors, if the dump has them.
func startOf(g *goroutine) string {
	if isUsers(g.created.function) {
		return g.created.function + "  " + g.created.file
	}
	return placeOf(g.origin)
}
