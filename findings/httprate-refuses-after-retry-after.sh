#!/usr/bin/env bash
# RFC 9110, 10.2.3: Retry-After tells how long a client ought to wait before it asks again. go-chi/httprate v0.16.1,
# 3 requests in 10 s: three at once and a fourth, which gets 429 with Retry-After: 10. A client that waits these 10 s
# gets 429 again, and so does one that waits for X-RateLimit-Reset: the limiter counts, beside the new window, the share
# of the old one that the last 10 s still cover, which is nearly all of it then. The first request that it takes
# is 11.7 s after the others. So hashicorp/go-retryablehttp v0.7.8, which waits as told, spends a try in vain each time,
# and with one retry the call fails. That the 10 s can be longer than need be is known (its issue 47; the open pull
# request 64 makes it the time to the reset, at which a full limiter always refuses). throttled v2.15.0 (GCRA)
# takes the request after the time that it tells. In a bubble of testing/synctest, so all times are exact.
# Exits with 0 if that is so.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat > go.mod <<'MOD'
module finding
go 1.26.0
require (
	github.com/go-chi/httprate v0.16.1
	github.com/hashicorp/go-retryablehttp v0.7.8
	github.com/throttled/throttled/v2 v2.15.0
)
MOD
cat > finding_test.go <<'GO'
package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-chi/httprate"
	"github.com/hashicorp/go-retryablehttp"
	"github.com/throttled/throttled/v2"
	"github.com/throttled/throttled/v2/store/memstore"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

var ok = http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})

func rate() http.Handler { return httprate.LimitAll(3, 10*time.Second)(ok) }

func gcra() http.Handler {
	quota := throttled.RateQuota{MaxRate: throttled.PerDuration(3, 10*time.Second), MaxBurst: 2}
	limiter := throttled.HTTPRateLimiterCtx{RateLimiter: must(throttled.NewGCRARateLimiterCtx(must(memstore.NewCtx(0)), quota))}
	return limiter.RateLimit(ok)
}

func ask(h http.Handler) *http.Response {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	return w.Result()
}

// burst sends four requests, and returns the answer to the fourth.
func burst(h http.Handler) *http.Response {
	for range 3 {
		if ask(h).StatusCode != 200 {
			panic("a request of the first three is refused")
		}
	}
	return ask(h)
}

// direct is a transport that calls a handler.
type direct struct{ http.Handler }

func (d direct) RoundTrip(*http.Request) (*http.Response, error) {
	response := ask(d.Handler)
	fmt.Printf(" %d", response.StatusCode)
	return response, nil
}

func bubble(t *testing.T, f func()) {
	synctest.Test(t, func(*testing.T) { f() })
}

func TestFinding(t *testing.T) {
	for _, try := range []struct {
		name string
		make func() http.Handler
	}{{"httprate", rate}, {"throttled", gcra}} {
		bubble(t, func() {
			h := try.make()
			seconds := burst(h).Header.Get("Retry-After")
			time.Sleep(time.Duration(must(strconv.Atoi(seconds))) * time.Second)
			fmt.Printf("%s: Retry-After %s, then %d\n", try.name, seconds, ask(h).StatusCode)
		})
	}
	bubble(t, func() {
		h := rate()
		reset := time.Unix(must(strconv.ParseInt(burst(h).Header.Get("X-RateLimit-Reset"), 10, 64)), 0)
		time.Sleep(time.Until(reset))
		fmt.Printf("httprate: at its X-RateLimit-Reset %d\n", ask(h).StatusCode)
	})
	for wait := time.Duration(0); ; wait += 100 * time.Millisecond {
		status := 0
		bubble(t, func() {
			h := rate()
			burst(h)
			time.Sleep(wait)
			status = ask(h).StatusCode
		})
		if status == 200 {
			fmt.Printf("httprate: takes one after %v\n", wait)
			break
		}
	}
	bubble(t, func() {
		h := rate()
		burst(h)
		client := retryablehttp.NewClient()
		client.Logger = nil
		client.RetryMax = 1
		client.HTTPClient.Transport = direct{h}
		start := time.Now()
		fmt.Print("retryablehttp with one retry:")
		_, err := client.Get("http://x/")
		fmt.Printf(" after %v, %v\n", time.Since(start), err)
	})
}
GO
go mod tidy > tidy.log 2>&1 || { cat tidy.log; exit 1; }
go test -count=1 . -v | grep '^httprate\|^throttled\|^retryablehttp' > got || true
cat > want <<'WANT'
httprate: Retry-After 10, then 429
throttled: Retry-After 4, then 200
httprate: at its X-RateLimit-Reset 429
httprate: takes one after 11.7s
retryablehttp with one retry: 429 429 after 10s, GET http://x/ giving up after 2 attempt(s)
WANT
diff want got && echo "as stated"
