#!/usr/bin/env bash
# RFC 1928, 6: the BND.ADDR of a reply is an IPv4 address, an IPv6 address or a domain name, and
# 4 to 256 bytes long; what comes after the reply is the destination's. h12.io/socks v1.0.3
# takes what one Read returns for the reply, and one that is not 10 bytes long for a fault:
# a proxy that connects over IPv6 and says so, one that gives a name, and a destination that
# speaks first (SSH, SMTP) fail with "server does not respond properly". The timeout of its
# proxy URI stays on the connection as a deadline after a SOCKS 5 dial: a Read of the caller,
# which has set none, times out. After a SOCKS 4A dial it is cleared, as its source says it
# is to be. golang.org/x/net v0.62.0 (proxy) is right on all. Exits with 0 if that is so.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat > go.mod <<'MOD'
module finding
go 1.26.0
require (
	golang.org/x/net v0.62.0
	h12.io/socks v1.0.3
)
MOD
cat > main.go <<'GO'
package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"golang.org/x/net/proxy"
	"h12.io/socks"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// serve is a proxy for SOCKS 5 and 4A. It answers each CONNECT with reply and, when it has
// read a byte of the client, or after a second, with "late".
func serve(reply string) string {
	l := must(net.Listen("tcp", "127.0.0.1:0"))
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				request := make([]byte, 512)
				c.Read(request)
				if request[0] == 5 {
					io.WriteString(c, "\x05\x00")
					c.Read(request)
				}
				io.WriteString(c, reply)
				c.SetReadDeadline(time.Now().Add(time.Second)) // real, as is the client's timeout
				c.Read(request)
				io.WriteString(c, "late")
				c.Close()
			}()
		}
	}()
	return l.Addr().String()
}

const (
	ok4    = "\x00\x5a\x00\x50\x7f\x00\x00\x01"
	ok5    = "\x05\x00\x00"
	ip4    = "\x01\x7f\x00\x00\x01\x00\x50"
	ip6    = "\x04\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x50"
	domain = "\x03\x0eproxy.internal\x00\x50"
)

func main() {
	for _, t := range []struct{ name, reply string }{
		{"an IPv4 address", ok5 + ip4},
		{"an IPv6 address", ok5 + ip6},
		{"a domain name", ok5 + domain},
		{"the destination's greeting", ok5 + ip4 + "220 "},
	} {
		address := serve(t.reply)
		for _, d := range []struct {
			name string
			dial func(network, address string) (net.Conn, error)
		}{
			{"x/net", must(proxy.SOCKS5("tcp", address, nil, proxy.Direct)).Dial},
			{"h12", socks.Dial("socks5://" + address)},
		} {
			c, err := d.dial("tcp", "example.com:80")
			fmt.Printf("reply with %s, %s: %v", t.name, d.name, err)
			if err == nil {
				io.WriteString(c, ".")
				fmt.Printf(", %q", must(io.ReadAll(c)))
			}
			fmt.Println()
		}
	}
	c := must(socks.Dial("socks5://" + serve(ok5+ip4) + "?timeout=200ms")("tcp", "example.com:80"))
	_, err := io.ReadAll(c)
	fmt.Println("socks5, timeout=200ms: the Read times out", errors.Is(err, os.ErrDeadlineExceeded))
	c = must(socks.Dial("socks4a://" + serve(ok4) + "?timeout=200ms")("tcp", "example.com:80"))
	fmt.Printf("socks4a, timeout=200ms: %q\n", must(io.ReadAll(c)))
}
GO
go mod tidy > tidy.log 2>&1 || { cat tidy.log; exit 1; }
go run . > got
cat > want <<'WANT'
reply with an IPv4 address, x/net: <nil>, "late"
reply with an IPv4 address, h12: <nil>, "late"
reply with an IPv6 address, x/net: <nil>, "late"
reply with an IPv6 address, h12: server does not respond properly
reply with a domain name, x/net: <nil>, "late"
reply with a domain name, h12: server does not respond properly
reply with the destination's greeting, x/net: <nil>, "220 late"
reply with the destination's greeting, h12: server does not respond properly
socks5, timeout=200ms: the Read times out true
socks4a, timeout=200ms: "late"
WANT
diff want got && echo "as stated"
