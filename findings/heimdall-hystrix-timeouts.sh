#!/usr/bin/env bash
# gojek/heimdall v7.0.3, hystrix.Client: a hystrix timeout does not end the request. The
# server's answer comes a little later and nothing closes its body: the caller never sees it,
# and the connection stays in use (until the http.Client's own Timeout, if it has one). And a
# retry sends the same http.Request, whose body the first try has read to the end and, being
# under way, not put back: the second try of a POST fails in net/http before it is sent, so no
# retry after a timeout succeeds. Its README has "retries to each request"; httpclient.Client of
# the same module ends the first try at its timeout and sends the second whole.
# Exits with 0 if that is so.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat > go.mod <<'MOD'
module finding
go 1.26.0
require github.com/gojek/heimdall/v7 v7.0.3
MOD
cat > main.go <<'GO'
package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gojek/heimdall/v7"
	"github.com/gojek/heimdall/v7/httpclient"
	"github.com/gojek/heimdall/v7/hystrix"
)

// watching notes the outcome of each try and of its response's body.
type watching struct {
	http.Transport
	mu     sync.Mutex
	tries  []string
	closed int
	ended  chan struct{}
}

type body struct {
	io.ReadCloser
	w *watching
}

func (b *body) Close() error {
	b.w.mu.Lock()
	defer b.w.mu.Unlock()
	b.w.closed++
	return b.ReadCloser.Close()
}

func (w *watching) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := w.Transport.RoundTrip(r)
	w.mu.Lock()
	switch {
	case err == nil:
		w.tries = append(w.tries, resp.Status)
		resp.Body = &body{resp.Body, w}
	case strings.Contains(err.Error(), "ContentLength=6 with Body length 0"):
		w.tries = append(w.tries, "no body left")
	default:
		w.tries = append(w.tries, "timeout")
	}
	w.mu.Unlock()
	w.ended <- struct{}{}
	return resp, err
}

func show(name string, post func(c *http.Client, url string) (*http.Response, error)) {
	var mu sync.Mutex
	got := []string{}
	release := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		mu.Lock()
		got = append(got, string(text))
		first := len(got) == 1
		mu.Unlock()
		if first {
			<-release
		}
	}))
	w := &watching{ended: make(chan struct{}, 9)}
	resp, err := post(&http.Client{Transport: w}, s.URL)
	close(release)
	if resp != nil {
		resp.Body.Close()
	}
	for range 2 {
		<-w.ended
	}
	time.Sleep(300 * time.Millisecond) // real: for a close that does not come
	w.mu.Lock()
	defer w.mu.Unlock()
	slices.Sort(w.tries)
	fmt.Printf("%s: response %v, error %v; the server got %q; tries %q, bodies closed %d\n", name, resp != nil, err != nil, got, w.tries, w.closed)
}

func main() {
	retrier := heimdall.NewRetrier(heimdall.NewConstantBackoff(1, 1))
	show("httpclient", func(c *http.Client, url string) (*http.Response, error) {
		c.Timeout = 2 * time.Second
		return httpclient.NewClient(httpclient.WithHTTPClient(c), httpclient.WithRetryCount(1), httpclient.WithRetrier(retrier)).
			Post(url, strings.NewReader("pay 10"), nil)
	})
	show("hystrix", func(c *http.Client, url string) (*http.Response, error) {
		return hystrix.NewClient(hystrix.WithHTTPClient(c), hystrix.WithCommandName("pay"), hystrix.WithHystrixTimeout(2*time.Second),
			hystrix.WithRetryCount(1), hystrix.WithRetrier(retrier)).Post(url, strings.NewReader("pay 10"), nil)
	})
}
GO
go mod tidy > tidy.log 2>&1 || { cat tidy.log; exit 1; }
go run . > got
cat > want <<'WANT'
httpclient: response true, error false; the server got ["pay 10" "pay 10"]; tries ["200 OK" "timeout"], bodies closed 1
hystrix: response false, error true; the server got ["pay 10"]; tries ["200 OK" "no body left"], bodies closed 0
WANT
diff want got && echo "as stated"
