#!/usr/bin/env bash
# RFC 9110, 9.3.6: a proxy that answers CONNECT with a 2xx switches to tunnel mode right
# after the header section, and what comes after it is data of the destination.
# mwitkow/go-http-dialer 2016-11-16 and elazarl/goproxy v1.9.4 (NewConnectDialToProxy)
# read that response through a bufio.Reader that they throw away. Where the destination
# speaks first (SSH, SMTP, MySQL) and its greeting is in the same segment as the response,
# the greeting is lost: the caller's Read gets what the destination sends next. A comment
# inside goproxy takes it that TLS follows; its documentation, and that of go-http-dialer
# ("arbitrary TCP connections"), does not. The dialer of golang.org/x/net v0.62.0 for
# SOCKS 5, same greeting, loses nothing. Exits with 0 if that is so.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat > go.mod <<'MOD'
module finding
go 1.26.0
require (
	github.com/elazarl/goproxy v1.9.4
	github.com/mwitkow/go-http-dialer v0.0.0-20161116154839-378f744fb2b8
	golang.org/x/net v0.62.0
)
MOD
cat > main.go <<'GO'
package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"

	"github.com/elazarl/goproxy"
	dialer "github.com/mwitkow/go-http-dialer"
	"golang.org/x/net/proxy"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// serve accepts one connection; open reads the request for a tunnel and returns the answer,
// which serve sends in one Write with the destination's greeting behind it.
func serve(open func(c net.Conn) string) string {
	l := must(net.Listen("tcp", "127.0.0.1:0"))
	go func() {
		c := must(l.Accept())
		io.WriteString(c, open(c)+"220 mail.example ready\r\n")
		must(io.ReadFull(c, make([]byte, 6)))
		io.WriteString(c, "221 bye\r\n")
		c.Close()
	}()
	return l.Addr().String()
}

func connect(c net.Conn) string {
	must(http.ReadRequest(bufio.NewReader(c)))
	return "HTTP/1.1 200 OK\r\n\r\n"
}

// socks reads the greeting and the request of RFC 1928 for a name of 12 characters.
func socks(c net.Conn) string {
	must(io.ReadFull(c, make([]byte, 3)))
	c.Write([]byte{5, 0})
	must(io.ReadFull(c, make([]byte, 4+1+12+2)))
	return "\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x19"
}

func show(name string, c net.Conn, err error) {
	if err != nil {
		panic(err)
	}
	io.WriteString(c, "QUIT\r\n")
	fmt.Printf("%s: the caller reads %q\n", name, must(io.ReadAll(c)))
}

func main() {
	u := must(url.Parse("http://" + serve(connect)))
	c, err := dialer.New(u).Dial("tcp", "mail.example:25")
	show("go-http-dialer", c, err)

	c, err = goproxy.NewProxyHttpServer().NewConnectDialToProxy("http://"+serve(connect))("tcp", "mail.example:25")
	show("goproxy", c, err)

	c, err = must(proxy.SOCKS5("tcp", serve(socks), nil, nil)).Dial("tcp", "mail.example:25")
	show("x/net/proxy, SOCKS 5", c, err)
}
GO
go mod tidy > tidy.log 2>&1 || { cat tidy.log; exit 1; }
go run . > got
cat > want <<'WANT'
go-http-dialer: the caller reads "221 bye\r\n"
goproxy: the caller reads "221 bye\r\n"
x/net/proxy, SOCKS 5: the caller reads "220 mail.example ready\r\n221 bye\r\n"
WANT
diff want got && echo "as stated"
