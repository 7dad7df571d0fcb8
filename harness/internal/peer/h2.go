package peer

import (
	"bytes"
	"crypto/tls"
	"io"
	"strings"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/halfopen/halfopen/faultnet"
)

// RequestHeader is the header field that names a request.
const RequestHeader = "Halfopen-Request"

// h2Modes is the modes of serve-h2. Each is of the first connection; those that
// follow are served as they should be.
var h2Modes = append([]Mode{
	{"ok", "it answers as it should"},
	{"goaway", "it answers, and sends GOAWAY without an error"},
	{"goaway-zero", "it sends GOAWAY without an error, for no stream at all"},
	{"goaway-error", "it sends GOAWAY with ENHANCE_YOUR_CALM instead of an answer"},
	{"goaway-mid-body", "it sends GOAWAY without an error while an answer is on its way"},
	{"settings-never", "it sends no SETTINGS"},
	{"settings-late", "it sends SETTINGS after 5s"},
	{"streams-0", "it allows no stream"},
	{"streams-1", "it allows one stream at a time"},
	{"streams-shrunk", "it allows a hundred streams, and after the first answer one"},
	{"window-starved", "it gives the client no window for a body"},
	{"window-overflow", "it gives the connection more window than there can be"},
	{"ping-ignored", "it answers no PING, nor anything else"},
	{"continuation-flood", "its headers go on in CONTINUATION frames for 32 MiB, and have no end"},
	{"headers-split", "its headers come in a frame a byte"},
	{"data-after-end", "it sends DATA on a stream that it has ended"},
	{"bad-preface", "it answers in HTTP/1.1"},
	{"bad-frame", "it sends a frame that ends the connection, in the middle of a body"},
	{"half-body", "it closes in the middle of a body"},
}, rstModes()...)

// rstModes returns a mode for each error code: RFC 9113 section 7.
func rstModes() (modes []Mode) {
	for code := http2.ErrCodeNo; code <= http2.ErrCodeHTTP11Required; code++ {
		modes = append(modes, Mode{rstName(code), "it resets the stream with " + code.String()})
	}
	return modes
}

func rstName(code http2.ErrCode) string {
	return "rst-" + strings.ToLower(strings.ReplaceAll(code.String(), "_", "-"))
}

// H2 serves HTTP/2 over TLS on a connection, the i-th of its server, in that mode. It
// answers "ok" to every request.
func H2(c *faultnet.Conn, i int, config *tls.Config, mode string, w Witness) {
	tc := tls.Server(c, config)
	defer tc.Close()
	p := &h2Conn{witness: w, c: tc, raw: c, mode: mode, asked: make(map[uint32]string)}
	if i > 0 {
		p.mode = "ok"
	}
	p.enc = hpack.NewEncoder(&p.block)
	p.serve()
}

// h2Conn is one connection of HTTP/2, at the server's end.
type h2Conn struct {
	witness Witness
	c       *tls.Conn
	raw     *faultnet.Conn
	f       *http2.Framer
	mode    string
	block   bytes.Buffer
	enc     *hpack.Encoder
	done    int               // requests that were answered
	asked   map[uint32]string // the names of requests, by stream
	going   bool              // it has sent GOAWAY
	last    uint32            // the stream that GOAWAY named
}

func (p *h2Conn) serve() {
	preface := make([]byte, len(http2.ClientPreface))
	if _, err := io.ReadFull(p.c, preface); err != nil {
		return
	}
	if p.mode == "bad-preface" {
		io.WriteString(p.c, "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
		return
	}
	p.f = http2.NewFramer(p.c, p.c)
	p.f.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	p.settings()
	for {
		fr, err := p.f.ReadFrame()
		if err != nil {
			return
		}
		if !p.frame(fr) {
			return
		}
	}
}

func (p *h2Conn) settings() {
	streams := func(n uint32) http2.Setting {
		return http2.Setting{ID: http2.SettingMaxConcurrentStreams, Val: n}
	}
	switch p.mode {
	case "settings-never":
	case "settings-late":
		time.Sleep(5 * time.Second)
		p.f.WriteSettings()
	case "streams-0":
		p.f.WriteSettings(streams(0))
	case "streams-1":
		p.f.WriteSettings(streams(1))
	case "window-starved":
		p.f.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 0})
	default:
		p.f.WriteSettings(streams(100))
	}
}

// frame takes a frame; it reports whether to go on.
func (p *h2Conn) frame(fr http2.Frame) bool {
	switch fr := fr.(type) {
	case *http2.SettingsFrame:
		if !fr.IsAck() {
			p.f.WriteSettingsAck()
		}
	case *http2.PingFrame:
		if !fr.IsAck() && p.mode != "ping-ignored" {
			p.f.WritePing(true, fr.Data)
		}
	case *http2.DataFrame:
		if fr.StreamEnded() {
			return p.answer(fr.StreamID)
		}
	case *http2.MetaHeadersFrame:
		for _, h := range fr.Fields {
			if strings.EqualFold(h.Name, RequestHeader) {
				p.asked[fr.StreamID] = h.Value
				p.witness.Saw(h.Value, p.raw)
			}
		}
		if p.going && fr.StreamID > p.last {
			p.witness.Refused(p.asked[fr.StreamID])
		}
		if fr.StreamEnded() {
			return p.answer(fr.StreamID)
		}
	}
	return true
}

// goAway says that the connection ends, and that streams above last were not
// processed, nor will be: RFC 9113 section 6.8.
func (p *h2Conn) goAway(last uint32, code http2.ErrCode, debug string) {
	if p.going {
		return
	}
	p.going, p.last = true, last
	for id, name := range p.asked { // in any order: each is only counted
		if id > last {
			p.witness.Refused(name)
		}
	}
	p.f.WriteGoAway(last, code, []byte(debug))
}

// answer answers a request that has come to its end; it reports whether the
// connection goes on. It answers none that GOAWAY has refused.
func (p *h2Conn) answer(id uint32) bool {
	if p.going && id > p.last {
		return true
	}
	p.done++
	if code, ok := p.code(); ok && p.done == 1 {
		if code == http2.ErrCodeRefusedStream {
			p.witness.Refused(p.asked[id])
		}
		p.f.WriteRSTStream(id, code)
		return true
	}
	switch p.mode {
	case "ping-ignored":
		return true
	case "goaway-zero":
		p.goAway(0, http2.ErrCodeNo, "")
		return true
	case "goaway-error":
		p.goAway(0, http2.ErrCodeEnhanceYourCalm, "calm down")
		return false
	case "continuation-flood":
		p.flood(id)
		return false
	case "window-overflow":
		p.f.WriteWindowUpdate(0, 1<<31-1)
		return true
	}
	p.headers(id)
	switch p.mode {
	case "goaway-mid-body":
		p.f.WriteData(id, false, []byte("o"))
		p.goAway(id, http2.ErrCodeNo, "")
		p.f.WriteData(id, true, []byte("k"))
		return true
	case "bad-frame":
		p.f.WriteData(id, false, []byte("o"))
		p.f.WriteRawFrame(http2.FrameData, 0, 0, []byte("x")) // DATA of no stream
		return true
	case "half-body":
		p.f.WriteData(id, false, []byte("o"))
		return false
	}
	p.f.WriteData(id, true, []byte("ok"))
	switch p.mode {
	case "data-after-end":
		p.f.WriteData(id, false, []byte("more"))
	case "goaway":
		p.goAway(id, http2.ErrCodeNo, "")
	case "streams-shrunk":
		if p.done == 1 {
			p.f.WriteSettings(http2.Setting{ID: http2.SettingMaxConcurrentStreams, Val: 1})
		}
	}
	return true
}

func (p *h2Conn) code() (http2.ErrCode, bool) {
	for code := http2.ErrCodeNo; code <= http2.ErrCodeHTTP11Required; code++ {
		if p.mode == rstName(code) {
			return code, true
		}
	}
	return 0, false
}

// headers sends the head of an answer.
func (p *h2Conn) headers(id uint32) {
	p.block.Reset()
	p.enc.WriteField(hpack.HeaderField{Name: ":status", Value: "200"})
	if p.mode != "bad-frame" && p.mode != "half-body" {
		p.enc.WriteField(hpack.HeaderField{Name: "content-length", Value: "2"})
	}
	b := p.block.Bytes()
	if p.mode != "headers-split" {
		p.f.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: b, EndHeaders: true})
		return
	}
	p.f.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: b[:1]})
	for i := 1; i < len(b); i++ {
		p.f.WriteContinuation(id, i == len(b)-1, b[i:i+1])
	}
}

// floodSize bounds what a flood sends: a client that takes all of it would go on for ever,
// and a run with it in real time.
const floodSize = 32 << 20

// flood sends headers without an end, until the client closes or has taken floodSize bytes.
func (p *h2Conn) flood(id uint32) {
	p.block.Reset()
	p.enc.WriteField(hpack.HeaderField{Name: ":status", Value: "200"})
	err := p.f.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: p.block.Bytes()})
	for sent := 0; err == nil && sent < floodSize; sent += p.block.Len() {
		p.block.Reset()
		p.enc.WriteField(hpack.HeaderField{Name: "x-flood", Value: strings.Repeat("x", 4000), Sensitive: true})
		err = p.f.WriteContinuation(id, false, p.block.Bytes())
	}
	io.Copy(io.Discard, p.c)
}
