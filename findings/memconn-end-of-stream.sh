#!/usr/bin/env bash
# akutz/memconn v0.1.0, an in-memory net.Conn: the end of a stream is no io.EOF but a
# *net.OpError around one, on both of its networks. io.Reader's callers compare with ==, so
# io.ReadAll returns all the bytes and an error, and over http.Transport a response that
# ends with its connection (no Content-Length) is whole and fails in the same way. On
# net.Pipe, the same exchange ends without an error. Exits with 0 if that is so.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat > go.mod <<'MOD'
module finding
go 1.26.0
require github.com/akutz/memconn v0.1.0
MOD
cat > main.go <<'GO'
package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"

	"github.com/akutz/memconn"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// answer reads one request and answers with a body that ends with the connection.
func answer(c net.Conn) {
	must(http.ReadRequest(bufio.NewReader(c)))
	io.WriteString(c, "HTTP/1.1 200 OK\r\n\r\nhello")
	c.Close()
}

func over(network string) net.Conn {
	if network == "net.Pipe" {
		a, b := net.Pipe()
		go answer(b)
		return a
	}
	l := must(memconn.Listen(network, "x"))
	go func() {
		answer(must(l.Accept()))
		l.Close()
	}()
	return must(memconn.Dial(network, "x"))
}

func main() {
	for _, network := range []string{"net.Pipe", "memu", "memb"} {
		tr := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) { return over(network), nil }}
		resp := must((&http.Client{Transport: tr}).Get("http://x/"))
		body, err := io.ReadAll(resp.Body)
		fmt.Printf("%s: %q, error %v, wraps io.EOF %v\n", network, body, err != nil, errors.Is(err, io.EOF))
	}
}
GO
go mod tidy > tidy.log 2>&1 || { cat tidy.log; exit 1; }
go run . > got
cat > want <<'WANT'
net.Pipe: "hello", error false, wraps io.EOF false
memu: "hello", error true, wraps io.EOF true
memb: "hello", error true, wraps io.EOF true
WANT
diff want got && echo "as stated"
