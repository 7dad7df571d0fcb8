package pool

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"os"
	"os/exec"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// RoundTrip interprets nothing: a redirect, a demand for a password and a
// failure of the server are responses, not errors.
func TestRoundTripInterpretsNothing(t *testing.T) {
	run(t, &Transport{}, func(s *script) {
		c1 := s.warm()
		for _, head := range []string{
			"302 Found\nLocation: http://other.test/\nSet-Cookie: a=b",
			"401 Unauthorized\nWww-Authenticate: Basic",
			"500 Internal Server Error",
			"200 OK",
		} {
			r := s.get("r")
			if seen := c1.wantRequest(); seen.Header["Cookie"] != nil {
				t.Errorf("request: got cookies %v, want none", seen.Header)
			}
			c1.send("HTTP/1.1 " + head + "\nContent-Length: 0\n\n")
			if got := r.wantResponse().Status; !strings.HasPrefix(head, got) {
				t.Errorf("status: got %q, want that of %q", got, head)
			}
			s.wantNoDial("nothing is followed")
		}
	})
}

// A request is as it was before, but for its body: whatever the transport adds
// is added to a copy.
func TestRequestUntouched(t *testing.T) {
	through := http.ProxyURL(&url.URL{Scheme: "http", Host: "proxy.test:1", User: url.UserPassword("me", "secret")})
	run(t, &Transport{Proxy: through, ExpectContinueTimeout: time.Second, DisableKeepAlives: true}, func(s *script) {
		req := s.request("POST", &onceBody{Reader: strings.NewReader("payload")})
		req.Header.Set("Expect", "100-continue")
		req.Header["Idempotency-Key"] = []string{}
		body, ctx := req.Body, req.Context()
		var resp *http.Response
		was := req.Clone(ctx)
		done := make(chan error)
		go func() {
			var err error
			resp, err = s.tr.RoundTrip(req)
			done <- err
		}()
		c1 := s.wantDial().open()
		seen := c1.wantRequest()
		if seen.Header.Get("Accept-Encoding") != "gzip" || seen.Header.Get("Proxy-Authorization") == "" || !seen.Close {
			t.Errorf("as sent: got %v, close %v, want more than the caller said", seen.Header, seen.Close)
		}
		time.Sleep(time.Second) // virtual
		c1.body(seen)
		c1.send(ok0)
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if resp.Request != req {
			t.Errorf("response: got the request %p, want the caller's %p", resp.Request, req)
		}
		if req.Body != body || req.ContentLength != 0 || req.TransferEncoding != nil || req.Close {
			t.Errorf("body and framing: got %T, %d, %v, %v, want them as they were", req.Body, req.ContentLength, req.TransferEncoding, req.Close)
		}
		if !reflect.DeepEqual(req.Header, was.Header) || !reflect.DeepEqual(req.URL, was.URL) || req.Method != was.Method || req.Host != was.Host {
			t.Errorf("request: got\n%+v\nwant\n%+v", req, was)
		}
	})
}

// GetProxyConnectHeader says what is sent with CONNECT, for which target, and
// may say nothing; ProxyConnectHeader does not count then.
func TestProxyConnectHeader(t *testing.T) {
	for _, dynamic := range []http.Header{{"X-Dynamic": {"2"}}, nil} {
		var asked []string
		tr := &Transport{
			Proxy:              http.ProxyURL(&url.URL{Scheme: "http", Host: "proxy.test:1"}),
			ProxyConnectHeader: http.Header{"X-Static": {"1"}},
			GetProxyConnectHeader: func(_ context.Context, u *url.URL, target string) (http.Header, error) {
				asked = append(asked, u.String()+" "+target)
				return dynamic, nil
			},
		}
		run(t, tr, func(s *script) {
			req := s.request("GET", nil)
			req.URL.Scheme = "https"
			r1 := s.do("r1", req)
			c1 := s.wantDial().open()
			seen := c1.wantRequest()
			if seen.Method != "CONNECT" || seen.Host != "api.test:443" {
				t.Errorf("proxy: got %s %s, want CONNECT api.test:443", seen.Method, seen.Host)
			}
			if seen.Header.Get("X-Static") != "" || seen.Header.Get("X-Dynamic") != dynamic.Get("X-Dynamic") {
				t.Errorf("CONNECT: got %v, want %v and not the static header", seen.Header, dynamic)
			}
			if want := []string{"http://proxy.test:1 api.test:443"}; !slices.Equal(asked, want) {
				t.Errorf("asked for: got %q, want %q", asked, want)
			}
			c1.send("HTTP/1.1 403 No\nContent-Length: 0\n\n")
			if !r1.ended() || r1.err == nil || !strings.Contains(r1.err.Error(), "403 No") {
				t.Errorf("refused: got %v, want the proxy's answer", r1.err)
			}
		})
	}
}

// http.ProxyFromEnvironment is a Proxy like any other. It reads its environment
// once in a process, and so it has one of its own.
func TestProxyFromEnvironment(t *testing.T) {
	const child = "HALFOPEN_TEST_PROXY"
	if os.Getenv(child) == "" {
		cmd := exec.Command(os.Args[0], "-test.run=^TestProxyFromEnvironment$", "-test.v")
		for _, v := range os.Environ() {
			if name, _, _ := strings.Cut(strings.ToUpper(v), "="); !strings.HasSuffix(name, "_PROXY") && name != "REQUEST_METHOD" {
				cmd.Env = append(cmd.Env, v)
			}
		}
		cmd.Env = append(cmd.Env, child+"=1", "HTTP_PROXY=http://plain.test:1", "HTTPS_PROXY=secure.test:2", "NO_PROXY=direct.test")
		out, err := cmd.CombinedOutput()
		if err != nil || !strings.Contains(string(out), "--- PASS: TestProxyFromEnvironment") {
			t.Errorf("with an environment: got %v\n%s", err, out)
		}
		return
	}
	var dialed []string
	tr := &Transport{Proxy: http.ProxyFromEnvironment, DialContext: func(_ context.Context, _, addr string) (net.Conn, error) {
		dialed = append(dialed, addr)
		return nil, errRefused
	}}
	for _, url := range []string{"http://api.test/", "https://api.test/", "http://direct.test/", "https://direct.test/"} {
		req, _ := http.NewRequest("GET", url, nil)
		if _, err := tr.RoundTrip(req); !errors.Is(err, errRefused) {
			t.Errorf("%s: got %v", url, err)
		}
	}
	if want := []string{"plain.test:1", "secure.test:2", "direct.test:80", "direct.test:443"}; !slices.Equal(dialed, want) {
		t.Errorf("dialed: got %q, want %q", dialed, want)
	}
}

// Of two dial functions the one with a context is used, and for https the one
// that brings its own TLS: then no other is asked, and no TLS setting counts.
func TestDialers(t *testing.T) {
	var asked string
	plain := func(name string) func(string, string) (net.Conn, error) {
		return func(network, addr string) (net.Conn, error) { asked = name + " " + addr; return nil, errRefused }
	}
	with := func(name string) func(context.Context, string, string) (net.Conn, error) {
		return func(_ context.Context, network, addr string) (net.Conn, error) { return plain(name)(network, addr) }
	}
	through := http.ProxyURL(&url.URL{Scheme: "http", Host: "proxy.test:1"})
	for _, tt := range []struct {
		tr   *Transport
		url  string
		want string
	}{
		{&Transport{Dial: plain("Dial")}, "http://api.test", "Dial api.test:80"},
		{&Transport{Dial: plain("Dial")}, "https://api.test", "Dial api.test:443"},
		{&Transport{Dial: plain("Dial"), DialContext: with("DialContext")}, "http://api.test", "DialContext api.test:80"},
		{&Transport{DialTLS: plain("DialTLS"), Dial: plain("Dial")}, "https://api.test", "DialTLS api.test:443"},
		{&Transport{DialTLS: plain("DialTLS"), Dial: plain("Dial")}, "http://api.test", "Dial api.test:80"},
		{&Transport{DialTLS: plain("DialTLS"), DialTLSContext: with("DialTLSContext"), DialContext: with("DialContext")},
			"https://api.test", "DialTLSContext api.test:443"},
		{&Transport{DialTLSContext: with("DialTLSContext"), DialContext: with("DialContext")}, "http://api.test", "DialContext api.test:80"},
		{&Transport{DialTLSContext: with("DialTLSContext"), DialContext: with("DialContext"), Proxy: through},
			"https://api.test", "DialContext proxy.test:1"},
	} {
		asked = ""
		req, _ := http.NewRequest("GET", tt.url, nil)
		if _, err := tt.tr.RoundTrip(req); !errors.Is(err, errRefused) || asked != tt.want {
			t.Errorf("%s: got %q asked, %v, want %q", tt.url, asked, err, tt.want)
		}
	}

	// What DialTLSContext returns is past the handshake.
	tr := &Transport{TLSClientConfig: &tls.Config{ServerName: "other.test"}, TLSHandshakeTimeout: time.Nanosecond}
	run(t, tr, func(s *script) {
		tr.DialTLSContext, tr.DialContext = tr.DialContext, nil
		req := s.request("GET", nil)
		req.URL.Scheme = "https"
		r1 := s.do("r1", req)
		c1 := s.wantDial().open()
		c1.wantRequest()
		time.Sleep(time.Minute) // virtual
		c1.send(okBody)
		if r1.wantResponse().TLS != nil {
			t.Error("TLS: got a state, want none: nobody has told")
		}
		r1.wantDone("hello")
	})
}

// A limit of zero is none, but for the idle connections of one host.
func TestZeroLimits(t *testing.T) {
	const many = 20
	year := 365 * 24 * time.Hour
	run(t, &Transport{}, func(s *script) {
		var calls []*call
		var conns []*server
		for range many { // MaxConnsPerHost
			calls = append(calls, s.get("r"))
			conns = append(conns, s.wantDial().open())
		}
		time.Sleep(year) // virtual: ResponseHeaderTimeout
		for i, c := range conns {
			c.wantRequest()
			c.send(ok0)
			calls[i].wantDone("")
		}
		if n := s.tr.Stats().Idle; n != DefaultMaxIdleConnsPerHost {
			t.Errorf("one host: got %d idle connections, want %d", n, DefaultMaxIdleConnsPerHost)
		}
		s.tr.CloseIdleConnections()
		for i := range many { // MaxIdleConns
			req := s.request("GET", nil)
			req.URL.Host = fmt.Sprintf("h%d.test", i)
			r := s.do("r", req)
			c := s.wantDial().open()
			c.wantRequest()
			c.send(ok0)
			r.wantDone("")
		}
		time.Sleep(year) // virtual: IdleConnTimeout
		if n := s.tr.Stats().Idle; n != many {
			t.Errorf("%d hosts: got %d idle connections, want as many", many, n)
		}
	})
	run(t, &Transport{}, func(s *script) { // TLSHandshakeTimeout
		req := s.request("GET", nil)
		req.URL.Scheme = "https"
		r1 := s.do("r1", req)
		c1 := s.wantDial().open()
		time.Sleep(year) // virtual
		r1.wantPending("nobody has set a timeout")
		c1.fin()
		r1.wantErr(io.EOF)
	})
	run(t, &Transport{}, func(s *script) { // MaxResponseHeaderBytes
		for _, size := range []int{9 << 20, 11 << 20} {
			r := s.get("r")
			if len(s.dials) > 0 {
				s.wantDial().open()
			}
			c := &server{s: s, end: &end{in: s.conns[0].out, out: s.conns[0].in}}
			c.send("HTTP/1.1 200 OK\nContent-Length: 0\nA: " + strings.Repeat("x", size) + "\n\n")
			if !r.ended() || (r.err == nil) != (size < 10<<20) {
				t.Errorf("header of %d bytes: got %v", size, r.err)
			}
		}
	})
}

// ResponseHeaderTimeout begins when the request has been written, and its body
// is part of it.
func TestResponseHeaderTimeoutAfterBody(t *testing.T) {
	run(t, &Transport{ResponseHeaderTimeout: time.Minute}, func(s *script) {
		pr, pw := io.Pipe()
		r1 := s.do("r1", s.request("POST", pr))
		c1 := s.wantDial().open()
		seen := c1.wantRequest()
		time.Sleep(time.Hour) // virtual
		pw.Write([]byte("slow"))
		pw.Close()
		c1.body(seen)
		time.Sleep(time.Minute - 1) // virtual
		r1.wantPending("the request was long, not the response")
		time.Sleep(time.Nanosecond) // virtual
		r1.wantErr(context.DeadlineExceeded)
	})
}

// ExpectContinueTimeout begins when the header has been written.
func TestExpectContinueTimeoutAfterHeader(t *testing.T) {
	run(t, &Transport{ExpectContinueTimeout: time.Second}, func(s *script) {
		c1 := s.warm()
		req := s.request("POST", strings.NewReader("payload"))
		req.Header.Set("Expect", "100-continue")
		c1.stall(10)
		r1 := s.do("r1", req)
		time.Sleep(time.Hour) // virtual
		c1.stall(-1)
		seen := c1.wantRequest()
		time.Sleep(time.Second - 1) // virtual
		c1.wantNothing("the header took an hour, and the second begins after it")
		time.Sleep(time.Nanosecond) // virtual
		if got := c1.body(seen); got != "payload" {
			t.Errorf("body: got %q", got)
		}
		c1.send(ok0)
		r1.wantDone("")
	})
}

// The trace sees how the name is found, if the dialer is package net's.
func TestTraceOfDial(t *testing.T) {
	srv := serve(t, func(w http.ResponseWriter, r *http.Request) {})
	_, port, _ := net.SplitHostPort(srv.Listener.Addr().String())
	var events []string
	ctx := httptrace.WithClientTrace(context.Background(), &httptrace.ClientTrace{
		DNSStart: func(i httptrace.DNSStartInfo) { events = append(events, "DNSStart "+i.Host) },
		DNSDone:  func(i httptrace.DNSDoneInfo) { events = append(events, fmt.Sprint("DNSDone ", i.Err)) },
	})
	req, _ := http.NewRequestWithContext(ctx, "GET", "http://localhost:"+port, nil)
	resp, err := idle(t, &Transport{}).RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if want := []string{"DNSStart localhost", "DNSDone <nil>"}; !slices.Equal(events, want) {
		t.Errorf("trace: got %q, want %q", events, want)
	}
}

// A zero Transport, and one with HTTP/2 forced on, speak HTTP/2 with a server
// that does, and HTTP/1 with one that does not.
func TestServerChoosesProtocol(t *testing.T) {
	cert := certServer(t)
	for _, major := range []int{1, 2} {
		synctest.Test(t, func(t *testing.T) {
			tr := h2Bubble(t, cert, nil, func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.ProtoMajor) })
			if major == 1 {
				mem := newMemNet()
				srv := &http.Server{
					Handler:      http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.ProtoMajor) }),
					ErrorLog:     quiet,
					TLSConfig:    &tls.Config{Certificates: cert.TLS.Certificates, Time: certTime},
					TLSNextProto: map[string]func(*http.Server, *tls.Conn, http.Handler){},
				}
				go srv.ServeTLS(mem, "", "")
				t.Cleanup(func() { srv.Close() })
				tr.DialContext = mem.DialContext
			}
			if resp, b := fetch(t, tr, "https://api.test/"); resp.ProtoMajor != major || !bytes.Equal([]byte(b), fmt.Append(nil, major)) {
				t.Errorf("got %s and %q at the server, want HTTP/%d", resp.Proto, b, major)
			}
		})
	}
}
