package cases

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/halfopen/halfopen/harness"
)

var bodyCases = []Case{
	{
		Name:    "body-closed-once",
		Claim:   "The body of a request is closed exactly once, however the request ends.",
		Verdict: "each body is closed exactly once",
		Issues:  []string{"golang/go#35015", "golang/go#49621"},
		Source:  "net/http: RoundTripper; io: Closer",
		Bounds:  harness.Bounds{Schedules: 250},
		Body: func(e *Env) {
			e.Serve(nil)
			e.Get("r1", "/").Await()
			b2, b3 := newBody(strings.NewReader("two")), newBody(strings.NewReader("three"))
			e.Start("r2", e.Transport, upload(e.Context(), e.URL("/echo"), b2)).MayCancel()
			e.Start("r3", e.Transport, upload(e.Context(), e.URL("/echo"), b3)).MayCancel()
			e.Rest()
			b2.wantClosed(e, "r2")
			b3.wantClosed(e, "r3")
		},
	},
	{
		Name:    "body-invalid-request",
		Claim:   "A request that cannot be sent is an error, and its body is closed once.",
		Verdict: "each body is closed exactly once",
		Issues:  []string{"golang/go#35015", "golang/go#40382"},
		Source:  "net/http: RoundTripper",
		Body: func(e *Env) {
			e.Serve(nil)
			for _, bad := range []struct {
				name  string
				spoil func(*http.Request)
			}{
				{"field-name", func(r *http.Request) { r.Header["a b"] = []string{"x"} }},
				{"field-value", func(r *http.Request) { r.Header["A"] = []string{"x\n"} }},
				{"method", func(r *http.Request) { r.Method = "G T" }},
				{"host", func(r *http.Request) { r.URL.Host = "" }},
				{"scheme", func(r *http.Request) { r.URL.Scheme = "ftp" }},
			} {
				body := newBody(strings.NewReader("x"))
				req := upload(e.Context(), e.URL("/echo"), body)
				bad.spoil(req)
				if r := e.Start(bad.name, e.Transport, req); r.Err() == nil {
					e.Errorf("bad %s: got no error", bad.name)
				}
				body.wantClosed(e, "bad "+bad.name)
			}
		},
	},
	{
		Name:    "body-fails",
		Claim:   "An error of the caller's body is the error of the request, and the server never takes the request for a whole one.",
		Verdict: "the error is the body's",
		Issues:  []string{"golang/go#16049"},
		Source:  "net/http: RoundTripper; RFC 9112 section 8",
		Bounds:  harness.Bounds{Faults: harness.None, Schedules: 60},
		Body: func(e *Env) {
			errOwn := errors.New("the caller's own")
			e.Serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if b, err := io.ReadAll(r.Body); err == nil && r.Method == "POST" {
					e.Errorf("the server got a whole request of %d bytes, and it broke off", len(b))
				}
			}))
			e.Get("r1", "/").Await()
			body := newBody(io.MultiReader(zeros(10_000), failingReader{errOwn}))
			r2 := e.Start("r2", e.Transport, upload(e.Context(), e.URL("/"), body))
			r2.Await()
			if !errors.Is(r2.Err(), errOwn) {
				e.Errorf("r2: got %v, want %v", r2.Err(), errOwn)
			}
			r3 := e.Get("r3", "/")
			r3.Await()
			e.WantAnswered(r3)
			body.wantClosed(e, "r2")
		},
	},
	{
		Name:    "body-wrong-length",
		Claim:   "A body that is not as long as its Content-Length says is an error, and the next request is served.",
		Verdict: "it is an error",
		Source:  "RFC 9110 section 8.6; RFC 9113 section 8.1.1",
		Body: func(e *Env) {
			e.Serve(nil)
			for _, length := range []int64{10, 3} {
				body := newBody(strings.NewReader("five5"))
				req := upload(e.Context(), e.URL("/echo"), body)
				req.ContentLength = length
				name := fmt.Sprintf("length-%d", length)
				r := e.Start(name, e.Transport, req)
				if r.Response() != nil || r.Err() == nil {
					e.Errorf("a body of 5 bytes with Content-Length %d: got no error", length)
				}
				body.wantClosed(e, name)
				e.wantOK("after-" + name)
			}
		},
	},
	{
		Name:    "body-blocks",
		Claim:   "A request whose body blocks ends when it is cancelled, and the body is closed, which ends its Read.",
		Verdict: "cancelled requests end at once",
		Issues:  []string{"golang/go#78555"},
		Source:  "net/http: Request.Context; Request.Body",
		Body: func(e *Env) {
			e.Serve(nil)
			body := &blockedBody{countedBody: newBody(nil), until: make(chan struct{})}
			e.Cleanup(body.unblock) // whatever the transport does
			r1 := e.Start("r1", e.Transport, upload(e.Context(), e.URL("/echo"), body))
			r1.WantPending()
			r1.Cancel()
			r1.WantErr(context.Canceled, "its body blocks, and it is cancelled")
			body.wantClosed(e, "r1")
			e.wantOK("r2")
		},
	},
	{
		Name:      "body-early-answer",
		Claim:     "An answer that comes while the request's body is still being sent is delivered, whatever the server does with the rest.",
		Verdict:   "the answer is delivered",
		Issues:    []string{"golang/go#11745", "golang/go#51109"},
		Source:    "RFC 9112 section 9.5",
		Protocols: HTTP1,
		Bounds:    harness.Bounds{Delays: 1, Faults: harness.None, Schedules: 40},
		Body: func(e *Env) {
			e.Serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method == "GET" {
					return
				}
				c, _, _ := w.(http.Hijacker).Hijack()
				io.WriteString(c, "HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n")
				if r.URL.Path == "/never-read" {
					<-e.Context().Done()
				}
				c.Close() // which resets, as the rest was not read
			}))
			for _, path := range []string{"/never-read", "/closed"} {
				r := e.Post(path, path, strings.Repeat("x", 300<<10))
				r.Await()
				if resp := r.Response(); resp == nil || resp.StatusCode != http.StatusRequestEntityTooLarge {
					e.Errorf("%s: got %v, want the 413 that the server sent", path, r.Err())
				}
			}
			e.WantAnswered(e.Get("r3", "/"))
		},
	},
	{
		Name:    "body-closed-early",
		Claim:   "A body that is closed before its end leaves nothing behind, and what is left of it never reaches the next request.",
		Verdict: "the answer belongs to the request",
		Source:  "net/http: Response.Body",
		Bounds:  harness.Bounds{Delays: 1, Faults: harness.None, Schedules: 60},
		Body: func(e *Env) {
			bodies := e.keepBodies()
			e.Serve(nil)
			resp, err := e.Client(e.Transport).Get(e.URL("/bytes/100000"))
			if err != nil {
				e.Fatal(err)
			}
			io.ReadFull(resp.Body, make([]byte, 10))
			resp.Body.Close()
			r2 := e.Post("r2", "/echo", "its own") // which is not sent again
			e.WantAnswered(r2)
			if got := bodies.of("r2"); string(got.content) != "its own" {
				e.Errorf("r2: got body %.20q, want %q", got.content, "its own")
			}
			if e.Protocol != HTTP1 {
				e.WantOpened(1, "only the stream was closed")
			}
		},
	},
	{
		Name:    "body-whole-or-error",
		Claim:   "A body that was cut short, wherever, is an error for its reader, and never a shorter body.",
		Verdict: "a body that ends without an error is whole",
		Source:  "RFC 9112 section 8; RFC 9113 section 8.1.1",
		Bounds: harness.Bounds{Delays: 1, Effects: []string{"cut", "cut:200", "cut:1200", "reset:200", "reset:1200"},
			Schedules: 200},
		Body: func(e *Env) {
			bodies := e.keepBodies()
			e.Serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				switch r.URL.Path {
				case "/bytes/3000": // with a Content-Length
					harness.Pages(w, r)
				case "/gzip":
					compressed(w, r)
				default:
					for range 3 {
						io.WriteString(w, strings.Repeat("0", 1000))
						w.(http.Flusher).Flush()
					}
				}
			}))
			for _, path := range []string{"/bytes/3000", "/gzip", "/chunks"} {
				r := e.Get(path, path)
				r.Await()
				b := bodies.of(path)
				if r.Err() == nil && b.err == io.EOF && len(b.content) != 3000 {
					e.Errorf("%s: got a body that ends after %d bytes of 3000 as if it were whole", path, len(b.content))
				}
			}
		},
	},
	{
		Name:    "body-gzip",
		Claim:   "A body that the transport decompresses is the one that was compressed, and its connection is idle when it ends.",
		Verdict: "no dial while a usable connection is idle",
		Source:  "net/http: Transport.DisableCompression",
		Bounds:  harness.Bounds{Faults: harness.None, Schedules: 40},
		Body: func(e *Env) {
			bodies := e.keepBodies()
			e.Serve(http.HandlerFunc(compressed))
			for _, name := range []string{"r1", "r2"} {
				r := e.Get(name, "/")
				e.WantAnswered(r)
				if b := bodies.of(name); string(b.content) != strings.Repeat("0", 3000) {
					e.Errorf("%s: got a body of %d bytes that are not those that were compressed", name, len(b.content))
				}
			}
			e.WantOpened(1, "both bodies were read to their ends")
		},
	},
	{
		Name:    "body-closed-while-read",
		Claim:   "A body can be closed while a Read of it waits: both return, and nothing is left.",
		Verdict: "nothing is left behind",
		Source:  "net/http: Response.Body",
		Body: func(e *Env) {
			e.Serve(halfPage(func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
			r1 := e.Get("r1", "/half")
			r1.WantStatus(http.StatusOK)
			r1.Read()
			r1.CloseBody()
			e.wantOK("r2")
		},
	},
	{
		Name:    "body-hints",
		Claim:   "Informational responses are not the answer: the one that follows them is.",
		Verdict: "the final response is returned",
		Issues:  []string{"golang/go#26161", "golang/go#17739"},
		Source:  "RFC 9110 section 15.2",
		Bounds:  harness.Bounds{Delays: 1, Faults: harness.None, Effects: nil, Schedules: 30},
		Body: func(e *Env) {
			bodies := e.keepBodies()
			e.Serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Link", "</style.css>")
				w.WriteHeader(http.StatusEarlyHints)
				w.WriteHeader(http.StatusProcessing)
				w.WriteHeader(http.StatusEarlyHints)
				io.WriteString(w, "ok")
			}))
			for _, name := range []string{"r1", "r2"} {
				r := e.Get(name, "/")
				r.Await()
				e.WantAnswered(r)
				if b := bodies.of(name); string(b.content) != "ok" {
					e.Errorf("%s: got body %q, want %q", name, b.content, "ok")
				}
			}
			e.WantOpened(1, "hints do not end a connection")
		},
	},
	{
		Name:      "body-upgrade",
		Claim:     "A connection that changed its protocol belongs to the caller that asked for the change: in both directions, until it is closed. It is never pooled.",
		Verdict:   "no other request runs on it",
		Issues:    []string{"golang/go#26161", "golang/go#17739"},
		Source:    "net/http: Response.Body; RFC 9110 section 7.8",
		Protocols: HTTP1,
		Body: func(e *Env) {
			e.Serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Header.Get("Upgrade") == "" {
					harness.Pages(w, r)
					return
				}
				c, _, _ := w.(http.Hijacker).Hijack()
				io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
				io.Copy(c, c)
				c.Close()
			}))
			r1 := e.Do("r1", "GET", "/", "", "Connection: Upgrade", "Upgrade: echo")
			r1.WantStatus(http.StatusSwitchingProtocols)
			both := e.upgraded(r1)
			r2 := e.wantOK("r2")
			if r2.Conn() == r1.Conn() {
				e.Fatalf("r2: got %s, which has changed its protocol", r1.Conn())
			}
			io.WriteString(both, "ping")
			got := make([]byte, 4)
			if _, err := io.ReadFull(both, got); err != nil || string(got) != "ping" {
				e.Errorf("got %q, %v from the other side, want the echo of %q", got, err, "ping")
			}
			both.Close()
			r1.Conn().WantClosed("the caller that took it closed it")
		},
	},
	{
		Name:      "body-after-head",
		Claim:     "Bytes that a server sends behind its answer, a body after HEAD say, are never the answer to the next request.",
		Verdict:   "the answer belongs to the request",
		Issues:    []string{"golang/go#68653"},
		Source:    "RFC 9112 section 6.3; RFC 9110 section 9.3.2",
		Protocols: HTTP1,
		Bounds:    harness.Bounds{Schedules: 200},
		Body: func(e *Env) {
			e.Gates("PutIdleConn")
			e.Serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method != "HEAD" {
					io.WriteString(w, "ok")
					return
				}
				c, _, _ := w.(http.Hijacker).Hijack()
				io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\nHTTP/1.1 200 OK\r\n"+
					harness.RequestHeader+": stray\r\nContent-Length: 0\r\n\r\n")
				io.Copy(io.Discard, c)
				c.Close()
			}))
			e.Do("r1", "HEAD", "/", "")
			e.Get("r2", "/").MayCancel()
		},
	},
}
