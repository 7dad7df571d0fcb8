#!/usr/bin/env bash
# RFC 9112, 6.3: a response without a length ends with its connection (rule 8), and one to
# status 304 has no body whatever its Content-Length says (rule 1: it is that of the 200 that it
# stands for). 4: the reason phrase of a status line may be empty. The client of
# lesismal/nbio v1.6.8 (nbhttp) on these three: the body that ends with the connection is lost,
# 200 with none and a nil error; it waits for 5 bytes after the 304 and has an error when the
# server closes; and the empty phrase takes its body away, 200 and none, though the
# Content-Length is 5. http.Response's documentation, Body is never nil: where there is none
# nbio's is. net/http, hertz v0.10.4 and fasthttp v1.78.0 are right on all three.
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

// serve answers one request of each connection, and then closes it.
func serve(answer string) string {
	l := must(net.Listen("tcp", "127.0.0.1:0"))
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			if _, err := http.ReadRequest(bufio.NewReader(c)); err == nil {
				io.WriteString(c, answer)
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
				status, body = resp.StatusCode, "(nil)"
				if resp.Body != nil {
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
	for _, answer := range []string{
		"HTTP/1.1 200 OK\r\n\r\nhello",
		"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n",
		"HTTP/1.1 200 \r\nContent-Length: 5\r\n\r\nhello",
	} {
		url := serve(answer)
		for _, client := range clients {
			status, body, err := client.get(url)
			fmt.Printf("%q: %s %d %q %v\n", answer, client.name, status, body, err)
		}
	}
}
GO
go mod tidy > tidy.log 2>&1 || { cat tidy.log; exit 1; }
go run . > got
cat > want <<'WANT'
"HTTP/1.1 200 OK\r\n\r\nhello": net/http 200 "hello" <nil>
"HTTP/1.1 200 OK\r\n\r\nhello": fasthttp 200 "hello" <nil>
"HTTP/1.1 200 OK\r\n\r\nhello": hertz 200 "hello" <nil>
"HTTP/1.1 200 OK\r\n\r\nhello": nbio 200 "(nil)" <nil>
"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n": net/http 304 "" <nil>
"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n": fasthttp 304 "" <nil>
"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n": hertz 304 "" <nil>
"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n": nbio 0 "" EOF
"HTTP/1.1 200 \r\nContent-Length: 5\r\n\r\nhello": net/http 200 "hello" <nil>
"HTTP/1.1 200 \r\nContent-Length: 5\r\n\r\nhello": fasthttp 200 "hello" <nil>
"HTTP/1.1 200 \r\nContent-Length: 5\r\n\r\nhello": hertz 200 "hello" <nil>
"HTTP/1.1 200 \r\nContent-Length: 5\r\n\r\nhello": nbio 200 "(nil)" <nil>
WANT
diff want got && echo "as stated"
