#!/usr/bin/env bash
# hashicorp/yamux v0.1.2, grpc v1.85.0 test/bufconn, fasthttp v1.73.0 fasthttputil and
# akutz/memconn v0.1.0 (network "memb", buffered): SetWriteDeadline with an instant in 1970
# returns nil, and a Write after it returns 5, nil as if there were none. TCP, net.Pipe
# and memconn's unbuffered network "memu" return 0 and a timeout. A test that runs on such
# a connection never sees the write timeout that production sees. Exits with 0 if that is so.
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
	github.com/valyala/fasthttp v1.73.0
	google.golang.org/grpc v1.85.0
)
MOD
cat > main.go <<'GO'
package main

import (
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/akutz/memconn"
	"github.com/hashicorp/yamux"
	"github.com/valyala/fasthttp/fasthttputil"
	"google.golang.org/grpc/test/bufconn"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func tcp() (a, b net.Conn) {
	l := must(net.Listen("tcp", "127.0.0.1:0"))
	a = must(net.Dial("tcp", l.Addr().String()))
	return a, must(l.Accept())
}

func accepting(l net.Listener, dial func() (net.Conn, error)) net.Conn {
	go l.Accept()
	return must(dial())
}

func main() {
	show := func(name string, c net.Conn) {
		set := c.SetWriteDeadline(time.Unix(1, 0))
		n, err := c.Write([]byte("hello"))
		var ne net.Error
		fmt.Printf("%s: set %v, wrote %d, failed %v, timeout %v\n", name, set, n, err != nil, errors.As(err, &ne) && ne.Timeout())
	}
	a, b := tcp()
	show("tcp", a)
	c, _ := net.Pipe()
	show("net.Pipe", c)
	show("memconn memu", accepting(must(memconn.Listen("memu", "x")), func() (net.Conn, error) { return memconn.Dial("memu", "x") }))
	a, b = tcp()
	must(yamux.Server(b, nil))
	show("yamux", must(must(yamux.Client(a, nil)).Open()))
	l := bufconn.Listen(1024)
	show("bufconn", accepting(l, l.Dial))
	show("fasthttputil", fasthttputil.NewPipeConns().Conn1())
	show("memconn memb", accepting(must(memconn.Listen("memb", "y")), func() (net.Conn, error) { return memconn.Dial("memb", "y") }))
}
GO
go mod tidy > tidy.log 2>&1 || { cat tidy.log; exit 1; }
go run . > got
cat > want <<'WANT'
tcp: set <nil>, wrote 0, failed true, timeout true
net.Pipe: set <nil>, wrote 0, failed true, timeout true
memconn memu: set <nil>, wrote 0, failed true, timeout true
yamux: set <nil>, wrote 5, failed false, timeout false
bufconn: set <nil>, wrote 5, failed false, timeout false
fasthttputil: set <nil>, wrote 5, failed false, timeout false
memconn memb: set <nil>, wrote 5, failed false, timeout false
WANT
diff want got && echo "as stated"
