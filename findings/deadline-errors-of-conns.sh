#!/usr/bin/env bash
# net.Conn's documentation: a call that exceeds its deadline returns an error that wraps
# os.ErrDeadlineExceeded. A Read behind its deadline on the connections of
# hashicorp/yamux v0.1.2, libp2p/go-yamux v5.1.0, xtaci/smux v1.5.58, xtaci/kcp-go v5.7.5,
# akutz/memconn v0.1.0, grpc v1.85.0 test/bufconn, fasthttp v1.73.0 fasthttputil and
# coder/websocket v1.8.15 (NetConn): errors.Is(err, os.ErrDeadlineExceeded) is false in all
# eight, so code that asks so takes a timeout for a broken connection. In six the error is a
# net.Error with Timeout() true; fasthttputil's, and that of a Read on websocket's which is
# under way at the deadline, are no net.Errors at all. TCP and net.Pipe keep the sentence.
# Exits with 0 if that is so.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat > go.mod <<'MOD'
module finding
go 1.26.0
require (
	github.com/akutz/memconn v0.1.0
	github.com/coder/websocket v1.8.15
	github.com/hashicorp/yamux v0.1.2
	github.com/libp2p/go-yamux/v5 v5.1.0
	github.com/valyala/fasthttp v1.73.0
	github.com/xtaci/kcp-go/v5 v5.7.5
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
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"time"

	"github.com/akutz/memconn"
	"github.com/coder/websocket"
	"github.com/hashicorp/yamux"
	libp2p "github.com/libp2p/go-yamux/v5"
	"github.com/valyala/fasthttp/fasthttputil"
	"github.com/xtaci/kcp-go/v5"
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

func accepting(l net.Listener, dial func() (net.Conn, error)) net.Conn {
	go l.Accept()
	return must(dial())
}

func main() {
	read := func(name string, c net.Conn, deadline time.Time) {
		if err := c.SetReadDeadline(deadline); err != nil {
			panic(err)
		}
		_, err := c.Read(make([]byte, 1))
		var ne net.Error
		fmt.Printf("%s: wraps os.ErrDeadlineExceeded %v, net.Error %v, Timeout %v\n", name,
			errors.Is(err, os.ErrDeadlineExceeded), errors.As(err, &ne), ne != nil && ne.Timeout())
	}
	show := func(name string, c net.Conn) { read(name, c, time.Unix(1, 0)) }
	a, b := tcp()
	show("tcp", a)
	c, _ := net.Pipe()
	show("net.Pipe", c)
	a, b = tcp()
	must(yamux.Server(b, nil))
	show("yamux", must(must(yamux.Client(a, nil)).Open()))
	a, b = tcp()
	must(libp2p.Server(b, nil, nil))
	show("go-yamux", must(must(libp2p.Client(a, nil, nil)).Open(context.Background())))
	a, b = tcp()
	must(smux.Server(b, nil))
	show("smux", must(must(smux.Client(a, nil)).OpenStream()))
	k := must(kcp.ListenWithOptions("127.0.0.1:0", nil, 0, 0))
	show("kcp", must(kcp.DialWithOptions(k.Addr().String(), nil, 0, 0)))
	show("memconn", accepting(must(memconn.Listen("memu", "x")), func() (net.Conn, error) { return memconn.Dial("memu", "x") }))
	l := bufconn.Listen(1024)
	show("bufconn", accepting(l, l.Dial))
	show("fasthttputil", fasthttputil.NewPipeConns().Conn1())
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		must(websocket.Accept(w, r, nil)).Read(r.Context())
	}))
	w, _, err := websocket.Dial(context.Background(), s.URL, nil)
	if err != nil {
		panic(err)
	}
	// A deadline in the past lets chance decide whether the Read is under way at it.
	read("websocket", websocket.NetConn(context.Background(), w, websocket.MessageBinary), time.Now().Add(time.Second))
}
GO
go mod tidy > tidy.log 2>&1 || { cat tidy.log; exit 1; }
go run . > got
cat > want <<'WANT'
tcp: wraps os.ErrDeadlineExceeded true, net.Error true, Timeout true
net.Pipe: wraps os.ErrDeadlineExceeded true, net.Error true, Timeout true
yamux: wraps os.ErrDeadlineExceeded false, net.Error true, Timeout true
go-yamux: wraps os.ErrDeadlineExceeded false, net.Error true, Timeout true
smux: wraps os.ErrDeadlineExceeded false, net.Error true, Timeout true
kcp: wraps os.ErrDeadlineExceeded false, net.Error true, Timeout true
memconn: wraps os.ErrDeadlineExceeded false, net.Error true, Timeout true
bufconn: wraps os.ErrDeadlineExceeded false, net.Error true, Timeout true
fasthttputil: wraps os.ErrDeadlineExceeded false, net.Error false, Timeout false
websocket: wraps os.ErrDeadlineExceeded false, net.Error false, Timeout false
WANT
diff want got && echo "as stated"
