package cases

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/halfopen/halfopen/harness"
)

const (
	maxHeader     = "net/http: Transport.MaxResponseHeaderBytes"
	headerTimeout = "net/http: Transport.ResponseHeaderTimeout"
)

// boundCases are about how much a transport takes of a server, and for how long it waits.
var boundCases = []Case{
	{
		Name:     "body-header-limit",
		Claim:    "A header that is longer than MaxResponseHeaderBytes is an error, one that is shorter is none; the limit begins again with each response.",
		Verdict:  "it is an error, and nothing is left behind",
		Source:   maxHeader,
		Settings: harness.Settings{MaxResponseHeaderBytes: 4096},
		Body: func(e *Env) {
			e.Serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				n := 3
				if r.URL.Path == "/long" {
					n = 60
				}
				for i := range n {
					w.Header().Set(fmt.Sprintf("X-Long-%d", i), strings.Repeat("x", 900))
				}
				io.WriteString(w, "ok")
			}))
			for _, name := range []string{"r1", "r2", "r3"} {
				e.Get(name, "/").WantBody("ok", "its header has 3000 bytes")
			}
			e.WantOpened(1, "none was too long")
			r4 := e.Get("r4", "/long")
			r4.Await()
			e.wantFailed(r4, "its header has 54000 bytes")
			e.Get("r5", "/").WantBody("ok")
		},
	},
	{
		Name:      "body-header-endless",
		Claim:     "A header that has no end is an error as soon as it is longer than MaxResponseHeaderBytes, and the connection is closed: the transport does not read on.",
		Verdict:   "it is an error, and nothing is left behind",
		Source:    maxHeader,
		Protocols: HTTP1,
		Settings:  harness.Settings{MaxResponseHeaderBytes: 4096},
		Body: func(e *Env) {
			for i, begin := range []string{"HTTP/1.1 200 OK\r\n", "HTTP/1.1 103 Early Hints\r\n", "", "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\n"} {
				host := fmt.Sprintf("h%d.test", i+1)
				e.Peer(e.Addr(host))
				r := e.T.Get(host, e.Transport, e.URLOf(host, "/"))
				c := r.Conn()
				c.Send(begin + strings.Repeat("X-Long: "+strings.Repeat("x", 990)+"\r\n", 8))
				e.wantFailed(r, "8000 bytes of its header have arrived")
				c.WantClosed("it is of no use")
			}
		},
	},
	{
		Name:      "body-hints-endless",
		Claim:     "A server that sends informational responses without end gets no answer taken: the request fails after a bounded number of bytes.",
		Verdict:   "it is an error, and nothing is left behind",
		Source:    maxHeader + " (how many response bytes are allowed in the server's response header)",
		Protocols: HTTP1,
		Settings:  harness.Settings{MaxResponseHeaderBytes: 4096},
		Body: func(e *Env) {
			e.Peer(e.Addr("api.test"))
			r := e.Get("r1", "/")
			c := r.Conn()
			const hint = "HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n"
			for range 100 {
				if !c.Client().IsClosed() {
					c.Send(strings.Repeat(hint, 10))
				}
			}
			e.wantFailed(r, "48000 bytes of hints have come")
			c.WantClosed("it is of no use")
		},
	},
	{
		Name:      "body-hints-seen",
		Claim:     "A caller that looks at each informational response may have as many as it likes: each of them may be as long as MaxResponseHeaderBytes.",
		Verdict:   "the answer is delivered",
		Source:    "net/http/httptrace: ClientTrace.Got1xxResponse (called for each 1xx informational response header returned before the final non-1xx response); " + maxHeader,
		Hooks:     true,
		Protocols: HTTP1,
		Settings:  harness.Settings{MaxResponseHeaderBytes: 4096},
		Body: func(e *Env) {
			e.Peer(e.Addr("api.test"))
			r, told := e.traced("r1", "GET", "/", nil)
			for range 4 {
				r.Conn().Send("HTTP/1.1 103 Early Hints\r\nLink: <" + strings.Repeat("x", 3000) + ">\r\n\r\n")
			}
			r.Conn().Send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
			r.WantBody("ok")
			if n := len(told.hints); n != 4 {
				e.Errorf("got Got1xxResponse called %d times, want 4", n)
			}
		},
	},
	{
		Name:      "broken-header-timeout",
		Claim:     "ResponseHeaderTimeout begins when the request has been written, with its body, and not before; a request that it ends fails with a timeout, and its connection is closed.",
		Verdict:   "the error is a timeout, and nothing is left behind",
		Source:    headerTimeout + " (to wait for a server's response headers after fully writing the request (including its body, if any))",
		Protocols: HTTP1,
		Settings:  harness.Settings{ResponseHeaderTimeout: 10 * time.Second},
		Body: func(e *Env) {
			e.Peer(e.Addr("api.test"))
			body, w := io.Pipe()
			e.Cleanup(func() { w.Close() })
			r1 := e.Start("r1", e.Transport, upload(e.Context(), e.URL("/"), body))
			io.WriteString(w, "begin")
			e.Advance(time.Minute)
			r1.WantPending("its body is not written")
			w.Close()
			e.Advance(10*time.Second - 1)
			r1.WantPending("there is time left")
			e.Advance(1)
			e.wantTimeout(r1)
			e.WantConns(0, "its answer may still come")
			r2 := e.Get("r2", "/")
			e.Advance(10*time.Second - 1)
			r2.WantPending("there is time left")
			r2.Conn().Send("HTTP/1.1 103 Early Hints\r\n\r\n") // which is not the header of the response
			e.Advance(1)
			e.wantTimeout(r2)
		},
	},
	{
		Name:      "broken-answer-at-timeout",
		Claim:     "A response whose header is there when ResponseHeaderTimeout has passed is the answer, or the request timed out: no other request gets it.",
		Verdict:   "the answer belongs to the request",
		Issues:    []string{"redis/go-redis#1113"},
		Source:    headerTimeout,
		Protocols: HTTP1,
		Settings:  harness.Settings{ResponseHeaderTimeout: 10 * time.Second},
		Body: func(e *Env) {
			for i, after := range []time.Duration{10*time.Second - 1, 10 * time.Second, 10*time.Second + 1} {
				host := fmt.Sprintf("h%d.test", i+1)
				e.Peer(e.Addr(host))
				r := e.T.Get(host, e.Transport, e.URLOf(host, "/"))
				c := r.Conn()
				e.Advance(after)
				if !c.Client().IsClosed() {
					c.Send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
				}
				if r.Err() != nil || after > 10*time.Second {
					e.wantTimeout(r)
				} else {
					r.WantBody("ok")
				}
				next := e.T.Get("after "+host, e.Transport, e.URLOf(host, "/"))
				next.Conn().Respond(http.StatusOK, "its own")
				next.WantBody("its own")
			}
		},
	},
	{
		Name:      "broken-speaks-first",
		Claim:     "A server that speaks before it was asked breaks the connection: what it sent is the answer to no request that comes later.",
		Verdict:   "the answer belongs to the request",
		Source:    "RFC 9112 section 9.5; section 9.2 (a client that receives data on a connection that does not have outstanding requests MUST NOT consider that data to be a valid response)",
		Protocols: HTTP1,
		Body: func(e *Env) {
			for i, first := range []string{"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
				"HTTP/1.1 200 OK\r\nHalfopen-Request: stray\r\nContent-Length: 0\r\n\r\n", "SSH-2.0-x\r\n"} {
				host := fmt.Sprintf("h%d.test", i+1)
				e.Peer(e.Addr(host))
				url := e.URLOf(host, "/")
				warm := e.T.Get("warm "+host, e.Transport, url)
				c := warm.Conn()
				c.Send("HTTP/1.1 204 No Content\r\n\r\n")
				warm.WantStatus(http.StatusNoContent)
				c.Send(first)
				c.WantClosed("its server is out of step")
				r := e.T.Post("r "+host, e.Transport, url, "x") // which is not sent again
				if r.Conn() == c {
					e.Fatalf("%s: got the connection on which the server had spoken before it was asked", r.Name())
				}
				r.Conn().Respond(http.StatusOK, "its own")
				r.WantBody("its own")
			}
		},
	},
	{
		Name:      "broken-out-of-step",
		Claim:     "An answer that comes while the body of its request is still being sent leaves the server in the middle of it: the next request is sent elsewhere, or when the body is through.",
		Verdict:   "the next request is not read as the body",
		Issues:    []string{"golang/go#11745"},
		Source:    "RFC 9112 section 9.3; section 9.5",
		Protocols: HTTP1,
		Body: func(e *Env) {
			for i, answer := range []string{"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno", "HTTP/1.1 204 No Content\r\n\r\n"} {
				host := fmt.Sprintf("h%d.test", i+1)
				e.Peer(e.Addr(host))
				rest := &blockedBody{countedBody: newBody(nil), until: make(chan struct{})}
				e.Cleanup(rest.unblock)
				req := upload(e.Context(), e.URLOf(host, "/"), struct {
					io.Reader
					io.Closer
				}{io.MultiReader(strings.NewReader("begin"), rest), rest})
				r := e.Start(host, e.Transport, req)
				c := r.Conn()
				if c == nil {
					e.Fatalf("%s: got nothing sent, want its header: its body has begun", host)
				}
				c.Send(answer)
				e.Advance(time.Second) // a transport may wait a moment for the rest
				if r.Response() == nil {
					e.Fatalf("%s: got %v, want the answer that has come", host, r.Err())
				}
				r.Read()
				e.Advance(time.Second)
				r.Finish()
				next := e.T.Get("after "+host, e.Transport, e.URLOf(host, "/"))
				if next.Conn() == c {
					e.Errorf("%s: got the next request sent in the middle of its body", host)
				}
				next.Conn().Respond(http.StatusNoContent, "")
				next.WantStatus(http.StatusNoContent)
				rest.unblock()
			}
		},
	},
	{
		Name:      "expect-no-timeout",
		Claim:     "Without ExpectContinueTimeout a body is sent at once, whatever the request expects.",
		Verdict:   "the body follows the header",
		Source:    "net/http: Transport.ExpectContinueTimeout (zero means no timeout and causes the body to be sent immediately, without waiting for the server to approve)",
		Protocols: HTTP1,
		Body: func(e *Env) {
			e.Peer(e.Addr("api.test"))
			r1 := e.Start("r1", e.Transport, expecting(e.Context(), e.URL("/"), newBody(strings.NewReader("payload"))))
			c1 := r1.Conn()
			wantReceived(e, c1, "payload", "there is no time to wait")
			c1.Send("HTTP/1.1 100 Continue\r\n\r\n")
			c1.Respond(http.StatusOK, "thanks")
			r1.WantBody("thanks")
		},
	},
	{
		Name:      "expect-after-header",
		Claim:     "ExpectContinueTimeout begins when the header has been written: the time that this takes does not count.",
		Verdict:   "the body follows the timeout",
		Source:    "net/http: Transport.ExpectContinueTimeout (this time does not include the time to send the request header)",
		Protocols: HTTP1,
		Settings:  harness.Settings{ExpectContinueTimeout: patience},
		Body: func(e *Env) {
			e.Peer(e.Addr("api.test"))
			e.Gates("Write")
			e.Net.Hold("gate * Write")
			r1 := e.Start("r1", e.Transport, expecting(e.Context(), e.URL("/"), newBody(strings.NewReader("payload"))))
			c1 := e.Conn("c1")
			e.Advance(10 * patience)
			e.Net.Release("gate * Write")
			e.Advance(patience - 1)
			wantReceived(e, c1, "", "its header has been written a moment ago")
			e.Advance(1)
			wantReceived(e, c1, "payload", "the server may not know what a 100 is")
			c1.Respond(http.StatusOK, "thanks")
			r1.WantBody("thanks")
		},
	},
}

// wantTimeout expects that the request has ended with a timeout.
func (e *Env) wantTimeout(r *harness.Request) {
	var timeout net.Error
	if err := r.Err(); !errors.As(err, &timeout) || !timeout.Timeout() {
		e.Errorf("%s: got %v, want a timeout", r.Name(), err)
	}
}
