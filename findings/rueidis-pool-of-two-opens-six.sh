#!/usr/bin/env bash
# rueidis 1.0.79 and valkey-go 1.0.79, BlockingPoolSize: "the size of the connection pool shared by
# blocking commands"; a command whose context has ended before the call sends nothing, and returns
# the context's error. Yet each of them makes the pool believe that it has a connection less:
# Acquire (pool.go) hands out a stand-in without adding it, and Store subtracts it. After four such
# commands a pool of 2 opens 6 connections for 6 commands at once, and without them 2. Exits with 0 if that is so.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
go mod init example.test/finding > /dev/null 2>&1
go get github.com/redis/rueidis@v1.0.79 github.com/valkey-io/valkey-go@v1.0.79 > get.log 2>&1 || { cat get.log; exit 1; }
cat > main.go <<'GO'
package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"

	"github.com/redis/rueidis"
	"github.com/valkey-io/valkey-go"
)

// server answers commands; ECHO only when the gate is open.
type server struct {
	gate    chan struct{}
	waiting chan struct{} // an ECHO has come

	mu   sync.Mutex
	echo map[net.Conn]bool // the connections on which one came
}

func (s *server) dial() net.Conn {
	a, b := net.Pipe()
	go s.serve(b)
	return a
}

func (s *server) serve(c net.Conn) {
	defer c.Close()
	r := bufio.NewReader(c)
	out := make(chan string, 100)
	defer close(out)
	go func() {
		for o := range out {
			io.WriteString(c, o)
		}
	}()
	for {
		var words []string
		head, err := r.ReadString('\n')
		if err != nil {
			return
		}
		n, _ := strconv.Atoi(strings.TrimSpace(head[1:]))
		for range n {
			r.ReadString('\n') // its length
			w, _ := r.ReadString('\n')
			words = append(words, strings.TrimSpace(w))
		}
		switch strings.ToUpper(words[0]) {
		case "HELLO":
			out <- "%3\r\n$6\r\nserver\r\n$5\r\nredis\r\n$7\r\nversion\r\n$5\r\n7.2.0\r\n$5\r\nproto\r\n:3\r\n"
		case "ECHO":
			s.mu.Lock()
			s.echo[c] = true
			s.mu.Unlock()
			s.waiting <- struct{}{}
			<-s.gate
			out <- fmt.Sprintf("$%d\r\n%s\r\n", len(words[1]), words[1])
		case "PING":
			out <- "+PONG\r\n"
		default:
			out <- "+OK\r\n"
		}
	}
}

type client func(ctx context.Context, say string) error

// open says how many connections six commands at once are sent on.
func open(name string, s *server, do client, ended int) {
	past, cancel := context.WithCancel(context.Background())
	cancel()
	for range ended {
		if err := do(past, "late"); !errors.Is(err, context.Canceled) {
			panic(err)
		}
	}
	var group sync.WaitGroup
	for i := range 6 {
		group.Go(func() {
			if err := do(context.Background(), fmt.Sprint(i)); err != nil {
				panic(err)
			}
		})
	}
	// The commands that have a connection wait at the gate; so many must come.
	most := min(6, 2+ended)
	for range most {
		<-s.waiting
	}
	s.mu.Lock()
	fmt.Printf("%s: after %d commands whose contexts had ended, 6 at once are on %d connections\n", name, ended, len(s.echo))
	s.mu.Unlock()
	go func() {
		for range s.waiting {
		}
	}()
	close(s.gate)
	group.Wait()
}

func newServer() *server {
	return &server{gate: make(chan struct{}), waiting: make(chan struct{}, 100), echo: make(map[net.Conn]bool)}
}

func main() {
	for _, ended := range []int{0, 4} {
		s := newServer()
		c, err := rueidis.NewClient(rueidis.ClientOption{InitAddress: []string{"server.test:1"}, DisableCache: true, DisableRetry: true, ForceSingleClient: true,
			DisableAutoPipelining: true, BlockingPoolSize: 2,
			DialCtxFn: func(context.Context, string, *net.Dialer, *tls.Config) (net.Conn, error) { return s.dial(), nil }})
		if err != nil {
			panic(err)
		}
		open("rueidis", s, func(ctx context.Context, say string) error { return c.Do(ctx, c.B().Echo().Message(say).Build()).Error() }, ended)
		c.Close()
	}
	for _, ended := range []int{0, 4} {
		s := newServer()
		c, err := valkey.NewClient(valkey.ClientOption{InitAddress: []string{"server.test:1"}, DisableCache: true, DisableRetry: true, ForceSingleClient: true,
			DisableAutoPipelining: true, BlockingPoolSize: 2,
			DialCtxFn: func(context.Context, string, *net.Dialer, *tls.Config) (net.Conn, error) { return s.dial(), nil }})
		if err != nil {
			panic(err)
		}
		open("valkey-go", s, func(ctx context.Context, say string) error { return c.Do(ctx, c.B().Echo().Message(say).Build()).Error() }, ended)
		c.Close()
	}
}
GO
go mod tidy > tidy.log 2>&1 || { cat tidy.log; exit 1; }
timeout 120 go run . > got || true # where the pool is right, the commands that it holds back never come
cat > want <<'WANT'
rueidis: after 0 commands whose contexts had ended, 6 at once are on 2 connections
rueidis: after 4 commands whose contexts had ended, 6 at once are on 6 connections
valkey-go: after 0 commands whose contexts had ended, 6 at once are on 2 connections
valkey-go: after 4 commands whose contexts had ended, 6 at once are on 6 connections
WANT
diff want got && echo "as stated"
