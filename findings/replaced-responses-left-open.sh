#!/usr/bin/env bash
# http.Response's documentation: it is the caller's responsibility to close Body. Two
# RoundTrippers that fetch one response, return another, and never close the first, each of
# which keeps its connection: gregjones/httpcache 2019-06-11, where the server answers 500 and
# the stale copy may stand in for it (Cache-Control: stale-if-error; 2 of 3 requests); and gock
# v1.2.0, where a mock has EnableNetworking and a body of its own, or an error (ReplyError): it
# asks the server for each request and drops all 3 answers. The caller closes every body that
# it gets to see. Exits with 0 if that is so.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat > go.mod <<'MOD'
module finding
go 1.26.0
require (
	github.com/gregjones/httpcache v0.0.0-20190611155906-901d90724c79
	github.com/h2non/gock v1.2.0
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

	"github.com/gregjones/httpcache"
	"github.com/h2non/gock"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// counting counts the responses that it hands out and the bodies of theirs that are closed.
type counting struct {
	http.Transport
	given, closed int
}

type body struct {
	io.ReadCloser
	c *counting
}

func (b *body) Close() error { b.c.closed++; return b.ReadCloser.Close() }

func (c *counting) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := c.Transport.RoundTrip(r)
	if err == nil {
		c.given++
		resp.Body = &body{resp.Body, c}
	}
	return resp, err
}

func main() {
	var asked atomic.Int32
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "max-age=0, stale-if-error=600")
		if r.URL.Path == "/cached" && asked.Add(1) > 1 {
			w.WriteHeader(500)
		}
		io.WriteString(w, "real")
	}))
	get := func(name, path string, c *counting, rt http.RoundTripper, mock func()) {
		seen := ""
		for range 3 {
			mock()
			resp, err := (&http.Client{Transport: rt}).Get(s.URL + path)
			if err != nil {
				seen += " error"
				continue
			}
			seen += fmt.Sprintf(" %d %s", resp.StatusCode, must(io.ReadAll(resp.Body)))
			resp.Body.Close()
		}
		fmt.Printf("%s: the caller got%s; the server's answers %d, closed %d\n", name, seen, c.given, c.closed)
	}
	c := new(counting)
	cache := httpcache.NewMemoryCacheTransport()
	cache.Transport = c
	get("httpcache", "/cached", c, cache, func() {})

	c = new(counting)
	get("gock, body", "/", c, &gock.Transport{Transport: c}, func() { gock.New(s.URL).Get("/").EnableNetworking().Reply(200).BodyString("mock") })

	c = new(counting)
	get("gock, error", "/", c, &gock.Transport{Transport: c}, func() { gock.New(s.URL).Get("/").EnableNetworking().ReplyError(io.ErrUnexpectedEOF) })
}
GO
go mod tidy > tidy.log 2>&1 || { cat tidy.log; exit 1; }
go run . > got
cat > want <<'WANT'
httpcache: the caller got 200 real 200 real 200 real; the server's answers 3, closed 1
gock, body: the caller got 200 mock 200 mock 200 mock; the server's answers 3, closed 0
gock, error: the caller got error error error; the server's answers 3, closed 0
WANT
diff want got && echo "as stated"
