#!/usr/bin/env bash
# akutz/memconn v0.1.0, network "memb", "a buffered, in-memory implementation of net.Conn",
# whose connections are a stream: each Write starts a goroutine that hands its bytes over, and
# chance orders them. Of a thousand Writes of two bytes, one after another in one goroutine,
# every pair arrives and not in the order written; an HTTP response that net/http's server
# writes in several Writes (a body past its buffer) can be torn. Its pull request 4 mends it,
# merged three days after v0.1.0, the only version tagged and so the one that go get takes. On
# "memu", net.Pipe, bufconn (grpc v1.85.0) and fasthttputil (fasthttp v1.73.0) the order stays.
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
	github.com/valyala/fasthttp v1.73.0
	google.golang.org/grpc v1.85.0
)
MOD
cat > main.go <<'GO'
package main

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"slices"

	"github.com/akutz/memconn"
	"github.com/valyala/fasthttp/fasthttputil"
	"google.golang.org/grpc/test/bufconn"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func accepting(l net.Listener, dial func() (net.Conn, error)) (a, b net.Conn) {
	accepted := make(chan net.Conn)
	go func() { accepted <- must(l.Accept()) }()
	a = must(dial())
	return a, <-accepted
}

func show(name string, a, b net.Conn) {
	const writes = 1000
	go func() {
		for i := range writes {
			must(a.Write(binary.BigEndian.AppendUint16(nil, uint16(i))))
		}
	}()
	var got []int
	for range writes {
		pair := make([]byte, 2)
		must(io.ReadFull(b, pair))
		got = append(got, int(binary.BigEndian.Uint16(pair)))
	}
	ordered := slices.IsSorted(got)
	slices.Sort(got)
	fmt.Printf("%s: all there %v, in order %v\n", name, len(slices.Compact(got)) == writes, ordered)
}

func main() {
	for _, network := range []string{"memb", "memu"} {
		a, b := accepting(must(memconn.Listen(network, network)), func() (net.Conn, error) { return memconn.Dial(network, network) })
		show(network, a, b)
	}
	a, b := net.Pipe()
	show("net.Pipe", a, b)
	l := bufconn.Listen(1 << 16)
	a, b = accepting(l, l.Dial)
	show("bufconn", a, b)
	p := fasthttputil.NewPipeConns()
	show("fasthttputil", p.Conn1(), p.Conn2())
}
GO
go mod tidy > tidy.log 2>&1 || { cat tidy.log; exit 1; }
go run . > got
cat > want <<'WANT'
memb: all there true, in order false
memu: all there true, in order true
net.Pipe: all there true, in order true
bufconn: all there true, in order true
fasthttputil: all there true, in order true
WANT
diff want got && echo "as stated"
