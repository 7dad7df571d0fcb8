package harness_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/halfopen/halfopen/harness"
)

var nestings = []struct {
	name    string
	between func(t *harness.T, inner http.RoundTripper) http.RoundTripper
	want    string
}{
	{"as it is", func(_ *harness.T, inner http.RoundTripper) http.RoundTripper { return inner }, "held"},
	{"cloned", func(_ *harness.T, inner http.RoundTripper) http.RoundTripper {
		return roundTripper(func(req *http.Request) (*http.Response, error) {
			return inner.RoundTrip(req.Clone(req.Context()))
		})
	}, "held"},
	{"without its header", func(_ *harness.T, inner http.RoundTripper) http.RoundTripper {
		return roundTripper(func(req *http.Request) (*http.Response, error) {
			out, _ := http.NewRequestWithContext(req.Context(), req.Method, req.URL.String(), nil)
			return inner.RoundTrip(out)
		})
	}, "held"},
	{"without its context", func(_ *harness.T, inner http.RoundTripper) http.RoundTripper {
		return roundTripper(func(req *http.Request) (*http.Response, error) {
			return inner.RoundTrip(req.Clone(context.Background()))
		})
	}, "held"},
	{"another one first", func(_ *harness.T, inner http.RoundTripper) http.RoundTripper {
		return roundTripper(func(req *http.Request) (*http.Response, error) {
			token, _ := http.NewRequestWithContext(req.Context(), "POST", "http://api.test/echo", strings.NewReader("token"))
			resp, err := inner.RoundTrip(token)
			if err != nil {
				return nil, err
			}
			io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
			return inner.RoundTrip(req.Clone(req.Context()))
		})
	}, "held"},
	{"two transports", func(t *harness.T, inner http.RoundTripper) http.RoundTripper {
		other := t.Watch(t.Net.Transport())
		return roundTripper(func(req *http.Request) (*http.Response, error) {
			resp, err := other.RoundTrip(req.Clone(context.Background()))
			if err == nil {
				resp.Body.Close()
			}
			return inner.RoundTrip(req.Clone(context.Background()))
		})
	}, "held"},
	{"from a cache", func(_ *harness.T, inner http.RoundTripper) http.RoundTripper {
		var first *http.Response
		return roundTripper(func(req *http.Request) (*http.Response, error) {
			if first != nil {
				again := *first
				again.Body = io.NopCloser(strings.NewReader("ok"))
				return &again, nil
			}
			resp, err := inner.RoundTrip(req)
			first = resp
			return resp, err
		})
	}, "held"},
	{"validated", func(_ *harness.T, inner http.RoundTripper) http.RoundTripper {
		stored := false
		return roundTripper(func(req *http.Request) (*http.Response, error) {
			if !stored {
				stored = true
				return inner.RoundTrip(req)
			}
			req.URL.Path = "/status/304"
			resp, err := inner.RoundTrip(req)
			if err == nil {
				resp.StatusCode = http.StatusOK
				resp.Body = io.NopCloser(strings.NewReader("ok"))
			}
			return resp, err
		})
	}, "held"},
	{"of another one", func(_ *harness.T, inner http.RoundTripper) http.RoundTripper {
		var first http.Header
		return roundTripper(func(req *http.Request) (*http.Response, error) {
			resp, err := inner.RoundTrip(req)
			if first == nil {
				first = resp.Header
			}
			resp.Header = first
			return resp, err
		})
	}, "call2: got the response to call1"},
}

// A request that passes two watched transports is one operation, however what is between
// them makes the second request; an answer that a cache has is no confusion, and one that
// was taken off the wrong wire is.
func TestNestedRequests(t *testing.T) {
	for _, c := range nestings {
		t.Run(c.name, func(t *testing.T) {
			got := first(harness.TestReport(c.name, func(t *harness.T) {
				t.Serve("api.test:80", nil)
				client := t.Client(c.between(t, t.Watch(t.Net.Transport())))
				for range 2 {
					resp, err := client.Get("http://api.test/")
					if err != nil {
						t.Fatal(err)
					}
					io.Copy(io.Discard, resp.Body)
					resp.Body.Close()
				}
			}))
			if got != c.want {
				t.Errorf("got %s\nwant %s", got, c.want)
			}
		})
	}
}
