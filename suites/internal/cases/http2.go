package cases

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/net/http2"

	"github.com/halfopen/halfopen/harness"
)

var http2Cases = []Case{
	{
		Name:      "http2-one-connection",
		Claim:     "Requests that start together end up on one connection: what else was dialed is closed, and nobody dials again.",
		Verdict:   "one connection is open in the end",
		Issues:    []string{"golang/go#13397", "golang/go#44304"},
		Source:    "RFC 9113 section 9.1",
		Protocols: H2 | H2C,
		Bounds:    harness.Bounds{Faults: harness.None, Schedules: 150},
		Body: func(e *Env) {
			e.Serve(nil)
			e.WantAnswered(e.Get("r1", "/"), e.Get("r2", "/"), e.Post("r3", "/echo", "three"))
			opened := e.Net.Opened()
			e.WantMostOpen(1, "it can carry all of them")
			e.WantAnswered(e.Get("r4", "/"), e.Get("r5", "/"))
			e.WantOpened(opened, "a connection with room is there")
		},
	},
	{
		Name:      "http2-streams-limit",
		Claim:     "Of requests that are more than the server allows streams none fails, and it never sees more of them on a connection.",
		Verdict:   "the server's limit is kept",
		Issues:    []string{"golang/go#16582", "golang/go#48358"},
		Source:    "RFC 9113 section 5.1.2",
		Protocols: H2 | H2C,
		Bounds:    harness.Bounds{Faults: harness.None, Schedules: 100},
		Body: func(e *Env) {
			const most = 2
			running, all := make(map[int]int), 0 // by connection
			e.serveFrames(func(p *framePeer, f http2.Frame) bool {
				h, ok := f.(*http2.MetaHeadersFrame)
				if !ok {
					return true
				}
				if running[p.number]++; running[p.number] > most {
					e.Errorf("the server allows %d streams, and got %d on connection %d", most, running[p.number], p.number)
				}
				// No two at one instant: their order would be chance.
				all++
				p.later(time.Second+time.Duration(all), func() {
					running[p.number]--
					p.answer(h.StreamID, "ok")
				})
				return true
			}, http2.Setting{ID: http2.SettingMaxConcurrentStreams, Val: most})
			e.WantAnswered(e.Get("r0", "/")) // and the settings are known
			var requests []*harness.Request
			for i := range 2 * most {
				requests = append(requests, e.Get(fmt.Sprintf("r%d", i+1), "/"))
			}
			e.WantAnswered(requests...)
		},
	},
	{
		Name:      "http2-goaway-unprocessed",
		Claim:     "A request behind the last stream of a GOAWAY was not processed: it is sent again on another connection, even a POST, and those before it are answered.",
		Verdict:   "each request is answered, and processed once",
		Issues:    []string{"golang/go#18083", "golang/go#39752"},
		Source:    "RFC 9113 section 6.8",
		Protocols: H2 | H2C,
		Bounds:    harness.Bounds{Faults: harness.None, Schedules: 120},
		Body: func(e *Env) {
			processed := make(map[string]int)
			e.serveFrames(func(p *framePeer, f http2.Frame) bool {
				h, ok := f.(*http2.MetaHeadersFrame)
				switch {
				case !ok:
				case p.number > 1 || p.requests == 1:
					processed[requestName(h)]++
					p.answer(h.StreamID, "ok")
				case p.requests == 2:
					processed[requestName(h)]++
					p.open = append(p.open, h.StreamID)
				case p.requests == 3: // which is one too many
					p.WriteGoAway(p.open[0], http2.ErrCodeNo, nil)
					p.answer(p.open[0], "ok")
				}
				return true
			})
			e.WantAnswered(e.Get("r0", "/"))
			r1 := e.Get("r1", "/")
			r2 := e.Post("r2", "/", "")
			r3 := e.Post("r3", "/", "")
			e.WantAnswered(r1, r2, r3)
			for _, name := range []string{"r0", "r1", "r2", "r3"} {
				if n := processed[name]; n != 1 {
					e.Errorf("%s: got it processed %d times, want once", name, n)
				}
			}
		},
	},
	{
		Name:      "http2-goaway-last",
		Claim:     "A connection that the server is leaving takes no more requests, brings the answers that are on their way, and is closed behind the last.",
		Verdict:   "nothing is left behind",
		Issues:    []string{"golang/go#18083", "golang/go#39752"},
		Source:    "RFC 9113 section 6.8",
		Protocols: H2 | H2C,
		Body: func(e *Env) {
			var first *framePeer
			e.serveFrames(func(p *framePeer, f http2.Frame) bool {
				h, ok := f.(*http2.MetaHeadersFrame)
				switch {
				case !ok:
				case p.number == 1:
					first = p
					p.head(h.StreamID)
					p.WriteData(h.StreamID, false, []byte("slow"))
					p.WriteGoAway(h.StreamID, http2.ErrCodeNo, nil)
				default:
					p.answer(h.StreamID, "ok")
				}
				return true
			})
			r1 := e.Get("r1", "/")
			r1.WantStatus(http.StatusOK)
			c1 := e.Conn("c1")
			e.wantOK("r2")
			e.WantOpened(2, "the server is leaving the first")
			c1.WantOpen("r1 is still on it")
			first.WriteData(1, true, []byte(" and steady"))
			e.Settle()
			r1.WantBody("slow and steady")
			c1.WantClosed("it has served its last")
		},
	},
	{
		Name:      "http2-goaway-processed",
		Claim:     "A POST that a GOAWAY with an error does not rule out may have been processed, and is not sent again.",
		Verdict:   "non-idempotent requests are sent at most once",
		Issues:    []string{"golang/go#18083", "golang/go#39752"},
		Source:    "RFC 9113 section 6.8; RFC 9110 section 9.2.2",
		Protocols: H2 | H2C,
		Body: func(e *Env) {
			sent := 0
			e.serveFrames(func(p *framePeer, f http2.Frame) bool {
				h, ok := f.(*http2.MetaHeadersFrame)
				switch {
				case !ok:
					return true
				case p.number > 1:
					p.answer(h.StreamID, "ok")
				default:
					p.WriteGoAway(h.StreamID, http2.ErrCodeEnhanceYourCalm, nil)
				}
				if requestName(h) == "r1" {
					sent++
				}
				return p.number > 1
			})
			r1 := e.Post("r1", "/", "pay 10")
			e.Advance(time.Minute)
			if r1.Err() == nil || sent != 1 {
				e.Errorf("r1: got it sent %d times and %v, want it sent once and an error", sent, r1.Err())
			}
			e.wantOK("r2")
		},
	},
	{
		Name:      "http2-refused",
		Claim:     "A refused stream was not processed: the request is sent again, a POST too, with more and more time in between, until it is enough.",
		Verdict:   "answered in time, or an error after a bounded number of tries",
		Issues:    []string{"golang/go#20985"},
		Source:    "RFC 9113 section 8.7",
		Protocols: H2 | H2C,
		Body: func(e *Env) {
			tries := make(map[string]int)
			e.serveFrames(func(p *framePeer, f http2.Frame) bool {
				if h, ok := f.(*http2.MetaHeadersFrame); ok {
					name := requestName(h)
					if tries[name]++; name == "r1" && tries[name] > 3 {
						p.answer(h.StreamID, "ok")
					} else {
						p.WriteRSTStream(h.StreamID, http2.ErrCodeRefusedStream)
					}
				}
				return true
			})
			r1 := e.Post("r1", "/", "pay 10")
			begin := e.Clock.Now()
			r1.Await()
			r1.WantBody("ok")
			if d := e.Clock.Now().Sub(begin); d == 0 || d > time.Minute {
				e.Errorf("r1: got it answered after %s, want it sent again after a while, not at once and not after minutes", d)
			}
			r2 := e.Post("r2", "/", "pay 20")
			r2.Await()
			if r2.Err() == nil || tries["r2"] < 2 || tries["r2"] > 10 {
				e.Errorf("r2: got %v after %d tries, want an error after a few", r2.Err(), tries["r2"])
			}
		},
	},
	{
		Name:      "http2-reset-once",
		Claim:     "A stream that the server resets is the error of one request: others on the connection go on, and a POST is not sent again unless the code says that it was refused.",
		Verdict:   "non-idempotent requests are sent at most once",
		Issues:    []string{"golang/go#47635"},
		Source:    "RFC 9113 section 8.7; RFC 9110 section 9.2.2",
		Protocols: H2 | H2C,
		Body: func(e *Env) {
			sent := make(map[string]int)
			code := http2.ErrCodeNo
			e.serveFrames(func(p *framePeer, f http2.Frame) bool {
				h, ok := f.(*http2.MetaHeadersFrame)
				if !ok {
					return true
				}
				sent[requestName(h)]++
				if strings.HasPrefix(requestName(h), "other") {
					p.open = append(p.open, h.StreamID)
					return true
				}
				if sent[requestName(h)] > 20 { // a transport may go on for ever
					p.answer(h.StreamID, "enough")
					return true
				}
				p.WriteRSTStream(h.StreamID, code)
				for _, id := range p.open {
					p.answer(id, "ok")
				}
				p.open = nil
				return true
			})
			for code = http2.ErrCodeProtocol; code <= http2.ErrCodeHTTP11Required; code++ {
				if code == http2.ErrCodeRefusedStream {
					continue
				}
				other := e.Get("other-"+code.String(), "/")
				name := code.String()
				r := e.Post(name, "/", "pay 10")
				e.Advance(time.Minute)
				if r.Err() == nil || sent[name] != 1 {
					e.Errorf("a POST whose stream is reset with %s: got it sent %d times and %v, want it sent once and an error", name, sent[name], r.Err())
				}
				other.WantBody("ok", "its stream was not reset")
			}
		},
	},
	{
		Name:      "http2-cancel-others",
		Claim:     "A request that is cancelled takes its stream with it and nothing else: the others on the connection are answered, and so is the next.",
		Verdict:   "nobody else's cancellation is an error",
		Issues:    []string{"golang/go#28634", "golang/go#57578"},
		Source:    "RFC 9113 section 5.4.2",
		Protocols: H2 | H2C,
		Bounds:    harness.Bounds{Faults: harness.None, Schedules: 100},
		Body: func(e *Env) {
			e.Serve(nil)
			e.WantAnswered(e.Get("r1", "/"))
			r2 := e.Get("r2", "/bytes/30000").MayCancel()
			r3 := e.Get("r3", "/bytes/30000")
			e.Rest()
			e.wantErrIn(r2, context.Canceled)
			e.WantAnswered(r3)
			e.WantAnswered(e.Get("r4", "/"))
			e.WantOpened(1, "a stream ended, the connection did not")
		},
	},
	{
		Name:      "http2-cancel-sent",
		Claim:     "A server is told that a request was cancelled, and what it works on for it ends.",
		Verdict:   "no handler is left running",
		Issues:    []string{"golang/go#28634"},
		Source:    "RFC 9113 section 5.4.2; net/http: Request.Context",
		Protocols: H2 | H2C,
		Body: func(e *Env) {
			running := new(atomic.Int32)
			e.Serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				switch r.URL.Path {
				case "/hang", "/stream":
					running.Add(1)
					defer running.Add(-1)
					if r.URL.Path == "/stream" {
						io.WriteString(w, "begun")
						w.(http.Flusher).Flush()
					}
					<-r.Context().Done()
				default:
					harness.Pages(w, r)
				}
			}))
			e.wantOK("r1")
			r2, r3, r4 := e.Get("r2", "/hang"), e.Get("r3", "/stream"), e.Get("r4", "/stream")
			r3.WantStatus(http.StatusOK)
			r2.Cancel()
			r3.Cancel()
			r4.CloseBody()
			r3.CloseBody()
			r2.WantErr(context.Canceled)
			if n := running.Load(); n != 0 {
				e.Errorf("got %d handlers running whose requests are gone, want none", n)
			}
			e.wantOK("r5")
			e.WantOpened(1, "streams ended, the connection did not")
		},
	},
	{
		Name:      "http2-window-returned",
		Claim:     "What comes on a stream that was cancelled counts for the window of the connection, and is given back: the others are not starved.",
		Verdict:   "the window of the connection does not shrink",
		Issues:    []string{"golang/go#28634", "golang/go#57578"},
		Source:    "RFC 9113 section 6.9",
		Protocols: H2 | H2C,
		Body: func(e *Env) {
			const piece, pieces = 16 << 10, 64
			window, low := 0, 0 // what the client has granted, beyond what it did first
			var peer *framePeer
			e.serveFrames(func(p *framePeer, f http2.Frame) bool {
				switch f := f.(type) {
				case *http2.WindowUpdateFrame:
					if f.StreamID == 0 && p.requests > 0 {
						window += int(f.Increment)
					}
				case *http2.MetaHeadersFrame:
					if peer = p; requestName(f) == "r1" {
						p.head(f.StreamID)
					} else {
						p.answer(f.StreamID, "ok")
					}
				}
				return true
			})
			r1 := e.Get("r1", "/")
			r1.WantStatus(http.StatusOK)
			r1.Cancel()
			r1.CloseBody()
			// The server has not heard of it, and goes on.
			for range pieces {
				if err := peer.WriteData(1, false, make([]byte, piece)); err != nil {
					e.Fatalf("the server cannot send: %v", err)
				}
				window -= piece
				e.Settle()
				low = min(low, window)
			}
			e.wantOK("r2")
			if window < -2*piece {
				e.Errorf("got %d bytes of %d given back that came on a stream that was cancelled", piece*pieces+window, piece*pieces)
			}
		},
	},
	{
		Name:      "http2-unread-body",
		Claim:     "A body that nobody reads keeps its own stream waiting, and no other.",
		Verdict:   "each request is answered",
		Issues:    []string{"golang/go#28634"},
		Source:    "RFC 9113 section 5.2.1",
		Protocols: H2 | H2C,
		Body: func(e *Env) {
			e.Serve(nil)
			const size = 6 << 20 // more than a stream may have on its way
			r1 := e.Get("r1", fmt.Sprintf("/bytes/%d", size))
			r1.WantStatus(http.StatusOK)
			r2 := e.Get("r2", "/bytes/100000")
			r2.WantStatus(http.StatusOK)
			r2.Finish()
			r1.CloseBody()
			e.wantOK("r3")
			e.WantOpened(1, "there is room for all on it")
		},
	},
	{
		Name:      "http2-silent-peer",
		Claim:     "With health checks, a request on a connection whose peer has fallen silent fails, and the next one gets another connection.",
		Verdict:   "the health check closes the connection",
		Issues:    []string{"golang/go#31643", "golang/go#48810"},
		Source:    "net/http: HTTP2Config.SendPingTimeout",
		Protocols: H2 | H2C,
		Body: func(e *Env) {
			if !e.setField("HTTP2", &http.HTTP2Config{SendPingTimeout: 15 * time.Second, PingTimeout: 10 * time.Second}) {
				e.NotApplicable("the transport has no HTTP2 configuration")
			}
			e.Serve(nil)
			e.wantOK("r1")
			c1 := e.Conn("c1")
			c1.Vanish()
			r2 := e.Get("r2", "/")
			r2.WantPending("nobody has noticed yet")
			e.Advance(time.Minute)
			c1.WantClosed("no PING was answered")
			if r2.Err() == nil && r2.Response() == nil {
				e.Errorf("r2: got neither an answer nor an error")
			}
			e.wantOK("r3")
			if r2.Response() != nil {
				r2.Finish()
			}
		},
	},
	{
		Name:      "http2-request-close",
		Claim:     "A connection on which a request asked for its end serves nobody else, and is closed.",
		Verdict:   "nothing is left behind",
		Issues:    []string{"golang/go#49375"},
		Source:    "net/http: Request.Close",
		Protocols: H2 | H2C,
		Body: func(e *Env) {
			e.Serve(nil)
			for i, name := range []string{"r1", "r2", "r3"} {
				req, _ := http.NewRequest("GET", e.URL("/"), nil)
				req.Close = i < 2
				r := e.Start(name, e.Transport, req)
				r.WantBody("ok")
				e.WantOpened(i+1, "the one before asked for its end")
				if req.Close {
					e.Net.WantConns(0, "the request asked for that")
				}
			}
		},
	},
	{
		Name:      "http2-early-answer",
		Claim:     "An answer that comes while the request's body is still being sent is delivered, and the body is closed: nobody waits for the rest.",
		Verdict:   "the answer is delivered",
		Issues:    []string{"golang/go#11745"},
		Source:    "RFC 9113 section 8.1",
		Protocols: H2 | H2C,
		Body: func(e *Env) {
			e.Serve(nil)
			for _, name := range []string{"r1", "r2"} {
				rest := &blockedBody{countedBody: newBody(nil), until: make(chan struct{})}
				e.Cleanup(rest.unblock)
				req := upload(e.Context(), e.URL("/status/413"), rest)
				req.Body = struct {
					io.Reader
					io.Closer
				}{io.MultiReader(zeros(1000), rest), rest}
				r := e.Start(name, e.Transport, req)
				r.WantStatus(http.StatusRequestEntityTooLarge)
				r.Finish()
				rest.wantClosed(e, name)
			}
			e.wantOK("r3")
			e.WantOpened(1, "streams ended, the connection did not")
		},
	},
	{
		Name:      "http2-connection-lost",
		Claim:     "A connection that ends in the middle of answers fails those that are on it, each with one error, and a POST reaches a server once.",
		Verdict:   "non-idempotent requests are sent at most once",
		Issues:    []string{"golang/go#39752"},
		Source:    "RFC 9113 section 5.4.1; RFC 9110 section 9.2.2",
		Protocols: H2 | H2C,
		Bounds:    harness.Bounds{Effects: []string{"reset", "cut"}, Schedules: 200},
		Body: func(e *Env) {
			e.Serve(nil)
			e.Get("r1", "/").Await()
			e.Post("r2", "/echo", "two")
			e.Get("r3", "/bytes/20000").MayCancel()
			e.Rest()
			e.Post("r4", "/echo", "four").Await()
		},
	},
	{
		Name:      "http2-any-server",
		Claim:     "Whatever a server of HTTP/2 does on a connection, the request ends by its deadline, with an answer or an error.",
		Verdict:   "cancelled requests end at once",
		Issues:    []string{"golang/go#20985", "golang/go#31643"},
		Source:    "net/http: Request.Context",
		Protocols: H2,
		Body: func(e *Env) {
			for i, mode := range harness.Modes("serve-h2") {
				addr := fmt.Sprintf("h%d.test:443", i+1)
				e.ServeH2(addr, mode)
				ctx, cancel := context.WithTimeout(e.Context(), time.Minute)
				req, _ := http.NewRequestWithContext(ctx, "GET", "https://"+strings.TrimSuffix(addr, ":443")+"/", nil)
				r := e.Start(mode, e.Transport, req)
				e.Advance(time.Minute)
				var late net.Error
				switch err := r.Err(); {
				case err == nil && r.Response() == nil:
					e.Errorf("a server in the mode %s: got no end of the request at its deadline", mode)
				case errors.As(err, &late) && mode != "ping-ignored":
					e.Errorf("a server in the mode %s: got %v, want to know before that", mode, err)
				case err == nil:
					r.Read()
					r.CloseBody()
				}
				cancel()
				e.Net.Sever(addr)
			}
		},
	},
}
