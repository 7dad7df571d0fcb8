package cases

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/halfopen/halfopen/harness"
)

var cancelCases = []Case{
	{
		Name:    "cancel-anywhere",
		Claim:   "A request that is cancelled, wherever it is, ends with the cancellation, and the others are answered.",
		Verdict: "cancelled requests end at once",
		Source:  "net/http: Request.Context",
		Bounds:  harness.Bounds{Faults: harness.None, Schedules: 150},
		Body: func(e *Env) {
			e.Serve(nil)
			r1 := e.Get("r1", "/").MayCancel()
			r2 := e.Post("r2", "/echo", "two").MayCancel()
			r3 := e.Get("r3", "/bytes/100")
			e.Rest()
			e.WantAnswered(r3)
			e.wantErrIn(r1, context.Canceled)
			e.wantErrIn(r2, context.Canceled)
		},
	},
	{
		Name:    "cancel-before-start",
		Claim:   "A request whose context is done costs the server not one byte, and the idle connection stays as it is.",
		Verdict: "nothing is sent",
		Issues:  []string{"golang/go#25852"},
		Source:  "net/http: Request.Context",
		Body: func(e *Env) {
			e.Serve(nil)
			e.wantOK("r1")
			ctx, cancel := context.WithCancel(context.Background())
			cancel()
			req, _ := http.NewRequestWithContext(ctx, "GET", e.URL("/"), nil)
			r2 := e.Start("r2", e.Transport, req)
			r2.WantErr(context.Canceled)
			r2.WantSent(0, "it was over before it began")
			e.wantOK("r3")
			e.WantOpened(1, "the idle one was not used")
		},
	},
	{
		Name:    "cancel-got-connection",
		Claim:   "A request that is cancelled between getting its connection and using it ends at once, and the connection is accounted for.",
		Verdict: "cancelled requests end at once",
		Issues:  []string{"golang/go#10511"},
		Source:  "net/http: Request.Context",
		Bounds:  harness.Bounds{Faults: harness.None, Schedules: 100},
		Body: func(e *Env) {
			e.Gates("GotConn")
			e.Serve(nil)
			e.Get("r1", "/").Await()
			r2 := e.Get("r2", "/").MayCancel()
			r3 := e.Get("r3", "/")
			e.Rest()
			e.wantErrIn(r2, context.Canceled)
			e.WantAnswered(r3)
		},
	},
	{
		Name:    "cancel-in-body",
		Claim:   "A body that is cancelled while it is read, twice at once even, ends with a cancellation and never with what that does to the connection.",
		Verdict: "the error is the context's",
		Issues:  []string{"golang/go#34658"},
		Source:  "net/http: Request.Context",
		Bounds:  harness.Bounds{Faults: harness.None, Schedules: 120},
		Body: func(e *Env) {
			const size = 100_000
			bodies := e.keepBodies()
			e.Serve(nil)
			e.MayPass(5 * time.Second)
			ctx, cancel := context.WithTimeout(e.Context(), 5*time.Second)
			defer cancel()
			req, _ := http.NewRequestWithContext(ctx, "GET", e.URL("/bytes/100000"), nil)
			r1 := e.Start("r1", e.Transport, req).MayCancel()
			r1.Await()
			e.wantErrIn(r1, context.Canceled, context.DeadlineExceeded)
			b := bodies.of("r1")
			switch {
			case b.err == io.EOF && len(b.content) != size && r1.Err() == nil:
				e.Errorf("r1: got a whole body of %d bytes, want %d", len(b.content), size)
			case b.err != nil && b.err != io.EOF && !errors.Is(b.err, context.Canceled) && !errors.Is(b.err, context.DeadlineExceeded):
				e.Errorf("r1: got %v while reading the body, want the context's error", b.err)
			}
		},
	},
	{
		Name:    "cancel-deadline-tie",
		Claim:   "A request that runs into its deadline and into ResponseHeaderTimeout at once fails with a timeout, whichever was first.",
		Verdict: "the error is a timeout",
		Issues:  []string{"golang/go#16049", "golang/go#19231"},
		Source:  "net/http: Transport.ResponseHeaderTimeout; net: Error.Timeout",
		Settings: harness.Settings{
			ResponseHeaderTimeout: 5 * time.Second,
		},
		Body: func(e *Env) {
			e.Serve(nil)
			for i, d := range []time.Duration{5*time.Second - 1, 5 * time.Second, 5*time.Second + 1} {
				name := fmt.Sprintf("r%d", i+1)
				ctx, cancel := context.WithTimeout(e.Context(), d)
				e.Cleanup(cancel)
				req, _ := http.NewRequestWithContext(ctx, "GET", e.URL("/hang"), nil)
				r := e.Start(name, e.Transport, req)
				e.Advance(5*time.Second + 1)
				var timeout net.Error
				if err := r.Err(); !errors.As(err, &timeout) || !timeout.Timeout() {
					e.Errorf("%s, whose deadline is %s: got %v, want a timeout", name, d, err)
				}
			}
			e.wantOK("r4")
		},
	},
	{
		Name:    "cancel-uploading",
		Claim:   "A request that is cancelled while its body is sent ends at once, and its body is closed.",
		Verdict: "cancelled requests end at once",
		Issues:  []string{"golang/go#40382"},
		Source:  "net/http: RoundTripper",
		Bounds:  harness.Bounds{Faults: harness.None, Schedules: 60},
		Body: func(e *Env) {
			e.Serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method == "POST" { // which is neither read nor answered
					select {
					case <-r.Context().Done():
					case <-e.Context().Done():
					}
				}
			}))
			ctx, cancel := context.WithTimeout(e.Context(), 10*time.Second)
			defer cancel()
			size := int64(40_000)
			if e.Protocol == HTTP1 {
				size = 200_000 // more than fits between both ends
			}
			body := newBody(zeros(size))
			r1 := e.Start("r1", e.Transport, upload(ctx, e.URL("/"), body)).MayCancel()
			r1.Await()
			if r1.Err() == nil {
				e.Errorf("r1: got an answer to a request that is never answered")
			}
			e.wantErrIn(r1, context.Canceled, context.DeadlineExceeded)
			e.Get("r2", "/").Await()
			body.wantClosed(e, "r1")
		},
	},
	{
		Name:    "cancel-after-response",
		Claim:   "A cancellation that comes when the answer has been read does nothing: the connection serves the next request.",
		Verdict: "no dial while a usable connection is idle",
		Source:  "net/http: Request.Context",
		Bounds:  harness.Bounds{Faults: harness.None, Schedules: 50},
		Body: func(e *Env) {
			e.Serve(nil)
			r1 := e.Get("r1", "/bytes/100")
			r1.Await()
			r1.Cancel()
			r2 := e.Get("r2", "/")
			r2.Await()
			e.WantAnswered(r1, r2)
			e.WantOpened(1, "r1 was over when it was cancelled")
		},
	},
	{
		Name:      "cancel-dialing-request",
		Claim:     "The request that dialed may be cancelled: those that share its connection are answered.",
		Verdict:   "the cancellation of another request is no error",
		Issues:    []string{"golang/go#59017"},
		Source:    "RFC 9113 section 5.1",
		Protocols: H2 | H2C,
		Bounds:    harness.Bounds{Faults: harness.None, Schedules: 120},
		Body: func(e *Env) {
			e.Serve(nil)
			r1 := e.Get("r1", "/").MayCancel()
			r2 := e.Get("r2", "/")
			r3 := e.Post("r3", "/echo", "three")
			e.Rest()
			e.wantErrIn(r1, context.Canceled)
			e.WantAnswered(r2, r3)
		},
	},
	{
		Name:      "cancel-silent-peer",
		Protocols: OverTCP,
		Claim:     "A connection whose peer fell silent under a request that was cancelled is no request's any more: CloseIdleConnections closes it.",
		Verdict:   "nothing is left behind",
		Issues:    []string{"golang/go#31643"},
		Source:    "net/http: Transport.CloseIdleConnections",
		Body: func(e *Env) {
			e.Serve(nil)
			e.wantOK("r1")
			r2 := e.Get("r2", "/hang")
			e.Conn("c1").Vanish()
			r2.Cancel()
			r2.WantErr(context.Canceled)
			e.CloseIdle()
			e.WantConns(0, "no request waits for it")
		},
	},
}
