#!/usr/bin/env bash
# Shopify/toxiproxy v2.12.0, as a Go library. Its README on the toxic "reset_peer": it simulates a "TCP RESET (Connection
# reset by peer)" by discarding "all unacknowledged bytes" (SO_LINGER). On a connection that opens after the
# toxic was added the client gets ECONNRESET. On one that was open already, as those in a pool are when a test adds the
# toxic, it gets the end of the stream: the linger time is set only when a connection starts (link.go, Start), and
# not when the toxic comes later (AddToxic), so that the sockets end with a FIN. Exits with 0 if that is so.
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
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"

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

// echo repeats what it gets.
func echo() string {
	l := must(net.Listen("tcp", "127.0.0.1:0"))
	go func() {
		for {
			c := must(l.Accept())
			go func() {
				io.Copy(c, c)
				c.Close()
			}()
		}
	}()
	return l.Addr().String()
}

// dial opens a connection through the proxy that has carried bytes in both directions.
func dial(p *toxiproxy.Proxy) net.Conn {
	c := must(net.Dial("tcp", p.Listen))
	io.WriteString(c, "hello")
	must(io.ReadFull(c, make([]byte, 5)))
	return c
}

// end sends a byte, which the toxic answers by ending the connection, and says how that looks.
func end(c net.Conn) string {
	io.WriteString(c, "x")
	_, err := io.ReadAll(c)
	switch {
	case err == nil:
		return "the end of the stream"
	case errors.Is(err, syscall.ECONNRESET):
		return "ECONNRESET"
	}
	return err.Error()
}

func main() {
	upstream := echo()
	for _, stream := range []string{"upstream", "downstream"} {
		p := toxiproxy.NewProxy(toxiproxy.NewServer(toxiproxy.NewMetricsContainer(prometheus.NewRegistry()), zerolog.Nop()), "p", "127.0.0.1:0", upstream)
		if err := p.Start(); err != nil {
			panic(err)
		}
		before := dial(p)
		must(p.Toxics.AddToxicJson(strings.NewReader(`{"name":"t","type":"reset_peer","stream":"` + stream + `","attributes":{"timeout":0}}`)))
		fmt.Printf("%s, opened before the toxic: %s\n", stream, end(before))
		fmt.Printf("%s, opened behind it: %s\n", stream, end(must(net.Dial("tcp", p.Listen))))
		p.Stop()
	}
}
GO
go mod tidy > tidy.log 2>&1 || { cat tidy.log; exit 1; }
timeout 60 go run . > got
cat > want <<'WANT'
upstream, opened before the toxic: the end of the stream
upstream, opened behind it: ECONNRESET
downstream, opened before the toxic: the end of the stream
downstream, opened behind it: ECONNRESET
WANT
diff want got && echo "as stated"
