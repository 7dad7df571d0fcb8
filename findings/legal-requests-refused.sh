#!/usr/bin/env bash
# RFC 9112 and 9110, what a server must take: chunk extensions that it does not know (9112,
# 7.1.1), trailer fields that no Trailer announced (9110, 6.6.2: a sender should), a tab as
# the space around a field's value (9110, 5.6.3), a target in absolute form (9112, 3.2.2), a
# method with a "." in it (9110, 5.6.2), the last only to answer 501 if need be. The server of
# cloudwego/hertz v0.10.4 answers 400 to the first and the third; that of lesismal/nbio v1.6.8
# (nbhttp) closes the connection without an answer on all but the first, which a client takes
# for a broken connection and may try again. nbio's also sends a body with its answer to HEAD
# (9110, 9.3.2: none). net/http and fasthttp v1.78.0 take all of them.
# Exits with 0 if that is so.
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
	"bufio"
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

var requests = []struct{ name, text string }{
	{"chunk extension", "POST /p HTTP/1.1\r\nTransfer-Encoding: chunked\r\n*\r\n5;name=value\r\nhello\r\n0\r\n\r\n"},
	{"trailer field", "POST /p HTTP/1.1\r\nTransfer-Encoding: chunked\r\n*\r\n5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n"},
	{"tab", "POST /p HTTP/1.1\r\nContent-Length:\t5\r\n*\r\nhello"},
	{"absolute form", "GET http://h/p HTTP/1.1\r\n*\r\n"},
	{"method", "A.B /p HTTP/1.1\r\n*\r\n"},
	{"HEAD", "HEAD /p HTTP/1.1\r\n*\r\n"},
}

func main() {
	logging.SetLevel(logging.LevelNone)
	for _, server := range servers {
		address := server.start()
		fmt.Printf("%s:", server.name)
		for _, request := range requests {
			c := must(net.Dial("tcp", address))
			io.WriteString(c, strings.Replace(request.text, "*", "Host: h\r\nConnection: close\r\n", 1))
			br := bufio.NewReader(c)
			method, _, _ := strings.Cut(request.text, " ")
			resp, err := http.ReadResponse(br, &http.Request{Method: method})
			if err != nil {
				fmt.Printf(" %s, %v;", request.name, err)
				continue
			}
			must(io.ReadAll(resp.Body))
			fmt.Printf(" %s, %d", request.name, resp.StatusCode)
			if method == "HEAD" {
				fmt.Printf(" and a body %v", len(must(io.ReadAll(br))) > 0)
			}
			fmt.Print(";")
		}
		fmt.Println()
	}
}
GO
go mod tidy > tidy.log 2>&1 || { cat tidy.log; exit 1; }
go run . > got
cat > want <<'WANT'
net/http: chunk extension, 200; trailer field, 200; tab, 200; absolute form, 200; method, 200; HEAD, 200 and a body false;
fasthttp: chunk extension, 200; trailer field, 200; tab, 200; absolute form, 200; method, 200; HEAD, 200 and a body false;
hertz: chunk extension, 400; trailer field, 200; tab, 400; absolute form, 200; method, 200; HEAD, 200 and a body false;
nbio: chunk extension, 200; trailer field, unexpected EOF; tab, unexpected EOF; absolute form, unexpected EOF; method, unexpected EOF; HEAD, 200 and a body true;
WANT
diff want got && echo "as stated"
