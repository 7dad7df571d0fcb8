#!/usr/bin/env bash
# coder/websocket v1.8.15, Conn: "On any error from any method, the connection is closed with an appropriate
# reason. This applies to context expirations as well unfortunately." A Read and a Write whose context had ended
# before the call: chance decides (mu.lock in conn.go selects between the lock, which is free, and the
# context's end, and both are ready). Of 1000 connections some are closed, and on the others, whose call returned the
# context's error just so, the next message goes to the server and its echo comes back. Of the Writes some
# return nil, as the message is out before the connection is closed for the context. Code that
# makes a new connection after each error leaves the old ones open; code that goes on after it works in
# most runs of its test. Exits with 0 if that is so.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat > go.mod <<'MOD'
module finding
go 1.26.0
require github.com/coder/websocket v1.8.15
MOD
cat > main.go <<'GO'
package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/coder/websocket"
)

// echo is a server that sends each message back.
func echo(w http.ResponseWriter, r *http.Request) {
	c, err := websocket.Accept(w, r, nil)
	if err != nil {
		return
	}
	defer c.CloseNow()
	for {
		kind, message, err := c.Read(context.Background())
		if err != nil || c.Write(context.Background(), kind, message) != nil {
			return
		}
	}
}

// open says whether ten messages come back; a connection that is being closed does not last so long.
func open(c *websocket.Conn) bool {
	for i := range 10 {
		want := fmt.Sprint(i)
		if c.Write(context.Background(), websocket.MessageText, []byte(want)) != nil {
			return false
		}
		for got := ""; got != want; {
			_, message, err := c.Read(context.Background())
			if err != nil {
				return false
			}
			got = string(message)
		}
	}
	return true
}

func main() {
	s := httptest.NewServer(http.HandlerFunc(echo))
	past, cancel := context.WithCancel(context.Background())
	cancel()
	seen := make(map[string]int)
	for range 1000 {
		for name, call := range map[string]func(c *websocket.Conn) error{
			"Read":  func(c *websocket.Conn) error { _, _, err := c.Read(past); return err },
			"Write": func(c *websocket.Conn) error { return c.Write(past, websocket.MessageText, []byte("late")) },
		} {
			c, _, err := websocket.Dial(context.Background(), s.URL, nil)
			if err != nil {
				panic(err)
			}
			err = call(c)
			seen[fmt.Sprintf("%s, error %v, open %v", name, err != nil, open(c))]++
			c.CloseNow()
		}
	}
	for _, name := range []string{"Read, error true, open true", "Read, error true, open false", "Read, error false, open true", "Write, error true, open true", "Write, error false, open false"} {
		fmt.Printf("%s: happens %v\n", name, seen[name] > 0)
	}
}
GO
go mod tidy > tidy.log 2>&1 || { cat tidy.log; exit 1; }
timeout 120 go run . > got
cat > want <<'WANT'
Read, error true, open true: happens true
Read, error true, open false: happens true
Read, error false, open true: happens false
Write, error true, open true: happens true
Write, error false, open false: happens true
WANT
diff want got && echo "as stated"
