package subjects

import (
	"bytes"
	"io"
	"net/http"
	"time"

	"github.com/gregjones/httpcache"
	"github.com/hashicorp/go-retryablehttp"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"golang.org/x/oauth2"
	"golang.org/x/sync/singleflight"
	"golang.org/x/time/rate"

	"github.com/halfopen/halfopen/harness"
)

// around makes net/http's transport with a transport around it. It is a Maker.
func around(wrap func(rt http.RoundTripper) http.RoundTripper) harness.Maker {
	return func(t *harness.T, s harness.Settings) (http.RoundTripper, error) {
		rt, err := harness.NetHTTP(t, s)
		if err != nil {
			return nil, err
		}
		return wrap(rt), nil
	}
}

// OAuth2 makes the transport of golang.org/x/oauth2, with a token that does not expire.
var OAuth2 = around(func(rt http.RoundTripper) http.RoundTripper {
	return &oauth2.Transport{Source: oauth2.StaticTokenSource(&oauth2.Token{AccessToken: "token"}), Base: rt}
})

// Retryable makes the transport of hashicorp/go-retryablehttp, which sends a request once
// more at most, and does not wait before that.
var Retryable = around(func(rt http.RoundTripper) http.RoundTripper {
	client := retryablehttp.NewClient()
	client.Logger, client.RetryMax, client.RetryWaitMin, client.RetryWaitMax = nil, 1, 0, 0
	client.HTTPClient = &http.Client{Transport: rt, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return &retryablehttp.RoundTripper{Client: client}
})

// Otel makes the transport of OpenTelemetry's otelhttp.
var Otel = around(func(rt http.RoundTripper) http.RoundTripper { return otelhttp.NewTransport(rt) })

// Cached makes the transport of gregjones/httpcache, with a cache in memory.
var Cached = around(func(rt http.RoundTripper) http.RoundTripper {
	cached := httpcache.NewMemoryCacheTransport()
	cached.Transport = rt
	return cached
})

// Limited makes a transport that waits for a [rate.Limiter] before each request.
var Limited = around(func(rt http.RoundTripper) http.RoundTripper {
	return &limited{rt, rate.NewLimiter(rate.Every(time.Millisecond), 1)}
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

// Shared makes a transport that has requests for one page that come while another one for it
// is under way share its response, by [singleflight.Group].
var Shared = around(func(rt http.RoundTripper) http.RoundTripper { return &shared{RoundTripper: rt} })

type shared struct {
	http.RoundTripper
	group singleflight.Group
}

// page is a response and its whole body.
type page struct {
	resp *http.Response
	body []byte
}

func (s *shared) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Method != http.MethodGet || req.Header.Get("Upgrade") != "" {
		return s.RoundTripper.RoundTrip(req)
	}
	v, err, _ := s.group.Do(req.URL.String(), func() (any, error) {
		resp, err := s.RoundTripper.RoundTrip(req)
		if err != nil {
			return nil, err
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		return page{resp, body}, err
	})
	if err != nil {
		return nil, err
	}
	resp := *v.(page).resp
	resp.Body = io.NopCloser(bytes.NewReader(v.(page).body))
	return &resp, nil
}

func (s *shared) CloseIdleConnections() {
	s.RoundTripper.(interface{ CloseIdleConnections() }).CloseIdleConnections()
}
