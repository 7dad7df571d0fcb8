package harness_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/halfopen/halfopen/harness"
)

// sending returns a POST with that body, of a length that is not known.
func sending(body io.ReadCloser) *http.Request {
	req, _ := http.NewRequest("POST", "http://api.test/", nil)
	req.Body, req.ContentLength = body, -1
	return req
}

// traced returns a GET whose context has those hooks.
func traced(trace *httptrace.ClientTrace) *http.Request {
	req, _ := http.NewRequest("GET", "http://api.test/", nil)
	return req.WithContext(httptrace.WithClientTrace(req.Context(), trace))
}

// A callback of a request that panics in a goroutine of the transport's fails the test, in
// words that name it, and the transport goes on with an error.
func TestCallbacksPanic(t *testing.T) {
	const ours = "harness: this call of the request has failed the test"
	rewound := sending(io.NopCloser(strings.NewReader("x")))
	rewound.GetBody = func() (io.ReadCloser, error) { panic("mine") }
	rewinds := roundTripper(func(req *http.Request) (*http.Response, error) {
		_, err := req.GetBody()
		return nil, err
	})
	for _, c := range []struct {
		name string
		req  *http.Request
		rt   http.RoundTripper // nil is net/http
		want string            // how the report begins
		err  string            // of the request
	}{
		{"a body that panics as it is read", sending(panicking{read: true}), nil, "r1: reading its request body: panic: read\n    harness_test.panicking.Read callbacks_test.go:", ours},
		{"a body that panics as it is written", sending(panickingTo{}), nil, "r1: reading its request body: panic: written\n    harness_test.panickingTo.WriteTo callbacks_test.go:", ours},
		{"a body that panics as it is closed", sending(panicking{close: true}), nil, "r1: closing its request body: panic: close\n", ""},
		{"a body that ends its goroutine", sending(panicking{goexit: true}), nil, "r1: reading its request body called runtime.Goexit\n", ""},
		{"GetBody panics", rewound, rewinds, "r1: GetBody: panic: mine\n", ours},
		{"a hook of the writer", traced(&httptrace.ClientTrace{WroteRequest: func(httptrace.WroteRequestInfo) { panic("mine") }}), nil, "r1: its trace hook WroteRequest: panic: mine\n", "<nil>"},
		{"a hook of the reader", traced(&httptrace.ClientTrace{PutIdleConn: func(error) { panic("mine") }}), nil, "r1: its trace hook PutIdleConn: panic: mine\n", "<nil>"},
		{"a hook with an error", traced(&httptrace.ClientTrace{Got1xxResponse: func(int, textproto.MIMEHeader) error { panic("mine") }}), nil, "r1: its trace hook Got1xxResponse: panic: mine\n", ours},
	} {
		t.Run(c.name, func(t *testing.T) {
			var err error
			report := harness.TestReport(c.name, func(t *harness.T) {
				t.Serve("api.test:80", http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
					w.WriteHeader(http.StatusEarlyHints)
					io.Copy(io.Discard, req.Body)
				}))
				rt := c.rt
				if rt == nil {
					rt = t.Net.Transport()
				}
				r := t.Start("r1", rt, c.req)
				if c.err != "" {
					r.Await()
				}
				err = r.Err()
			}).String()
			if !strings.HasPrefix(report, c.want) {
				t.Errorf("got:\n%s\nwant it to begin with %q", report, c.want)
			}
			if got := fmt.Sprint(err); !strings.Contains(got, c.err) {
				t.Errorf("got the error %v, want %q in it", err, c.err)
			}
		})
	}
}

// So does a callback of a server, which is called in the goroutine that accepts.
func TestServerCallbacksPanic(t *testing.T) {
	for _, c := range []struct {
		set  func(s *http.Server)
		want string
	}{
		{func(s *http.Server) {
			s.ConnContext = func(context.Context, net.Conn) context.Context { panic("mine") }
		}, "a server's ConnContext: panic: mine\n"},
		{func(s *http.Server) {
			s.ConnContext = func(context.Context, net.Conn) context.Context { return nil }
		}, "a server's ConnContext: panic: ConnContext returned nil\n"},
		{func(s *http.Server) {
			s.ConnState = func(net.Conn, http.ConnState) { panic("mine") }
		}, "a server's ConnState: panic: mine\n"},
	} {
		report := harness.TestReport("callbacks", func(t *harness.T) {
			s := t.NewUnstartedServer(nil)
			c.set(s.Config)
			s.Start()
			t.Get("r1", s.Client().Transport, s.URL).Await()
		}).String()
		if !strings.HasPrefix(report, c.want) {
			t.Errorf("got:\n%s\nwant it to begin with %q", report, c.want)
		}
	}
}

// What a transport sees of a request is what its user gave: its body or none, WriteTo where
// the body has it, bytes in memory and files by their own types, the length, GetBody, and its trace.
func TestCallbacksUnseen(t *testing.T) {
	memory := io.NopCloser(bytes.NewReader([]byte("x")))
	for _, c := range []struct {
		name    string
		body    io.ReadCloser
		same    bool
		writeTo bool
	}{
		{"none", nil, true, false},
		{"the empty one", http.NoBody, true, true},
		{"memory", memory, true, true},
		{"a file", os.Stdin, true, true},
		{"a file without a closer", io.NopCloser(os.Stdin), true, true},
		{"a reader", struct {
			io.Reader
			io.Closer
		}{strings.NewReader("x"), io.NopCloser(nil)}, false, false},
		{"a writer", panickingTo{}, false, true},
		{"a writer without a closer", io.NopCloser(panickingTo{}), false, true},
	} {
		for _, length := range []int64{-1, 0, 7} {
			req := sending(c.body)
			req.ContentLength = length
			if c.same {
				req.GetBody = func() (io.ReadCloser, error) { return c.body, nil }
			}
			harness.Test(t, func(t *harness.T) {
				t.Allow("closes", "this transport looks at the request, and does no more")
				t.Start("r1", roundTripper(func(got *http.Request) (*http.Response, error) {
					if (got.Body == c.body) != c.same || (got.Body == nil) != (c.body == nil) {
						t.Errorf("%s: got the body %T", c.name, got.Body)
					}
					if _, ok := got.Body.(io.WriterTo); ok != c.writeTo {
						t.Errorf("%s: got WriteTo %v, want %v", c.name, ok, c.writeTo)
					}
					if (got.GetBody != nil) != (req.GetBody != nil) || got.ContentLength != length {
						t.Errorf("%s: got GetBody %v and a length of %d", c.name, got.GetBody != nil, got.ContentLength)
					}
					if c.same {
						if again, err := got.GetBody(); again != c.body || err != nil {
							t.Errorf("%s: got %T, %v from GetBody", c.name, again, err)
						}
					}
					return nil, errors.ErrUnsupported
				}), req)
			})
		}
	}
}

// A trace of the user's is called once for each thing that happens, as without the harness,
// and so is one that a transport adds.
func TestCallbacksTraced(t *testing.T) {
	var calls []string
	note := func(by string) *httptrace.ClientTrace {
		return &httptrace.ClientTrace{
			GotConn:      func(info httptrace.GotConnInfo) { calls = append(calls, fmt.Sprint(by, " GotConn ", info.Reused)) },
			WroteHeaders: func() { calls = append(calls, by+" WroteHeaders") },
		}
	}
	type key struct{}
	harness.Test(t, func(t *harness.T) {
		t.Serve("api.test:80", nil)
		tr := t.Net.Transport()
		req := traced(note("user"))
		req = req.WithContext(context.WithValue(req.Context(), key{}, 7))
		t.Start("r1", roundTripper(func(req *http.Request) (*http.Response, error) {
			if req.Context().Value(key{}) != 7 {
				t.Error("the value of the context is gone")
			}
			return tr.RoundTrip(req.WithContext(httptrace.WithClientTrace(req.Context(), note("transport"))))
		}), req).Finish()
		tr.CloseIdleConnections()
	})
	if got, want := strings.Join(calls, ", "), "transport GotConn false, user GotConn false, transport WroteHeaders, user WroteHeaders"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// panickingTo is a request body that panics as it writes itself.
type panickingTo struct{ panicking }

func (panickingTo) WriteTo(io.Writer) (int64, error) {
	panic("written")
}

// panicking is a body that fails in the way that is set.
type panicking struct{ read, close, goexit bool }

func (b panicking) Read(p []byte) (int, error) {
	if b.read {
		panic("read")
	}
	if b.goexit {
		runtime.Goexit()
	}
	return 0, io.EOF
}

func (b panicking) Close() error {
	if b.close {
		panic("close")
	}
	return nil
}

// answering returns a transport that answers each request with that body.
func answering(body io.ReadCloser) http.RoundTripper {
	return roundTripper(func(req *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 200, Header: http.Header{}, Body: body, Request: req, ProtoMajor: 1, ProtoMinor: 1}, nil
	})
}
