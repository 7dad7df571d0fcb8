package cases

import (
	"fmt"
	"net/http"
	"strings"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// http2RuleCases are about what RFC 9113 asks of a client, frame by frame.
var http2RuleCases = []Case{
	{
		Name:      "http2-unknown-ignored",
		Claim:     "What a client does not know, or what no longer concerns it, is ignored: frames of other types, other settings, priorities, frames of a stream that has ended.",
		Verdict:   "each request is answered",
		Source:    "RFC 9113 section 4.1 (implementations MUST ignore and discard frames of unknown types); section 5.1; section 6.5.2",
		Protocols: H2 | H2C,
		Body: func(e *Env) {
			e.serveFrames(func(p *framePeer, f http2.Frame) bool {
				if h, ok := f.(*http2.MetaHeadersFrame); ok {
					p.WriteRawFrame(0xfe, 0x3, h.StreamID, []byte("a frame of another type"))
					p.WriteRawFrame(http2.FramePriority, 0, h.StreamID, []byte{0, 0, 0, 0, 7})
					p.WriteSettings(http2.Setting{ID: 0xfafa, Val: 7})
					p.answer(h.StreamID, "ok")
					p.WriteWindowUpdate(h.StreamID, 1)
					p.WriteRSTStream(h.StreamID, http2.ErrCodeNo)
					p.WriteRawFrame(0xfe, 0, 0, nil)
				}
				return true
			})
			for _, name := range []string{"r1", "r2", "r3"} {
				e.wantOK(name)
			}
			e.WantOpened(1, "nothing was wrong with it")
		},
	},
	{
		Name:      "http2-connection-errors",
		Claim:     "A frame that RFC 9113 calls an error of the connection ends the connection: the request that was on it fails, and the next one is answered on another.",
		Verdict:   "it is an error, and nothing is left behind",
		Source:    "RFC 9113 section 5.4.1; section 6.1; section 6.5; section 6.6; section 6.7; section 6.9",
		Protocols: H2 | H2C,
		Body: func(e *Env) {
			wrong := []func(p *framePeer, id uint32){
				func(p *framePeer, _ uint32) { p.WriteRawFrame(http2.FrameData, 0, 0, []byte("of no stream")) },
				func(p *framePeer, _ uint32) { p.WriteRawFrame(http2.FrameSettings, 0, 0, []byte{1}) },
				func(p *framePeer, _ uint32) { p.WriteRawFrame(http2.FramePing, 0, 0, []byte("short")) },
				func(p *framePeer, id uint32) { p.WriteRawFrame(http2.FrameContinuation, 0, id, nil) },
				func(p *framePeer, id uint32) { p.WriteRawFrame(http2.FrameWindowUpdate, 0, 0, []byte{0, 0, 0, 0}) },
				func(p *framePeer, id uint32) {
					p.WriteRawFrame(http2.FramePushPromise, http2.Flags(http2.FlagPushPromiseEndHeaders), id, []byte{0, 0, 0, 2})
				},
				func(p *framePeer, _ uint32) { p.WriteRawFrame(http2.FrameRSTStream, 0, 2, []byte{0, 0, 0, 0, 0}) },
			}
			next := 0
			e.serveFrames(func(p *framePeer, f http2.Frame) bool {
				h, ok := f.(*http2.MetaHeadersFrame)
				switch {
				case !ok:
				case strings.HasPrefix(requestName(h), "wrong"):
					p.head(h.StreamID)
					p.WriteData(h.StreamID, false, []byte("begin"))
					wrong[next](p, h.StreamID)
				default:
					p.answer(h.StreamID, "ok")
				}
				return true
			})
			for next = range wrong {
				r := e.Get(fmt.Sprintf("wrong%d", next+1), "/")
				if r.Response() != nil {
					r.Read()
					r.CloseBody()
				}
				e.WantConns(0, "its server broke the rules of the connection")
				e.wantOK(fmt.Sprintf("after%d", next+1))
				e.CloseIdle()
			}
		},
	},
	{
		Name:      "http2-malformed-responses",
		Claim:     "A response that RFC 9113 calls malformed is an error of its request, and of no other on the connection.",
		Verdict:   "it is an error",
		Source:    "RFC 9113 section 8.1.1 (clients MUST NOT accept a malformed response); section 8.2.1; section 8.3.2",
		Protocols: H2 | H2C,
		Body: func(e *Env) {
			status := hpack.HeaderField{Name: ":status", Value: "200"}
			malformed := [][]hpack.HeaderField{
				{{Name: "x", Value: "no status"}},
				{status, {Name: "Upper", Value: "case"}},
				{status, {Name: "x", Value: "line\nbreak"}},
				{{Name: "x", Value: "before"}, status},
				{status, {Name: "content-length", Value: "10"}},
				{status, {Name: "content-length", Value: "1"}},
			}
			next := 0
			e.serveFrames(func(p *framePeer, f http2.Frame) bool {
				h, ok := f.(*http2.MetaHeadersFrame)
				switch {
				case !ok:
				case strings.HasPrefix(requestName(h), "wrong"):
					p.block.Reset()
					for _, field := range malformed[next] {
						p.enc.WriteField(field)
					}
					p.WriteHeaders(http2.HeadersFrameParam{StreamID: h.StreamID, BlockFragment: p.block.Bytes(), EndHeaders: true})
					p.WriteData(h.StreamID, true, []byte("ok"))
				default:
					p.answer(h.StreamID, "ok")
				}
				return true
			})
			e.wantOK("before")
			for next = range malformed {
				r := e.Get(fmt.Sprintf("wrong%d", next+1), "/")
				if r.Response() != nil {
					b := make([]byte, 100)
					var err error
					for err == nil {
						_, err = r.Response().Body.Read(b)
					}
					if err.Error() == "EOF" {
						e.Errorf("%s: got a response with a whole body, and %v is malformed", r.Name(), malformed[next])
					}
					r.CloseBody()
				}
				e.wantOK(fmt.Sprintf("after%d", next+1))
			}
		},
	},
	{
		Name:      "http2-pings-answered",
		Claim:     "A PING is answered with what is in it, and settings are acknowledged, whether a request is under way or not.",
		Verdict:   "what the server learns",
		Source:    "RFC 9113 section 6.7 (receivers of a PING frame that does not include an ACK flag MUST send a PING frame with the ACK flag set in response); section 6.5.3",
		Protocols: H2 | H2C,
		Body: func(e *Env) {
			var peer *framePeer
			var answers []string
			acks := 0
			e.serveFrames(func(p *framePeer, f http2.Frame) bool {
				switch f := f.(type) {
				case *http2.PingFrame:
					if f.IsAck() {
						answers = append(answers, string(f.Data[:]))
					}
				case *http2.SettingsFrame:
					if f.IsAck() {
						acks++
					}
				case *http2.MetaHeadersFrame:
					peer = p
					p.WritePing(false, [8]byte([]byte("under way"[:8])))
					p.answer(f.StreamID, "ok")
				}
				return true
			})
			e.wantOK("r1")
			peer.WritePing(false, [8]byte([]byte("it idles")))
			peer.WriteSettings(http2.Setting{ID: http2.SettingMaxConcurrentStreams, Val: 7})
			e.Settle()
			e.wantOK("r2")
			if got, want := strings.Join(answers, ", "), "under wa, it idles, under wa"; got != want || acks != 2 {
				e.Errorf("got PINGs answered with %q and settings acknowledged %d times, want %q and twice", got, acks, want)
			}
		},
	},
	{
		Name:      "http2-window-kept",
		Claim:     "A client sends no more of a body than the server's window has room for, and goes on when there is more: of a stream, and when the initial size changes meanwhile.",
		Verdict:   "the server's window is kept",
		Source:    "RFC 9113 section 6.9.1 (the sender MUST NOT send a flow-controlled frame with a length that exceeds the space available); section 6.9.2",
		Protocols: H2 | H2C,
		Body: func(e *Env) {
			var peer *framePeer
			var stream uint32
			got := 0
			e.serveFrames(func(p *framePeer, f http2.Frame) bool {
				switch f := f.(type) {
				case *http2.MetaHeadersFrame:
					peer, stream = p, f.StreamID
					if requestName(f) == "r1" {
						p.answer(f.StreamID, "ok")
					}
				case *http2.DataFrame:
					if got += len(f.Data()); f.StreamEnded() {
						p.answer(f.StreamID, "ok")
					}
				}
				return true
			}, http2.Setting{ID: http2.SettingInitialWindowSize, Val: 10})
			e.wantOK("r1") // and the settings are known
			want := func(n int, why string) {
				e.Settle()
				if got != n {
					e.Errorf("got %d bytes of the body at the server, want %d: %s", got, n, why)
				}
			}
			body := newBody(zeros(100))
			r := e.Start("r2", e.Transport, upload(e.Context(), e.URL("/"), body))
			want(10, "that is the initial window")
			peer.WriteWindowUpdate(stream, 15)
			want(25, "15 more were granted")
			peer.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 30})
			want(45, "the initial window has 20 more")
			peer.WriteWindowUpdate(stream, 1000)
			want(100, "there is room for all of it")
			r.WantBody("ok")
			body.wantClosed(e, "r2")
		},
	},
	{
		Name:      "http2-config-sizes",
		Claim:     "The sizes of Transport.HTTP2 are those that the server learns: of the largest frame, and of the window of a stream.",
		Verdict:   "what the server learns",
		Source:    "net/http: Transport.HTTP2; HTTP2Config.MaxReadFrameSize; HTTP2Config.MaxReceiveBufferPerStream",
		Protocols: H2 | H2C,
		Body: func(e *Env) {
			const frame, window = 1 << 17, 1 << 19
			if !e.setField("HTTP2", &http.HTTP2Config{MaxReadFrameSize: frame, MaxReceiveBufferPerStream: window}) {
				e.NotApplicable("the transport has no HTTP2 configuration")
			}
			told := make(map[http2.SettingID]uint32)
			e.serveFrames(func(p *framePeer, f http2.Frame) bool {
				switch f := f.(type) {
				case *http2.SettingsFrame:
					f.ForeachSetting(func(s http2.Setting) error { told[s.ID] = s.Val; return nil })
				case *http2.MetaHeadersFrame:
					p.answer(f.StreamID, "ok")
				}
				return true
			})
			e.wantOK("r1")
			if told[http2.SettingMaxFrameSize] != frame || told[http2.SettingInitialWindowSize] != window {
				e.Errorf("got the server told of frames of %d bytes and a window of %d, want %d and %d",
					told[http2.SettingMaxFrameSize], told[http2.SettingInitialWindowSize], frame, window)
			}
		},
	},
}
