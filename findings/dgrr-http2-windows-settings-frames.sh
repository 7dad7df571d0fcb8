#!/usr/bin/env bash
# RFC 9113: 6.9.1, a sender must not send more DATA than the windows allow; 6.5, a SETTINGS frame
# changes the parameters that it has, the others stay; 5.5, frames of unknown type must be
# ignored. dgrr/http2 v0.3.5, HTTP/2 for fasthttp: its server, given a window of 10, sends a body
# of 100 bytes, and its client does too; its client forgets a limit of one stream at the next
# SETTINGS frame, even an empty one; an ORIGIN frame (RFC 8336) makes the client close the
# connection, so that the request on it fails though the answer follows, and a
# PRIORITY_UPDATE frame (RFC 9218, as browsers send) makes the server send GOAWAY with
# PROTOCOL_ERROR. The peer is the Framer of golang.org/x/net v0.62.0; fasthttp is v1.34.0, as
# newer ones have another RoundTripper.
# Exits with 0 if that is so.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat > go.mod <<'MOD'
module finding
go 1.26.0
require (
	github.com/dgrr/http2 v0.3.5
	github.com/valyala/fasthttp v1.34.0
	golang.org/x/net v0.62.0
)
MOD
cat > main.go <<'GO'
package main

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"time"

	dgrr "github.com/dgrr/http2"
	"github.com/valyala/fasthttp"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func check(err error) { must(0, err) }

// connect returns the two ends of a connection. The deadline of the second one is met only by
// software that waits where this one does not.
func connect() (theirs, ours net.Conn) {
	l := must(net.Listen("tcp", "127.0.0.1:0"))
	ours = must(net.Dial("tcp", l.Addr().String()))
	ours.SetDeadline(time.Now().Add(20 * time.Second))
	return must(l.Accept()), ours
}

// data reads frames up to the end of a stream and returns how many bytes of DATA they had.
func data(f *http2.Framer) (n int) {
	for {
		switch frame := must(f.ReadFrame()).(type) {
		case *http2.DataFrame:
			n += len(frame.Data())
			if frame.StreamEnded() {
				return n
			}
		}
	}
}

// pinged waits until the peer has handled the frames that were sent before.
func pinged(f *http2.Framer) {
	check(f.WritePing(false, [8]byte{1}))
	for {
		if p, ok := must(f.ReadFrame()).(*http2.PingFrame); ok && p.IsAck() {
			return
		}
	}
}

func fields(pairs ...string) []byte {
	var b bytes.Buffer
	e := hpack.NewEncoder(&b)
	for i := 0; i < len(pairs); i += 2 {
		check(e.WriteField(hpack.HeaderField{Name: pairs[i], Value: pairs[i+1]}))
	}
	return b.Bytes()
}

func request(f *http2.Framer) {
	check(f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, EndHeaders: true, EndStream: true,
		BlockFragment: fields(":method", "GET", ":scheme", "https", ":authority", "h", ":path", "/")}))
}

// server returns the Framer of a client of dgrr's server, whose answers have 100 bytes.
func server(settings ...http2.Setting) *http2.Framer {
	theirs, ours := connect()
	s := dgrr.ConfigureServer(&fasthttp.Server{Handler: func(c *fasthttp.RequestCtx) { c.Write(make([]byte, 100)) }}, dgrr.ServerConfig{})
	go s.ServeConn(theirs)
	io.WriteString(ours, http2.ClientPreface)
	f := http2.NewFramer(ours, ours)
	check(f.WriteSettings(settings...))
	pinged(f)
	return f
}

// client returns a client connection of dgrr's and the Framer of its server.
func client(settings ...http2.Setting) (*dgrr.Conn, *http2.Framer) {
	theirs, ours := connect()
	f := http2.NewFramer(ours, ours)
	check(f.WriteSettings(settings...))
	c := dgrr.NewConn(theirs, dgrr.ConnOpts{})
	check(c.Handshake())
	must(io.ReadFull(ours, make([]byte, len(http2.ClientPreface))))
	pinged(f)
	return c, f
}

// send sends a POST of size bytes; the channel has how it ends.
func send(c *dgrr.Conn, size int) chan error {
	req := fasthttp.AcquireRequest()
	req.SetRequestURI("https://h/")
	req.Header.SetMethod("POST")
	req.SetBody(make([]byte, size))
	done := make(chan error, 1)
	c.Write(&dgrr.Ctx{Request: req, Response: fasthttp.AcquireResponse(), Err: done})
	return done
}

func main() {
	small := http2.Setting{ID: http2.SettingInitialWindowSize, Val: 10}

	f := server(small)
	request(f)
	fmt.Println("server, window of 10: DATA", data(f))

	f = server()
	check(f.WriteRawFrame(0x10, 0, 0, []byte("\x00\x00\x00\x01u=3")))
	for goAway := false; !goAway; {
		if frame, ok := must(f.ReadFrame()).(*http2.GoAwayFrame); ok {
			goAway = true
			fmt.Printf("server, PRIORITY_UPDATE: GOAWAY %v %q\n", frame.ErrCode, frame.DebugData())
		}
	}

	c, f := client(small)
	send(c, 100)
	fmt.Println("client, window of 10: DATA", data(f))

	c, f = client(http2.Setting{ID: http2.SettingMaxConcurrentStreams, Val: 1})
	send(c, 1)
	data(f)
	pinged(f)
	fmt.Printf("client, at most 1 stream, 1 open: can open another %v", c.CanOpenStream())
	check(f.WriteSettings())
	pinged(f)
	fmt.Printf(", after an empty SETTINGS frame %v\n", c.CanOpenStream())

	for _, origin := range []bool{false, true} {
		c, f = client()
		done := send(c, 1)
		data(f)
		if origin {
			check(f.WriteRawFrame(0xc, 0, 0, []byte("\x00\x09https://h")))
		}
		f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, EndHeaders: true, EndStream: true, BlockFragment: fields(":status", "204")})
		fmt.Printf("client, ORIGIN before the answer %v: the request ends with %v\n", origin, <-done)
	}
}
GO
go mod tidy > tidy.log 2>&1 || { cat tidy.log; exit 1; }
go run . > got
cat > want <<'WANT'
server, window of 10: DATA 100
server, PRIORITY_UPDATE: GOAWAY PROTOCOL_ERROR "unknown frame type"
client, window of 10: DATA 100
client, at most 1 stream, 1 open: can open another false, after an empty SETTINGS frame true
client, ORIGIN before the answer false: the request ends with <nil>
client, ORIGIN before the answer true: the request ends with unexpected EOF
WANT
diff want got && echo "as stated"
