package cases

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/halfopen/halfopen/harness"
)

// responseBody is where net/http says what a response body is.
const responseBody = "net/http: Response.Body"

// messageCases are about where a message ends, and what stands in it.
var messageCases = []Case{
	{
		Name:      "body-framing",
		Claim:     "Where a response ends follows from its header and its request. Its length is known or not, its body is what was sent, and a connection that is not at its end is used again.",
		Verdict:   "the body is what was sent; " + noDialWhileIdle,
		Source:    "RFC 9112 section 6.3; RFC 9110 section 8.6 (of a length that is said twice a recipient MAY either reject the message as invalid or take the value once); net/http: Response.ContentLength; Response.Close; Response.TransferEncoding",
		Protocols: HTTP1,
		Body: func(e *Env) {
			for i, f := range framings {
				host := fmt.Sprintf("h%d.test", i+1)
				e.Peer(e.Addr(host))
				req, _ := http.NewRequest(f.method, e.URLOf(host, "/"), nil)
				name := fmt.Sprintf("r%d", i+1)
				r := e.Start(name, e.Transport, req)
				c := r.Conn()
				c.Send(f.answer)
				if f.last && f.close {
					c.Fin()
				}
				resp := r.Response()
				if resp == nil && f.refusable && r.Err() != nil {
					c.WantClosed("its answer was refused")
					continue
				}
				if resp == nil {
					e.Errorf("%s answered with %q: got %v, want a response", f.method, f.answer, r.Err())
					continue
				}
				if resp.ContentLength != f.length || resp.Close != f.last {
					e.Errorf("%s answered with %q: got ContentLength %d and Close %v, want %d and %v", f.method, f.answer, resp.ContentLength, resp.Close, f.length, f.last)
				}
				r.WantBody(f.body)
				next := e.T.Get("after-"+name, e.Transport, e.URLOf(host, "/"))
				if again := next.Conn() == c; again == f.last {
					e.Errorf("%s answered with %q: got the connection used again %v, want %v", f.method, f.answer, again, !f.last)
				}
				next.Conn().Respond(http.StatusNoContent, "")
				next.WantStatus(http.StatusNoContent)
			}
		},
	},
	{
		Name:      "body-framing-wrong",
		Claim:     "A response whose header does not say where it ends, or says so twice, is an error, and its connection is closed: what is behind is not another answer.",
		Verdict:   "it is an error, and nothing is left behind",
		Source:    "RFC 9112 section 6.3 (the user agent MUST close the connection to the server and discard the received response)",
		Protocols: HTTP1,
		Body: func(e *Env) {
			for i, field := range []string{"Content-Length: 2\r\nContent-Length: 3", "Content-Length: two", "Content-Length: -2", "Transfer-Encoding: gzip, chunked, unknown"} {
				host := fmt.Sprintf("h%d.test", i+1)
				e.Peer(e.Addr(host))
				r := e.T.Get(fmt.Sprintf("r%d", i+1), e.Transport, e.URLOf(host, "/"))
				c := r.Conn()
				c.Send("HTTP/1.1 200 OK\r\n" + field + "\r\n\r\n2\r\nok\r\n0\r\n\r\n")
				if r.Response() != nil {
					r.CloseBody()
				}
				e.wantFailed(r, field+" is no length")
				c.WantClosed("where the next answer begins is not known")
			}
		},
	},
	{
		Name:    "body-no-length",
		Claim:   "A body of unknown length reaches the server whole, be it long, short or empty, whatever the method, and its connection is used again.",
		Verdict: "each server that gets the end of a body has got all of it; " + noDialWhileIdle,
		Source:  "net/http: Request.ContentLength (the value -1 indicates that the length is unknown; a value of 0 with a non-nil Body is also treated as unknown); RFC 9112 section 7.1",
		Body: func(e *Env) {
			e.Serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				n, err := io.Copy(io.Discard, r.Body)
				fmt.Fprint(w, n, " ", err)
			}))
			for _, method := range []string{"POST", "PUT", "GET", "DELETE"} {
				for _, length := range []int64{-1, 0} {
					for _, size := range []int64{0, 1, 100_000} {
						name := fmt.Sprint(method, length, "-", size)
						body := newBody(zeros(size))
						req := upload(e.Context(), e.URL("/"), body)
						req.Method, req.ContentLength = method, length
						r := e.Start(name, e.Transport, req)
						if e.Protocol == H3 {
							r.Await() // QUIC sends a large body at a rate
						}
						r.WantBody(fmt.Sprint(size, " <nil>"))
						body.wantClosed(e, name)
					}
				}
			}
			e.WantOpened(1, "each body was sent to its end")
		},
	},
	{
		Name:    "body-trailers",
		Claim:   "The keys of a response's trailer are known with its header, the values when its body has ended; those of a request reach the server behind its body.",
		Verdict: "the trailer is what was sent",
		Source:  "net/http: Response.Trailer; Request.Trailer; RFC 9110 section 6.5",
		Body: func(e *Env) {
			e.Serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				io.Copy(io.Discard, r.Body)
				w.Header().Set("Trailer", "Sum")
				io.WriteString(w, "ok")
				w.Header().Set("Sum", r.Trailer.Get("Sum"))
			}))
			for _, name := range []string{"r1", "r2"} {
				req := upload(e.Context(), e.URL("/"), newBody(strings.NewReader("payload")))
				req.Trailer = http.Header{"Sum": {"7 of " + name}}
				r := e.Start(name, e.Transport, req)
				r.WantStatus(http.StatusOK)
				if resp := r.Response(); resp.Trailer == nil || resp.Trailer.Get("Sum") != "" {
					e.Errorf("%s: got the trailer %v with the header, want its key without a value", name, resp.Trailer)
				}
				r.WantBody("ok")
				if got, want := r.Response().Trailer.Get("Sum"), "7 of "+name; got != want {
					e.Errorf("%s: got Sum %q in the trailer, want %q", name, got, want)
				}
			}
			e.WantOpened(1, "the trailers were read")
		},
	},
	{
		Name:    "body-gzip-fields",
		Claim:   "A response that the transport decompresses says so: it has no length, and no field of the coding. One that the caller asked for in gzip stays as it is.",
		Verdict: "the body is what was sent",
		Source:  "net/http: Transport.DisableCompression; Response.Uncompressed",
		Knows:   harness.Settings{DisableCompression: true},
		Body: func(e *Env) {
			var packed bytes.Buffer
			z := gzip.NewWriter(&packed)
			io.Copy(z, zeros(3000))
			z.Close()
			e.Serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Encoding", "gzip")
				w.Header().Set("Content-Length", fmt.Sprint(packed.Len()))
				w.Write(packed.Bytes())
			}))
			r1 := e.Get("r1", "/")
			r1.WantBody(strings.Repeat("0", 3000))
			resp := r1.Response()
			if !resp.Uncompressed || resp.ContentLength != -1 || resp.Header.Get("Content-Encoding")+resp.Header.Get("Content-Length") != "" {
				e.Errorf("r1: got Uncompressed %v, ContentLength %d, header %v, want it said that the body was decompressed", resp.Uncompressed, resp.ContentLength, resp.Header)
			}
			r2 := e.Do("r2", "GET", "/", "", "Accept-Encoding: gzip")
			r2.WantBody(packed.String())
			resp = r2.Response()
			if resp.Uncompressed || resp.ContentLength != int64(packed.Len()) || resp.Header.Get("Content-Encoding") != "gzip" {
				e.Errorf("r2: got Uncompressed %v, ContentLength %d, header %v, want the response as it is", resp.Uncompressed, resp.ContentLength, resp.Header)
			}
			e.WantOpened(1, "both bodies were read")
		},
	},
	{
		Name:    "body-gzip-asked",
		Claim:   "The transport asks for gzip by itself, unless the request says which coding it takes.",
		Verdict: "what the server is asked",
		Source:  `net/http: Transport.DisableCompression (requesting compression with an "Accept-Encoding: gzip" request header when the Request contains no existing Accept-Encoding value)`,
		Knows:   harness.Settings{DisableCompression: true},
		Body: func(e *Env) {
			e.Serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.Header.Get("Accept-Encoding")) }))
			e.Get("r1", "/").WantBody("gzip")
			e.Do("r2", "GET", "/", "", "Accept-Encoding: identity").WantBody("identity")
		},
	},
	{
		Name:    "body-gzip-range",
		Claim:   "A part of a page, as the request asks for with Range, is not asked for in gzip: it would be a part of something else.",
		Verdict: "what the server is asked",
		Source:  "RFC 9110 section 14.2; section 8.4.1 (a content coding is a property of the representation)",
		Body: func(e *Env) {
			e.Serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.Header.Get("Accept-Encoding")) }))
			e.Do("r1", "GET", "/", "", "Range: bytes=0-9").WantBody("")
		},
	},
	{
		Name:     "body-gzip-off",
		Claim:    "With DisableCompression no gzip is asked for, and what comes is not decompressed.",
		Verdict:  "the body is what was sent",
		Source:   "net/http: Transport.DisableCompression",
		Settings: harness.Settings{DisableCompression: true},
		Body: func(e *Env) {
			e.Serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Encoding", "gzip")
				io.WriteString(w, "asked for "+r.Header.Get("Accept-Encoding"))
			}))
			e.Get("r1", "/").WantBody("asked for ")
		},
	},
	{
		Name:    "body-gzip-broken",
		Claim:   "A body that should be gzip and is not is an error for its reader, after a response that is one.",
		Verdict: "a body that ends without an error is whole",
		Source:  responseBody + "; RoundTripper (must return err == nil if it obtained a response)",
		Knows:   harness.Settings{DisableCompression: true},
		Body: func(e *Env) {
			e.Serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Encoding", "gzip")
				io.WriteString(w, "this is no gzip, and long enough for a header of it")
			}))
			r1 := e.Get("r1", "/")
			r1.WantStatus(http.StatusOK)
			b, err := io.ReadAll(r1.Response().Body)
			if err == nil {
				e.Errorf("r1: got the body %q without an error, want one", b)
			}
			r1.CloseBody()
			e.Get("r2", "/").CloseBody()
		},
	},
	{
		Name:    "body-after-close",
		Claim:   "Reading a response body that was closed is an error, and never its end: not of one that is read as it came, nor of one that is decompressed.",
		Verdict: "a body that ends without an error is whole",
		Source:  responseBody + "; io: Closer",
		Body: func(e *Env) {
			e.Serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/gzip" {
					compressed(w, r)
				} else {
					harness.Pages(w, r)
				}
			}))
			for _, path := range []string{"/bytes/100000", "/gzip", "/bytes/10"} {
				r := e.Get(path, path)
				r.WantStatus(http.StatusOK)
				resp := r.Response()
				b := make([]byte, 5)
				io.ReadFull(resp.Body, b)
				r.CloseBody()
				for range 2 {
					if n, err := resp.Body.Read(b); n > 0 || err == nil || err == io.EOF {
						e.Errorf("%s: got %d bytes and %v from a closed body, want an error", path, n, err)
					}
				}
				if err := resp.Body.Close(); err != nil {
					e.Errorf("%s: got %v from a second Close, want no harm done", path, err)
				}
			}
		},
	},
	{
		Name:    "body-request-untouched",
		Claim:   "A request is the caller's: its header, its trailer, its URL and its host are what they were when it is over. What the transport adds is for the server alone.",
		Verdict: "the request is not changed",
		Source:  "net/http: RoundTripper (should not modify the request, except for consuming and closing the Request's Body)",
		Body: func(e *Env) {
			e.Serve(nil)
			req := upload(e.Context(), e.URL("/echo"), newBody(strings.NewReader("x")))
			req.Header = http.Header{"X-Own": {"1"}, "Idempotency-Key": {}}
			req.Trailer = http.Header{"Sum": {"1"}}
			before := fmt.Sprint(req.Method, req.URL, req.Header, req.Trailer, req.Host, req.ContentLength, req.Close, req.TransferEncoding)
			resp, err := e.Transport.RoundTrip(req)
			if err != nil {
				e.Fatal(err)
			}
			io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
			if after := fmt.Sprint(req.Method, req.URL, req.Header, req.Trailer, req.Host, req.ContentLength, req.Close, req.TransferEncoding); after != before {
				e.Errorf("got the request changed to %s, want %s", after, before)
			}
			if resp.Request == nil || resp.Request.URL.String() != req.URL.String() {
				e.Errorf("got Response.Request %v, want the request that was sent", resp.Request)
			}
			e.wantOK("r1")
		},
	},
	{
		Name:      "body-on-wire",
		Claim:     "What describes a request reaches the server: its host, its length or that there is none, and that its connection is to be closed.",
		Verdict:   "what the server is asked",
		Source:    "net/http: Request.Host; Request.ContentLength; Request.TransferEncoding; Request.Close; RFC 9112 section 3.2",
		Protocols: HTTP1,
		Body: func(e *Env) {
			e.Peer(e.Addr("api.test"))
			for i, w := range []struct {
				change func(*http.Request)
				lines  []string
				body   string
			}{
				{func(r *http.Request) { r.Host = "other.test" }, []string{"Host: other.test", "Transfer-Encoding: chunked"}, "7\r\npayload\r\n0\r\n\r\n"},
				{func(r *http.Request) { r.ContentLength = 7 }, []string{"Host: api.test", "Content-Length: 7"}, "payload"},
				{func(r *http.Request) { r.ContentLength = 7; r.TransferEncoding = []string{"chunked"} }, []string{"Transfer-Encoding: chunked"}, "7\r\npayload\r\n0\r\n\r\n"},
				{func(r *http.Request) { r.Body, r.ContentLength = nil, 0 }, []string{"Content-Length: 0"}, ""},
				{func(r *http.Request) { r.Body, r.ContentLength, r.Method = nil, 0, "GET" }, []string{"Host: api.test"}, ""},
				{func(r *http.Request) { r.Body, r.ContentLength, r.Close = nil, 0, true }, []string{"Connection: close"}, ""},
			} {
				req := upload(e.Context(), e.URL("/"), newBody(strings.NewReader("payload")))
				w.change(req)
				r := e.Start(fmt.Sprintf("r%d", i+1), e.Transport, req)
				head, body, _ := strings.Cut(arrived(r.Conn()), "\r\n\r\n")
				for _, line := range w.lines {
					if !slices.Contains(strings.Split(head, "\r\n"), line) {
						e.Errorf("r%d: got the header %q, want %q in it", i+1, head, line)
					}
				}
				if body != w.body {
					e.Errorf("r%d: got the body %q, want %q", i+1, body, w.body)
				}
				r.Conn().Send("HTTP/1.1 204 No Content\r\n\r\n")
				r.WantStatus(http.StatusNoContent)
			}
		},
	},
}

// framings is responses, and what they are.
var framings = []struct {
	method, answer string
	length         int64
	body           string
	last, close    bool // it is the last on its connection, and only its end ends it
	refusable      bool // it may be an error instead
}{
	{"GET", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 2, "ok", false, false, false},
	{"GET", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok", 2, "ok", false, false, true},
	{"GET", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 0, "", false, false, false},
	{"GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", -1, "ok", false, false, false},
	{"GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", -1, "", false, false, false},
	{"GET", "HTTP/1.1 200 OK\r\n\r\nok", -1, "ok", true, true, false},
	{"GET", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", 2, "ok", true, false, false},
	{"GET", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", 2, "ok", true, false, false},
	{"GET", "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok", 2, "ok", false, false, false},
	{"GET", "HTTP/1.1 204 No Content\r\n\r\n", 0, "", false, false, false},
	{"GET", "HTTP/1.1 304 Not Modified\r\n\r\n", 0, "", false, false, false},
	{"HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n", 10, "", false, false, false},
	{"HEAD", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", -1, "", false, false, false},
	{"HEAD", "HTTP/1.1 200 OK\r\n\r\n", -1, "", false, false, false},
	{"HEAD", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 10\r\n\r\n", 10, "", true, false, false},
}
