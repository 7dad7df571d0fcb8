#!/usr/bin/env bash
# http.Response's documentation: Body implements io.Writer as well on a 101 (Switching Protocols),
# "as used by WebSockets"; it is the only way to the connection that a RoundTripper has. Six that put a
# body of their own around the one that they got, to see its end, hide that: PuerkitoBio/rehttp v1.4.0 (always),
# gregjones/httpcache 2019-06-11, failsafe-go v0.9.8 (failsafehttp, a retry policy), hedgedhttp v0.9.2,
# mreiferson/go-httpclient 2020-12-22 with its RequestTimeout, and net/http's own Client with Timeout (Go 1.26.8,
# 1.27.3). The server has switched and the answer is a 101 with a nil error, but no code can
# write: coder/websocket v1.8.15, given such a client, says that the body is no io.ReadWriteCloser. Their
# documentations have no word of it. Over henvic/httpretty v0.2.0 (with ResponseBody), retryablehttp v0.7.8,
# klauspost/compress v1.20.4 (gzhttp) and opentracing-contrib v1.1.1 (nethttp) a message goes
# and comes back. Exits with 0 if that is so.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat > go.mod <<'MOD'
module finding
go 1.26.0
require (
	github.com/PuerkitoBio/rehttp v1.4.0
	github.com/coder/websocket v1.8.15
	github.com/cristalhq/hedgedhttp v0.9.2
	github.com/failsafe-go/failsafe-go v0.9.8
	github.com/gregjones/httpcache v0.0.0-20190611155906-901d90724c79
	github.com/hashicorp/go-retryablehttp v0.7.8
	github.com/henvic/httpretty v0.2.0
	github.com/klauspost/compress v1.20.4
	github.com/mreiferson/go-httpclient v0.0.0-20201222173833-5e475fde3a4d
	github.com/opentracing-contrib/go-stdlib v1.1.1
	github.com/opentracing/opentracing-go v1.2.0
)
MOD
cat > main.go <<'GO'
package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/PuerkitoBio/rehttp"
	"github.com/coder/websocket"
	"github.com/cristalhq/hedgedhttp"
	"github.com/failsafe-go/failsafe-go/failsafehttp"
	"github.com/failsafe-go/failsafe-go/retrypolicy"
	"github.com/gregjones/httpcache"
	"github.com/hashicorp/go-retryablehttp"
	"github.com/henvic/httpretty"
	"github.com/klauspost/compress/gzhttp"
	"github.com/mreiferson/go-httpclient"
	"github.com/opentracing-contrib/go-stdlib/nethttp"
	"github.com/opentracing/opentracing-go"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// traced gives each request the span that nethttp's transport looks for.
type traced struct{}

func (traced) RoundTrip(r *http.Request) (*http.Response, error) {
	r, _ = nethttp.TraceRequest(opentracing.NoopTracer{}, r)
	return (&nethttp.Transport{}).RoundTrip(r)
}

func main() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := must(websocket.Accept(w, r, nil))
		if kind, data, err := c.Read(context.Background()); err == nil {
			c.Write(context.Background(), kind, data)
		}
	}))
	retryable := retryablehttp.NewClient()
	retryable.Logger = nil
	logger := &httpretty.Logger{ResponseHeader: true, ResponseBody: true}
	logger.SetOutput(io.Discard)
	base := http.DefaultTransport
	policy := retrypolicy.NewBuilder[*http.Response]().Build()
	for _, try := range []struct {
		name   string
		client http.Client
	}{
		{"net/http", http.Client{}},
		{"httpretty", http.Client{Transport: logger.RoundTripper(base)}},
		{"retryablehttp", *retryable.StandardClient()},
		{"gzhttp", http.Client{Transport: gzhttp.Transport(base)}},
		{"nethttp", http.Client{Transport: traced{}}},
		{"go-httpclient", http.Client{Transport: &httpclient.Transport{}}},
		{"go-httpclient, RequestTimeout", http.Client{Transport: &httpclient.Transport{RequestTimeout: time.Minute}}},
		{"net/http, Timeout", http.Client{Timeout: time.Minute}},
		{"rehttp", http.Client{Transport: rehttp.NewTransport(base, rehttp.RetryStatuses(503), rehttp.ConstDelay(0))}},
		{"httpcache", http.Client{Transport: httpcache.NewMemoryCacheTransport()}},
		{"failsafehttp", http.Client{Transport: failsafehttp.NewRoundTripper(base, policy)}},
		{"hedgedhttp", http.Client{Transport: must(hedgedhttp.NewRoundTripper(time.Minute, 2, base))}},
	} {
		// Not through a Dial, to see the answer itself.
		request := must(http.NewRequest("GET", server.URL, nil))
		for name, value := range map[string]string{"Connection": "Upgrade", "Upgrade": "websocket",
			"Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA=="} {
			request.Header.Set(name, value)
		}
		response := must(try.client.Do(request))
		_, writes := response.Body.(io.Writer)
		response.Body.Close()
		fmt.Printf("%s: %d, writes %v; WebSocket: ", try.name, response.StatusCode, writes)

		client := try.client
		if client.Timeout > 0 { // Dial keeps a Timeout of the client off, so it goes one layer further down
			client = http.Client{Transport: doer{&try.client}}
		}
		c, _, err := websocket.Dial(context.Background(), server.URL, &websocket.DialOptions{HTTPClient: &client})
		if err != nil {
			_, text, _ := strings.Cut(err.Error(), "dial: ")
			fmt.Println(text)
			continue
		}
		if err := c.Write(context.Background(), websocket.MessageText, []byte("hello")); err != nil {
			panic(err)
		}
		_, data, err := c.Read(context.Background())
		fmt.Printf("%q %v\n", data, err)
	}
}

type doer struct{ *http.Client }

func (d doer) RoundTrip(r *http.Request) (*http.Response, error) { return d.Do(r) }
GO
go mod tidy > tidy.log 2>&1 || { cat tidy.log; exit 1; }
go run . > got
cat > want <<'WANT'
net/http: 101, writes true; WebSocket: "hello" <nil>
httpretty: 101, writes true; WebSocket: "hello" <nil>
retryablehttp: 101, writes true; WebSocket: "hello" <nil>
gzhttp: 101, writes true; WebSocket: "hello" <nil>
nethttp: 101, writes true; WebSocket: "hello" <nil>
go-httpclient: 101, writes true; WebSocket: "hello" <nil>
go-httpclient, RequestTimeout: 101, writes false; WebSocket: response body is not a io.ReadWriteCloser: *httpclient.bodyCloseInterceptor
net/http, Timeout: 101, writes false; WebSocket: response body is not a io.ReadWriteCloser: *http.cancelTimerBody
rehttp: 101, writes false; WebSocket: response body is not a io.ReadWriteCloser: rehttp.cancelReader
httpcache: 101, writes false; WebSocket: response body is not a io.ReadWriteCloser: *httpcache.cachingReadCloser
failsafehttp: 101, writes false; WebSocket: response body is not a io.ReadWriteCloser: *failsafehttp.bodyWithCancel
hedgedhttp: 101, writes false; WebSocket: response body is not a io.ReadWriteCloser: *hedgedhttp.bodyWithCancel
WANT
diff want got && echo "as stated"
