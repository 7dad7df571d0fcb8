#!/usr/bin/env bash
# fortytw2/leaktest v1.3.0, whose documentation says that it ignores runtime and system
# goroutines, passes over every goroutine with ").readLoop(" or ").writeLoop(" in its stack,
# whatever package that is of. It was done for idle connections of net/http (its issue 28),
# but the connection of a response body that is never closed has the same two, and so has any
# client with a method of that name: neither leak is reported. The same method under another
# name is. go.uber.org/goleak v1.3.0 reports all three. Exits with 0 if that is so.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat > go.mod <<'MOD'
module finding
go 1.26.0
require (
	github.com/fortytw2/leaktest v1.3.0
	go.uber.org/goleak v1.3.0
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
	"time"

	"github.com/fortytw2/leaktest"
	"go.uber.org/goleak"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

type client struct {
	net.Conn
	begun chan struct{}
}

func (c *client) readLoop() { close(c.begun); c.Read(make([]byte, 1)) }
func (c *client) reading()  { close(c.begun); c.Read(make([]byte, 1)) }

var peer net.Conn // a variable of the package: the collector does not close it

// reports counts leaktest's reports.
type reports int

func (r *reports) Errorf(string, ...any) { *r++ }

func main() {
	l := must(net.Listen("tcp", "127.0.0.1:0"))
	dial := func() *client { return &client{must(net.Dial("tcp", l.Addr().String())), make(chan struct{})} }
	for _, x := range []struct {
		name string
		leak func()
	}{
		{"an open response body", func() {
			go func() {
				peer = must(l.Accept())
				must(http.ReadRequest(bufio.NewReader(peer)))
				io.WriteString(peer, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nan an")
			}()
			must((&http.Client{Transport: &http.Transport{}}).Get("http://" + l.Addr().String()))
		}},
		{"client.readLoop", func() {
			c := dial()
			go c.readLoop()
			<-c.begun
		}},
		{"client.reading", func() {
			c := dial()
			go c.reading()
			<-c.begun
		}},
	} {
		before := goleak.IgnoreCurrent()
		var r reports
		check := leaktest.CheckTimeout(&r, 3*time.Second)
		x.leak()
		check()
		fmt.Printf("%s: leaktest reports it %v, goleak %v\n", x.name, r > 0, goleak.Find(before) != nil)
	}
}
GO
go mod tidy > tidy.log 2>&1 || { cat tidy.log; exit 1; }
go run . > got
cat > want <<'WANT'
an open response body: leaktest reports it false, goleak true
client.readLoop: leaktest reports it false, goleak true
client.reading: leaktest reports it true, goleak true
WANT
diff want got && echo "as stated"
