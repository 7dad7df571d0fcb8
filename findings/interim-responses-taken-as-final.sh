#!/usr/bin/env bash
# RFC 9110, 15.2: a client must be able to parse one or more 1xx responses before the final
# one, even if it expects none; one that it does not know may be ignored. A server sends 103
# (RFC 8297: headers that the final response will repeat) or 102, and then 200 with a body.
# The clients of cloudwego/hertz v0.10.4 and lesismal/nbio v1.6.8 (nbhttp) return the 103 or
# 102 with an empty body and a nil error; the 200 is lost. hertz skips one 100 and returns a
# second one; nbio returns the first. net/http and fasthttp v1.78.0 return the 200 (fasthttp
# v1.73.0 does as hertz). Exits with 0 if that is so.
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
	"net"
	"net/http"
	"time"

	hertz "github.com/cloudwego/hertz/pkg/app/client"
	"github.com/cloudwego/hertz/pkg/protocol"
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

// serve answers one request of each connection with before, a 200, and the connection's end.
func serve(before string) string {
	l := must(net.Listen("tcp", "127.0.0.1:0"))
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			if _, err := http.ReadRequest(bufio.NewReader(c)); err == nil {
				io.WriteString(c, before+"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
			}
			c.Close()
		}
	}()
	return "http://" + l.Addr().String()
}

var clients = []struct {
	name string
	get  func(url string) (int, string, error)
}{
	{"net/http", func(url string) (int, string, error) {
		resp, err := http.Get(url)
		if err != nil {
			return 0, "", err
		}
		body, err := io.ReadAll(resp.Body)
		return resp.StatusCode, string(body), err
	}},
	{"fasthttp", func(url string) (int, string, error) {
		status, body, err := new(fasthttp.Client).Get(nil, url)
		return status, string(body), err
	}},
	{"hertz", func(url string) (int, string, error) {
		req, resp := new(protocol.Request), new(protocol.Response)
		req.SetRequestURI(url)
		err := must(hertz.NewClient()).Do(context.Background(), req, resp)
		return resp.StatusCode(), string(resp.Body()), err
	}},
	{"nbio", func(url string) (status int, body string, err error) {
		e := nbhttp.NewEngine(nbhttp.Config{})
		if err := e.Start(); err != nil {
			panic(err)
		}
		done := make(chan struct{})
		(&nbhttp.Client{Engine: e, Timeout: time.Minute}).Do(must(http.NewRequest("GET", url, nil)), func(resp *http.Response, _ net.Conn, failed error) {
			if err = failed; err == nil {
				status = resp.StatusCode
				if resp.Body != nil { // nbio's are nil where there is none
					body = string(must(io.ReadAll(resp.Body)))
				}
			}
			close(done)
		})
		<-done
		return
	}},
}

func main() {
	logging.SetLevel(logging.LevelNone)
	const interim = "HTTP/1.1 %d Interim\r\nLink: </style.css>\r\n\r\n"
	for _, before := range [][]int{{103}, {102}, {100}, {100, 100}} {
		var text string
		for _, status := range before {
			text += fmt.Sprintf(interim, status)
		}
		url := serve(text)
		for _, client := range clients {
			status, body, err := client.get(url)
			fmt.Printf("%v, 200: %s %d %q %v\n", before, client.name, status, body, err)
		}
	}
}
GO
go mod tidy > tidy.log 2>&1 || { cat tidy.log; exit 1; }
go run . > got
cat > want <<'WANT'
[103], 200: net/http 200 "hello" <nil>
[103], 200: fasthttp 200 "hello" <nil>
[103], 200: hertz 103 "" <nil>
[103], 200: nbio 103 "" <nil>
[102], 200: net/http 200 "hello" <nil>
[102], 200: fasthttp 200 "hello" <nil>
[102], 200: hertz 102 "" <nil>
[102], 200: nbio 102 "" <nil>
[100], 200: net/http 200 "hello" <nil>
[100], 200: fasthttp 200 "hello" <nil>
[100], 200: hertz 200 "hello" <nil>
[100], 200: nbio 100 "" <nil>
[100 100], 200: net/http 200 "hello" <nil>
[100 100], 200: fasthttp 200 "hello" <nil>
[100 100], 200: hertz 100 "" <nil>
[100 100], 200: nbio 100 "" <nil>
WANT
diff want got && echo "as stated"
