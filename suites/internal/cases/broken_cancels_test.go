package cases_test

//lint:file-ignore SA1019 Request.Cancel and CancelRequest are part of what net/http promises, deprecated or not.

import (
	"context"
	"net/http"
	"net/http/httptrace"
	"sync"

	"github.com/halfopen/halfopen/harness"
)

// lateDeaf looks whether a request was over before it began when it has its answer.
func lateDeaf(rt http.RoundTripper, req *http.Request) (*http.Response, error) {
	resp, err := rt.RoundTrip(req.WithContext(context.WithoutCancel(req.Context())))
	if err == nil && req.Context().Err() != nil {
		resp.Body.Close()
		return nil, req.Context().Err()
	}
	return resp, err
}

// heedsInDial looks at Request.Cancel as long as there is no connection.
func heedsInDial(rt http.RoundTripper, req *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancel(req.Context())
	got := make(chan struct{})
	stop := req.Cancel
	go func() {
		select {
		case <-stop:
			cancel()
		case <-got:
		case <-ctx.Done():
		}
	}()
	trace := &httptrace.ClientTrace{GotConn: func() func(httptrace.GotConnInfo) {
		once := sync.OnceFunc(func() { close(got) })
		return func(httptrace.GotConnInfo) { once() }
	}()}
	req = req.WithContext(httptrace.WithClientTrace(ctx, trace))
	req.Cancel = nil
	return rt.RoundTrip(req)
}

// closedForEver closes the idle connections when Request.Cancel is closed, whenever that is.
func closedForEver(rt http.RoundTripper, req *http.Request) (*http.Response, error) {
	if stop := req.Cancel; stop != nil {
		go func() {
			select {
			case <-stop:
				rt.(*http.Transport).CloseIdleConnections()
			case <-req.Context().Done():
			}
		}()
	}
	return rt.RoundTrip(req)
}

// cancelRequest is net/http's transport with a CancelRequest that cancels a request if heeds
// says so, which learns whether there is a connection.
func cancelRequest(heeds func(started bool) bool) harness.Maker {
	return func(t *harness.T, s harness.Settings) (http.RoundTripper, error) {
		rt, err := harness.NetHTTP(t, s)
		return &canceller{Transport: rt.(*http.Transport), heeds: heeds, started: make(map[*http.Request]bool)}, err
	}
}

type canceller struct {
	*http.Transport
	heeds   func(started bool) bool
	mu      sync.Mutex
	started map[*http.Request]bool
	sent    map[*http.Request]*http.Request
}

func (c *canceller) RoundTrip(req *http.Request) (*http.Response, error) {
	trace := &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.started[req] = true
	}}
	sent := req.WithContext(httptrace.WithClientTrace(req.Context(), trace))
	c.mu.Lock()
	if c.sent == nil {
		c.sent = make(map[*http.Request]*http.Request)
	}
	c.sent[req] = sent
	c.mu.Unlock()
	return c.Transport.RoundTrip(sent)
}

func (c *canceller) CancelRequest(req *http.Request) {
	c.mu.Lock()
	started, sent := c.started[req], c.sent[req]
	c.mu.Unlock()
	if c.heeds(started) {
		c.Transport.CancelRequest(sent)
	}
}
