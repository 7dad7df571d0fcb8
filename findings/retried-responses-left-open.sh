#!/usr/bin/env bash
# A server answers 503 twice and then 200, or 503 always; a client retries up to three
# times and the caller closes the body that it gets. failsafe-go v0.9.8 (failsafehttp) and
# resty v2.17.2 with SetDoNotParseResponse never close the bodies of the answers that they
# retried: 2 of 3 stay open, and each keeps its connection. Where every try fails,
# failsafehttp returns an error in place of a response, so all 4 stay open and the caller
# has none to close. heimdall v7.0.3, rehttp v1.4.0 and retryablehttp v0.7.8 close all.
# Exits with 0 if that is so.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat > go.mod <<'MOD'
module finding
go 1.26.0
require (
	github.com/PuerkitoBio/rehttp v1.4.0
	github.com/failsafe-go/failsafe-go v0.9.8
	github.com/go-resty/resty/v2 v2.17.2
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
	"sync/atomic"

	"github.com/PuerkitoBio/rehttp"
	"github.com/failsafe-go/failsafe-go/failsafehttp"
	"github.com/go-resty/resty/v2"
	"github.com/gojek/heimdall/v7"
	"github.com/gojek/heimdall/v7/httpclient"
	"github.com/hashicorp/go-retryablehttp"
)

// counting counts the bodies that it hands out and those that are closed.
type counting struct {
	http.Transport
	given, closed atomic.Int32
}

type body struct {
	io.ReadCloser
	c      *counting
	closed atomic.Bool
}

func (b *body) Close() error {
	if !b.closed.Swap(true) {
		b.c.closed.Add(1)
	}
	return b.ReadCloser.Close()
}

func (c *counting) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := c.Transport.RoundTrip(r)
	if err == nil {
		c.given.Add(1)
		resp.Body = &body{ReadCloser: resp.Body, c: c}
	}
	return resp, err
}

var clients = []struct {
	name string
	get  func(c *http.Client, url string) (*http.Response, error)
}{
	{"failsafehttp", func(c *http.Client, url string) (*http.Response, error) {
		retry := failsafehttp.NewRetryPolicyBuilder().WithMaxRetries(3).Build()
		return (&http.Client{Transport: failsafehttp.NewRoundTripper(c.Transport, retry)}).Get(url)
	}},
	{"resty", func(c *http.Client, url string) (*http.Response, error) {
		r, err := resty.NewWithClient(c).SetRetryCount(3).SetRetryWaitTime(1).SetRetryMaxWaitTime(1).
			AddRetryCondition(func(r *resty.Response, err error) bool { return r.StatusCode() == 503 }).
			SetDoNotParseResponse(true).R().Get(url)
		return r.RawResponse, err
	}},
	{"heimdall", func(c *http.Client, url string) (*http.Response, error) {
		return httpclient.NewClient(httpclient.WithHTTPClient(c), httpclient.WithRetryCount(3),
			httpclient.WithRetrier(heimdall.NewRetrier(heimdall.NewConstantBackoff(1, 1)))).Get(url, nil)
	}},
	{"rehttp", func(c *http.Client, url string) (*http.Response, error) {
		return (&http.Client{Transport: rehttp.NewTransport(c.Transport,
			rehttp.RetryAll(rehttp.RetryMaxRetries(3), rehttp.RetryStatuses(503)), rehttp.ConstDelay(1))}).Get(url)
	}},
	{"retryablehttp", func(c *http.Client, url string) (*http.Response, error) {
		r := retryablehttp.NewClient()
		r.HTTPClient, r.Logger, r.RetryMax, r.RetryWaitMin, r.RetryWaitMax = c, nil, 3, 1, 1
		return r.Get(url)
	}},
}

func main() {
	for _, busy := range []int32{2, 99} {
		for _, client := range clients {
			var asked atomic.Int32
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if asked.Add(1) <= busy {
					w.WriteHeader(503)
				}
				io.WriteString(w, "an answer")
			}))
			c := new(counting)
			resp, _ := client.get(&http.Client{Transport: c}, s.URL)
			if resp != nil {
				resp.Body.Close()
			}
			fmt.Printf("%d busy, %s: asked %d, response %v, bodies %d, closed %d\n", busy, client.name, asked.Load(), resp != nil, c.given.Load(), c.closed.Load())
		}
	}
}
GO
go mod tidy > tidy.log 2>&1 || { cat tidy.log; exit 1; }
go run . > got
cat > want <<'WANT'
2 busy, failsafehttp: asked 3, response true, bodies 3, closed 1
2 busy, resty: asked 3, response true, bodies 3, closed 1
2 busy, heimdall: asked 3, response true, bodies 3, closed 3
2 busy, rehttp: asked 3, response true, bodies 3, closed 3
2 busy, retryablehttp: asked 3, response true, bodies 3, closed 3
99 busy, failsafehttp: asked 4, response false, bodies 4, closed 0
99 busy, resty: asked 4, response true, bodies 4, closed 1
99 busy, heimdall: asked 4, response true, bodies 4, closed 4
99 busy, rehttp: asked 4, response true, bodies 4, closed 4
99 busy, retryablehttp: asked 4, response false, bodies 4, closed 4
WANT
diff want got && echo "as stated"
