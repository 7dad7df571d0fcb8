#!/usr/bin/env bash
# hashicorp/go-retryablehttp v0.7.8: a request that fails in the end (503 until the tries run
# out, or a context that ends between two) calls CloseIdleConnections of the http.Client: the
# idle connections to every other host are closed as well, so that one busy host makes the
# others be dialled anew after each of its failures. It goes back to clients that served one
# request (its pull request 57; issue 237 asks, open); its documentation has no word of it, and
# a Client is one for many requests today. rehttp v1.4.0 and heimdall v7.0.3 use the
# connection to the first host again. Exits with 0 if that is so.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat > go.mod <<'MOD'
module finding
go 1.26.0
require (
	github.com/PuerkitoBio/rehttp v1.4.0
	github.com/gojek/heimdall/v7 v7.0.3
	github.com/hashicorp/go-retryablehttp v0.7.8
)
MOD
cat > main.go <<'GO'
package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"

	"github.com/PuerkitoBio/rehttp"
	"github.com/gojek/heimdall/v7"
	"github.com/gojek/heimdall/v7/httpclient"
	"github.com/hashicorp/go-retryablehttp"
)

func server(status int) (url string, conns func() int) {
	var mu sync.Mutex
	seen := map[string]bool{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		seen[r.RemoteAddr] = true
		mu.Unlock()
		w.WriteHeader(status)
		io.WriteString(w, "an answer")
	}))
	return s.URL, func() int {
		mu.Lock()
		defer mu.Unlock()
		return len(seen)
	}
}

func main() {
	for _, x := range []struct {
		name string
		get  func(c *http.Client) func(url string) (*http.Response, error)
	}{
		{"rehttp", func(c *http.Client) func(string) (*http.Response, error) {
			retries := rehttp.RetryAll(rehttp.RetryMaxRetries(1), rehttp.RetryStatuses(503))
			return (&http.Client{Transport: rehttp.NewTransport(c.Transport, retries, rehttp.ConstDelay(1))}).Get
		}},
		{"heimdall", func(c *http.Client) func(string) (*http.Response, error) {
			h := httpclient.NewClient(httpclient.WithHTTPClient(c), httpclient.WithRetryCount(1),
				httpclient.WithRetrier(heimdall.NewRetrier(heimdall.NewConstantBackoff(1, 1))))
			return func(url string) (*http.Response, error) { return h.Get(url, nil) }
		}},
		{"retryablehttp", func(c *http.Client) func(string) (*http.Response, error) {
			r := retryablehttp.NewClient()
			r.HTTPClient, r.Logger, r.RetryMax, r.RetryWaitMin, r.RetryWaitMax = c, nil, 1, 1, 1
			return r.Get
		}},
	} {
		good, conns := server(200)
		busy, _ := server(503)
		get := x.get(&http.Client{Transport: &http.Transport{}})
		ask := func(urls ...string) {
			for _, url := range urls {
				if resp, err := get(url); err == nil {
					io.Copy(io.Discard, resp.Body)
					resp.Body.Close()
				}
			}
		}
		ask(good, good)
		fmt.Printf("%s: connections of the good host after two requests %d", x.name, conns())
		ask(busy, good, busy, good)
		fmt.Printf(", after two more, each behind a failure of the other host, %d\n", conns())
	}
}
GO
go mod tidy > tidy.log 2>&1 || { cat tidy.log; exit 1; }
go run . > got
cat > want <<'WANT'
rehttp: connections of the good host after two requests 1, after two more, each behind a failure of the other host, 1
heimdall: connections of the good host after two requests 1, after two more, each behind a failure of the other host, 1
retryablehttp: connections of the good host after two requests 1, after two more, each behind a failure of the other host, 3
WANT
diff want got && echo "as stated"
