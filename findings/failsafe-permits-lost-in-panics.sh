#!/usr/bin/env bash
# net/http: a server recovers the panic of a handler, and http.ErrAbortHandler is the way to abort a response
# (httputil.ReverseProxy does so when that of its backend breaks off). failsafe-go v0.9.8, whose failsafehttp.NewHandler
# puts policies around a handler, gives a permit back in code behind the call (policy/policyexecutor.go, PostExecute),
# which a panic skips: a bulkhead of 2 ("full" is when 2 executions run) refuses each request with 429 after two
# aborted responses, though none is running, and a circuit breaker whose trial was aborted stays half-open and
# refuses for good, where its documentation has it close or open after the trials. No time brings them back. The
# limit of vulcand/oxy v2.0.0 (connlimit), 2 for a client, frees its places, and the trial of sony/gobreaker v2.4.0
# is a failure, after which there is another one. Exits with 0 if that is so.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat > go.mod <<'MOD'
module finding
go 1.26.0
require (
	github.com/failsafe-go/failsafe-go v0.9.8
	github.com/sony/gobreaker/v2 v2.4.0
	github.com/vulcand/oxy/v2 v2.0.0
)
MOD
cat > finding_test.go <<'GO'
package main

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/failsafe-go/failsafe-go/bulkhead"
	"github.com/failsafe-go/failsafe-go/circuitbreaker"
	"github.com/failsafe-go/failsafe-go/failsafehttp"
	"github.com/sony/gobreaker/v2"
	"github.com/vulcand/oxy/v2/connlimit"
	"github.com/vulcand/oxy/v2/utils"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// inner aborts the responses to requests for /abort.
var inner = http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/abort" {
		panic(http.ErrAbortHandler)
	}
})

// ask returns what a client gets of a handler, whose panics it recovers as a server does.
func ask(h http.Handler, path string) (result string) {
	defer func() {
		if recover() != nil {
			result = "aborted"
		}
	}()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
	return fmt.Sprint(w.Code)
}

// show prints the answers to two aborted requests, and to one at once, an hour and a day later.
func show(name string, h http.Handler) {
	fmt.Printf("%s: %s, %s", name, ask(h, "/abort"), ask(h, "/abort"))
	for _, pause := range []time.Duration{0, time.Hour, 24 * time.Hour} {
		time.Sleep(pause) // virtual
		fmt.Printf(", %s", ask(h, "/"))
	}
	fmt.Println()
}

func TestFinding(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		show("bulkhead", failsafehttp.NewHandler(inner, bulkhead.New[*http.Response](2)))
		show("connlimit", must(connlimit.New(inner, must(utils.NewExtractor("client.ip")), 2)))

		b := circuitbreaker.NewBuilder[*http.Response]().WithDelay(10 * time.Second).Build()
		h := failsafehttp.NewHandler(inner, b)
		b.Open()
		time.Sleep(11 * time.Second)
		show("breaker, half-open", h)
		fmt.Println("breaker:", b.State())

		g := gobreaker.NewCircuitBreaker[string](gobreaker.Settings{
			Timeout:     10 * time.Second,
			ReadyToTrip: func(gobreaker.Counts) bool { return true },
		})
		g.Execute(func() (string, error) { return "", errors.New("down") })
		time.Sleep(11 * time.Second)
		show("gobreaker, half-open", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if _, err := g.Execute(func() (string, error) { inner(w, r); return "", nil }); err != nil {
				w.WriteHeader(http.StatusTooManyRequests)
			}
		}))
		fmt.Println("gobreaker:", g.State())
	})
}
GO
go mod tidy > tidy.log 2>&1 || { cat tidy.log; exit 1; }
go test -count=1 . -v | grep -v '^=== \|^--- \|^PASS\|^ok' > got || true
cat > want <<'WANT'
bulkhead: aborted, aborted, 429, 429, 429
connlimit: aborted, aborted, 200, 200, 200
breaker, half-open: aborted, 429, 429, 429, 429
breaker: half-open
gobreaker, half-open: aborted, 429, 429, 200, 200
gobreaker: closed
WANT
diff want got && echo "as stated"
