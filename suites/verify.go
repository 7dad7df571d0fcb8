package suites

import (
	"fmt"
	"strings"

	"go.uber.org/goleak"
)

// Pooled is transports and clients whose idle connections are kept on purpose:
// [*http.Transport], [*http.Client], or any other with that method.
type Pooled []interface{ CloseIdleConnections() }

// VerifyNone is [goleak.VerifyNone] for a test that uses HTTP clients, with real
// servers and outside of any bubble: it closes the idle connections of those that
// are pooled, so that only what was leaked is left, and fails t if there is a
// goroutine that goleak does not know, saying how many of them belong to
// connections that are still in use. Close the test's servers before.
//
//	defer suites.VerifyNone(t, suites.Pooled{http.DefaultTransport.(*http.Transport)})
func VerifyNone(t goleak.TestingT, pooled Pooled, options ...goleak.Option) {
	if h, ok := t.(interface{ Helper() }); ok {
		h.Helper()
	}
	for _, p := range pooled {
		p.CloseIdleConnections()
	}
	goleak.VerifyNone(verifier{t}, options...)
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
		text = fmt.Sprintf("%s in use after the idle ones were closed: a response body was never closed, or its request goes on\n%s",
			plural(n, "connection"), text)
	}
	v.TestingT.Error(text)
}

// readers is the goroutines of which each connection of a client has one.
var readers = []string{
	"\nnet/http.(*persistConn).readLoop(",
	"\nnet/http.(*http2ClientConn).readLoop(",          // until Go 1.27
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
