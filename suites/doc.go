// Package suites tests any HTTP transport, client or connection pool with some two hundred
// cases, in one test function:
//
//	func TestTransport(t *testing.T) {
//		suites.TestTransport(t, func(t *harness.T, s harness.Settings) (http.RoundTripper, error) {
//			tr := &http.Transport{DialContext: t.Net.DialContext}
//			tr.TLSClientConfig = &tls.Config{RootCAs: harness.TrustedRoots()}
//			return tr, s.Apply(tr)
//		})
//	}
//
// [TestClient] does the same for a client that is not HTTP, and [TestPool] for a pool.
//
// Its goals: each case is one claim, in a sentence, with the public bug that it guards
// against; a failure comes with the script that shows it again; a known difference is
// declared as a [Quirk] and never silent.
//
// It does not test how a transport treats messages: whether it parses headers well is a
// question for another suite.
//
// A *quirk* is a case that does not hold for one transport, with the reason or the public
// issue. The case must fail there, so that the quirk is removed when its bug is gone.
//
// The cases of the group conn are about single connections. A transport makes these with a
// method NewClientConn, as [net/http.Transport] has it, or one that returns a [ClientConn].
// These cases do not set Transport.MaxConnsPerHost: when such a connection of HTTP/1 is
// closed, net/http 1.26 and 1.27 subtract it from the limit without having added it, so that
// the limit is exceeded, or the process ends with the panic "connCount underflow".
//
// [Check] runs the cases in a program, or in a test that writes a report: as text, as JSON,
// or as JUnit XML (REPORT.md has the schema, and a workflow to copy). Its subjects are
// transports ([SubjectsOf]), or clients ([ClientSubject.Subject]) for [ClientCases].
//
// Under the race detector (go test -race) the cases of clients that explore, of the groups limit, broken,
// close, leak and talk, let an answer come in the same instant as a cancellation or as another answer. When each
// has been seen before the next one comes, all that a client does with them is in order, and there is no
// race to detect. Such a schedule is run several times: what it comes to is chance.
//
// Three frameworks have a package of their own, so that this one compiles none of them:
// ginkgosuite makes specs of the cases, gomegamatch has matchers for requests and
// connections, and goleakcheck looks for leaked goroutines after tests with real
// connections.
package suites
