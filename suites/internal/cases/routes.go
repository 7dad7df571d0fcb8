package cases

import (
	"context"
	"crypto/tls"
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
	registerProtocol = "net/http: Transport.RegisterProtocol"
	protocolsField   = "net/http: Transport.Protocols"
)

// routeCases are about what carries a request: another RoundTripper, a dialer of the
// caller's, a protocol.
var routeCases = []Case{
	{
		Name:      "route-registered",
		Claim:     "A scheme that was registered has its requests passed on, as they are, and what comes back is the answer, or the error. The transport itself has no part in them.",
		Verdict:   "where a request goes",
		Source:    registerProtocol + " (the Transport will pass requests using the given scheme to rt)",
		Protocols: HTTP1,
		Body: func(e *Env) {
			errOwn := errors.New("the caller's own")
			e.register("own", func(req *http.Request) (*http.Response, error) {
				b, err := readAndClose(req)
				if err != nil || req.URL.Path == "/error" {
					return nil, errOwn
				}
				return &http.Response{StatusCode: http.StatusTeapot, Body: io.NopCloser(strings.NewReader(req.Method + " " + b)), Request: req}, nil
			})
			for _, path := range []string{"/", "/error"} {
				body := newBody(strings.NewReader("whole"))
				resp, err := e.Transport.RoundTrip(upload(e.Context(), "own://api.test"+path, body))
				switch {
				case path == "/error" && !errors.Is(err, errOwn):
					e.Errorf("%s: got %v, want the error of what was registered", path, err)
				case path == "/" && err != nil:
					e.Errorf("%s: got %v, want the answer of what was registered", path, err)
				case path == "/":
					if b, _ := io.ReadAll(resp.Body); string(b) != "POST whole" || resp.StatusCode != http.StatusTeapot {
						e.Errorf("%s: got %d %q, want the answer of what was registered", path, resp.StatusCode, b)
					}
				}
				body.wantClosed(e, path)
			}
			e.WantOpened(0, "the transport dials nothing for that scheme")
		},
	},
	{
		Name:      "route-declined",
		Claim:     "A request that the registered RoundTripper declines is the transport's own: it is sent whole, though its body was read or closed meanwhile.",
		Verdict:   "each server that gets the end of a body has got all of it; each body is closed exactly once",
		Issues:    []string{"golang/go#32441"},
		Source:    registerProtocol + " (if rt.RoundTrip returns ErrSkipAltProtocol, the Transport will handle the RoundTrip itself for that one request, as if the protocol were not registered)",
		Protocols: HTTP1,
		Body: func(e *Env) {
			e.Serve(nil)
			asked := 0
			e.register("http", func(req *http.Request) (*http.Response, error) {
				if asked++; req.URL.Path == "/echo/read" {
					readAndClose(req)
				}
				return nil, http.ErrSkipAltProtocol
			})
			for _, path := range []string{"/echo/unread", "/echo/read", "/echo/unread2"} {
				var copies []*countedBody
				next := func() (io.ReadCloser, error) {
					copies = append(copies, newBody(strings.NewReader("whole")))
					return copies[len(copies)-1], nil
				}
				body, _ := next()
				req := upload(e.Context(), e.URL(path), body)
				req.GetBody, req.ContentLength = next, 5
				r := e.Start(path, e.Transport, req)
				r.WantBody("whole", "the server sends it back")
				for i, b := range copies {
					b.wantClosed(e, fmt.Sprintf("%s, copy %d", path, i+1))
				}
			}
			if asked != 3 {
				e.Errorf("got what was registered asked %d times, want 3: it declined one request at a time", asked)
			}
			e.WantOpened(1, "the transport's own connection is used again")
		},
	},
	{
		Name:      "route-declined-used-up",
		Claim:     "A declined request whose body was read, and cannot be had again, is an error: no server gets the rest of it.",
		Verdict:   "one outcome per request",
		Issues:    []string{"golang/go#32441"},
		Source:    registerProtocol + "; Request.GetBody",
		Protocols: HTTP1,
		Body: func(e *Env) {
			e.Serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if b, err := io.ReadAll(r.Body); r.Method == "POST" && err == nil {
					e.Errorf("the server got %q for a whole body", b)
				}
			}))
			e.register("http", func(req *http.Request) (*http.Response, error) {
				if req.Method == "POST" {
					req.Body.Read(make([]byte, 2))
				}
				return nil, http.ErrSkipAltProtocol
			})
			body := newBody(strings.NewReader("whole"))
			r := e.Start("r1", e.Transport, upload(e.Context(), e.URL("/"), body))
			e.wantFailed(r, "its body is used up")
			body.wantClosed(e, "r1")
			e.Get("r2", "/").Finish()
		},
	},
	{
		Name:      "route-scheme-unknown",
		Claim:     "A request whose scheme is neither http nor https, and was not registered, is an error, and its body is closed.",
		Verdict:   "each body is closed exactly once",
		Source:    registerProtocol + "; RoundTripper (must always close the body, including on errors)",
		Protocols: HTTP1,
		Body: func(e *Env) {
			for _, url := range []string{"own://api.test/", "ftp://api.test/", "file:///etc/hosts"} {
				body := newBody(strings.NewReader("whole"))
				if _, err := e.Transport.RoundTrip(upload(e.Context(), url, body)); err == nil {
					e.Errorf("%s: got no error", url)
				}
				body.wantClosed(e, url)
			}
			e.WantOpened(0, "there is nowhere to go")
		},
	},
	{
		Name:    "route-request-empty",
		Claim:   "A request that cannot be sent is an error, and its body is closed. One without a URL or a header is its caller's mistake, which may also panic.",
		Verdict: "each body is closed exactly once",
		Source:  "net/http: RoundTripper (must always close the body, including on errors; the Request's URL and Header fields must be initialized)",
		Body: func(e *Env) {
			for _, s := range []struct {
				of      string
				spoil   func(*http.Request)
				mistake bool
			}{
				{"no URL", func(r *http.Request) { r.URL = nil }, true},
				{"no header", func(r *http.Request) { r.Header = nil }, true},
				{"a trailer field with a space", func(r *http.Request) { r.Trailer = http.Header{"a b": {"x"}} }, false},
				{"no host", func(r *http.Request) { r.URL.Host = "" }, false},
				{"a method with a space", func(r *http.Request) { r.Method = "G T" }, false},
			} {
				body := newBody(strings.NewReader("x"))
				req := upload(e.Context(), e.URL("/"), body)
				s.spoil(req)
				panicked := false
				c := e.call(func() error {
					defer func() {
						if s.mistake && recover() != nil {
							panicked = true
						}
					}()
					_, err := e.Transport.RoundTrip(req)
					return err
				})
				switch {
				case panicked:
				case !c.returned() || c.err == nil && !s.mistake:
					e.Errorf("got no error for a request with %s", s.of)
				case c.err != nil:
					body.wantClosed(e, "the request with "+s.of)
				}
			}
			e.WantOpened(0, "there is nothing to send")
		},
	},
	{
		Name:      "tls-dialers",
		Claim:     "DialTLSContext opens the connections for https, and those alone; DialContext the others. An error of either is the request's.",
		Verdict:   "where a request goes",
		Source:    "net/http: Transport.DialTLSContext; Transport.DialContext; Transport.DialTLS; Transport.Dial",
		Protocols: HTTP1,
		Secure:    true,
		Body: func(e *Env) {
			var dialed []string
			dial := func(how string, tlsToo bool) func(context.Context, string, string) (net.Conn, error) {
				return func(ctx context.Context, network, addr string) (net.Conn, error) {
					dialed = append(dialed, how+" "+addr)
					if tlsToo {
						return e.dialTLS(ctx, network, addr)
					}
					return e.Net.DialContext(ctx, network, addr)
				}
			}
			old := func(how string) func(string, string) (net.Conn, error) {
				return func(network, addr string) (net.Conn, error) {
					dialed = append(dialed, how+" "+addr)
					return nil, errors.New("the other one takes priority")
				}
			}
			if !e.setField("DialTLSContext", dial("DialTLSContext", true)) || !e.setField("DialContext", dial("DialContext", false)) ||
				!e.setField("DialTLS", old("DialTLS")) || !e.setField("Dial", old("Dial")) {
				e.NotApplicable("the transport has not all four dialers")
			}
			e.Serve(nil)
			e.ServeTLSAs("api.test:443", "h1")
			for _, url := range []string{"http://api.test/", "https://api.test/"} {
				e.T.Get(url, e.Transport, url).WantBody("ok")
			}
			if got, want := strings.Join(dialed, ", "), "DialContext api.test:80, DialTLSContext api.test:443"; got != want {
				e.Errorf("got %s, want %s", got, want)
			}
		},
	},
	{
		Name:      "tls-dialer-waits",
		Claim:     "TLSHandshakeTimeout is not for what DialTLSContext does, which takes its own time.",
		Verdict:   "the answer comes",
		Source:    "net/http: Transport.DialTLSContext (the TLSClientConfig and TLSHandshakeTimeout are ignored)",
		Protocols: HTTP1,
		Secure:    true,
		Settings:  harness.Settings{TLSHandshakeTimeout: time.Second},
		Body: func(e *Env) {
			slow := func(ctx context.Context, network, addr string) (net.Conn, error) {
				time.Sleep(10 * time.Second) // virtual: as a dialer does that asks another server first
				return e.dialTLS(ctx, network, addr)
			}
			if !e.setField("DialTLSContext", slow) {
				e.NotApplicable("the transport has no DialTLSContext")
			}
			e.ServeTLSAs("api.test:443", "h1")
			r := e.T.Get("r1", e.Transport, "https://api.test/")
			e.Advance(10 * time.Second)
			r.WantBody("ok")
		},
	},
	{
		Name:      "tls-protocols",
		Claim:     "A transport speaks the protocols that are in Protocols, and no others, whatever the server offers.",
		Verdict:   "which protocol a request is sent in",
		Source:    protocolsField + " (the set of protocols supported by the transport)",
		Protocols: overTLS,
		Secure:    true,
		Body: func(e *Env) {
			var p http.Protocols
			p.SetHTTP1(e.Protocol == HTTP1)
			p.SetHTTP2(e.Protocol == H2)
			if !e.setField("Protocols", &p) {
				e.NotApplicable("the transport has no Protocols")
			}
			e.ServeTLSAs("api.test:443") // which offers both
			r := e.T.Get("r1", e.Transport, "https://api.test/")
			r.WantBody("ok")
			want := 1
			if e.Protocol == H2 {
				want = 2
			}
			if resp := r.Response(); resp.ProtoMajor != want || resp.TLS == nil {
				e.Errorf("got an answer in %s, its state of TLS %v, want HTTP/%d over TLS", resp.Proto, resp.TLS != nil, want)
			}
		},
	},
	{
		Name:      "tls-next-proto",
		Claim:     "A protocol of TLSNextProto that ALPN has chosen is the function's: it is called with the host and the connection, and what it returns carries the request.",
		Verdict:   "where a request goes",
		Source:    "net/http: Transport.TLSNextProto",
		Protocols: HTTP1,
		Secure:    true,
		Body: func(e *Env) {
			called, given := "", (*tls.Conn)(nil)
			next := map[string]func(string, *tls.Conn) http.RoundTripper{"other/1": func(authority string, c *tls.Conn) http.RoundTripper {
				called, given = authority+" "+c.ConnectionState().NegotiatedProtocol, c
				return answering(func(req *http.Request) (*http.Response, error) {
					b, err := readAndClose(req)
					return &http.Response{StatusCode: http.StatusTeapot, Body: io.NopCloser(strings.NewReader(b)), Request: req}, err
				})
			}}
			config := &tls.Config{RootCAs: harness.TrustedRoots(), NextProtos: []string{"other/1"}}
			if !e.setField("TLSNextProto", next) || !e.setField("TLSClientConfig", config) {
				e.NotApplicable("the transport has no TLSNextProto")
			}
			e.ServeTLSAs("api.test:443", "other-alpn")
			resp, err := e.Transport.RoundTrip(upload(e.Context(), "https://api.test/", newBody(strings.NewReader("whole"))))
			if err != nil {
				e.Fatal(err)
			}
			if b, _ := io.ReadAll(resp.Body); string(b) != "whole" || resp.StatusCode != http.StatusTeapot {
				e.Errorf("got %d %q, want the answer of what TLSNextProto returned", resp.StatusCode, b)
			}
			if called != "api.test:443 other/1" {
				e.Errorf("got the function of TLSNextProto called with %q, want the host and the connection", called)
			}
			if given != nil {
				given.Close() // it is the function's
			}
			e.Settle()
		},
	},
}

// answering is a RoundTripper of the caller's.
type answering func(*http.Request) (*http.Response, error)

// RoundTrip calls the function.
func (f answering) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// register registers a RoundTripper for a scheme, if the transport has RegisterProtocol.
func (e *Env) register(scheme string, f answering) {
	r, ok := e.Transport.(interface {
		RegisterProtocol(string, http.RoundTripper)
	})
	if !ok {
		e.NotApplicable("the transport has no RegisterProtocol")
	}
	r.RegisterProtocol(scheme, f)
}

// readAndClose reads the body of a request to its end and closes it.
func readAndClose(req *http.Request) (string, error) {
	if req.Body == nil {
		return "", nil
	}
	b, err := io.ReadAll(req.Body)
	req.Body.Close()
	return string(b), err
}
