package cases_test

import (
	"context"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/halfopen/halfopen/harness"
	"github.com/halfopen/halfopen/suites"
)

// brokenPools is mistakes of the pool: what is kept, counted, handed out.
var brokenPools = []breakage{
	// What is reused.
	{"nothing is kept", 0, setting(func(s *harness.Settings) { s.DisableKeepAlives = true }),
		[]string{"reuse-sequential", "reuse-after-large-body"}},
	{"one connection is kept", 0, setting(func(s *harness.Settings) { s.MaxIdleConnsPerHost = 1 }),
		[]string{"reuse-no-more-than-concurrent"}},
	{"what is idle ends by itself", 0, setting(func(s *harness.Settings) { s.IdleConnTimeout = 90 * time.Second }),
		[]string{"reuse-after-pause"}},
	{"a response without a body costs its connection", 0, withBug("no body closes"), []string{"reuse-after-no-body"}},
	{"an error status costs its connection", 0, withBug("error status closes"), []string{"reuse-after-error-status"}},
	{"an error status costs every idle connection", 0, wrapped(errorsClose), []string{"reuse-after-error-status"}},
	{"chunks cost their connection", 0, withBug("unknown length closes"), []string{"reuse-after-unknown-length"}},
	{"a large body costs its connection", 0, withBug("large body closes"), []string{"reuse-after-large-body"}},
	{"only Close ends a body", 0, withBug("body end missed"), []string{"reuse-read-and-not-closed"}},
	{"a request with a body costs its connection", 0, wrapped(postsClosed), []string{"reuse-after-post"}},
	{"the first response is the answer", 0, withBug("1xx taken as answer"), []string{"reuse-after-hints"}},
	{"hosts share a pool", 0, withBug("one pool for all hosts"),
		[]string{"reuse-hosts-apart", "limit-hosts-apart", "order-hosts-apart"}},
	{"ports share a pool", 0, wrapped(portsForgotten), []string{"reuse-ports-apart"}},
	{"the server's close is not heeded", 0, withBug("close ignored"),
		[]string{"reuse-not-http10", "close-response-header", "close-response-before-post"}},

	// What is counted.
	{"one too many", 0, withBug("over the limit"),
		[]string{"limit-never-exceeded", "limit-all-served", "idle-limit", "idle-limit-closed", "cancel-limit"}},
	{"no limit", 0, ignoring("MaxConnsPerHost"), []string{"limit-all-served", "leak-waiter-timeout"}},
	{"a cancelled dial that fails keeps its place", 0, withBug("slot lost after cancel"),
		[]string{"limit-slot-after-failed-dial", "cancel-limit-fails"}},
	{"a broken connection keeps its place", 0, withBug("slot lost after error"),
		[]string{"limit-slot-after-break", "limit-slot-after-last-response", "limit-slot-after-unread-body", "limit-retried", "idle-limit-closed"}},
	{"a connection that was closed idle keeps its place", 0, withBug("slot lost after close-idle"), []string{"limit-slot-after-close"}},
	{"a connection that was idle for too long keeps its place", 0, withBug("slot lost after expiry"),
		[]string{"limit-slot-after-idle-timeout", "limit-slot-after-idle"}},
	{"a place is lost", suites.H2, setting(func(s *harness.Settings) { s.MaxConnsPerHost-- }), []string{"limit-places-of-shared"}},
	{"MaxIdleConns is not heeded", 0, ignoring("MaxIdleConns"), []string{"limit-idle"}},
	{"MaxIdleConnsPerHost is not heeded", 0, ignoring("MaxIdleConnsPerHost"),
		[]string{"limit-idle-per-host", "limit-bodyless-when-full", "idle-max-per-host"}},
	{"DisableKeepAlives is not heeded", 0, ignoring("DisableKeepAlives"), []string{"limit-keep-alives-off"}},
	{"dials go on without their requests, and without bound", 0, withBug(""), []string{"limit-dials-after-cancel"}},

	// The order of waiters.
	{"after a failed dial there is none", 0, withBug("no dial after failure"), []string{"order-after-failed-dial", "cancel-limit-fails"}},
	{"the last to come is served first", 0, withBug("last waiter served first"), []string{"order-first-come", "idle-limit"}},
	{"the last to come dials first", 0, withBug("last waiter dials first"), []string{"order-first-to-dial", "order-after-failed-dial"}},
	{"who gave up stays in line", 0, withBug("cancelled waiter stays"),
		[]string{"order-skips-cancelled", "limit-slot-after-cancel", "limit-at-callbacks", "cancel-waiter", "leak-waiter-timeout"}},
	{"who dials is not served by what comes free", 0, withBug("dialing waiter skipped"),
		[]string{"order-idle-before-dial", "order-dials-race", "idle-wins"}},
	{"the oldest idle connection is used first", 0, withBug("oldest first"), []string{"order-newest-first", "idle-dial-wins"}},
	{"a dial whose request is gone is forgotten", 0, withBug("unused dial leaked"),
		[]string{"order-dials-race", "leak-dial-after-cancel", "leak-timed-out", "cancel-all", "cancel-limit", "cancel-orphan"}},

	// What waits in the pool.
	{"idle connections are not read", 0, withBug(""),
		[]string{"idle-server-close-seen", "idle-server-close-before-post", "idle-restart", "idle-after-server-shutdown"}},
	{"what breaks idle is an error", 0, withBug("never retried"),
		[]string{"idle-server-close-in-flight", "idle-timeout-both-sides", "leak-close-after-answer"}},
	{"what the server says farewell to is in no list", suites.H2C, forgetsTheLeft, []string{"idle-server-shutdown"}},
	{"IdleConnTimeout is not heeded", 0, ignoring("IdleConnTimeout"), []string{"idle-timeout-closes", "idle-timeout"}},
	{"the idle timer is set once", 0, withBug("idle timer set once"), []string{"idle-timeout-restarts", "idle-timeout"}},
	{"the idle timer of a connection in use goes on", 0, withBug("idle timer not stopped"),
		[]string{"idle-timeout-tie", "idle-timeout-not-in-use"}},
	{"a connection has its time, used or not", 0, oneLife(90 * time.Second),
		[]string{"idle-timeout-restarts", "idle-timeout-tie"}},
	{"the time of the header goes on in the body", 0, wrapped(timedWhole), []string{"idle-after-header-timeout"}},
	{"the newest idle connection makes room", 0, withBug("newest evicted"), []string{"idle-least-recent-evicted"}},
	{"what makes room is handed out", 0, withBug("closed conn stays idle"), []string{"idle-evicted-or-used"}},

	// What is closed, and what is left.
	{"CloseIdleConnections does not reach the pool", 0, closesNothing,
		[]string{"close-all-idle", "close-going-away", "leak-many-hosts"}},
	{"CloseIdleConnections closes what is in use", 0, closesAll, []string{"close-not-in-use", "close-or-use"}},
	{"CloseIdleConnections is for ever", 0, closesOnce, []string{"close-and-go-on"}},
	{"a dial that CloseIdleConnections has overtaken is forgotten", 0, withBug("leaked after close-idle"),
		[]string{"close-late-dial", "leak-late-dial"}},
	{"CloseIdleConnections knows no dials", 0, withBug(""), []string{"close-orphaned-dials", "idle-late-dial-closed"}},
	{"what was being drained as CloseIdleConnections was called is forgotten", 0, draining("leaked after drain"), []string{"close-while-drained"}},
	{"Request.Close is not heeded", 0, wrapped(requestsNotClosed), []string{"close-request"}},
	{"the header Connection is not heeded", 0, withBug(""), []string{"close-request-header"}},
	{"a failed dial is not reported", 0, withBug("dial error not reported"), []string{"leak-dial-fails", "order-after-failed-dial"}},
	{"a body that is closed unread stays open", 0, withBug("unread body leaks conn"), []string{"leak-unread"}},
	{"a body that is closed can be read", 0, withBug(""), []string{"leak-half-read"}},
	{"requests are remembered", 0, remembering(), []string{"leak-context", "leak-behind-dial", "leak-waiters"}},
	{"a cancellation is ignored", 0, withBug("cancel ignored"), []string{"leak-silent-server", "leak-timed-out", "cancel-written"}},
	{"a late answer is for the next", 0, withBug("pooled after cancel"), []string{"cancel-late", "cancel-written"}},
}

// setting is net/http's transport with settings of its own.
func setting(change func(*harness.Settings)) harness.Maker {
	return func(t *harness.T, s harness.Settings) (http.RoundTripper, error) {
		change(&s)
		return harness.NetHTTP(t, s)
	}
}

// dialing is net/http's transport with something around its connections.
func dialing(around func(net.Conn) net.Conn) harness.Maker {
	return func(t *harness.T, s harness.Settings) (http.RoundTripper, error) {
		rt, err := harness.NetHTTP(t, s)
		tr := rt.(*http.Transport)
		dial := tr.DialContext
		tr.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
			c, err := dial(ctx, network, addr)
			if err == nil {
				c = around(c)
			}
			return c, err
		}
		return tr, err
	}
}

// oneLife closes connections so long after they were opened, whatever they do
// then.
func oneLife(d time.Duration) harness.Maker {
	return dialing(func(c net.Conn) net.Conn {
		time.AfterFunc(d, func() { c.Close() })
		return c
	})
}

// closesAll makes a transport whose CloseIdleConnections closes what is in use
// too.
func closesAll(t *harness.T, s harness.Settings) (http.RoundTripper, error) {
	var mu sync.Mutex
	var conns []net.Conn
	rt, err := dialing(func(c net.Conn) net.Conn {
		mu.Lock()
		defer mu.Unlock()
		conns = append(conns, c)
		return c
	})(t, s)
	return &closer{rt.(*http.Transport), func() {
		mu.Lock()
		defer mu.Unlock()
		for _, c := range conns {
			c.Close()
		}
	}}, err
}

// closer is net/http's transport with a CloseIdleConnections of its own.
type closer struct {
	*http.Transport
	close func()
}

func (c *closer) CloseIdleConnections() { c.close() }

// closesOnce makes a transport that is of no use after CloseIdleConnections.
func closesOnce(t *harness.T, s harness.Settings) (http.RoundTripper, error) {
	rt, err := harness.NetHTTP(t, s)
	tr := rt.(*http.Transport)
	return &closer{tr, func() {
		tr.CloseIdleConnections()
		tr.DisableKeepAlives = true
	}}, err
}

// closesNothing makes a transport behind one that does not pass
// CloseIdleConnections on.
func closesNothing(t *harness.T, s harness.Settings) (http.RoundTripper, error) {
	rt, err := harness.NetHTTP(t, s)
	return &closer{rt.(*http.Transport), func() {}}, err
}

// requestsNotClosed does not tell the transport that a request is the last on
// its connection.
func requestsNotClosed(rt http.RoundTripper, req *http.Request) (*http.Response, error) {
	req = req.Clone(req.Context())
	req.Close = false
	return rt.RoundTrip(req)
}

// postsClosed trusts no connection on which a body was sent.
func postsClosed(rt http.RoundTripper, req *http.Request) (*http.Response, error) {
	req = req.Clone(req.Context())
	req.Close = req.Method == "POST"
	return rt.RoundTrip(req)
}

// portsForgotten goes to the port that a host has by default.
func portsForgotten(rt http.RoundTripper, req *http.Request) (*http.Response, error) {
	req = req.Clone(req.Context())
	req.URL.Host = req.URL.Hostname()
	return rt.RoundTrip(req)
}

// errorsClose takes a status that means an error for a bad connection.
func errorsClose(rt http.RoundTripper, req *http.Request) (*http.Response, error) {
	resp, err := rt.RoundTrip(req)
	if err == nil && resp.StatusCode >= 400 {
		rt.(*http.Transport).CloseIdleConnections()
	}
	return resp, err
}

// timedWhole gives the body no more time than the header may take.
func timedWhole(rt http.RoundTripper, req *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancel(req.Context())
	time.AfterFunc(10*time.Second, cancel)
	return rt.RoundTrip(req.WithContext(ctx))
}

// remembering makes a transport that counts requests by keeping them.
func remembering() harness.Maker {
	return func(t *harness.T, s harness.Settings) (http.RoundTripper, error) {
		var mu sync.Mutex
		var kept []*http.Request
		return wrapped(func(rt http.RoundTripper, req *http.Request) (*http.Response, error) {
			mu.Lock()
			kept = append(kept, req)
			mu.Unlock()
			return rt.RoundTrip(req)
		})(t, s)
	}
}
