#!/usr/bin/env bash
# Shopify/toxiproxy v2.12.0, as a Go library. Without a toxic: a client that ends its side
# (CloseWrite) and waits for the answer, as RFC 9293, 3.6 allows, gets none: the proxy closes
# both connections at the first end of a stream. Its README on the toxic "timeout" with 0: the
# connection will not close, and data is dropped "until the toxic is removed": the removal
# closes the connection. On the same toxic with a time: it "closes the connection after
# timeout": each chunk starts the time again, so a connection with a write every 50 ms is open
# long after its 2 s. Takes about 7 s of real time. Exits with 0 if that is so.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat > go.mod <<'MOD'
module finding
go 1.26.0
require github.com/Shopify/toxiproxy/v2 v2.12.0
MOD
cat > main.go <<'GO'
package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// server reads each connection to its end and answers with what it has got.
func server() string {
	l := must(net.Listen("tcp", "127.0.0.1:0"))
	go func() {
		for {
			c := must(l.Accept())
			go func() {
				text, _ := io.ReadAll(c)
				fmt.Fprintf(c, "got %q", text)
				c.Close()
			}()
		}
	}()
	return l.Addr().String()
}

func proxy(upstream, toxic string) *toxiproxy.Proxy {
	log := zerolog.Nop()
	p := toxiproxy.NewProxy(toxiproxy.NewServer(toxiproxy.NewMetricsContainer(prometheus.NewRegistry()), log), "p", "127.0.0.1:0", upstream)
	if err := p.Start(); err != nil {
		panic(err)
	}
	if toxic != "" {
		must(p.Toxics.AddToxicJson(strings.NewReader(toxic)))
	}
	return p
}

// ask sends, ends its side, and returns what comes back.
func ask(addr string) string {
	c := must(net.Dial("tcp", addr)).(*net.TCPConn)
	io.WriteString(c, "hello")
	c.CloseWrite()
	return string(must(io.ReadAll(c)))
}

func main() {
	s := server()
	fmt.Printf("half-close: direct %q, through the proxy %q\n", ask(s), ask(proxy(s, "").Listen))

	l := must(net.Listen("tcp", "127.0.0.1:0"))
	p := proxy(l.Addr().String(), `{"name":"t","type":"timeout","stream":"upstream","attributes":{"timeout":0}}`)
	c := must(net.Dial("tcp", p.Listen))
	up := must(l.Accept())
	io.WriteString(c, "hello")
	if err := p.Toxics.RemoveToxic(context.Background(), "t"); err != nil {
		panic(err)
	}
	text, err := io.ReadAll(up)
	fmt.Printf("timeout 0, removed: upstream reads %q, error %v\n", text, err)

	p = proxy(l.Addr().String(), `{"name":"t","type":"timeout","stream":"upstream","attributes":{"timeout":2000}}`)
	for _, every := range []time.Duration{time.Hour, 50 * time.Millisecond} {
		c, closed := must(net.Dial("tcp", p.Listen)), make(chan bool)
		up := must(l.Accept())
		go func() {
			up.Read(make([]byte, 1))
			closed <- true
		}()
		open, end, tick := true, time.After(5*time.Second), time.NewTicker(every)
		for waiting := true; waiting; {
			select {
			case <-tick.C:
				io.WriteString(c, "x")
			case <-closed:
				open, waiting = false, false
			case <-end:
				waiting = false
			}
		}
		fmt.Printf("timeout 2 s, a write every %v: open after 5 s %v\n", every, open)
	}
}
GO
go mod tidy > tidy.log 2>&1 || { cat tidy.log; exit 1; }
go run . > got
cat > want <<'WANT'
half-close: direct "got \"hello\"", through the proxy ""
timeout 0, removed: upstream reads "", error <nil>
timeout 2 s, a write every 1h0m0s: open after 5 s false
timeout 2 s, a write every 50ms: open after 5 s true
WANT
diff want got && echo "as stated"
