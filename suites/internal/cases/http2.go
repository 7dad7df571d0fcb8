package cases

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"time"

	"golang.org/x/net/http2"

	"github.com/halfopen/halfopen/harness"
)

var http2Cases = []Case{
	{
		Name:      "http2-one-connection",
		Claim:     "Requests that start together end up on one connection: other connections that were dialed are closed, and there is no other dial.",
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
		Name:      "http2-cancel-others",
		Claim:     "A request that is cancelled takes its stream with it and nothing else: the others on the connection are answered, and so is the next.",
		Verdict:   "the cancellation of another request is no error",
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
		Claim:     "A server learns that a request was cancelled, and its work for that request ends.",
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
			var gone uint32 // the stream of r1
			e.serveFrames(func(p *framePeer, f http2.Frame) bool {
				switch f := f.(type) {
				case *http2.WindowUpdateFrame:
					if f.StreamID == 0 && p.requests > 0 {
						window += int(f.Increment)
					}
				case *http2.MetaHeadersFrame:
					if peer = p; requestName(f) == "r1" {
						gone = f.StreamID
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
			// The server does not know of it, and goes on.
			for range pieces {
				if err := peer.WriteData(gone, false, make([]byte, piece)); err != nil {
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
		Claim:     "A body that is not read keeps its own stream waiting, and no other.",
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
		Name:      "http2-early-answer",
		Claim:     "An answer that comes while the request's body is still being sent is delivered, and the body is closed: the request does not wait for the rest.",
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
}
