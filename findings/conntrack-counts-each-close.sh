#!/usr/bin/env bash
# mwitkow/go-conntrack 2019-07-16 counts connections: accepted, established by a dialer, and
# "total number of connections closed", so that the difference is how many are open, which is
# its README's purpose. What it counts are calls of Close, and a second one is common and
# harmless: http.Server.Close closes each connection and then its goroutine does so again, and
# code has "defer c.Close()" beside an explicit one. Three clients of a server that is closed:
# 3 accepted, 6 closed; one dialled connection: 2 closed. The difference is negative, and as
# many leaks are not seen in it. The limit of golang.org/x/net v0.62.0 (netutil.LimitListener)
# frees one place for two closes. Exits with 0 if that is so.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat > go.mod <<'MOD'
module finding
go 1.26.0
require (
	github.com/mwitkow/go-conntrack v0.0.0-20190716064945-2f068394615f
	github.com/prometheus/client_golang v1.23.2
	golang.org/x/net v0.62.0
)
MOD
cat > main.go <<'GO'
package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"

	"github.com/mwitkow/go-conntrack"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/net/netutil"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// print prints the counters that are not zero.
func print() {
	for _, family := range must(prometheus.DefaultGatherer.Gather()) {
		for _, m := range family.Metric {
			if v := m.GetCounter().GetValue(); v > 0 && strings.HasPrefix(family.GetName(), "net_conntrack") {
				fmt.Println(family.GetName(), v)
			}
		}
	}
}

func main() {
	l := conntrack.NewListener(must(net.Listen("tcp", "127.0.0.1:0")))
	var ready, closed sync.WaitGroup
	ready.Add(3)
	closed.Add(3)
	s := &http.Server{ConnState: func(_ net.Conn, state http.ConnState) {
		switch state {
		case http.StateIdle:
			ready.Done()
		case http.StateClosed:
			closed.Done()
		}
	}}
	go s.Serve(l)
	for range 3 {
		c := must(net.Dial("tcp", l.Addr().String()))
		fmt.Fprint(c, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")
	}
	ready.Wait()
	s.Close()
	closed.Wait()

	to := must(net.Listen("tcp", "127.0.0.1:0"))
	c := must(conntrack.NewDialContextFunc()(context.Background(), "tcp", to.Addr().String()))
	c.Close()
	c.Close()
	print()

	limited := netutil.LimitListener(must(net.Listen("tcp", "127.0.0.1:0")), 1)
	accepted := 0
	for i := range 2 {
		must(net.Dial("tcp", limited.Addr().String()))
		c := must(limited.Accept())
		accepted++
		if i == 0 {
			c.Close()
			c.Close()
		}
	}
	must(net.Dial("tcp", limited.Addr().String()))
	done := make(chan error)
	go func() {
		_, err := limited.Accept()
		done <- err
	}()
	limited.Close()
	fmt.Printf("LimitListener of 1, closed twice: accepted %d, third one %v\n", accepted, <-done != nil)
}
GO
go mod tidy > tidy.log 2>&1 || { cat tidy.log; exit 1; }
go run . > got
cat > want <<'WANT'
net_conntrack_dialer_conn_attempted_total 1
net_conntrack_dialer_conn_closed_total 2
net_conntrack_dialer_conn_established_total 1
net_conntrack_listener_conn_accepted_total 3
net_conntrack_listener_conn_closed_total 6
LimitListener of 1, closed twice: accepted 2, third one true
WANT
diff want got && echo "as stated"
