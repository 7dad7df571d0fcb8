#!/usr/bin/env bash
# io.Writer's documentation: Write returns the number of bytes written and the error that made
# it stop early; net.Conn's: a write that times out may return n > 0. A Write of 10 bytes ends
# at its deadline when 4 are out: grpc v1.85.0 test/bufconn returns 0 and a timeout, and the
# peer reads the 4. Code that goes on with what is left, as the count allows, sends them twice.
# net.Pipe (Go 1.26, 1.27), akutz/memconn v0.1.0 (memu) and hashicorp/yamux v0.1.2 (1 MiB, of
# which its window takes 256 KiB) return what the peer has got. Exits with 0 if that is so.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat > go.mod <<'MOD'
module finding
go 1.26.0
require (
	github.com/akutz/memconn v0.1.0
	github.com/hashicorp/yamux v0.1.2
	google.golang.org/grpc v1.85.0
)
MOD
cat > main.go <<'GO'
package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/akutz/memconn"
	"github.com/hashicorp/yamux"
	"google.golang.org/grpc/test/bufconn"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func accepting(l net.Listener, dial func() (net.Conn, error)) (a, b net.Conn) {
	accepted := make(chan net.Conn)
	go func() { accepted <- must(l.Accept()) }()
	a = must(dial())
	return a, <-accepted
}

// show writes size bytes, of which the peer reads some, lets a deadline end the Write, and
// reads what else is out.
func show(name string, a, b net.Conn, size, some int) {
	type result struct {
		n   int
		err error
	}
	done := make(chan result)
	go func() {
		n, err := a.Write(make([]byte, size))
		done <- result{n, err}
	}()
	got := must(io.ReadFull(b, make([]byte, some)))
	a.SetWriteDeadline(time.Unix(1, 0))
	r := <-done
	b.SetReadDeadline(time.Now().Add(time.Second))
	for {
		n, err := b.Read(make([]byte, size))
		if got += n; err != nil {
			break
		}
	}
	var ne net.Error
	fmt.Printf("%s: Write returns %d, timeout %v; the peer has got %d\n", name, r.n, errors.As(r.err, &ne) && ne.Timeout(), got)
}

func main() {
	a, b := net.Pipe()
	show("net.Pipe", a, b, 10, 4)
	a, b = accepting(must(memconn.Listen("memu", "x")), func() (net.Conn, error) { return memconn.Dial("memu", "x") })
	show("memconn", a, b, 10, 4)
	tcp := must(net.Listen("tcp", "127.0.0.1:0"))
	a, b = accepting(tcp, func() (net.Conn, error) { return net.Dial("tcp", tcp.Addr().String()) })
	c, s := must(yamux.Client(a, nil)), must(yamux.Server(b, nil))
	a, b = accepting(s, c.Open)
	show("yamux", a, b, 1<<20, 1)
	l := bufconn.Listen(3)
	a, b = accepting(l, l.Dial)
	show("bufconn", a, b, 10, 1)
}
GO
go mod tidy > tidy.log 2>&1 || { cat tidy.log; exit 1; }
go run . > got
cat > want <<'WANT'
net.Pipe: Write returns 4, timeout true; the peer has got 4
memconn: Write returns 4, timeout true; the peer has got 4
yamux: Write returns 262144, timeout true; the peer has got 262144
bufconn: Write returns 0, timeout true; the peer has got 4
WANT
diff want got && echo "as stated"
