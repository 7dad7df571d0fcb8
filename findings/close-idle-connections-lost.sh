#!/usr/bin/env bash
# http.Client's documentation: CloseIdleConnections closes the idle connections of its
# Transport, and does nothing where the Transport has no such method. Nine RoundTrippers that
# wrap another one have none, so the method, called after each request, is a silent no-op and
# the second request finds the first one's connection: rehttp v1.4.0, hedgedhttp v0.9.2,
# failsafe-go v0.9.8 (failsafehttp), gregjones/httpcache, retryablehttp v0.7.8 (StandardClient),
# httpretty v0.2.0, klauspost/compress v1.20.3 (gzhttp), otelhttp v0.72.0 and go-vcr v4.0.8.
# None of their documentations says so. A program that has to close them (at the end of a
# test, after a change of address) has to keep the innermost Transport.
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
	github.com/cristalhq/hedgedhttp v0.9.2
	github.com/failsafe-go/failsafe-go v0.9.8
	github.com/gregjones/httpcache v0.0.0-20190611155906-901d90724c79
	github.com/hashicorp/go-retryablehttp v0.7.8
	github.com/henvic/httpretty v0.2.0
	github.com/klauspost/compress v1.20.3
	go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp v0.72.0
	gopkg.in/dnaeon/go-vcr.v4 v4.0.8
)
MOD
cat > main.go <<'GO'
package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"time"

	"github.com/PuerkitoBio/rehttp"
	"github.com/cristalhq/hedgedhttp"
	"github.com/failsafe-go/failsafe-go/failsafehttp"
	"github.com/gregjones/httpcache"
	"github.com/hashicorp/go-retryablehttp"
	"github.com/henvic/httpretty"
	"github.com/klauspost/compress/gzhttp"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"gopkg.in/dnaeon/go-vcr.v4/pkg/recorder"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func main() {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "an answer") }))
	for _, x := range []struct {
		name string
		wrap func(http.RoundTripper) http.RoundTripper
	}{
		{"net/http", func(rt http.RoundTripper) http.RoundTripper { return rt }},
		{"rehttp", func(rt http.RoundTripper) http.RoundTripper {
			return rehttp.NewTransport(rt, rehttp.RetryMaxRetries(3), rehttp.ConstDelay(1))
		}},
		{"hedgedhttp", func(rt http.RoundTripper) http.RoundTripper {
			return must(hedgedhttp.NewRoundTripper(time.Hour, 2, rt))
		}},
		{"failsafehttp", func(rt http.RoundTripper) http.RoundTripper { return failsafehttp.NewRoundTripper(rt) }},
		{"httpcache", func(rt http.RoundTripper) http.RoundTripper {
			c := httpcache.NewMemoryCacheTransport()
			c.Transport = rt
			return c
		}},
		{"retryablehttp", func(rt http.RoundTripper) http.RoundTripper {
			c := retryablehttp.NewClient()
			c.Logger, c.HTTPClient = nil, &http.Client{Transport: rt}
			return c.StandardClient().Transport
		}},
		{"httpretty", func(rt http.RoundTripper) http.RoundTripper {
			return (&httpretty.Logger{SkipRequestInfo: true}).RoundTripper(rt)
		}},
		{"gzhttp", func(rt http.RoundTripper) http.RoundTripper { return gzhttp.Transport(rt) }},
		{"otelhttp", func(rt http.RoundTripper) http.RoundTripper { return otelhttp.NewTransport(rt) }},
		{"go-vcr", func(rt http.RoundTripper) http.RoundTripper {
			return must(recorder.New("cassette", recorder.WithRealTransport(rt)))
		}},
	} {
		c := &http.Client{Transport: x.wrap(&http.Transport{})}
		reused := false
		for range 2 {
			req := must(http.NewRequest("GET", s.URL, nil))
			resp := must(c.Do(req.WithContext(httptrace.WithClientTrace(req.Context(), &httptrace.ClientTrace{
				GotConn: func(i httptrace.GotConnInfo) { reused = i.Reused },
			}))))
			must(io.ReadAll(resp.Body))
			resp.Body.Close()
			c.CloseIdleConnections()
		}
		fmt.Printf("%s: connection used again %v\n", x.name, reused)
	}
}
GO
go mod tidy > tidy.log 2>&1 || { cat tidy.log; exit 1; }
go run . > got
cat > want <<'WANT'
net/http: connection used again false
rehttp: connection used again true
hedgedhttp: connection used again true
failsafehttp: connection used again true
httpcache: connection used again true
retryablehttp: connection used again true
httpretty: connection used again true
gzhttp: connection used again true
otelhttp: connection used again true
go-vcr: connection used again true
WANT
diff want got && echo "as stated"
