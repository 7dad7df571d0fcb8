#!/usr/bin/env bash
# RFC 6455, 7.1.5: a Close frame without a status counts as 1005; 5.5.1: an answer to Close
# typically echoes its status; 5.1: a client masks all frames; 7.4.2: codes up to 2999 come by
# registration, and IANA has 1012 (service restart) and 1014 (bad gateway). Five Go clients:
# gobwas/ws v1.5.0 takes both codes for a protocol error, and masks the payload of the Close
# frame that says so, but not its header: the server has to fail the connection and reads a
# random status. lxzan/gws v1.8.9 reports 0 for no status, and answers 1012 with 1000 and 1014
# with 1002. gorilla/websocket v1.5.3 takes 1014 for an error. golang.org/x/net v0.62.0
# (websocket) answers 1000 to all, says io.EOF and no code, and returns each fragment of a message
# as a message (5.4: one). coder/websocket v1.8.15 is right on all. Exits with 0 if that is so.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat > go.mod <<'MOD'
module finding
go 1.26.0
require (
	github.com/coder/websocket v1.8.15
	github.com/gobwas/ws v1.5.0
	github.com/gorilla/websocket v1.5.3
	github.com/lxzan/gws v1.8.9
	golang.org/x/net v0.62.0
)
MOD
cat > main.go <<'GO'
package main

import (
	"bufio"
	"context"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"

	coder "github.com/coder/websocket"
	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
	gorilla "github.com/gorilla/websocket"
	"github.com/lxzan/gws"
	xnet "golang.org/x/net/websocket"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// serve is a server that sends frames, which end with a Close frame, to the one client that
// connects. The channel has what the client's own Close frame is.
func serve(frames string) (url string, answer chan string) {
	l, answer := must(net.Listen("tcp", "127.0.0.1:0")), make(chan string)
	go func() {
		c := must(l.Accept())
		defer c.Close()
		br := bufio.NewReader(c)
		sum := sha1.Sum([]byte(must(http.ReadRequest(br)).Header.Get("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
		fmt.Fprintf(c, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n%s",
			base64.StdEncoding.EncodeToString(sum[:]), frames)
		h := must(ws.ReadHeader(br))
		payload := make([]byte, h.Length)
		must(io.ReadFull(br, payload))
		switch {
		case h.OpCode != ws.OpClose:
			answer <- "no Close"
		case !h.Masked:
			answer <- "not masked"
		case h.Length < 2:
			answer <- "no status"
		default:
			ws.Cipher(payload, h.Mask, 0)
			answer <- fmt.Sprint(binary.BigEndian.Uint16(payload))
		}
	}()
	return "ws://" + l.Addr().String() + "/", answer
}

// events is what gws calls.
type events struct {
	gws.BuiltinEventHandler
	seen *string
}

func (e events) OnMessage(_ *gws.Conn, m *gws.Message) { *e.seen += fmt.Sprintf("%q ", m.Bytes()) }

func (e events) OnClose(_ *gws.Conn, err error) {
	var c *gws.CloseError
	if errors.As(err, &c) {
		*e.seen += fmt.Sprint("code ", c.Code)
	} else {
		*e.seen += err.Error()
	}
}

// clients has functions that read all messages, and return them and how the connection ends.
var clients = []struct {
	name string
	read func(url string) string
}{
	{"coder", func(url string) (seen string) {
		c, _, err := coder.Dial(context.Background(), url, nil)
		must(0, err)
		defer c.CloseNow()
		for {
			_, message, err := c.Read(context.Background())
			if err != nil {
				return seen + fmt.Sprintf("code %d", coder.CloseStatus(err))
			}
			seen += fmt.Sprintf("%q ", message)
		}
	}},
	{"gobwas", func(url string) (seen string) {
		c, br, _, err := ws.Dial(context.Background(), url)
		must(0, err)
		defer c.Close()
		rw := struct {
			io.Reader
			io.Writer
		}{c, c}
		if br != nil {
			rw.Reader = br
		}
		for {
			message, _, err := wsutil.ReadServerData(rw)
			var closed wsutil.ClosedError
			switch {
			case errors.As(err, &closed):
				return seen + fmt.Sprintf("code %d", closed.Code)
			case err != nil:
				return seen + err.Error()
			}
			seen += fmt.Sprintf("%q ", message)
		}
	}},
	{"gws", func(url string) (seen string) {
		c, _, err := gws.NewClient(events{seen: &seen}, &gws.ClientOption{Addr: url})
		must(0, err)
		c.ReadLoop()
		return seen
	}},
	{"gorilla", func(url string) (seen string) {
		c, _, err := gorilla.DefaultDialer.Dial(url, nil)
		must(0, err)
		defer c.Close()
		for {
			_, message, err := c.ReadMessage()
			var closed *gorilla.CloseError
			switch {
			case errors.As(err, &closed):
				return seen + fmt.Sprint("code ", closed.Code)
			case err != nil:
				return seen + err.Error()
			}
			seen += fmt.Sprintf("%q ", message)
		}
	}},
	{"x/net", func(url string) (seen string) {
		c := must(xnet.Dial(url, "", "http://host/"))
		defer c.Close()
		for {
			var message []byte
			if err := xnet.Message.Receive(c, &message); err != nil {
				return seen + err.Error()
			}
			seen += fmt.Sprintf("%q ", message)
		}
	}},
}

func main() {
	for _, t := range []struct{ name, frames string }{
		{"Close without status", "\x88\x00"},
		{"Close with 1012", "\x88\x02\x03\xf4"},
		{"Close with 1014", "\x88\x02\x03\xf6"},
		{"Close with 4000", "\x88\x02\x0f\xa0"},
		{"he, llo, Close with 1000", "\x01\x02he\x80\x03llo\x88\x02\x03\xe8"},
	} {
		for _, client := range clients {
			url, answer := serve(t.frames)
			seen := make(chan string, 1)
			go func() { seen <- client.read(url) }()
			answered := <-answer
			fmt.Printf("%s: %s sees %s, answers %s\n", t.name, client.name, <-seen, answered)
		}
	}
}
GO
go mod tidy > tidy.log 2>&1 || { cat tidy.log; exit 1; }
go run . > got
cat > want <<'WANT'
Close without status: coder sees code 1005, answers no status
Close without status: gobwas sees code 1005, answers no status
Close without status: gws sees code 0, answers no status
Close without status: gorilla sees code 1005, answers no status
Close without status: x/net sees EOF, answers 1000
Close with 1012: coder sees code 1012, answers 1012
Close with 1012: gobwas sees status code is not defined in spec, answers not masked
Close with 1012: gws sees code 1012, answers 1000
Close with 1012: gorilla sees code 1012, answers 1012
Close with 1012: x/net sees EOF, answers 1000
Close with 1014: coder sees code 1014, answers 1014
Close with 1014: gobwas sees status code is not defined in spec, answers not masked
Close with 1014: gws sees code 1014, answers 1002
Close with 1014: gorilla sees websocket: bad close code 1014, answers 1002
Close with 1014: x/net sees EOF, answers 1000
Close with 4000: coder sees code 4000, answers 4000
Close with 4000: gobwas sees code 4000, answers 4000
Close with 4000: gws sees code 4000, answers 4000
Close with 4000: gorilla sees code 4000, answers 4000
Close with 4000: x/net sees EOF, answers 1000
he, llo, Close with 1000: coder sees "hello" code 1000, answers 1000
he, llo, Close with 1000: gobwas sees "hello" code 1000, answers 1000
he, llo, Close with 1000: gws sees "hello" code 1000, answers 1000
he, llo, Close with 1000: gorilla sees "hello" code 1000, answers 1000
he, llo, Close with 1000: x/net sees "he" "llo" EOF, answers 1000
WANT
diff want got && echo "as stated"
