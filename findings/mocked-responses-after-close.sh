#!/usr/bin/env bash
# http.ErrBodyReadAfterClose's documentation: it is the error of a Read of a response's Body
# after its Close; RFC 9110, 9.3.2: an answer to HEAD has no content. With the responses of
# jarcoal/httpmock v1.4.2, h2non/gock v1.2.0 and dnaeon/go-vcr v4.0.8 (replaying) a Read after
# Close has no error: it gives the whole body (gock, go-vcr) or io.EOF, as of an empty one
# (httpmock), so code that closes too early passes its tests and fails in production. A HEAD
# request that httpmock's and gock's mocks answer has a body of 6 bytes. httpmock's responses
# have no Proto and are "HTTP/0.0" for Response.Write, httputil's dumps and what stores those:
# gregjones/httpcache returns them so from its cache. Exits with 0 if that is so.
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
	"time"

	"github.com/gregjones/httpcache"
	"github.com/h2non/gock"
	"github.com/jarcoal/httpmock"
	"gopkg.in/dnaeon/go-vcr.v4/pkg/recorder"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func main() {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "answer") }))
	real := http.DefaultTransport
	record := must(recorder.New("cassette", recorder.WithRealTransport(real)))
	must((&http.Client{Transport: record}).Get(s.URL))
	must((&http.Client{Transport: record}).Head(s.URL))
	record.Stop()

	mock := httpmock.NewMockTransport()
	answer := httpmock.NewStringResponse(200, "answer")
	answer.Header.Set("Date", time.Now().UTC().Format(http.TimeFormat))
	answer.Header.Set("Cache-Control", "max-age=600")
	mock.RegisterResponder("GET", s.URL, httpmock.ResponderFromResponse(answer))
	mock.RegisterResponder("HEAD", s.URL, httpmock.ResponderFromResponse(answer))
	gock.New(s.URL).Get("").Reply(200).BodyString("answer")
	gock.New(s.URL).Head("").Reply(200).BodyString("answer")
	for _, x := range []struct {
		name string
		rt   http.RoundTripper
	}{
		{"net/http", real}, {"httpmock", mock}, {"gock", gock.DefaultTransport},
		{"go-vcr", must(recorder.New("cassette", recorder.WithMode(recorder.ModeReplayOnly)))},
	} {
		c := &http.Client{Transport: x.rt}
		resp := must(c.Get(s.URL))
		resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		fmt.Printf("%s: %q, after Close %q and %v", x.name, resp.Proto, text, err)
		resp = must(c.Head(s.URL))
		fmt.Printf("; a HEAD's body has %d bytes\n", len(must(io.ReadAll(resp.Body))))
	}

	cache := httpcache.NewMemoryCacheTransport()
	cache.Transport = mock
	for range 2 {
		resp := must(cache.Client().Get(s.URL))
		must(io.ReadAll(resp.Body))
		fmt.Printf("httpcache over httpmock: %q, from the cache %v\n", resp.Proto, resp.Header.Get(httpcache.XFromCache) != "")
	}
}
GO
go mod tidy > tidy.log 2>&1 || { cat tidy.log; exit 1; }
go run . > got
cat > want <<'WANT'
net/http: "HTTP/1.1", after Close "" and http: read on closed response body; a HEAD's body has 0 bytes
httpmock: "", after Close "" and <nil>; a HEAD's body has 6 bytes
gock: "HTTP/1.1", after Close "answer" and <nil>; a HEAD's body has 6 bytes
go-vcr: "HTTP/1.1", after Close "answer" and <nil>; a HEAD's body has 0 bytes
httpcache over httpmock: "", from the cache false
httpcache over httpmock: "HTTP/0.0", from the cache true
WANT
diff want got && echo "as stated"
