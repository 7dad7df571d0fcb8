// Package goleakcheck is goleak for tests with HTTP clients: what is idle in a pool is not
// leaked, and a run of package harness that is undecided is no leak of its test. It is
// apart, so that package suites compiles without goleak.
package goleakcheck

import (
	"fmt"
	"os"
	"regexp"
	"strings"

	"go.uber.org/goleak"
)

// Pooled is transports and clients whose idle connections are kept on purpose:
// [*http.Transport], [*http.Client], or any other with that method.
type Pooled []interface{ CloseIdleConnections() }

// VerifyNone is [goleak.VerifyNone] for a test that uses HTTP clients, with real
// servers or in a bubble of testing/synctest: it closes the idle connections of those that
// are pooled, so that only what was leaked is left, and fails t if there is a
// goroutine that goleak does not know, saying how many of them belong to
// connections that are still in use. Close the test's servers before.
//
//	defer goleakcheck.VerifyNone(t, goleakcheck.Pooled{http.DefaultTransport.(*http.Transport)})
func VerifyNone(t goleak.TestingT, pooled Pooled, options ...goleak.Option) {
	if h, ok := t.(interface{ Helper() }); ok {
		h.Helper()
	}
	for _, p := range pooled {
		p.CloseIdleConnections()
	}
	// In a bubble that its own two goroutines are there is no leak.
	options = append(options, goleak.IgnoreTopFunction("internal/synctest.Run"),
		goleak.IgnoreTopFunction("testing/synctest.testingSynctestTest"))
	goleak.VerifyNone(verifier{t}, options...)
}

// VerifyTestMain is [goleak.VerifyTestMain] for a package with tests of package
// harness or of package suites: a run that is undecided ([harness.Report.Undecided])
// leaves a bubble whose goroutines nothing can free, and these are no leak of the
// tests. It runs the tests and ends the process.
func VerifyTestMain(m goleak.TestingM, options ...goleak.Option) {
	code := m.Run()
	if code == 0 {
		if err := goleak.Find(options...); err != nil {
			if left := withoutFrozen(err.Error()); left != "" {
				fmt.Fprintf(os.Stderr, "goleak: found unexpected goroutines:\n%s", left)
				code = 1
			}
		}
	}
	os.Exit(code)
}

// inBubble is the bubble in how goleak heads the stack of a goroutine: "Goroutine
// 7 in state select (durable), 2 minutes, synctest bubble 3, with ...". The time is that
// for which it has been blocked, from a minute on.
var inBubble = regexp.MustCompile(`^.?Goroutine \d+ in state ([^,]*), (?:\d+ minutes, )?(?:locked to thread, )?synctest bubble (\d+)`)

// withoutFrozen returns the stacks in an error of goleak's without those of bubbles in which
// a goroutine waits for a mutex.
func withoutFrozen(text string) string {
	_, text, _ = strings.Cut(text, "\n")
	var stacks []string
	for l := range strings.Lines(text) {
		if strings.HasPrefix(strings.TrimLeft(l, " ["), "Goroutine ") {
			stacks = append(stacks, "")
		}
		if n := len(stacks); n > 0 && l != "]" {
			stacks[n-1] += l
		}
	}
	frozen := make(map[string]bool)
	for _, s := range stacks {
		if m := inBubble.FindStringSubmatch(s); m != nil && (strings.HasPrefix(m[1], "sync.Mutex") || strings.HasPrefix(m[1], "sync.RWMutex")) {
			frozen[m[2]] = true
		}
	}
	var left strings.Builder
	for _, s := range stacks {
		if m := inBubble.FindStringSubmatch(s); m == nil || !frozen[m[2]] {
			left.WriteString(s)
		}
	}
	return left.String()
}

// verifier adds to an error of goleak's what it means.
type verifier struct{ goleak.TestingT }

// Helper is for goleak, which asks for it.
func (v verifier) Helper() {
	if h, ok := v.TestingT.(interface{ Helper() }); ok {
		h.Helper()
	}
}

func (v verifier) Error(args ...any) {
	v.Helper()
	text := strings.TrimSuffix(fmt.Sprintln(args...), "\n")
	if n := inUse(text); n > 0 {
		connections := "connections"
		if n == 1 {
			connections = "connection"
		}
		text = fmt.Sprintf("%d %s in use after the idle ones were closed: a response body was never closed, or its request goes on\n%s",
			n, connections, text)
	}
	v.TestingT.Error(text)
}

// readers is the goroutines of which each connection of a client has one.
var readers = []string{
	"\nnet/http.(*persistConn).readLoop(",
	"\nnet/http.(*http2ClientConn).readLoop(",           // until Go 1.27
	"\nnet/http/internal/http2.(*ClientConn).readLoop(", // since
	"\ngolang.org/x/net/http2.(*ClientConn).readLoop(",
	"\ngithub.com/halfopen/halfopen/pool.(*persistConn).readLoop(",
}

func inUse(stacks string) (n int) {
	for _, r := range readers {
		n += strings.Count(stacks, r)
	}
	return n
}
