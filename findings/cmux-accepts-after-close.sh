#!/usr/bin/env bash
# soheilhy/cmux v0.1.5, whose documentation of Close says that it stops accepting any
# connections on the listener: after Close the sub-listener is closed (ErrServerClosed), but
# the root listener is not. Serve does not return, and a client that connects now is accepted,
# its first bytes are read and given to the matchers. Where one matches, chance decides between
# closing the connection and a queue that nobody accepts from any more. A root listener that
# is closed ends it all: Serve returns. Exits with 0 if that is so.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat > go.mod <<'MOD'
module finding
go 1.26.0
require github.com/soheilhy/cmux v0.1.5
MOD
cat > main.go <<'GO'
package main

import (
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/soheilhy/cmux"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func main() {
	root := must(net.Listen("tcp", "127.0.0.1:0"))
	m := cmux.New(root)
	matched, served := make(chan string), make(chan error, 1)
	sub := m.Match(func(r io.Reader) bool {
		b := make([]byte, 5)
		must(io.ReadFull(r, b))
		matched <- string(b)
		return true
	})
	go func() { served <- m.Serve() }()
	send := func(text string) {
		c, err := net.Dial("tcp", root.Addr().String())
		if err != nil {
			fmt.Println("refused")
			return
		}
		io.WriteString(c, text)
		fmt.Printf("a matcher reads %q\n", <-matched)
	}
	send("hello")
	must(sub.Accept())
	m.Close()
	_, err := sub.Accept()
	fmt.Println("closed; Accept of the sub-listener:", err)
	send("again")
	send("more.")
	fmt.Println("Serve has returned:", len(served) == 1)
	root.Close()
	fmt.Println("root closed; Serve:", errors.Is(<-served, net.ErrClosed))
	send("last.")
}
GO
go mod tidy > tidy.log 2>&1 || { cat tidy.log; exit 1; }
go run . > got
cat > want <<'WANT'
a matcher reads "hello"
closed; Accept of the sub-listener: mux: server closed
a matcher reads "again"
a matcher reads "more."
Serve has returned: false
root closed; Serve: true
refused
WANT
diff want got && echo "as stated"
