package pool_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/halfopen/halfopen/harness"
	"github.com/halfopen/halfopen/pool"
)

// RoundTrip interprets nothing: a redirect, a demand for a password and a
// failure of the server are responses, not errors.
func TestRoundTripInterpretsNothing(t *testing.T) {
	harness.Test(t, func(t *harness.T) {
		tr := scripted(t, &pool.Transport{})
		c1 := warm(t, tr)
		for _, head := range []string{
			"302 Found\nLocation: http://other.test/\nSet-Cookie: a=b",
			"401 Unauthorized\nWww-Authenticate: Basic",
			"500 Internal Server Error",
			"200 OK",
		} {
			r := t.Get("r "+head[:3], tr, url1)
			if seen := received(t, c1); seen.Header["Cookie"] != nil {
				t.Errorf("request: got cookies %v, want none", seen.Header)
			}
			c1.Send(crlf("HTTP/1.1 " + head + "\nContent-Length: 0\n\n"))
			r.WantDone(c1)
			if got := r.Response().Status; !strings.HasPrefix(head, got) {
				t.Errorf("status: got %q, want that of %q", got, head)
			}
			t.Net.WantNoDial("nothing is followed")
		}
	})
}

// A request is as it was before, but for its body: whatever the transport adds
// is added to a copy.
func TestRequestUntouched(t *testing.T) {
	through := http.ProxyURL(&url.URL{Scheme: "http", Host: "proxy.test:1", User: url.UserPassword("me", "secret")})
	harness.Test(t, func(t *harness.T) {
		tr := scripted(t, &pool.Transport{Proxy: through, ExpectContinueTimeout: time.Second, DisableKeepAlives: true}, "proxy.test:1")
		req := request("POST", &onceBody{Reader: strings.NewReader("payload")})
		req.Header.Set("Expect", "100-continue")
		req.Header["Idempotency-Key"] = []string{}
		body, ctx := req.Body, req.Context()
		var resp *http.Response
		was := req.Clone(ctx)
		done := make(chan error, 1)
		go func() { // not by t.Start, which changes the request
			var err error
			resp, err = tr.RoundTrip(req)
			done <- err
		}()
		c1 := t.Net.WantDial().Open()
		seen := received(t, c1)
		if seen.Header.Get("Accept-Encoding") != "gzip" || seen.Header.Get("Proxy-Authorization") == "" || !seen.Close {
			t.Errorf("as sent: got %v, close %v, want more than the caller said", seen.Header, seen.Close)
		}
		t.Advance(time.Second)
		content(t, seen)
		c1.Send(ok0)
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
		tr := &pool.Transport{
			Proxy:              http.ProxyURL(&url.URL{Scheme: "http", Host: "proxy.test:1"}),
			ProxyConnectHeader: http.Header{"X-Static": {"1"}},
			GetProxyConnectHeader: func(_ context.Context, u *url.URL, target string) (http.Header, error) {
				asked = append(asked, u.String()+" "+target)
				return dynamic, nil
			},
		}
		harness.Test(t, func(t *harness.T) {
			scripted(t, tr, "proxy.test:1")
			r1 := t.Get("r1", tr, "https://api.test/")
			c1 := t.Net.WantDial().Open()
			seen := received(t, c1)
			if seen.Method != "CONNECT" || seen.Host != "api.test:443" {
				t.Errorf("proxy: got %s %s, want CONNECT api.test:443", seen.Method, seen.Host)
			}
			if seen.Header.Get("X-Static") != "" || seen.Header.Get("X-Dynamic") != dynamic.Get("X-Dynamic") {
				t.Errorf("CONNECT: got %v, want %v and not the static header", seen.Header, dynamic)
			}
			if want := []string{"http://proxy.test:1 api.test:443"}; !slices.Equal(asked, want) {
				t.Errorf("asked for: got %q, want %q", asked, want)
			}
			c1.Send("HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n")
			if t.Settle(); !strings.Contains(fmt.Sprint(r1.Err()), "403 No") {
				t.Errorf("refused: got %v, want the proxy's answer", r1.Err())
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
	tr := &pool.Transport{Proxy: http.ProxyFromEnvironment, DialContext: func(_ context.Context, _, addr string) (net.Conn, error) {
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
		tr   *pool.Transport
		url  string
		want string
	}{
		{&pool.Transport{Dial: plain("Dial")}, "http://api.test", "Dial api.test:80"},
		{&pool.Transport{Dial: plain("Dial")}, "https://api.test", "Dial api.test:443"},
		{&pool.Transport{Dial: plain("Dial"), DialContext: with("DialContext")}, "http://api.test", "DialContext api.test:80"},
		{&pool.Transport{DialTLS: plain("DialTLS"), Dial: plain("Dial")}, "https://api.test", "DialTLS api.test:443"},
		{&pool.Transport{DialTLS: plain("DialTLS"), Dial: plain("Dial")}, "http://api.test", "Dial api.test:80"},
		{&pool.Transport{DialTLS: plain("DialTLS"), DialTLSContext: with("DialTLSContext"), DialContext: with("DialContext")},
			"https://api.test", "DialTLSContext api.test:443"},
		{&pool.Transport{DialTLSContext: with("DialTLSContext"), DialContext: with("DialContext")}, "http://api.test", "DialContext api.test:80"},
		{&pool.Transport{DialTLSContext: with("DialTLSContext"), DialContext: with("DialContext"), Proxy: through},
			"https://api.test", "DialContext proxy.test:1"},
	} {
		asked = ""
		req, _ := http.NewRequest("GET", tt.url, nil)
		if _, err := tt.tr.RoundTrip(req); !errors.Is(err, errRefused) || asked != tt.want {
			t.Errorf("%s: got %q asked, %v, want %q", tt.url, asked, err, tt.want)
		}
	}

	// What DialTLSContext returns is past the handshake.
	tr := &pool.Transport{TLSClientConfig: &tls.Config{ServerName: "other.test"}, TLSHandshakeTimeout: time.Nanosecond}
	harness.Test(t, func(t *harness.T) {
		scripted(t, tr, "api.test:443")
		tr.DialTLSContext, tr.DialContext = tr.DialContext, nil
		r1 := t.Get("r1", tr, "https://api.test/")
		c1 := t.Net.WantDial().Open()
		c1.WantRequest("GET / HTTP/1.1")
		t.Advance(time.Minute)
		c1.Send(okBody)
		r1.WantDone(c1)
		if r1.Response().TLS != nil {
			t.Error("TLS: got a state, want none: the connection has no such method")
		}
		r1.WantBody("hello")
	})
}

// A limit of zero is none, but for the idle connections of one host.
func TestZeroLimits(t *testing.T) {
	const many = 20
	year := 365 * 24 * time.Hour
	harness.Test(t, func(t *harness.T) {
		tr := scripted(t, &pool.Transport{})
		for i := range many { // MaxConnsPerHost
			t.Get(fmt.Sprint("r", i), tr, url1)
			t.Net.WantDial().Open()
		}
		t.Advance(year) // ResponseHeaderTimeout
		for _, r := range t.Requests() {
			r.Conn().Respond(200, "")
			r.Finish()
		}
		if n := tr.Stats().Idle; n != pool.DefaultMaxIdleConnsPerHost {
			t.Errorf("one host: got %d idle connections, want %d", n, pool.DefaultMaxIdleConnsPerHost)
		}
		tr.CloseIdleConnections()
		for i := range many { // MaxIdleConns
			host := fmt.Sprintf("h%d.test", i)
			t.Peer(host + ":80")
			r := t.Get(host, tr, "http://"+host)
			t.Net.WantDial().Open().Respond(200, "")
			r.Finish()
		}
		t.Advance(year) // IdleConnTimeout
		if n := tr.Stats().Idle; n != many {
			t.Errorf("%d hosts: got %d idle connections, want as many", many, n)
		}
	})
	harness.Test(t, func(t *harness.T) {
		tr := scripted(t, &pool.Transport{}, "api.test:443") // TLSHandshakeTimeout
		r1 := t.Get("r1", tr, "https://api.test/")
		c1 := t.Net.WantDial().Open()
		t.Advance(year)
		r1.WantPending("no timeout is set")
		c1.Fin()
		r1.WantErr(io.EOF)
	})
	harness.Test(t, func(t *harness.T) {
		tr := transport(t, &pool.Transport{}) // MaxResponseHeaderBytes
		t.Serve(api, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			size, _ := strconv.Atoi(r.URL.Path[1:])
			w.Header().Set("A", strings.Repeat("x", size))
		}))
		for _, size := range []int{9 << 20, 11 << 20} {
			r := t.Get(fmt.Sprint("r", size), tr, fmt.Sprint(url1, size))
			r.Await()
			if (r.Err() == nil) != (size < 10<<20) {
				t.Errorf("header of %d bytes: got %v", size, r.Err())
			}
		}
	})
}

// ResponseHeaderTimeout begins when the request has been written, and its body
// is part of it.
func TestResponseHeaderTimeoutAfterBody(t *testing.T) {
	harness.Test(t, func(t *harness.T) {
		tr := scripted(t, &pool.Transport{ResponseHeaderTimeout: time.Minute})
		pr, pw := io.Pipe()
		r1 := t.Start("r1", tr, request("POST", pr))
		c1 := t.Net.WantDial().Open()
		seen := received(t, c1)
		t.Advance(time.Hour)
		pw.Write([]byte("slow"))
		pw.Close()
		content(t, seen)
		t.Advance(time.Minute - 1)
		r1.WantPending("the request was long, not the response")
		t.Advance(time.Nanosecond)
		r1.WantErr(context.DeadlineExceeded)
	})
}
