// Package suites checks any HTTP transport against what is expected of a
// connection pool, in one test function:
//
//	func TestTransport(t *testing.T) {
//		suites.TestTransport(t, func(t *harness.T, s harness.Settings) (http.RoundTripper, error) {
//			tr := &http.Transport{DialContext: t.Net.DialContext}
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
// The package also has the Ginkgo form of the same cases, [Describe], and
// Gomega matchers. Whoever imports only package harness compiles neither.
package suites
