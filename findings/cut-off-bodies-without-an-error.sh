#!/usr/bin/env bash
# net/http's Response.Body: a body that ends before its Content-Length, or without its last chunk, ends with
# io.ErrUnexpectedEOF (RFC 9112, 8: such a response is incomplete). A server sends "abc" of 10 bytes, or
# one chunk, and closes. The logging transport henvic/httpretty v0.2.0 with ResponseBody hands the
# caller 3 bytes and io.EOF where a Content-Length was (it reads ahead, with io.ReadFull, and the error that means
# a cut-off body there is the same that means a short buffer: printer.go), so that switching logs on makes a
# broken download a success. elazarl/goproxy v1.9.4 logs the error and ends the chunked answer in order (http.go),
# so its client has none. parnurzeal/gorequest v0.3.0 drops it (gorequest.go, End): no errors. go-vcr
# v4.0.8 (recording), gregjones/httpcache 2019-06-11, google/martian v3.3.3 and resty v2.17.2
# tell of both. Exits with 0 if that is so.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat > go.mod <<'MOD'
module finding
go 1.26.0
require (
	github.com/elazarl/goproxy v1.9.4
	github.com/go-resty/resty/v2 v2.17.2
	github.com/google/martian/v3 v3.3.3
	github.com/gregjones/httpcache v0.0.0-20190611155906-901d90724c79
	github.com/henvic/httpretty v0.2.0
	github.com/parnurzeal/gorequest v0.3.0
	gopkg.in/dnaeon/go-vcr.v4 v4.0.8
)
MOD
cat > main.go <<'GO'
package main

import (
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"

	"github.com/elazarl/goproxy"
	"github.com/go-resty/resty/v2"
	"github.com/google/martian/v3"
	martianlog "github.com/google/martian/v3/log"
	"github.com/gregjones/httpcache"
	"github.com/henvic/httpretty"
	"github.com/parnurzeal/gorequest"
	"gopkg.in/dnaeon/go-vcr.v4/pkg/recorder"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// serve answers each request with a body that is cut off.
func serve(l net.Listener) {
	bodies := map[string]string{
		"/length":  "Content-Length: 10\r\n\r\nabc",
		"/chunked": "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
	}
	(&http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, _, err := w.(http.Hijacker).Hijack()
		if err == nil {
			io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"+bodies[r.URL.Path])
			c.Close()
		}
	})}).Serve(l)
}

// through returns a client of a transport; proxied, one of a proxy.
func through(rt http.RoundTripper) func(string) (string, error) {
	return func(target string) (string, error) {
		resp, err := (&http.Client{Transport: rt}).Get(target)
		if err != nil {
			return "", err
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		return string(body), err
	}
}

func proxied(address string) func(string) (string, error) {
	return through(&http.Transport{DisableKeepAlives: true, Proxy: http.ProxyURL(&url.URL{Scheme: "http", Host: address})})
}

func main() {
	log.SetOutput(io.Discard)
	martianlog.SetLevel(martianlog.Silent)
	l := must(net.Listen("tcp", "127.0.0.1:0"))
	go serve(l)

	logger := &httpretty.Logger{ResponseBody: true}
	logger.SetOutput(io.Discard)
	cache := httpcache.NewMemoryCacheTransport()
	vcr := must(recorder.New("cassette", recorder.WithMode(recorder.ModeRecordOnly)))
	martianAt := must(net.Listen("tcp", "127.0.0.1:0"))
	go martian.NewProxy().Serve(martianAt)
	clients := []struct {
		name string
		get  func(string) (string, error)
	}{
		{"net/http", through(http.DefaultTransport)},
		{"httpretty", through(logger.RoundTripper(http.DefaultTransport))},
		{"httpcache", through(cache)},
		{"go-vcr", through(vcr)},
		{"goproxy", proxied(httptest.NewServer(goproxy.NewProxyHttpServer()).Listener.Addr().String())},
		{"martian", proxied(martianAt.Addr().String())},
		{"resty", func(target string) (string, error) {
			resp, err := resty.New().R().Get(target)
			return resp.String(), err
		}},
		{"gorequest", func(target string) (string, error) {
			_, body, errs := gorequest.New().Get(target).End()
			if len(errs) > 0 {
				return body, errs[0]
			}
			return body, nil
		}},
	}
	for _, c := range clients {
		line := c.name
		for _, path := range []string{"/length", "/chunked"} {
			body, err := c.get("http://" + l.Addr().String() + path)
			if errors.Is(err, io.ErrUnexpectedEOF) {
				line += "; " + path[1:] + " unexpected EOF"
			} else {
				line += fmt.Sprintf("; %s %q and the error %v", path[1:], body, err)
			}
		}
		fmt.Println(line)
	}
}
GO
go mod tidy > tidy.log 2>&1 || { cat tidy.log; exit 1; }
go run . > got
cat > want <<'WANT'
net/http; length unexpected EOF; chunked unexpected EOF
httpretty; length "abc" and the error <nil>; chunked unexpected EOF
httpcache; length unexpected EOF; chunked unexpected EOF
go-vcr; length unexpected EOF; chunked unexpected EOF
goproxy; length unexpected EOF; chunked "abc" and the error <nil>
martian; length unexpected EOF; chunked unexpected EOF
resty; length unexpected EOF; chunked unexpected EOF
gorequest; length "abc" and the error <nil>; chunked "abc" and the error <nil>
WANT
diff want got && echo "as stated"
