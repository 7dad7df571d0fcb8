#!/usr/bin/env bash
# net.ErrClosed's documentation: it is the error of an I/O call on a connection that has
# already been closed, and is to be tested with errors.Is. A Read and a Write after the
# connection's own Close, with "hello" of the peer waiting: the test is false for net.Pipe (Go
# 1.26, 1.27), akutz/memconn v0.1.0, grpc v1.85.0 test/bufconn, fasthttp v1.73.0 fasthttputil,
# libp2p/go-yamux v5.1.0 and xtaci/smux v1.5.58, so code that passes over its own close in
# silence on TCP reports a failure on these. On fasthttputil Read returns "hello" and then
# io.EOF, as if the peer had ended the stream, though net.Conn's documentation has Close make
# even blocked Reads return errors; on memconn's buffered network "memb" Write returns 5, nil
# (its error goes to Errs). TCP keeps both sentences. Exits with 0 if that is so.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat > go.mod <<'MOD'
module finding
go 1.26.0
require (
	github.com/akutz/memconn v0.1.0
	github.com/libp2p/go-yamux/v5 v5.1.0
	github.com/valyala/fasthttp v1.73.0
	github.com/xtaci/smux v1.5.58
	google.golang.org/grpc v1.85.0
)
MOD
cat > main.go <<'GO'
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/akutz/memconn"
	"github.com/libp2p/go-yamux/v5"
	"github.com/valyala/fasthttp/fasthttputil"
	"github.com/xtaci/smux"
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

func accepting(l net.Listener, dial func() (net.Conn, error)) (a, b net.Conn) {
	accepted := make(chan net.Conn)
	go func() { accepted <- must(l.Accept()) }()
	a = must(dial())
	return a, <-accepted
}

func show(name string, a, b net.Conn) {
	go b.Write([]byte("?hello")) // in a goroutine: not every connection has a buffer
	must(a.Read(make([]byte, 1)))
	a.Close()
	say := func(what string, n int, err error) string {
		switch {
		case err == nil:
			return fmt.Sprintf("%s %d, nil", what, n)
		case err == io.EOF:
			return fmt.Sprintf("%s %d, io.EOF", what, n)
		default:
			return fmt.Sprintf("%s %d, net.ErrClosed %v", what, n, errors.Is(err, net.ErrClosed))
		}
	}
	fmt.Print(name, ": ")
	for range 2 {
		n, err := a.Read(make([]byte, 9))
		fmt.Print(say("Read", n, err), "; ")
	}
	n, err := a.Write([]byte("hello"))
	fmt.Println(say("Write", n, err))
}

func main() {
	a, b := tcp()
	show("tcp", a, b)
	a, b = net.Pipe()
	show("net.Pipe", a, b)
	for _, network := range []string{"memu", "memb"} {
		a, b = accepting(must(memconn.Listen(network, network)), func() (net.Conn, error) { return memconn.Dial(network, network) })
		show(network, a, b)
	}
	l := bufconn.Listen(1024)
	a, b = accepting(l, l.Dial)
	show("bufconn", a, b)
	p := fasthttputil.NewPipeConns()
	show("fasthttputil", p.Conn1(), p.Conn2())
	a, b = tcp()
	c, s := must(yamux.Client(a, nil, nil)), must(yamux.Server(b, nil, nil))
	show("go-yamux", must(c.Open(context.Background())), must(s.Accept()))
	a, b = tcp()
	cs, ss := must(smux.Client(a, nil)), must(smux.Server(b, nil))
	show("smux", must(cs.OpenStream()), must(ss.AcceptStream()))
}
GO
go mod tidy > tidy.log 2>&1 || { cat tidy.log; exit 1; }
go run . > got
cat > want <<'WANT'
tcp: Read 0, net.ErrClosed true; Read 0, net.ErrClosed true; Write 0, net.ErrClosed true
net.Pipe: Read 0, net.ErrClosed false; Read 0, net.ErrClosed false; Write 0, net.ErrClosed false
memu: Read 0, net.ErrClosed false; Read 0, net.ErrClosed false; Write 0, net.ErrClosed false
memb: Read 0, net.ErrClosed false; Read 0, net.ErrClosed false; Write 5, nil
bufconn: Read 0, net.ErrClosed false; Read 0, net.ErrClosed false; Write 0, net.ErrClosed false
fasthttputil: Read 5, nil; Read 0, io.EOF; Write 0, net.ErrClosed false
go-yamux: Read 0, net.ErrClosed false; Read 0, net.ErrClosed false; Write 0, net.ErrClosed false
smux: Read 0, net.ErrClosed false; Read 0, net.ErrClosed false; Write 0, net.ErrClosed false
WANT
diff want got && echo "as stated"
