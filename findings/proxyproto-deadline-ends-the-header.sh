#!/usr/bin/env bash
# net.Conn's documentation: after a deadline has been exceeded, the connection can be refreshed
# by setting a deadline in the future. pires/go-proxyproto v0.15.0 (and v0.16.0) takes the
# caller's own read deadline, exceeded while the PROXY header has not come yet, to say that
# none will come, for good. Under its policy USE the next Read returns the header as data and
# RemoteAddr is that of the proxy; under REQUIRE, the default, the Read behind its deadline
# returns ErrNoProxyProtocol, which is no timeout, and so does every later one. Its
# documentation has that for its own ReadHeaderTimeout only. Without the early deadline the
# same header is taken. Exits with 0 if that is so.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat > go.mod <<'MOD'
module finding
go 1.26.0
require github.com/pires/go-proxyproto v0.15.0
MOD
cat > main.go <<'GO'
package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/pires/go-proxyproto"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func main() {
	tcp := must(net.Listen("tcp", "127.0.0.1:0"))
	for _, x := range []struct {
		name   string
		policy proxyproto.Policy
	}{{"USE", proxyproto.USE}, {"REQUIRE", proxyproto.REQUIRE}} {
		l := &proxyproto.Listener{Listener: tcp, ConnPolicy: func(proxyproto.ConnPolicyOptions) (proxyproto.Policy, error) { return x.policy, nil }}
		for _, early := range []bool{false, true} {
			client := must(net.Dial("tcp", tcp.Addr().String()))
			c := must(l.Accept())
			buf := make([]byte, 99)
			fmt.Printf("%s, early deadline %v: ", x.name, early)
			if early {
				c.SetReadDeadline(time.Unix(1, 0))
				_, err := c.Read(buf)
				var ne net.Error
				fmt.Printf("Read fails with a timeout %v; ", errors.As(err, &ne) && ne.Timeout())
				c.SetReadDeadline(time.Time{})
			}
			io.WriteString(client, "PROXY TCP4 192.0.2.1 192.0.2.2 1000 80\r\nhello")
			client.Close()
			text, err := io.ReadAll(c)
			fmt.Printf("then it reads %q, error %v, from the client %v\n", text, err, c.RemoteAddr().String() == "192.0.2.1:1000")
		}
	}
}
GO
go mod tidy > tidy.log 2>&1 || { cat tidy.log; exit 1; }
go run . > got
cat > want <<'WANT'
USE, early deadline false: then it reads "hello", error <nil>, from the client true
USE, early deadline true: Read fails with a timeout true; then it reads "PROXY TCP4 192.0.2.1 192.0.2.2 1000 80\r\nhello", error <nil>, from the client false
REQUIRE, early deadline false: then it reads "hello", error <nil>, from the client true
REQUIRE, early deadline true: Read fails with a timeout false; then it reads "", error proxyproto: proxy protocol signature not present, from the client false
WANT
diff want got && echo "as stated"
