#!/usr/bin/env bash
# xtaci/kcp-go v5.7.5 on loopback: Write returns 4, nil, Close right after it returns nil,
# and the bytes never reach the peer, nor does it learn of the close: three seconds later
# its Read ends in its own timeout. A close right after the last write is how most code
# ends an exchange; on TCP the peer reads the bytes and then io.EOF. Exits with 0 if that is so.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat > go.mod <<'MOD'
module finding
go 1.26.0
require github.com/xtaci/kcp-go/v5 v5.7.5
MOD
cat > main.go <<'GO'
package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/xtaci/kcp-go/v5"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func show(name string, c net.Conn, accept func() (net.Conn, error)) {
	c.Write([]byte("first"))
	peer := must(accept())
	must(io.ReadFull(peer, make([]byte, 5)))
	n, werr := c.Write([]byte("last"))
	cerr := c.Close()
	peer.SetReadDeadline(time.Now().Add(3 * time.Second))
	rest, rerr := io.ReadAll(peer)
	var ne net.Error
	fmt.Printf("%s: Write %d %v, Close %v; the peer reads %q, timeout %v\n", name, n, werr, cerr, rest, errors.As(rerr, &ne) && ne.Timeout())
}

func main() {
	t := must(net.Listen("tcp", "127.0.0.1:0"))
	show("tcp", must(net.Dial("tcp", t.Addr().String())), t.Accept)
	k := must(kcp.ListenWithOptions("127.0.0.1:0", nil, 0, 0))
	show("kcp", must(kcp.DialWithOptions(k.Addr().String(), nil, 0, 0)), k.Accept)
}
GO
go mod tidy > tidy.log 2>&1 || { cat tidy.log; exit 1; }
go run . > got
cat > want <<'WANT'
tcp: Write 4 <nil>, Close <nil>; the peer reads "last", timeout false
kcp: Write 4 <nil>, Close <nil>; the peer reads "", timeout true
WANT
diff want got && echo "as stated"
