#!/usr/bin/env bash
# The PROXY protocol's text, 2.1: what follows UNKNOWN up to the line's end must be ignored, and
# its longest example is UNKNOWN with addresses; 2.2: any number of TLVs follow the addresses.
# armon/go-proxyproto 2021-03-23 with UnknownOK refuses UNKNOWN with addresses. ParseTLVs of
# mailgun/proxyproto v1.0.0 adds up the wrong offsets: of three TLVs the third is not there, and
# a last one without a value is not either; nil errors. c0va23/go-proxyprotocol v0.9.1 takes
# what one Read returns for the rest of a version 2 header: one that comes in two parts, as it
# may on TCP, ends early, and its other part is read as the client's first data.
# pires/go-proxyproto v0.15.0 reads all of them. Exits with 0 if that is so.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat > go.mod <<'MOD'
module finding
go 1.26.0
require (
	github.com/armon/go-proxyproto v0.0.0-20210323213023-7e956b284f0a
	github.com/c0va23/go-proxyprotocol v0.9.1
	github.com/mailgun/proxyproto v1.0.0
	github.com/pires/go-proxyproto v0.15.0
)
MOD
cat > main.go <<'GO'
package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net"

	armon "github.com/armon/go-proxyproto"
	c0va23 "github.com/c0va23/go-proxyprotocol"
	mailgun "github.com/mailgun/proxyproto"
	pires "github.com/pires/go-proxyproto"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

const unknown = "PROXY UNKNOWN ffff:f::1 ffff:f::2 65535 65535\r\n"

// v2 returns a header of version 2 for TCP over IPv4 with its TLVs.
func v2(tlvs ...string) []byte {
	body := "\xc0\x00\x02\x01\xc0\x00\x02\x02\x30\x39\x00\x50"
	for _, tlv := range tlvs {
		body += tlv[:1] + string(binary.BigEndian.AppendUint16(nil, uint16(len(tlv)-1))) + tlv[1:]
	}
	h := []byte("\r\n\r\n\x00\r\nQUIT\n\x21\x11")
	return append(binary.BigEndian.AppendUint16(h, uint16(len(body))), body...)
}

// sent returns a connection whose peer writes parts, and then closes.
func sent(parts ...[]byte) net.Conn {
	client, server := net.Pipe()
	go func() {
		for _, part := range parts {
			client.Write(part)
		}
		client.Close()
	}()
	return server
}

func main() {
	hello := []byte("hello")
	a := &armon.Listener{Listener: one{sent([]byte(unknown), hello)}, UnknownOK: true}
	data, err := io.ReadAll(must(a.Accept()))
	fmt.Printf("armon, UNKNOWN with addresses: %q %v\n", data, err)
	data, err = io.ReadAll(pires.NewConn(sent([]byte(unknown), hello)))
	fmt.Printf("pires, UNKNOWN with addresses: %q %v\n", data, err)

	for _, tlvs := range [][]string{{"\x02one", "\x05two", "\x20three"}, {"\x02one", "\x05"}} {
		h := must(mailgun.ReadHeader(bytes.NewReader(v2(tlvs...))))
		m, err := h.ParseTLVs()
		fmt.Printf("mailgun, TLVs %q: %q %v\n", tlvs, m, err)
		p := must(pires.Read(bufio.NewReader(bytes.NewReader(v2(tlvs...)))))
		fmt.Printf("pires, TLVs %q: %d\n", tlvs, len(must(p.TLVs())))
	}

	h := v2("\x02example.com")
	first, second := h[:32], h[32:]
	quiet := c0va23.LoggerFunc(func(string, ...any) {})
	data, err = io.ReadAll(c0va23.NewConn(sent(first, second, hello), quiet, c0va23.NewBinaryHeaderParser(quiet), true))
	fmt.Printf("c0va23, a header in two parts: %q %v\n", data, err)
	data, err = io.ReadAll(pires.NewConn(sent(first, second, hello)))
	fmt.Printf("pires, a header in two parts: %q %v\n", data, err)
}

// one is a listener that has a connection.
type one struct{ c net.Conn }

func (o one) Accept() (net.Conn, error) { return o.c, nil }
func (o one) Close() error              { return nil }
func (o one) Addr() net.Addr            { return o.c.LocalAddr() }
GO
go mod tidy > tidy.log 2>&1 || { cat tidy.log; exit 1; }
go run . > got
cat > want <<'WANT'
armon, UNKNOWN with addresses: "" Invalid UNKNOWN header line: PROXY UNKNOWN ffff:f::1 ffff:f::2 65535 65535
pires, UNKNOWN with addresses: "hello" <nil>
mailgun, TLVs ["\x02one" "\x05two" " three"]: map['\x02':"one" '\x05':"two"] <nil>
pires, TLVs ["\x02one" "\x05two" " three"]: 3
mailgun, TLVs ["\x02one" "\x05"]: map['\x02':"one"] <nil>
pires, TLVs ["\x02one" "\x05"]: 2
c0va23, a header in two parts: "xample.comhello" <nil>
pires, a header in two parts: "hello" <nil>
WANT
diff want got && echo "as stated"
