#!/usr/bin/env bash
# net.Conn's documentation: Close makes blocked Reads and Writes return; a deadline that is set
# counts for what is pending too, and what exceeds it returns an error that wraps
# os.ErrDeadlineExceeded; a Write that ends early tells how much is out. On a connection of
# conduitio/bwlimit v0.1.0 (100 bytes a second, over net.Pipe, in a bubble of testing/synctest,
# so all times are exact) a Write that waits for its allowance is ended neither by Close nor by
# a new deadline: both take effect when the allowance is there, half a second later. A Write
# whose deadline lies before its next allowance fails half a second early, with an error that
# is neither os.ErrDeadlineExceeded nor a net.Error, so that code takes a timeout for a broken
# connection. A comment in its source says that the error is to be the former, "according to
# net.Conn". Exits with 0 if that is so.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat > go.mod <<'MOD'
module finding
go 1.26.0
require github.com/conduitio/bwlimit v0.1.0
MOD
cat > finding_test.go <<'GO'
package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/conduitio/bwlimit"
)

// try writes 1,100 bytes at 100 bytes a second, the first 100 of which go at once, and prints
// how that ends if meanwhile happens after half a second.
func try(name string, deadline time.Duration, meanwhile func(c net.Conn)) {
	client, server := net.Pipe()
	defer server.Close()
	go io.Copy(io.Discard, server)
	c := bwlimit.NewConn(client, 100, 100)
	start := time.Now()
	if deadline > 0 {
		c.SetWriteDeadline(start.Add(deadline))
	}
	go func() {
		time.Sleep(500 * time.Millisecond) // virtual
		meanwhile(c)
	}()
	n, err := c.Write(make([]byte, 1100))
	_, isNet := err.(net.Error)
	fmt.Printf("%s: Write returns %d after %v, err %v, net.Error %v, os.ErrDeadlineExceeded %v\n",
		name, n, time.Since(start), err, isNet, errors.Is(err, os.ErrDeadlineExceeded))
	c.Close()
}

func TestFinding(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		try("Close after 0.5 s", 0, func(c net.Conn) { c.Close() })
		try("deadline of now after 0.5 s", 0, func(c net.Conn) { c.SetWriteDeadline(time.Now()) })
		try("deadline of 2.5 s", 2500*time.Millisecond, func(net.Conn) {})
	})
}
GO
go mod tidy > tidy.log 2>&1 || { cat tidy.log; exit 1; }
go test -count=1 . -v | grep Write > got || true
cat > want <<'WANT'
Close after 0.5 s: Write returns 100 after 1s, err io: read/write on closed pipe, net.Error false, os.ErrDeadlineExceeded false
deadline of now after 0.5 s: Write returns 100 after 1s, err write pipe: i/o timeout, net.Error true, os.ErrDeadlineExceeded true
deadline of 2.5 s: Write returns 300 after 2s, err rate: Wait(n=100) would exceed context deadline, net.Error false, os.ErrDeadlineExceeded false
WANT
diff want got && echo "as stated"
