#!/usr/bin/env bash
# RFC 9110, 10.1.1: the value of Expect does not depend on case, a server that receives it must
# send 100 or a final response, and one in an HTTP/1.0 request must be ignored; 15.2: no 1xx
# goes to an HTTP/1.0 client. The server of cloudwego/hertz v0.10.4 takes "100-Continue" for
# nothing, so a client that waits for the 100 waits out its own timer, and answers an HTTP/1.0
# request with a 100 before its 200. That of lesismal/nbio v1.6.8 (nbhttp) never sends a 100.
# net/http and fasthttp v1.78.0 do as the RFC says (fasthttp v1.73.0 as hertz). The client of
# the script sends a header and ends its side, as one that gives up, and reads to the end, so
# no time is in it. Exits with 0 if that is so.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat > go.mod <<'MOD'
module finding
go 1.26.0
require (
	github.com/cloudwego/hertz v0.10.4
	github.com/lesismal/nbio v1.6.8
	github.com/valyala/fasthttp v1.78.0
)
MOD
cat > main.go <<'GO'
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strings"

	"github.com/cloudwego/hertz/pkg/app"
	"github.com/cloudwego/hertz/pkg/app/server"
	"github.com/cloudwego/hertz/pkg/common/hlog"
	"github.com/cloudwego/hertz/pkg/network/standard"
	"github.com/lesismal/nbio/logging"
	"github.com/lesismal/nbio/nbhttp"
	"github.com/valyala/fasthttp"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// servers has functions that start one and return its address. Their handlers answer with
// the method, the target and the body.
var servers = []struct {
	name  string
	start func() string
}{
	{"net/http", func() string {
		l := must(net.Listen("tcp", "127.0.0.1:0"))
		go http.Serve(l, http.HandlerFunc(answer))
		return l.Addr().String()
	}},
	{"fasthttp", func() string {
		l := must(net.Listen("tcp", "127.0.0.1:0"))
		s := &fasthttp.Server{Logger: log.New(io.Discard, "", 0), Handler: func(c *fasthttp.RequestCtx) {
			fmt.Fprintf(c, "%s %s %q", c.Method(), c.RequestURI(), c.PostBody())
		}}
		go s.Serve(l)
		return l.Addr().String()
	}},
	{"hertz", func() string {
		hlog.SetOutput(io.Discard)
		l := must(net.Listen("tcp", "127.0.0.1:0"))
		h := server.New(server.WithListener(l), server.WithTransport(standard.NewTransporter))
		h.NoRoute(func(_ context.Context, c *app.RequestContext) {
			c.SetStatusCode(200)
			fmt.Fprintf(c, "%s %s %q", c.Method(), c.URI().RequestURI(), c.Request.Body())
		})
		go h.Run()
		return l.Addr().String()
	}},
	{"nbio", func() string {
		l := must(net.Listen("tcp", "127.0.0.1:0"))
		address := l.Addr().String()
		l.Close()
		e := nbhttp.NewEngine(nbhttp.Config{Network: "tcp", Addrs: []string{address}, Handler: http.HandlerFunc(answer)})
		if err := e.Start(); err != nil {
			panic(err)
		}
		return address
	}},
}

func answer(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	fmt.Fprintf(w, "%s %s %q", r.Method, r.RequestURI, body)
}

func main() {
	logging.SetLevel(logging.LevelNone)
	for _, server := range servers {
		address := server.start()
		for _, request := range []string{
			"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n",
			"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nExpect: 100-Continue\r\n\r\n",
			"POST / HTTP/1.0\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\nhello",
		} {
			c := must(net.Dial("tcp", address)).(*net.TCPConn)
			io.WriteString(c, request)
			if strings.HasSuffix(request, "\r\n\r\n") {
				c.CloseWrite()
			}
			answers := must(io.ReadAll(c))
			fmt.Printf("%s: %q: 100 is sent %v\n", server.name, request[7:], strings.Contains(string(answers), "100 Continue"))
		}
	}
}
GO
go mod tidy > tidy.log 2>&1 || { cat tidy.log; exit 1; }
go run . > got
cat > want <<'WANT'
net/http: "HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n": 100 is sent true
net/http: "HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nExpect: 100-Continue\r\n\r\n": 100 is sent true
net/http: "HTTP/1.0\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\nhello": 100 is sent false
fasthttp: "HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n": 100 is sent true
fasthttp: "HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nExpect: 100-Continue\r\n\r\n": 100 is sent true
fasthttp: "HTTP/1.0\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\nhello": 100 is sent false
hertz: "HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n": 100 is sent true
hertz: "HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nExpect: 100-Continue\r\n\r\n": 100 is sent false
hertz: "HTTP/1.0\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\nhello": 100 is sent true
nbio: "HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n": 100 is sent false
nbio: "HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nExpect: 100-Continue\r\n\r\n": 100 is sent false
nbio: "HTTP/1.0\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\nhello": 100 is sent false
WANT
diff want got && echo "as stated"
