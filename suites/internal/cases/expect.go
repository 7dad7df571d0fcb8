package cases

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/halfopen/halfopen/harness"
)

// patience is how long the cases have a transport wait for 100 Continue.
const patience = time.Second

var expectCases = []Case{
	{
		Name:      "expect-continue",
		Claim:     "A body that waits for 100 Continue is sent when that comes, not before, and the 100 is not the answer.",
		Verdict:   "the body follows the 100",
		Issues:    []string{"golang/go#26161"},
		Source:    "RFC 9110 section 10.1.1; net/http: Transport.ExpectContinueTimeout",
		Protocols: HTTP1,
		Settings:  harness.Settings{ExpectContinueTimeout: patience},
		Body: func(e *Env) {
			e.Peer(e.Addr("api.test"))
			r1 := e.Start("r1", e.Transport, expecting(e.Context(), e.URL("/"), newBody(strings.NewReader("payload"))))
			c1 := r1.Conn()
			wantReceived(e, c1, "", "the server has not asked for it")
			c1.Send("HTTP/1.1 100 Continue\r\n\r\n")
			wantReceived(e, c1, "payload", "now it may")
			c1.Respond(http.StatusOK, "thanks")
			r1.WantStatus(http.StatusOK)
			r1.WantBody("thanks")
		},
	},
	{
		Name:      "expect-timeout",
		Claim:     "A server that says nothing about the body gets it when ExpectContinueTimeout has passed, and not before.",
		Verdict:   "the body follows the timeout",
		Source:    "RFC 9110 section 10.1.1; net/http: Transport.ExpectContinueTimeout",
		Protocols: HTTP1,
		Settings:  harness.Settings{ExpectContinueTimeout: patience},
		Body: func(e *Env) {
			e.Peer(e.Addr("api.test"))
			r1 := e.Start("r1", e.Transport, expecting(e.Context(), e.URL("/"), newBody(strings.NewReader("payload"))))
			c1 := r1.Conn()
			wantReceived(e, c1, "", "the server has not asked for it")
			e.Advance(patience - 1)
			wantReceived(e, c1, "", "there is time left")
			e.Advance(1)
			wantReceived(e, c1, "payload", "a server need not know what a 100 is")
			c1.Respond(http.StatusOK, "thanks")
			r1.WantStatus(http.StatusOK)
			r1.WantBody("thanks")
		},
	},
	{
		Name:      "expect-final-answer",
		Claim:     "A server that answers instead of asking for the body gets all of it or another connection: it is never out of step.",
		Verdict:   "the next request is not read as the body",
		Issues:    []string{"golang/go#67555"},
		Source:    "RFC 9110 section 10.1.1; RFC 9112 section 9.3",
		Protocols: HTTP1,
		Settings:  harness.Settings{ExpectContinueTimeout: patience},
		Body: func(e *Env) {
			// The answer comes at once, or just before, as, or after the timeout.
			for i, after := range []time.Duration{0, patience - 1, patience, patience + 1} {
				host := fmt.Sprintf("h%d.test", i+1)
				e.Peer(e.Addr(host))
				for j, status := range []string{"417 Expectation Failed", "413 Content Too Large", "200 OK"} {
					name := fmt.Sprintf("r%d.%d", i+1, j+1)
					body := newBody(strings.NewReader("payload"))
					r := e.Start(name, e.Transport, expecting(e.Context(), e.URLOf(host, "/"), body))
					c := r.Conn()
					e.Advance(after)
					c.Send("HTTP/1.1 " + status + "\r\nContent-Length: 0\r\n\r\n")
					r.WantDone(c, "that is the answer")
					next := e.T.Get("after-"+name, e.Transport, e.URLOf(host, "/"))
					c2 := next.Conn()
					if _, behind, _ := strings.Cut(arrived(c2), "\r\n\r\n"); c2 == c && !strings.HasPrefix(behind, "payload") {
						e.Errorf("after %s in place of a 100: got the next request on that connection, on which the server waits for a body", status)
					}
					c2.Respond(http.StatusNoContent, "")
					next.WantStatus(http.StatusNoContent)
					body.wantClosed(e, name)
				}
			}
		},
	},
	{
		Name:     "expect-body-not-sent",
		Claim:    "A body that the server does not want is not read, and it is closed.",
		Verdict:  "the body is not read, and closed once",
		Issues:   []string{"golang/go#67555", "golang/go#35015"},
		Source:   "RFC 9110 section 10.1.1; net/http: RoundTripper",
		Settings: harness.Settings{ExpectContinueTimeout: patience},
		Bounds:   harness.Bounds{Faults: harness.None, Delays: 1, Schedules: 60},
		Body: func(e *Env) {
			e.Serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method == "POST" {
					w.WriteHeader(http.StatusExpectationFailed)
				}
			}))
			begin := e.Clock.Now()
			body := newBody(strings.NewReader("payload"))
			r1 := e.Start("r1", e.Transport, expecting(e.Context(), e.URL("/"), body)).MayCancel()
			r1.Await()
			e.wantErrIn(r1, context.Canceled)
			if n := body.reads.Load(); n > 0 && e.Clock.Now().Sub(begin) < patience-1 {
				e.Errorf("r1: got its body read, which the server did not want")
			}
			e.WantAnswered(e.Get("r2", "/"))
			body.wantClosed(e, "r1")
		},
	},
	{
		Name:     "expect-answer-whole",
		Claim:    "An answer in place of 100 Continue is delivered whole, however long it is, and though the connection ends with it.",
		Verdict:  "the answer is delivered",
		Issues:   []string{"golang/go#67555"},
		Source:   "RFC 9110 section 10.1.1; RFC 9112 section 9.5",
		Settings: harness.Settings{ExpectContinueTimeout: patience},
		Bounds:   harness.Bounds{Faults: harness.None, Delays: 1, Schedules: 60},
		Body: func(e *Env) {
			why := strings.Repeat("too large ", 1000)
			e.Serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method == "POST" {
					w.WriteHeader(http.StatusRequestEntityTooLarge)
					io.WriteString(w, why)
					w.(http.Flusher).Flush()
					time.Sleep(time.Millisecond) // virtual: the rest is on its way later
					io.WriteString(w, why)
				}
			}))
			body := newBody(strings.NewReader("payload"))
			r1 := e.Start("r1", e.Transport, expecting(e.Context(), e.URL("/"), body))
			r1.Await()
			e.WantAnswered(r1)
			r1.WantStatus(http.StatusRequestEntityTooLarge)
			r1.WantBody(why + why)
			e.WantAnswered(e.Get("r2", "/"))
			body.wantClosed(e, "r1")
		},
	},
	{
		Name:     "expect-cancelled",
		Claim:    "A request that is cancelled while its body waits for 100 Continue ends at once, wherever that is in the timeout.",
		Verdict:  "cancelled requests end at once",
		Issues:   []string{"golang/go#49621"},
		Source:   "net/http: Request.Context; Transport.ExpectContinueTimeout",
		Settings: harness.Settings{ExpectContinueTimeout: patience},
		Bounds:   harness.Bounds{Faults: harness.None, Schedules: 100},
		Body: func(e *Env) {
			e.Serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				time.Sleep(2 * patience) // no 100 before that
				io.Copy(w, r.Body)
			}))
			body := newBody(strings.NewReader("payload"))
			r1 := e.Start("r1", e.Transport, expecting(e.Context(), e.URL("/"), body)).MayCancel()
			e.MayPass(patience)
			r1.Await()
			e.wantErrIn(r1, context.Canceled)
			e.WantAnswered(e.Get("r2", "/"))
			body.wantClosed(e, "r1")
		},
	},
}

// expecting returns a POST of 7 bytes that asks whether they may come.
func expecting(ctx context.Context, url string, body io.ReadCloser) *http.Request {
	req := upload(ctx, url, body)
	req.ContentLength = 7
	req.Header.Set("Expect", "100-continue")
	return req
}

// wantReceived expects that the peer has got what follows a header, or the
// header with nothing behind it.
func wantReceived(e *Env, c *harness.Conn, body, why string) {
	got := arrived(c)
	if _, behind, ok := strings.Cut(got, "\r\n\r\n"); ok {
		got = behind
	}
	if got != body {
		e.Errorf("got body %q at the server, want %q: %s", got, body, why)
	}
}
