package cases

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"golang.org/x/net/http2"

	"github.com/halfopen/halfopen/harness"
)

// http2EndCases are about the end of a stream or of a connection of HTTP/2: GOAWAY, resets,
// silence.
var http2EndCases = []Case{
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
			var slow uint32 // the stream of r1
			e.serveFrames(func(p *framePeer, f http2.Frame) bool {
				h, ok := f.(*http2.MetaHeadersFrame)
				switch {
				case !ok:
				case p.number == 1:
					first, slow = p, h.StreamID
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
			first.WriteData(slow, true, []byte(" and steady"))
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
			r2.WantPending("the silence is too short to be noticed")
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
		Claim:     "A connection on which a request asked for its end serves no other request, and is closed.",
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
					e.WantConns(0, "the request asked for that")
				}
			}
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
