// Package suites checks any HTTP transport against what is expected of a
// connection pool, in one test function:
//
//	func TestTransport(t *testing.T) {
//		suites.TestTransport(t, func(t *harness.T, s harness.Settings) (http.RoundTripper, error) {
//			tr := &http.Transport{DialContext: t.Net.DialContext}
//			tr.TLSClientConfig = &tls.Config{RootCAs: harness.TrustedRoots()}
//			return tr, s.Apply(tr)
//		})
//	}
//
// Its goals: each case is one claim, in a sentence, with the public bug that
// it guards against; what does not hold is shown with the script that shows it
// again; a difference that is known is declared as a [Quirk] and never silent.
//
// It does not aim to test what a transport does with messages: whether headers
// are parsed well is another suite's.
//
// A *quirk* is a case that does not hold for one transport, with the reason or
// the public issue: its bug is asserted to be there, so that the quirk is
// removed when the bug is.
//
// The cases of the group conn are about single connections: they ask a transport
// that has Transport.NewClientConn's method for them, or for any [ClientConn].
// Transport.MaxConnsPerHost is in none of them: net/http 1.26 and 1.27 count a
// connection of HTTP/1 off the limit that they never counted on it, so that the
// limit is exceeded, or the process ends with the panic "connCount underflow".
//
// [Check] is the same for a program, or for a test that writes a report: as text, as JSON
// and as JUnit makes it (REPORT.md has the schema, and a workflow to copy).
//
// Three frameworks have a package of their own, so that this one compiles none of them:
// ginkgosuite makes specs of the cases, gomegamatch has matchers for requests and
// connections, and goleakcheck looks for leaked goroutines after tests with real
// connections.
package suites
