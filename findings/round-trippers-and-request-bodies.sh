#!/usr/bin/env bash
# http.RoundTripper's documentation: RoundTrip should not modify the request, except for
# consuming and closing its Body, and must always close the Body, including on errors. A POST
# whose body counts its closes, answered 200, through nine RoundTrippers. Never closed by
# httpmock v1.4.2, gock v1.2.0, go-vcr v4.0.8 (replaying), failsafe-go v0.9.8 (failsafehttp)
# and retryablehttp v0.7.8 (RoundTripper, the transport of its StandardClient); httpmock and
# gock do not read it either, so a goroutine that writes such a body into an io.Pipe, as for a
# multipart upload, waits for ever, where a real transport ends it with io.ErrClosedPipe.
# Request.Body is another one afterwards with go-vcr, rehttp v1.4.0, failsafehttp,
# retryablehttp and httpretty v0.2.0. gregjones/httpcache and net/http keep both sentences.
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
	github.com/gregjones/httpcache v0.0.0-20190611155906-901d90724c79
	github.com/h2non/gock v1.2.0
	github.com/hashicorp/go-retryablehttp v0.7.8
	github.com/henvic/httpretty v0.2.0
	github.com/jarcoal/httpmock v1.4.2
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
	"strings"

	"github.com/PuerkitoBio/rehttp"
	"github.com/failsafe-go/failsafe-go/failsafehttp"
	"github.com/gregjones/httpcache"
	"github.com/h2non/gock"
	"github.com/hashicorp/go-retryablehttp"
	"github.com/henvic/httpretty"
	"github.com/jarcoal/httpmock"
	"gopkg.in/dnaeon/go-vcr.v4/pkg/recorder"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// body counts its closes.
type body struct {
	io.Reader
	closed int
}

func (b *body) Close() error { b.closed++; return nil }

func show(name, url string, rt http.RoundTripper) {
	b := &body{Reader: strings.NewReader("pay 10")}
	req := must(http.NewRequest("POST", url, b))
	resp := must(rt.RoundTrip(req))
	resp.Body.Close()
	unread := must(io.ReadAll(b.Reader))
	fmt.Printf("%s: %d, body closed %v, unread bytes %d, Request.Body replaced %v\n",
		name, resp.StatusCode, b.closed > 0, len(unread), req.Body != io.ReadCloser(b))
}

func main() {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.Copy(w, r.Body) }))
	real := http.DefaultTransport
	show("net/http", s.URL, real)

	mock := httpmock.NewMockTransport()
	mock.RegisterResponder("POST", s.URL, httpmock.NewStringResponder(200, "paid"))
	show("httpmock", s.URL, mock)

	gock.New(s.URL).Post("/").Reply(200).BodyString("paid")
	show("gock", s.URL, gock.DefaultTransport)

	record := must(recorder.New("cassette", recorder.WithRealTransport(real)))
	show("go-vcr, recording", s.URL, record)
	record.Stop()
	show("go-vcr, replaying", s.URL, must(recorder.New("cassette", recorder.WithMode(recorder.ModeReplayOnly))))

	show("failsafehttp", s.URL, failsafehttp.NewRoundTripper(real, failsafehttp.NewRetryPolicyBuilder().Build()))

	retry := retryablehttp.NewClient()
	retry.Logger = nil
	show("retryablehttp", s.URL, &retryablehttp.RoundTripper{Client: retry})

	show("rehttp", s.URL, rehttp.NewTransport(real, rehttp.RetryMaxRetries(3), rehttp.ConstDelay(1)))

	log := &httpretty.Logger{RequestBody: true}
	log.SetOutput(io.Discard)
	show("httpretty", s.URL, log.RoundTripper(real))

	cache := httpcache.NewMemoryCacheTransport()
	cache.Transport = real // gock has replaced http.DefaultTransport
	show("httpcache", s.URL, cache)
}
GO
go mod tidy > tidy.log 2>&1 || { cat tidy.log; exit 1; }
go run . > got
cat > want <<'WANT'
net/http: 200, body closed true, unread bytes 0, Request.Body replaced false
httpmock: 200, body closed false, unread bytes 6, Request.Body replaced false
gock: 200, body closed false, unread bytes 6, Request.Body replaced false
go-vcr, recording: 200, body closed true, unread bytes 0, Request.Body replaced true
go-vcr, replaying: 200, body closed false, unread bytes 0, Request.Body replaced true
failsafehttp: 200, body closed false, unread bytes 0, Request.Body replaced true
retryablehttp: 200, body closed false, unread bytes 0, Request.Body replaced true
rehttp: 200, body closed true, unread bytes 0, Request.Body replaced true
httpretty: 200, body closed true, unread bytes 0, Request.Body replaced true
httpcache: 200, body closed true, unread bytes 0, Request.Body replaced false
WANT
diff want got && echo "as stated"
