package cases

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/net/http2"

	"github.com/halfopen/halfopen/harness"
)

// The cases of which connection gets a stream of HTTP/2.

var streamCases = []Case{
	{
		Name:      "http2-goaway-idle",
		Claim:     "A connection that the server leaves while it is idle takes no more requests: one that is being given to it then is carried out on another, once.",
		Verdict:   "each request is answered, and processed once",
		Issues:    []string{"golang/go#39752", "golang/go#18083"},
		Source:    "RFC 9113 section 6.8 (receivers of a GOAWAY frame MUST NOT open additional streams on the connection)",
		Protocols: H2 | H2C,
		Bounds:    harness.Bounds{Faults: harness.None, Schedules: 120},
		Body: func(e *Env) {
			processed, late := make(map[string]int), 0
			e.Gates("GotConn")
			e.serveFrames(func(p *framePeer, f http2.Frame) bool {
				h, ok := f.(*http2.MetaHeadersFrame)
				switch {
				case !ok:
				case p.number == 1 && p.requests > 1:
					late++ // behind the last stream: the client ignores it
				default:
					processed[requestName(h)]++
					p.answer(h.StreamID, "ok")
					if p.number == 1 {
						p.WriteGoAway(h.StreamID, http2.ErrCodeNo, nil)
						p.later(time.Minute, func() { p.conn.Close() })
					}
				}
				return true
			})
			e.WantAnswered(e.Post("r1", "/", ""))
			e.WantAnswered(e.Post("r2", "/", ""), e.Post("r3", "/", ""))
			before := late
			e.WantAnswered(e.Post("r4", "/", ""))
			if late > before {
				e.Errorf("r4: got it sent on the first connection, which the server had left")
			}
			for _, name := range []string{"r1", "r2", "r3", "r4"} {
				if n := processed[name]; n != 1 {
					e.Errorf("%s: got it processed %d times, want once", name, n)
				}
			}
			e.Advance(time.Minute)
			e.Rest()
			e.WantMostOpen(2, "the server has closed the first")
		},
	},
	{
		Name:      "http2-strict-streams",
		Claim:     "With StrictMaxConcurrentRequests requests beyond the server's limit wait their turn: no connection is opened for them, and none that is cancelled keeps its turn.",
		Verdict:   "the server's limit is kept",
		Issues:    []string{"golang/go#13774", "golang/go#70809"},
		Source:    "net/http: HTTP2Config.StrictMaxConcurrentRequests (new requests sent when a connection's concurrency limit has been exceeded will block until an existing request completes)",
		Protocols: H2 | H2C,
		Settings:  harness.Settings{StrictMaxConcurrentRequests: true},
		Bounds:    harness.Bounds{Faults: harness.None, Schedules: 120},
		Body: func(e *Env) {
			const most = 2
			running, all := make(map[uint32]bool), 0
			e.serveFrames(func(p *framePeer, f http2.Frame) bool {
				switch f := f.(type) {
				case *http2.RSTStreamFrame:
					delete(running, f.StreamID)
				case *http2.MetaHeadersFrame:
					running[f.StreamID] = true
					if len(running) > most {
						e.Errorf("the server allows %d streams, and got %d", most, len(running))
					}
					// No two at one instant: their order would be chance.
					all++
					p.later(time.Second+time.Duration(all), func() {
						if running[f.StreamID] {
							delete(running, f.StreamID)
							p.answer(f.StreamID, "ok")
						}
					})
				}
				return true
			}, http2.Setting{ID: http2.SettingMaxConcurrentStreams, Val: most})
			e.WantAnswered(e.Get("r0", "/")) // and the settings are known
			var requests []*harness.Request
			for i := range 2*most + 1 {
				requests = append(requests, e.Get(fmt.Sprintf("r%d", i+1), "/"))
			}
			gone, stay := requests[most].MayCancel(), append(requests[:most:most], requests[most+1:]...)
			e.WantAnswered(stay...)
			e.wantErrIn(gone, context.Canceled)
			e.WantOpened(1, "the limit holds across all connections to the server")
		},
	},
}
