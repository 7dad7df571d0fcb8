package harness

import (
	"crypto/tls"
	"net/http"
	"sync"
	"time"
)

// SetDefaultTransport makes [http.DefaultTransport] a transport on this network until the run has
// ended. It is for code that has no place for a dialer: [http.Get], [http.DefaultClient], and
// every client whose Transport is nil reach the servers of the test then.
//
// The transport has the settings of http.DefaultTransport, but no proxy, and trusts
// [TrustedRoots]. It is an [*http.Transport], as code that asserts its type expects. Its round
// trips for http URLs are watched as those of [T.Client] are, named call1, call2, ...; those
// for https URLs, and those of a Clone, are not. A Clone that was made before the test, in a
// variable of a package, is not reached: for such a program there is "halfopen proxy".
//
// The variable is one for the whole process. So the test must not run in parallel with others: one
// that does is refused, as by [testing.T.Setenv], and so is a run while another one has
// replaced the variable, such as that of an exploration with [Bounds.Parallel].
func (t *T) SetDefaultTransport() {
	if t.std != nil && runsInParallel(t.std) {
		t.fatal(KindUsage, "SetDefaultTransport: the test, or one around it, is parallel (t.Parallel), and http.DefaultTransport is one for all tests")
	}
	if !defaultTransport.TryLock() {
		t.fatal(KindUsage, "SetDefaultTransport: http.DefaultTransport is replaced already: by this run, or by one at the same time (Bounds.Parallel must be 1)")
	}
	before := http.DefaultTransport
	also := t.atEnd
	t.atEnd = func() {
		http.DefaultTransport = before
		defaultTransport.Unlock()
		if also != nil {
			also()
		}
	}
	tr := &http.Transport{
		DialContext:           t.Net.DialContext,
		TLSClientConfig:       &tls.Config{RootCAs: TrustedRoots()},
		ForceAttemptHTTP2:     true,
		MaxIdleConns:          100,
		IdleConnTimeout:       90 * time.Second,
		TLSHandshakeTimeout:   10 * time.Second,
		ExpectContinueTimeout: time.Second,
	}
	tr.RegisterProtocol("http", &insideDefault{t.census, tr})
	t.study(tr)
	http.DefaultTransport = tr
}

// defaultTransport is held by the run that has replaced http.DefaultTransport.
var defaultTransport sync.Mutex

// runsInParallel reports whether a test runs in parallel with others. Only Setenv says so: it
// panics then. If it does not, the test cannot become parallel later.
func runsInParallel(t interface{ Setenv(key, value string) }) (parallel bool) {
	defer func() { parallel = recover() != nil }()
	t.Setenv("HALFOPEN_DEFAULT_TRANSPORT", "replaced")
	return false
}

// insideDefault watches the round trips of a transport from inside: the transport asks it first,
// as an alternate protocol.
type insideDefault struct {
	c  *census
	tr *http.Transport
}

// RoundTrip names a request that has no name yet, and has the transport send it.
func (d *insideDefault) RoundTrip(req *http.Request) (*http.Response, error) {
	if d.c.requestOf(req) == nil {
		return (&watched{d.c, d.tr}).RoundTrip(req)
	}
	return nil, http.ErrSkipAltProtocol // the transport goes on by itself
}
