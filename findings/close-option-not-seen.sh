#!/usr/bin/env bash
# RFC 9110, 7.6.1: Connection is a list of options, and their case does not matter. RFC 9112,
# 9.6: a client that receives "close" must send no more requests on that connection, a server
# that does must close it after its response. Of "close", "Close" and "foo, close", the client
# and the server of cloudwego/hertz v0.10.4 know the first only, lesismal/nbio v1.6.8 (nbhttp)
# none of them in its client and not the last in its server: such a connection goes back into
# the pool, and a second request is sent, or answered, on it. A server that closes as it
# announced then has a request in flight, which is the race that the option is there to avoid.
# net/http and fasthttp v1.78.0 know all three. Exits with 0 if that is so.
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
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/cloudwego/hertz/pkg/app"
	hertz "github.com/cloudwego/hertz/pkg/app/client"
	"github.com/cloudwego/hertz/pkg/app/server"
	"github.com/cloudwego/hertz/pkg/common/hlog"
	"github.com/cloudwego/hertz/pkg/network/standard"
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

// serve answers every request with an option in Connection, and goes on all the same. It
// counts the connections that carry a request.
func serve(option string) (url string, used *atomic.Int32) {
	l, used := must(net.Listen("tcp", "127.0.0.1:0")), new(atomic.Int32)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				br := bufio.NewReader(c)
				for i := 0; ; i++ {
					if _, err := http.ReadRequest(br); err != nil {
						return
					}
					if i == 0 {
						used.Add(1)
					}
					io.WriteString(c, "HTTP/1.1 200 OK\r\nConnection: "+option+"\r\nContent-Length: 5\r\n\r\nhello")
				}
			}()
		}
	}()
	return "http://" + l.Addr().String(), used
}

// clients has functions that make one that sends a GET and waits for the answer.
var clients = []struct {
	name string
	get  func() func(url string) error
}{
	{"net/http", func() func(url string) error {
		return func(url string) error {
			resp, err := http.Get(url)
			if err == nil {
				_, err = io.ReadAll(resp.Body)
				resp.Body.Close()
			}
			return err
		}
	}},
	{"fasthttp", func() func(url string) error {
		c := new(fasthttp.Client)
		return func(url string) error {
			_, _, err := c.Get(nil, url)
			return err
		}
	}},
	{"hertz", func() func(url string) error {
		c := must(hertz.NewClient())
		return func(url string) error {
			req, resp := new(protocol.Request), new(protocol.Response)
			req.SetRequestURI(url)
			return c.Do(context.Background(), req, resp)
		}
	}},
	{"nbio", func() func(url string) error {
		e := nbhttp.NewEngine(nbhttp.Config{})
		if err := e.Start(); err != nil {
			panic(err)
		}
		// One connection at a time: its callback returns before the next request is sent.
		c := &nbhttp.Client{Engine: e, Timeout: time.Minute, MaxConnsPerHost: 1}
		return func(url string) error {
			done := make(chan error, 1)
			c.Do(must(http.NewRequest("GET", url, nil)), func(_ *http.Response, _ net.Conn, err error) { done <- err })
			return <-done
		}
	}},
}

// free returns an address that a server can listen on.
func free() string {
	l := must(net.Listen("tcp", "127.0.0.1:0"))
	defer l.Close()
	return l.Addr().String()
}

// servers has functions that start one and return its address.
var servers = []struct {
	name  string
	start func() string
}{
	{"net/http", func() string {
		l := must(net.Listen("tcp", "127.0.0.1:0"))
		go http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {}))
		return l.Addr().String()
	}},
	{"fasthttp", func() string {
		l := must(net.Listen("tcp", "127.0.0.1:0"))
		go fasthttp.Serve(l, func(*fasthttp.RequestCtx) {})
		return l.Addr().String()
	}},
	{"hertz", func() string {
		hlog.SetOutput(io.Discard)
		l := must(net.Listen("tcp", "127.0.0.1:0"))
		h := server.New(server.WithListener(l), server.WithTransport(standard.NewTransporter))
		h.GET("/", func(context.Context, *app.RequestContext) {})
		go h.Run()
		return l.Addr().String()
	}},
	{"nbio", func() string {
		address := free()
		e := nbhttp.NewEngine(nbhttp.Config{Network: "tcp", Addrs: []string{address},
			Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {})})
		if err := e.Start(); err != nil {
			panic(err)
		}
		return address
	}},
}

func main() {
	logging.SetLevel(logging.LevelNone)
	options := []string{"close", "Close", "foo, close"}
	for _, client := range clients {
		fmt.Printf("client %s, two requests:", client.name)
		for _, option := range options {
			url, used := serve(option)
			get := client.get()
			for range 2 {
				if err := get(url); err != nil {
					panic(err)
				}
			}
			fmt.Printf(" %q %d connections;", option, used.Load())
		}
		fmt.Println()
	}
	for _, server := range servers {
		address := server.start()
		fmt.Printf("server %s, two requests:", server.name)
		for _, option := range options {
			c := must(net.Dial("tcp", address))
			io.WriteString(c, "GET / HTTP/1.1\r\nHost: h\r\nConnection: "+option+"\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
			answers := must(io.ReadAll(c))
			fmt.Printf(" %q %d answers;", option, bytes.Count(answers, []byte("HTTP/1.1 200 OK")))
		}
		fmt.Println()
	}
}
GO
go mod tidy > tidy.log 2>&1 || { cat tidy.log; exit 1; }
go run . > got
cat > want <<'WANT'
client net/http, two requests: "close" 2 connections; "Close" 2 connections; "foo, close" 2 connections;
client fasthttp, two requests: "close" 2 connections; "Close" 2 connections; "foo, close" 2 connections;
client hertz, two requests: "close" 2 connections; "Close" 1 connections; "foo, close" 1 connections;
client nbio, two requests: "close" 1 connections; "Close" 1 connections; "foo, close" 1 connections;
server net/http, two requests: "close" 1 answers; "Close" 1 answers; "foo, close" 1 answers;
server fasthttp, two requests: "close" 1 answers; "Close" 1 answers; "foo, close" 1 answers;
server hertz, two requests: "close" 1 answers; "Close" 2 answers; "foo, close" 2 answers;
server nbio, two requests: "close" 1 answers; "Close" 1 answers; "foo, close" 2 answers;
WANT
diff want got && echo "as stated"
