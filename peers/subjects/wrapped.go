package subjects

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gregjones/httpcache"
	"github.com/hashicorp/go-retryablehttp"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"golang.org/x/oauth2"
	"golang.org/x/sync/singleflight"
	"golang.org/x/time/rate"

	"github.com/halfopen/halfopen/harness"
)

// around makes net/http's transport with a transport around it. It is a Maker. It refuses to be asked
// over HTTP/2: the wrappers know nothing of protocols, and six times the cases would take minutes.
func around(wrap func(rt http.RoundTripper) http.RoundTripper) harness.Maker {
	return func(t *harness.T, s harness.Settings) (http.RoundTripper, error) {
		if s.ForceAttemptHTTP2 || s.Protocols != "" {
			return nil, errors.New("it is asked over HTTP/1")
		}
		rt, err := harness.NetHTTP(t, s)
		if err != nil {
			return nil, err
		}
		return wrap(rt), nil
	}
}

// oauth2Transport makes the transport of golang.org/x/oauth2, with a token that does not expire.
var oauth2Transport = around(func(rt http.RoundTripper) http.RoundTripper {
	return &oauth2.Transport{Source: oauth2.StaticTokenSource(&oauth2.Token{AccessToken: "token"}), Base: rt}
})

// retryable makes the transport of hashicorp/go-retryablehttp, which sends a request once
// more at most, and does not wait before that.
var retryable = around(func(rt http.RoundTripper) http.RoundTripper {
	client := retryablehttp.NewClient()
	client.Logger, client.RetryMax, client.RetryWaitMin, client.RetryWaitMax = nil, 1, 0, 0
	client.HTTPClient = &http.Client{Transport: rt, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return &retryablehttp.RoundTripper{Client: client}
})

// otel makes the transport of OpenTelemetry's otelhttp.
var otel = around(func(rt http.RoundTripper) http.RoundTripper { return otelhttp.NewTransport(rt) })

// cached makes the transport of gregjones/httpcache, with a cache in memory.
var cached = around(func(rt http.RoundTripper) http.RoundTripper {
	cached := httpcache.NewMemoryCacheTransport()
	cached.Transport = rt
	return cached
})

// limitedTransport makes a transport that waits for a [rate.Limiter] before each request: six may go at
// once, and one more each millisecond.
var limitedTransport = around(func(rt http.RoundTripper) http.RoundTripper {
	return &limited{rt, rate.NewLimiter(rate.Every(time.Millisecond), 6)}
})

type limited struct {
	http.RoundTripper
	limiter *rate.Limiter
}

func (l *limited) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := l.limiter.Wait(req.Context()); err != nil {
		if req.Body != nil {
			req.Body.Close()
		}
		return nil, err
	}
	return l.RoundTripper.RoundTrip(req)
}

func (l *limited) CloseIdleConnections() {
	l.RoundTripper.(interface{ CloseIdleConnections() }).CloseIdleConnections()
}

// sharedTransport makes a transport that has requests for one page that come while another one for it
// is under way share its response, by [singleflight.Group]. What they share ends when the last
// of them has gone, and each has its response when all of it has come.
var sharedTransport = around(func(rt http.RoundTripper) http.RoundTripper {
	return &shared{RoundTripper: rt, flights: make(map[string]*flight)}
})

type shared struct {
	http.RoundTripper
	group singleflight.Group

	mu      sync.Mutex
	flights map[string]*flight
}

// flight has what several requests share.
type flight struct {
	ctx     context.Context
	cancel  context.CancelFunc
	callers int // which have not gone; guarded by shared.mu
}

// page is a response and its whole body or the part that has come, and the error of reading it.
type page struct {
	resp *http.Response
	body []byte
	err  error
}

func (s *shared) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Method != http.MethodGet || req.Body != nil || req.Header.Get("Upgrade") != "" || req.Context().Err() != nil {
		return s.RoundTripper.RoundTrip(req)
	}
	f, done := s.join(req)
	select {
	case r := <-done:
		if r.Err != nil {
			return nil, r.Err
		}
		return r.Val.(page).response(req), nil
	case <-req.Context().Done():
		s.leave(req.URL.String(), f)
		return nil, req.Context().Err()
	case <-req.Cancel: // net/http's transport heeds it too
		s.leave(req.URL.String(), f)
		return nil, context.Canceled
	}
}

// join has the request share what is under way for its page, or begins that.
func (s *shared) join(req *http.Request) (*flight, <-chan singleflight.Result) {
	key := req.URL.String()
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.flights[key]
	if f == nil {
		f = new(flight)
		f.ctx, f.cancel = context.WithCancel(context.WithoutCancel(req.Context()))
		s.flights[key] = f
	}
	f.callers++
	return f, s.group.DoChan(key, func() (any, error) {
		defer f.cancel()
		defer s.end(key, f)
		own := req.Clone(f.ctx)
		own.Cancel = nil // it is for this request alone
		resp, err := s.RoundTripper.RoundTrip(own)
		if err != nil {
			return nil, err
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		return page{resp, body, err}, nil
	})
}

// leave ends what is shared if no other request waits for it.
func (s *shared) leave(key string, f *flight) {
	s.mu.Lock()
	f.callers--
	last := f.callers == 0
	s.mu.Unlock()
	if last {
		s.end(key, f)
		f.cancel()
	}
}

// end has the next request for a page begin again.
func (s *shared) end(key string, f *flight) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.flights[key] == f {
		delete(s.flights, key)
		s.group.Forget(key)
	}
}

// response returns a response of the request's own.
func (p page) response(req *http.Request) *http.Response {
	resp := *p.resp
	resp.Request, resp.Header, resp.Trailer = req, p.resp.Header.Clone(), p.resp.Trailer.Clone()
	var rest io.Reader = bytes.NewReader(p.body)
	if p.err != nil {
		rest = io.MultiReader(rest, failing{p.err})
	}
	resp.Body = &pageBody{Reader: rest}
	return &resp
}

// failing is a reader that fails.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// pageBody is the body of a response of the request's own.
type pageBody struct {
	io.Reader
	closed atomic.Bool
}

func (b *pageBody) Read(p []byte) (int, error) {
	if b.closed.Load() {
		return 0, http.ErrBodyReadAfterClose
	}
	return b.Reader.Read(p)
}

func (b *pageBody) Close() error {
	b.closed.Store(true)
	return nil
}

func (s *shared) CloseIdleConnections() {
	s.RoundTripper.(interface{ CloseIdleConnections() }).CloseIdleConnections()
}
