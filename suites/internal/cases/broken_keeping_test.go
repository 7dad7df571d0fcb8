package cases_test

import (
	"net/http"
	"sync"

	"github.com/halfopen/halfopen/harness"
	"github.com/halfopen/halfopen/suites"
)

// brokenKeeping is mistakes of which connections are kept, for how long and for which requests.
var brokenKeeping = []breakage{
	{"every idle connection is kept", 0, setting(func(s *harness.Settings) { s.MaxIdleConnsPerHost = 100 }),
		[]string{"idle-default-per-host"}},
	{"two idle connections are kept, whatever is asked for", 0, ignoring("MaxIdleConnsPerHost"), []string{"idle-many-per-host"}},
	{"the newest idle connection makes room", 0, withBug("newest evicted"), []string{"idle-limit-of-all", "idle-evicted-forgotten"}},
	{"what makes room is handed out", 0, withBug("closed conn stays idle"), []string{"idle-evicted-forgotten"}},
	{"the idle timer of a connection in use goes on", 0, withBug("idle timer not stopped"), []string{"idle-timeout-each"}},
	{"IdleConnTimeout is not heeded", 0, ignoring("IdleConnTimeout"), []string{"idle-timeout-each", "idle-timeout-unused"}},
	{"an idle connection is not read", 0, withBug(""), []string{"idle-server-close-in-use"}},
	{"the limit is for all hosts together", 0, wrappedEach(limitOfAll), []string{"limit-apart"}},
	{"a broken connection keeps its place", 0, withBug("slot lost after error"), []string{"limit-late-places"}},
	{"a connection that was idle for too long keeps its place", 0, withBug("slot lost after expiry"), []string{"limit-late-places"}},
	{"one too many", 0, withBug("over the limit"), []string{"limit-late-places"}},
	{"DisableKeepAlives is not heeded", 0, ignoring("DisableKeepAlives"), []string{"limit-keep-alives-off-said"}},
	{"CloseIdleConnections is for ever", 0, closesOnce, []string{"close-in-use-kept"}},
	{"CloseIdleConnections closes what is in use", 0, closesAll, []string{"close-in-use-kept"}},
	{"CloseIdleConnections ends requests that dial", 0, cancelsAll, []string{"close-waiting-dials"}},
	{"a clone shares the connections", suites.H2C, sharedByClones, []string{"close-clone"}},
}

// limitOfAll has as many requests at a time as a host may have connections.
func limitOfAll(s harness.Settings) func(http.RoundTripper, *http.Request) (*http.Response, error) {
	places := make(chan struct{}, max(1, s.MaxConnsPerHost))
	return func(rt http.RoundTripper, req *http.Request) (*http.Response, error) {
		select {
		case places <- struct{}{}:
		case <-req.Context().Done():
			return nil, req.Context().Err()
		}
		defer func() { <-places }()
		return rt.RoundTrip(req)
	}
}

// cancelsAll makes a transport whose CloseIdleConnections ends what is under way.
func cancelsAll(t *harness.T, s harness.Settings) (http.RoundTripper, error) {
	rt, err := harness.NetHTTP(t, s)
	tr := rt.(*http.Transport)
	var mu sync.Mutex
	var under []*http.Request
	return &cancelling{closer{tr, func() {
		mu.Lock()
		defer mu.Unlock()
		for _, req := range under {
			//lint:ignore SA1019 CancelRequest is part of what net/http promises, deprecated or not.
			tr.CancelRequest(req)
		}
		tr.CloseIdleConnections()
	}}, func(req *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		under = append(under, req)
	}}, err
}

type cancelling struct {
	closer
	begins func(*http.Request)
}

func (c *cancelling) RoundTrip(req *http.Request) (*http.Response, error) {
	c.begins(req)
	return c.Transport.RoundTrip(req)
}

// sharedByClones makes a transport that is its own clone.
func sharedByClones(t *harness.T, s harness.Settings) (http.RoundTripper, error) {
	rt, err := h2c(harness.NetHTTP)(t, s)
	return sharing{rt.(*http.Transport)}, err
}

type sharing struct{ *http.Transport }

func (s sharing) Clone() http.RoundTripper { return s }
