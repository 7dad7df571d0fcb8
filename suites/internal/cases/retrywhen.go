package cases

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/halfopen/halfopen/harness"
)

// retryDoc is where net/http says what is sent again.
const retryDoc = "net/http: Transport (only retries a request if the connection has already been used successfully, " +
	"the request is idempotent, and it has no body or has Request.GetBody)"

// retryWhenCases are about what is sent again, how often, and with which body.
var retryWhenCases = []Case{
	{
		Name:      "retry-key-empty",
		Claim:     "A POST whose Idempotency-Key has no values is sent again, and the server never sees the field.",
		Verdict:   "replayable requests are sent again",
		Source:    "net/http: Transport (if the idempotency key value is a zero-length slice, the request is treated as idempotent but the header is not sent on the wire)",
		Protocols: HTTP1,
		Body: func(e *Env) {
			for i, key := range []string{"Idempotency-Key", "X-Idempotency-Key"} {
				name := fmt.Sprintf("r%d", i+1)
				c1, url := e.usedConn(name + ".test")
				fin := e.holdFin(c1)
				req, _ := http.NewRequest("POST", url, strings.NewReader("pay 10"))
				req.Header[key] = []string{}
				r := e.Start(name, e.Transport, req)
				fin()
				c2 := r.Conn()
				if c2 == nil || c2 == c1 {
					e.Errorf("%s without values: got the POST not sent again (%v)", key, r.Err())
					continue
				}
				if got := arrived(c2); strings.Contains(got, "Idempotency-Key") || !strings.HasSuffix(got, "\r\n\r\npay 10") {
					e.Errorf("%s without values: got %q at the server, want the whole request without the field", key, got)
				}
				c2.Respond(http.StatusNoContent, "")
				r.WantStatus(http.StatusNoContent)
			}
		},
	},
	{
		Name:      "retry-many-stale",
		Claim:     "A request that meets one idle connection after another that has ended is sent on each, whole, and on a new one in the end. Each copy of its body is closed.",
		Verdict:   "replayable requests are sent again; each body is closed exactly once",
		Issues:    []string{"golang/go#18241", "golang/go#4677"},
		Source:    retryDoc,
		Protocols: HTTP1,
		Body: func(e *Env) {
			c1, c2 := e.twoIdle()
			fins := map[*harness.Conn]func(){c1: e.holdFin(c1), c2: e.holdFin(c2)}
			var copies []*countedBody
			next := func() (io.ReadCloser, error) {
				copies = append(copies, newBody(strings.NewReader("whole")))
				return copies[len(copies)-1], nil
			}
			body, _ := next()
			req := upload(e.Context(), e.URL("/"), body)
			req.Method, req.GetBody, req.ContentLength = "GET", next, 5
			r := e.Start("r", e.Transport, req)
			wantWhole := func(c *harness.Conn) {
				if got := arrived(c); !strings.HasSuffix(got, "\r\n\r\nwhole") {
					e.Errorf("%s: got %q, want the whole request", c, got)
				}
			}
			for fins[r.Conn()] != nil { // a transport may dial after the first
				c := r.Conn()
				wantWhole(c)
				fins[c]()
				delete(fins, c)
			}
			last := r.Conn()
			if last == nil || last == c1 || last == c2 {
				e.Fatalf("got the request last sent on %v, want a new connection: the idle ones have ended (%v)", last, r.Err())
			}
			wantWhole(last)
			for _, fin := range fins {
				fin()
			}
			last.Respond(http.StatusOK, "ok")
			r.WantBody("ok")
			for i, b := range copies {
				b.wantClosed(e, fmt.Sprintf("copy %d", i+1))
			}
		},
	},
	{
		Name:      "retry-no-get-body",
		Claim:     "A request that could be sent again but for its body, which cannot be had again, fails, or is sent whole by a transport that has kept the body, and its body is closed.",
		Verdict:   "one outcome per request; each body is closed exactly once",
		Issues:    []string{"golang/go#18241"},
		Source:    retryDoc,
		Protocols: HTTP1,
		Body: func(e *Env) {
			for _, length := range []int64{5, -1} {
				name := fmt.Sprintf("length%d", length)
				c1, url := e.usedConn(name + ".test")
				fin := e.holdFin(c1)
				body := newBody(strings.NewReader("whole"))
				req := upload(e.Context(), url, body)
				req.Method, req.ContentLength = "GET", length
				r := e.Start(name, e.Transport, req)
				fin()
				c2, got := r.Conn(), ""
				if c2 != nil && c2 != c1 {
					got = arrived(c2)
				}
				switch {
				case got == "":
					e.wantFailed(r, "its body is used up")
				case wholeBody(got) == "whole":
					c2.Respond(http.StatusOK, "ok")
					r.WantBody("ok")
				default:
					e.Errorf("%s: got %q sent on another connection, and the body was used up", name, got)
					c2.CloseServer()
				}
				body.wantClosed(e, name)
			}
		},
	},
	{
		Name:      "retry-get-body-fails",
		Claim:     "An error of GetBody is the request's error, and the body that was sent first is closed. A transport that has kept the body needs no copy of it.",
		Verdict:   "the error is the caller's",
		Source:    "net/http: Request.GetBody (returns a new copy of Body)",
		Protocols: HTTP1,
		Body: func(e *Env) {
			errOwn := errors.New("the caller's own")
			c1, url := e.usedConn("api.test")
			fin := e.holdFin(c1)
			body := newBody(strings.NewReader("whole"))
			req := upload(e.Context(), url, body)
			req.Method, req.ContentLength = "GET", 5
			req.GetBody = func() (io.ReadCloser, error) { return nil, errOwn }
			r := e.Start("r", e.Transport, req)
			fin()
			if c2 := r.Conn(); c2 != nil && c2 != c1 && wholeBody(arrived(c2)) == "whole" {
				c2.Respond(http.StatusOK, "ok")
				r.WantBody("ok")
			} else {
				r.WantErr(errOwn)
			}
			body.wantClosed(e, "r")
		},
	},
	{
		Name:      "retry-not-cancelled",
		Claim:     "A request that was cancelled is not sent again when its connection ends then, nor is one that timed out.",
		Verdict:   "the error is the context's",
		Source:    "net/http: Request.Context; Transport.ResponseHeaderTimeout",
		Protocols: HTTP1,
		Settings:  harness.Settings{ResponseHeaderTimeout: 10 * time.Second},
		Body: func(e *Env) {
			for _, how := range []string{"cancel", "deadline", "timeout"} {
				c1, url := e.usedConn(how + ".test")
				fin := e.holdFin(c1)
				ctx, cancel := context.WithTimeout(e.Context(), time.Hour)
				if how == "deadline" {
					ctx, cancel = context.WithTimeout(e.Context(), time.Second)
				}
				req, _ := http.NewRequestWithContext(ctx, "GET", url, nil)
				r := e.Start(how, e.Transport, req)
				switch how {
				case "cancel":
					r.Cancel()
				case "deadline":
					e.Advance(time.Second)
				default:
					e.Advance(10 * time.Second)
				}
				fin()
				e.wantFailed(r, "it was over before its connection ended")
				e.wantErrIn(r, context.Canceled, context.DeadlineExceeded)
				r.WantSent(1, "no caller waits for the answer")
				cancel()
			}
		},
	},
	{
		Name:      "retry-not-answered",
		Claim:     "A POST whose answer broke off, wherever in its header, is not sent again.",
		Verdict:   "non-idempotent requests are sent at most once",
		Issues:    []string{"golang/go#18239"},
		Source:    "RFC 9110 section 9.2.2",
		Protocols: HTTP1,
		Body: func(e *Env) {
			for i, part := range []string{"H", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 103 Early Hints\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n"} {
				name := fmt.Sprintf("part%d", i+1)
				c1, url := e.usedConn(name + ".test")
				r := e.T.Post(name, e.Transport, url, "pay 10")
				c1.Send(part)
				c1.CloseServer()
				e.wantFailed(r, "its answer broke off")
				r.WantSent(1, "it may have been carried out")
			}
		},
	},
	{
		Name:      "retry-not-new",
		Claim:     "A request on a new connection that ends without an answer is not sent again, however it ends: the server may not like it.",
		Verdict:   "an error after a bounded number of dials",
		Issues:    []string{"golang/go#52459"},
		Source:    retryDoc,
		Protocols: HTTP1,
		Body: func(e *Env) {
			for _, end := range []string{"fin", "rst", "408"} {
				host := end + ".test"
				e.Peer(e.Addr(host))
				r := e.T.Get(end, e.Transport, e.URLOf(host, "/"))
				c := r.Conn()
				switch end {
				case "fin":
					c.Fin()
				case "rst":
					c.Reset()
				default:
					c.Send("HTTP/1.1 4")
					c.Fin()
				}
				e.wantFailed(r, "its connection was new")
				r.WantSent(1)
			}
			e.WantOpened(3, "one for each request")
		},
	},
}

// wholeBody returns the body of a request in HTTP/1.1, or "" if it is not whole.
func wholeBody(sent string) string {
	req, err := http.ReadRequest(bufio.NewReader(strings.NewReader(sent)))
	if err != nil {
		return ""
	}
	b, err := io.ReadAll(req.Body)
	if err != nil {
		return ""
	}
	return string(b)
}

// holdFin has the server close a connection, and holds what the client sees of it until the
// function that it returns is called.
func (e *Env) holdFin(c *harness.Conn) (arrives func()) {
	e.Net.Hold(c.ID() + " server fin")
	c.Fin()
	return func() { e.Net.Release(c.ID() + " server fin") }
}

// twoIdle returns two idle connections to a scripted peer, api.test, in HTTP/1.1.
func (e *Env) twoIdle() (c1, c2 *harness.Conn) {
	e.Peer(e.Addr("api.test"))
	r1, r2 := e.Get("idle1", "/"), e.Get("idle2", "/")
	if c1, c2 = r1.Conn(), r2.Conn(); c1 == nil || c2 == nil {
		e.Fatalf("got two requests at one time on %v and %v, want a connection for each", c1, c2)
	}
	for i, r := range []*harness.Request{r1, r2} {
		[]*harness.Conn{c1, c2}[i].Respond(http.StatusNoContent, "")
		r.WantStatus(http.StatusNoContent)
	}
	return c1, c2
}
