package pool

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/http/httptrace"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/halfopen/halfopen/faultnet"
)

func fetch(t *testing.T, rt http.RoundTripper, url string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequest("GET", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := rt.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(b)
}

func serve(t *testing.T, h http.HandlerFunc) *httptest.Server {
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s
}

func tlsServer(h http.HandlerFunc) *httptest.Server {
	srv := httptest.NewUnstartedServer(h)
	srv.Config.ErrorLog = quiet
	srv.StartTLS()
	return srv
}

func (s closer) roots() *x509.CertPool {
	return s.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
}

type closer struct{ *httptest.Server }

var (
	errWhy     = errors.New("the test's reason")
	errRefused = errors.New("refused by the test")
)

// memory returns a network in memory on which everything happens at once, and a
// listener there.
func memory(address string) (*faultnet.Net, net.Listener) {
	n := &faultnet.Net{}
	l, err := n.Listen("tcp", address)
	if err != nil {
		panic(err)
	}
	return n, l
}

// echo reads before it writes: an HTTP/1 server drops the rest of the request
// once it answers.
func echo(w http.ResponseWriter, r *http.Request) {
	b, _ := io.ReadAll(r.Body)
	w.Write(b)
}

func idle(t *testing.T, tr *Transport) *Transport {
	t.Cleanup(tr.CloseIdleConnections)
	return tr
}

// http.Client runs on the transport unchanged: cookies, redirects, bodies.
func TestClient(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("/login", func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "who", Value: "me"})
		http.Redirect(w, r, "/home", http.StatusSeeOther)
	})
	mux.HandleFunc("/home", func(w http.ResponseWriter, r *http.Request) {
		c, _ := r.Cookie("who")
		fmt.Fprintf(w, "%s %v", r.Method, c)
	})
	mux.HandleFunc("/again", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/echo", http.StatusTemporaryRedirect)
	})
	mux.HandleFunc("/echo", echo)
	srv := serve(t, mux.ServeHTTP)
	jar, _ := cookiejar.New(nil)
	c := &http.Client{Transport: idle(t, &Transport{}), Jar: jar}
	resp, err := c.Post(srv.URL+"/login", "text/plain", strings.NewReader("x"))
	if err != nil {
		t.Fatal(err)
	}
	if b, _ := io.ReadAll(resp.Body); string(b) != "GET who=me" {
		t.Errorf("login: got %q", b)
	}
	resp.Body.Close()
	resp, err = c.Post(srv.URL+"/again", "text/plain", strings.NewReader("twice"))
	if err != nil {
		t.Fatal(err)
	}
	if b, _ := io.ReadAll(resp.Body); string(b) != "twice" {
		t.Errorf("307: got %q, want the body again", b)
	}
	resp.Body.Close()
}

// A real server in a bubble: the zero value, many requests at once.
func TestBubbleServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mem, l := memory("api.test:80")
		srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(time.Second) // virtual
			echo(w, r)
		})}
		go srv.Serve(l)
		defer srv.Close()
		tr := &Transport{DialContext: mem.DialContext, MaxConnsPerHost: 3}
		var wg sync.WaitGroup
		start := time.Now()
		for i := range 30 {
			wg.Go(func() {
				body := strings.Repeat(fmt.Sprint(i), 1000*i)
				resp, err := (&http.Client{Transport: tr}).Post("http://api.test", "", strings.NewReader(body))
				if err != nil {
					t.Error(err)
					return
				}
				defer resp.Body.Close()
				if b, err := io.ReadAll(resp.Body); string(b) != body || err != nil {
					t.Errorf("got %d bytes, %v, want %d", len(b), err, len(body))
				}
			})
		}
		wg.Wait()
		if d := time.Since(start); d != 10*time.Second {
			t.Errorf("30 requests of a second on 3 connections: got %v, want 10s", d)
		}
		if st := tr.Stats(); st.Dials != 3 || st.Waits != 27 {
			t.Errorf("stats: got\n%s", st)
		}
		tr.CloseIdleConnections()
	})
}

// A file as a request body arrives whole, whatever path it takes.
func TestFileBody(t *testing.T) {
	name := filepath.Join(t.TempDir(), "f")
	want := bytes.Repeat([]byte("0123456789abcdef"), 20000)
	os.WriteFile(name, want, 0o600)
	srv := serve(t, echo)
	tr := idle(t, &Transport{})
	for _, length := range []int64{int64(len(want)), -1} {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		req, _ := http.NewRequest("PUT", srv.URL, f)
		req.ContentLength = length
		resp, err := tr.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if !bytes.Equal(got, want) || err != nil {
			t.Errorf("length %d: got %d bytes, %v, want %d", length, len(got), err, len(want))
		}
		if f.Close() == nil {
			t.Errorf("length %d: file was not closed", length)
		}
	}
	if n := tr.Stats().Dials; n != 1 {
		t.Errorf("dials: got %d, want 1", n)
	}
}

// TLS: the response says so, the trace sees the handshake, an unknown authority
// is an error.
func TestTLS(t *testing.T) {
	srv := tlsServer(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.Proto) })
	defer srv.Close()
	tr := idle(t, &Transport{TLSClientConfig: &tls.Config{RootCAs: closer{srv}.roots()}})
	var events []string
	ctx := httptrace.WithClientTrace(context.Background(), &httptrace.ClientTrace{
		TLSHandshakeStart: func() { events = append(events, "start") },
		TLSHandshakeDone:  func(tls.ConnectionState, error) { events = append(events, "done") },
		ConnectStart:      func(string, string) { events = append(events, "connect") },
		ConnectDone:       func(string, string, error) { events = append(events, "connected") },
	})
	req, _ := http.NewRequestWithContext(ctx, "GET", srv.URL, nil)
	resp, err := tr.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	b, _ := io.ReadAll(resp.Body)
	resp.Body.Close()
	if string(b) != "HTTP/1.1" || resp.TLS == nil {
		t.Errorf("got %q, TLS %v", b, resp.TLS)
	}
	if got := fmt.Sprint(events); got != "[connect connected start done]" {
		t.Errorf("trace: got %v", got)
	}
	req, _ = http.NewRequest("GET", srv.URL, nil)
	if _, err := idle(t, &Transport{}).RoundTrip(req); !errors.As(err, new(*tls.CertificateVerificationError)) {
		t.Errorf("unknown authority: got %v", err)
	}
}

// DialTLSContext brings its own TLS, finished or not.
func TestDialTLSContext(t *testing.T) {
	srv := tlsServer(func(w http.ResponseWriter, r *http.Request) {})
	defer srv.Close()
	for _, finish := range []bool{false, true} {
		tr := idle(t, &Transport{DialTLSContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			var d net.Dialer
			c, err := d.DialContext(ctx, network, addr)
			if err != nil {
				return nil, err
			}
			tc := tls.Client(c, &tls.Config{RootCAs: closer{srv}.roots(), ServerName: "example.com"})
			if finish {
				err = tc.HandshakeContext(ctx)
			}
			return tc, err
		}})
		if resp, _ := fetch(t, tr, srv.URL); resp.TLS == nil {
			t.Errorf("finish=%v: got no TLS state", finish)
		}
	}
	tr := &Transport{
		DialTLS: func(string, string) (net.Conn, error) { return nil, errRefused },
		Dial:    func(string, string) (net.Conn, error) { return nil, nil },
	}
	req, _ := http.NewRequest("GET", "https://api.test", nil)
	if _, err := tr.RoundTrip(req); !errors.Is(err, errRefused) {
		t.Errorf("DialTLS: got %v", err)
	}
	req, _ = http.NewRequest("GET", "http://api.test", nil)
	if _, err := tr.RoundTrip(req); err == nil || err.Error() != errNilConn("Dial hook").Error() {
		t.Errorf("Dial that returns nothing: got %v", err)
	}
}

// RegisterProtocol serves other schemes, and may pass: the whole body goes out
// then, whatever the other protocol has read of it (golang/go#32441).
func TestRegisterProtocol(t *testing.T) {
	srv := serve(t, echo)
	tr := idle(t, &Transport{})
	tr.RegisterProtocol("file", http.NewFileTransport(http.Dir(t.TempDir())))
	if resp, _ := fetch(t, tr, "file:///none"); resp.StatusCode != 404 {
		t.Errorf("file: got %d", resp.StatusCode)
	}
	// It has read the body when it declines (golang/go#32441).
	tr.RegisterProtocol("http", roundTripper(func(req *http.Request) (*http.Response, error) {
		io.ReadAll(req.Body)
		return nil, http.ErrSkipAltProtocol
	}))
	body := func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("whole")), nil }
	req, _ := http.NewRequest("POST", srv.URL, nil)
	req.Body, _ = body()
	req.GetBody = body
	resp, err := tr.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	if b, _ := io.ReadAll(resp.Body); string(b) != "whole" {
		t.Errorf("body after the fallback: got %q", b)
	}
	resp.Body.Close()
	defer func() {
		if r := recover(); r != "pool: protocol file already registered" {
			t.Errorf("panic: got %v", r)
		}
	}()
	tr.RegisterProtocol("file", nil)
}

// A RoundTripper that is registered for https gets no WebSocket requests: most often
// it speaks HTTP/2, which has none.
func TestRegisterProtocolWebSocket(t *testing.T) {
	tr := &Transport{DialContext: func(context.Context, string, string) (net.Conn, error) { return nil, errRefused }}
	other := roundTripper(func(*http.Request) (*http.Response, error) { return nil, errWhy })
	tr.RegisterProtocol("https", other)
	tr.RegisterProtocol("http", other)
	for _, tt := range []struct {
		scheme, upgrade string
		want            error
	}{
		{"https", "", errWhy},
		{"https", "h2c", errWhy},
		{"https", "websocket", errRefused},
		{"http", "", errWhy},
		{"http", "websocket", errWhy},
	} {
		req, _ := http.NewRequest("GET", tt.scheme+"://api.test/", nil)
		if tt.upgrade != "" {
			req.Header.Set("Connection", "Upgrade")
			req.Header.Set("Upgrade", tt.upgrade)
		}
		if _, err := tr.RoundTrip(req); !errors.Is(err, tt.want) {
			t.Errorf("%s, upgrade to %q: got %v, want %v", tt.scheme, tt.upgrade, err, tt.want)
		}
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// A unicode host is dialed in ASCII, and a port is added.
func TestHostPort(t *testing.T) {
	for raw, want := range map[string]string{
		"http://api.test":           "api.test:80",
		"https://api.test":          "api.test:443",
		"http://api.test:8080":      "api.test:8080",
		"socks5://p":                "p:1080",
		"http://[::1]":              "[::1]:80",
		"http://[fe80::1%25eth0]:1": "[fe80::1%eth0]:1",
		"http://bücher.test":        "xn--bcher-kva.test:80",
		"http://bücher.test:81":     "xn--bcher-kva.test:81",
		"http://ü":                  "xn--tda:80",
		"http://API_1.Test:80":      "API_1.Test:80",
	} {
		u, err := url.Parse(raw)
		if err != nil {
			t.Fatal(err)
		}
		if got := hostPort(u); got != want {
			t.Errorf("%s: got %s, want %s", raw, got, want)
		}
	}
}
