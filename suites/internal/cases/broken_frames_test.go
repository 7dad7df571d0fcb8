package cases_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"net"
	"net/http"
	"sync/atomic"

	"golang.org/x/net/http2"

	"github.com/halfopen/halfopen/harness"
)

// A mangler makes something else of a frame of HTTP/2: nil is no frame at all.
// It may close the connection.
type mangler func(frame []byte, c net.Conn) []byte

const frameHeader = 9 // RFC 9113 section 4.1

func frameType(frame []byte) http2.FrameType { return http2.FrameType(frame[3]) }

func stream(frame []byte) uint32 { return binary.BigEndian.Uint32(frame[5:]) }

// withoutFrames keeps the frames of a type back.
func withoutFrames(what http2.FrameType) mangler {
	return func(frame []byte, _ net.Conn) []byte {
		switch {
		case frameType(frame) != what:
			return frame
		case what == http2.FrameSettings && frame[4] == 0:
			return append(make([]byte, 0, frameHeader), 0, 0, 0, byte(what), 0, 0, 0, 0, 0) // no settings
		case what == http2.FrameSettings:
			return frame // what is acknowledged
		}
		return nil
	}
}

// withoutWindow keeps the window of the connection from the server.
func withoutWindow(frame []byte, _ net.Conn) []byte {
	if frameType(frame) == http2.FrameWindowUpdate && stream(frame) == 0 {
		return nil
	}
	return frame
}

func fatal(what http2.FrameType) mangler {
	return func(frame []byte, c net.Conn) []byte {
		if frameType(frame) == what {
			c.Close()
		}
		return frame
	}
}

func resetWith(code http2.ErrCode) mangler {
	return func(frame []byte, _ net.Conn) []byte {
		if frameType(frame) == http2.FrameRSTStream {
			binary.BigEndian.PutUint32(frame[frameHeader:], uint32(code))
		}
		return frame
	}
}

// nothingProcessed has every GOAWAY say that nothing was processed.
func nothingProcessed(frame []byte, _ net.Conn) []byte {
	if frameType(frame) == http2.FrameGoAway {
		clear(frame[frameHeader : frameHeader+8])
	}
	return frame
}

// mangled is net/http's transport over HTTP/2 without TLS, with something done to
// the frames that come, and to those that go.
func mangled(in, out mangler) harness.Maker {
	return func(t *harness.T, s harness.Settings) (http.RoundTripper, error) {
		rt, err := h2c(harness.NetHTTP)(t, s)
		rt.(*http.Transport).DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
			c, err := t.Net.DialContext(ctx, network, addr)
			if err != nil {
				return nil, err
			}
			return &mangledConn{Conn: c, in: in, out: out, preface: len(http2.ClientPreface)}, nil
		}
		return rt, err
	}
}

// forgetsTheLeft is net/http's transport over HTTP/2 without TLS, which closes no
// connection on which a GOAWAY has come: a Close does not reach it.
func forgetsTheLeft(t *harness.T, s harness.Settings) (http.RoundTripper, error) {
	rt, err := h2c(harness.NetHTTP)(t, s)
	rt.(*http.Transport).DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := t.Net.DialContext(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		left := new(leftConn)
		left.mangledConn = mangledConn{Conn: c, preface: len(http2.ClientPreface), in: func(frame []byte, _ net.Conn) []byte {
			if frameType(frame) == http2.FrameGoAway {
				left.left.Store(true)
			}
			return frame
		}}
		return left, nil
	}
	return rt, err
}

type leftConn struct {
	mangledConn
	left atomic.Bool
}

func (c *leftConn) Close() error {
	if c.left.Load() {
		return nil
	}
	return c.mangledConn.Close()
}

type mangledConn struct {
	net.Conn
	in, out  mangler
	preface  int    // bytes of it that are still to go
	going    []byte // a part of a frame
	arriving []byte // the same
	arrived  []byte // whole frames
}

func (c *mangledConn) Write(p []byte) (int, error) {
	n := min(c.preface, len(p))
	c.preface -= n
	c.going = append(c.going, p[n:]...)
	var whole []byte
	c.going, whole = c.frames(c.going, c.out)
	_, err := c.Conn.Write(append(bytes.Clone(p[:n]), whole...))
	return len(p), err
}

func (c *mangledConn) Read(p []byte) (int, error) {
	for len(c.arrived) == 0 {
		b := make([]byte, 4096)
		n, err := c.Conn.Read(b)
		c.arriving, c.arrived = c.frames(append(c.arriving, b[:n]...), c.in)
		if err != nil && len(c.arrived) == 0 {
			return 0, err
		}
	}
	n := copy(p, c.arrived)
	c.arrived = c.arrived[n:]
	return n, nil
}

// frames returns the whole frames of b, as do leaves them, and the rest of b.
func (c *mangledConn) frames(b []byte, do mangler) (rest, whole []byte) {
	for len(b) >= frameHeader {
		size := frameHeader + int(b[0])<<16 + int(b[1])<<8 + int(b[2])
		if len(b) < size {
			break
		}
		frame := bytes.Clone(b[:size])
		if do != nil {
			frame = do(frame, c.Conn)
		}
		whole = append(whole, frame...)
		b = b[size:]
	}
	return b, whole
}
