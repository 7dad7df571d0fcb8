#!/usr/bin/env bash
# rueidis 1.0.79 and valkey-go 1.0.79, ConnLifetime: "a lifetime for each connection. If specified,
# connections will close after passing lifetime." A connection of their pools (all commands with
# DisableAutoPipelining, else blocking ones) has its timer stopped when a command takes it, which the
# documentation says, and when it comes back the timer is set to the whole lifetime again, not to what is
# left (pool.go, Store; pipe.go, ResetTimer). So a connection that is used at least once in each lifetime
# is never closed: with a lifetime of 1 minute and a command every 25 seconds 1 connection serves
# an hour, and a new address, or certificate, of the server is not seen. With pipelining, the same commands
# take 49 connections. In a bubble of testing/synctest, so an hour is exact. Exits with 0 if that is so.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
go mod init example.test/finding > /dev/null 2>&1
go get github.com/redis/rueidis@v1.0.79 github.com/valkey-io/valkey-go@v1.0.79 > get.log 2>&1 || { cat get.log; exit 1; }
cat > main_test.go <<'GO'
package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/rueidis"
	"github.com/valkey-io/valkey-go"
)

// serve answers the commands of a connection.
func serve(c net.Conn) {
	defer c.Close()
	out := make(chan string, 100)
	defer close(out)
	go func() {
		for answer := range out {
			io.WriteString(c, answer)
		}
	}()
	for r := bufio.NewReader(c); ; {
		head, err := r.ReadString('\n')
		if err != nil {
			return
		}
		words, _ := strconv.Atoi(strings.TrimSpace(head[1:]))
		var first string
		for i := range words {
			r.ReadString('\n') // its length
			word, _ := r.ReadString('\n')
			if i == 0 {
				first = strings.ToUpper(strings.TrimSpace(word))
			}
		}
		switch first {
		case "HELLO":
			out <- "%3\r\n$6\r\nserver\r\n$5\r\nredis\r\n$7\r\nversion\r\n$5\r\n7.2.0\r\n$5\r\nproto\r\n:3\r\n"
		case "PING":
			out <- "+PONG\r\n"
		default:
			out <- "+OK\r\n"
		}
	}
}

// hour sends a command every 25 seconds and prints how many connections carried them.
func hour(t *testing.T, name string, pipelining bool, start func(dial func() net.Conn) (send func() error, end func())) {
	synctest.Test(t, func(t *testing.T) {
		used := make(map[int]bool)
		number, last := 0, 0
		send, end := start(func() net.Conn {
			number++
			n := number
			a, b := net.Pipe()
			go serve(b)
			return counted{a, func() { last = n }}
		})
		for range 144 {
			time.Sleep(25 * time.Second)
			last = 0
			if err := send(); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			used[last] = true
		}
		fmt.Printf("finding: %s, pipelining %v: 144 commands, connections %d\n", name, pipelining, len(used))
		end()
	})
}

// counted tells of each Write.
type counted struct {
	net.Conn
	written func()
}

func (c counted) Write(p []byte) (int, error) {
	c.written()
	return c.Conn.Write(p)
}

func Test(t *testing.T) {
	for _, pipelining := range []bool{true, false} {
		hour(t, "rueidis", pipelining, func(dial func() net.Conn) (func() error, func()) {
			c, err := rueidis.NewClient(rueidis.ClientOption{InitAddress: []string{"server.test:1"}, DisableCache: true, ForceSingleClient: true, ConnLifetime: time.Minute,
				DisableAutoPipelining: !pipelining, PipelineMultiplex: -1, Dialer: net.Dialer{KeepAlive: time.Hour},
				DialCtxFn: func(context.Context, string, *net.Dialer, *tls.Config) (net.Conn, error) { return dial(), nil }})
			if err != nil {
				t.Fatal(err)
			}
			return func() error { return c.Do(context.Background(), c.B().Set().Key("k").Value("v").Build()).Error() }, c.Close
		})
		hour(t, "valkey-go", pipelining, func(dial func() net.Conn) (func() error, func()) {
			c, err := valkey.NewClient(valkey.ClientOption{InitAddress: []string{"server.test:1"}, DisableCache: true, ForceSingleClient: true, ConnLifetime: time.Minute,
				DisableAutoPipelining: !pipelining, PipelineMultiplex: -1, Dialer: net.Dialer{KeepAlive: time.Hour},
				DialCtxFn: func(context.Context, string, *net.Dialer, *tls.Config) (net.Conn, error) { return dial(), nil }})
			if err != nil {
				t.Fatal(err)
			}
			return func() error { return c.Do(context.Background(), c.B().Set().Key("k").Value("v").Build()).Error() }, c.Close
		})
	}
}
GO
go mod tidy > tidy.log 2>&1 || { cat tidy.log; exit 1; }
go test -count 1 . > test.log 2>&1 || { cat test.log; exit 1; }
go test -count 1 -v . | sed -n 's/^finding: //p' > got
cat > want <<'WANT'
rueidis, pipelining true: 144 commands, connections 49
valkey-go, pipelining true: 144 commands, connections 49
rueidis, pipelining false: 144 commands, connections 1
valkey-go, pipelining false: 144 commands, connections 1
WANT
diff want got && echo "as stated"
