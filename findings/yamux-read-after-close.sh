#!/usr/bin/env bash
# net.Conn's documentation: after Close, blocked Reads return an error. On a stream of
# hashicorp/yamux v0.1.2 Close is a half-close: it returns nil, a Write fails from then on
# ("stream closed"), but Read goes on and returns what the peer sends afterwards, with a nil
# error. On libp2p/go-yamux v5.1.0 and xtaci/smux v1.5.58 the same Read fails.
# Exits with 0 if that is so.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat > go.mod <<'MOD'
module finding
go 1.26.0
require (
	github.com/hashicorp/yamux v0.1.2
	github.com/libp2p/go-yamux/v5 v5.1.0
	github.com/xtaci/smux v1.5.58
)
MOD
cat > main.go <<'GO'
package main

import (
	"context"
	"fmt"
	"net"

	"github.com/hashicorp/yamux"
	libp2p "github.com/libp2p/go-yamux/v5"
	"github.com/xtaci/smux"
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

func show(name string, open, accept func() (net.Conn, error)) {
	c := must(open())
	must(c.Write([]byte("hi")))
	peer := must(accept())
	must(peer.Read(make([]byte, 2)))
	closed := c.Close()
	peer.Write([]byte("later"))
	buf := make([]byte, 9)
	n, err := c.Read(buf)
	_, werr := c.Write([]byte("x"))
	fmt.Printf("%s: Close %v; then Read %q, error %v; Write error %v\n", name, closed, buf[:n], err != nil, werr != nil)
}

func main() {
	a, b := tcp()
	c, s := must(yamux.Client(a, nil)), must(yamux.Server(b, nil))
	show("yamux", c.Open, s.Accept)
	a, b = tcp()
	lc, ls := must(libp2p.Client(a, nil, nil)), must(libp2p.Server(b, nil, nil))
	show("go-yamux", func() (net.Conn, error) { return lc.Open(context.Background()) }, func() (net.Conn, error) { return ls.Accept() })
	a, b = tcp()
	sc, ss := must(smux.Client(a, nil)), must(smux.Server(b, nil))
	show("smux", func() (net.Conn, error) { return sc.OpenStream() }, func() (net.Conn, error) { return ss.AcceptStream() })
}
GO
go mod tidy > tidy.log 2>&1 || { cat tidy.log; exit 1; }
go run . > got
cat > want <<'WANT'
yamux: Close <nil>; then Read "later", error false; Write error true
go-yamux: Close <nil>; then Read "", error true; Write error true
smux: Close <nil>; then Read "", error true; Write error true
WANT
diff want got && echo "as stated"
