package cases

import (
	"bytes"
	"crypto/tls"
	"io"
	"net"
	"strings"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/halfopen/halfopen/harness"
)

func init() { harness.HelperFile() }

// framePeer is one connection of a server of HTTP/2 whose every frame a case
// decides on.
type framePeer struct {
	*http2.Framer
	conn     net.Conn
	number   int // of the connection, from 1
	requests int // that have come on it
	open     []uint32
	turn     chan struct{}
	block    bytes.Buffer
	enc      *hpack.Encoder
}

// serveFrames has api.test served frame by frame: handle is called for each frame
// that comes, with the headers of a request in one piece, and reports whether to
// go on. Settings and pings are answered already. The connections are handled
// one at a time: handle needs no lock.
func (e *Env) serveFrames(handle func(p *framePeer, f http2.Frame) bool, settings ...http2.Setting) {
	l, err := e.Net.Listen("tcp", e.Addr("api.test"))
	if err != nil {
		e.Fatal(err)
	}
	var config *tls.Config
	if e.Protocol == H2 {
		// The harness gives its certificates to its servers only.
		s := e.ServeTLS("api.test:1", nil, nil)
		e.Settle()
		config = s.TLSConfig.Clone()
		config.NextProtos = []string{"h2"}
	}
	turn := make(chan struct{}, 1)
	go func() {
		for n := 1; ; n++ {
			c, err := l.Accept()
			if err != nil {
				return
			}
			if config != nil {
				c = tls.Server(c, config)
			}
			p := &framePeer{Framer: http2.NewFramer(c, c), conn: c, number: n, turn: turn}
			go func() {
				defer c.Close()
				p.serve(c, settings, func(f http2.Frame) (goOn bool) {
					p.inTurn(func() { goOn = handle(p, f) })
					return goOn
				})
			}()
		}
	}()
}

func (p *framePeer) serve(c net.Conn, settings []http2.Setting, handle func(f http2.Frame) bool) {
	if _, err := io.ReadFull(c, make([]byte, len(http2.ClientPreface))); err != nil {
		return
	}
	p.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	p.enc = hpack.NewEncoder(&p.block)
	p.WriteSettings(settings...)
	for {
		f, err := p.ReadFrame()
		if err != nil {
			return
		}
		switch f := f.(type) {
		case *http2.SettingsFrame:
			if !f.IsAck() {
				p.WriteSettingsAck()
			}
		case *http2.PingFrame:
			if !f.IsAck() {
				p.WritePing(true, f.Data)
			}
		case *http2.MetaHeadersFrame:
			p.requests++
		}
		if !handle(f) {
			return
		}
	}
}

// inTurn calls f while no other connection of the server is handled. It waits on
// a channel, as all that waits in a bubble must.
func (p *framePeer) inTurn(f func()) {
	p.turn <- struct{}{}
	defer func() { <-p.turn }()
	f()
}

// later calls f in its turn, after a time.
func (p *framePeer) later(d time.Duration, f func()) {
	time.AfterFunc(d, func() { p.inTurn(f) })
}

// head sends the headers of an answer.
func (p *framePeer) head(id uint32) {
	p.block.Reset()
	p.enc.WriteField(hpack.HeaderField{Name: ":status", Value: "200"})
	p.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: p.block.Bytes(), EndHeaders: true})
}

func (p *framePeer) answer(id uint32, body string) {
	p.head(id)
	p.WriteData(id, true, []byte(body))
}

// requestName returns the name of the request that has these headers.
func requestName(h *http2.MetaHeadersFrame) string {
	for _, f := range h.Fields {
		if strings.EqualFold(f.Name, harness.RequestHeader) {
			return f.Value
		}
	}
	return ""
}
