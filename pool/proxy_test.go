package pool

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
)

var quiet = log.New(io.Discard, "", 0)

// tunnel is an HTTP proxy that can CONNECT and forward.
type tunnel struct {
	seen     atomic.Pointer[http.Request]
	connects atomic.Int32
	refuse   string
}

func (p *tunnel) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.seen.Store(r.Clone(context.Background()))
	if p.refuse != "" {
		http.Error(w, p.refuse, http.StatusProxyAuthRequired)
		return
	}
	if r.Method != "CONNECT" {
		fmt.Fprintf(w, "forwarded %s", r.URL)
		return
	}
	p.connects.Add(1)
	up, err := net.Dial("tcp", r.Host)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	down, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	io.WriteString(down, "HTTP/1.1 200 Connection established\r\n\r\n")
	splice(up, down)
}

func splice(a, b net.Conn) {
	go func() { io.Copy(a, b); a.Close() }()
	io.Copy(b, a)
	b.Close()
}

// An HTTP proxy, over TLS or not, gets whole requests for http and a tunnel for
// https; the password is sent to it and printed nowhere. No scheme means http.
func TestHTTPProxy(t *testing.T) {
	for _, scheme := range []string{"http", "https", ""} {
		secure := scheme == "https"
		p := &tunnel{}
		proxySrv := httptest.NewUnstartedServer(p)
		proxySrv.Config.ErrorLog = quiet
		if secure {
			proxySrv.StartTLS()
		} else {
			proxySrv.Start()
		}
		defer proxySrv.Close()
		origin := tlsServer(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "direct") })
		defer origin.Close()
		roots := closer{origin}.roots()
		if secure {
			roots.AddCert(proxySrv.Certificate())
		}
		u, _ := url.Parse(proxySrv.URL)
		u.User, u.Scheme = url.UserPassword("me", "secret"), scheme
		var answered atomic.Int32
		tr := &Transport{
			Proxy:              http.ProxyURL(u),
			TLSClientConfig:    &tls.Config{RootCAs: roots},
			ProxyConnectHeader: http.Header{"X-Static": {"1"}},
			OnProxyConnectResponse: func(_ context.Context, _ *url.URL, req *http.Request, resp *http.Response) error {
				answered.Add(1)
				if req.Method != "CONNECT" || resp.StatusCode != 200 {
					t.Errorf("OnProxyConnectResponse: got %s %d", req.Method, resp.StatusCode)
				}
				return nil
			},
		}
		if _, b := fetch(t, tr, "http://api.test/x"); b != "forwarded http://api.test/x" {
			t.Errorf("http: got %q", b)
		}
		if got := p.seen.Load().Header.Get("Proxy-Authorization"); got != "Basic bWU6c2VjcmV0" {
			t.Errorf("http: Proxy-Authorization: got %q", got)
		}
		fetch(t, tr, "http://other.test/y")
		if _, b := fetch(t, tr, origin.URL); b != "direct" {
			t.Errorf("https: got %q", b)
		}
		got := p.seen.Load().Header
		if got.Get("Proxy-Authorization") != "Basic bWU6c2VjcmV0" || got.Get("X-Static") != "1" {
			t.Errorf("CONNECT: got header %v", got)
		}
		if n := answered.Load(); n != 1 {
			t.Errorf("OnProxyConnectResponse: called %d times, want once", n)
		}
		st := tr.Stats()
		if st.Dials != 2 {
			t.Errorf("dials: got %d, want 2: one for all http hosts, one tunnel", st.Dials)
		}
		if s := st.String() + tr.Ledger().String(); strings.Contains(s, "secret") {
			t.Errorf("the password is printed:\n%s", s)
		}
		tr.CloseIdleConnections()
	}
}

// socksServer answers SOCKS5 with or without a password, and notes the hosts it
// is asked for.
func socksServer(t *testing.T, user, password string, asked chan<- string) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go socksConn(c, user, password, asked)
		}
	}()
	return l.Addr().String()
}

func socksConn(c net.Conn, user, password string, asked chan<- string) {
	br := bufio.NewReader(c)
	read := func(n int) []byte { b := make([]byte, n); io.ReadFull(br, b); return b }
	read(int(read(2)[1]))
	if user == "" {
		c.Write([]byte{5, 0})
	} else {
		c.Write([]byte{5, 2})
		u := string(read(int(read(2)[1])))
		p := string(read(int(read(1)[0])))
		if u != user || p != password {
			c.Write([]byte{1, 1})
			c.Close()
			return
		}
		c.Write([]byte{1, 0})
	}
	var host string
	switch head := read(4); head[3] {
	case 1:
		host = net.IP(read(4)).String()
	case 3:
		host = string(read(int(read(1)[0])))
	}
	port := binary.BigEndian.Uint16(read(2))
	asked <- host
	up, err := net.Dial("tcp", net.JoinHostPort(host, fmt.Sprint(port)))
	if err != nil {
		c.Write([]byte{5, 5, 0, 1, 0, 0, 0, 0, 0, 0})
		c.Close()
		return
	}
	c.Write([]byte{5, 0, 0, 1, 0, 0, 0, 0, 0, 0})
	splice(up, c)
}

// SOCKS5 carries http and https, with and without a password. The proxy looks
// names up, by either name of the scheme.
func TestSOCKS(t *testing.T) {
	plain := serve(t, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "plain") })
	origin := tlsServer(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "secure") })
	defer origin.Close()
	for _, kind := range [][2]string{{"socks5", ""}, {"socks5", "me"}, {"socks5h", "me"}} {
		scheme, user := kind[0], kind[1]
		asked := make(chan string, 10)
		u := &url.URL{Scheme: scheme, Host: socksServer(t, user, "secret", asked)}
		if user != "" {
			u.User = url.UserPassword(user, "secret")
		}
		tr := &Transport{Proxy: http.ProxyURL(u), TLSClientConfig: &tls.Config{RootCAs: closer{origin}.roots()}}
		if _, b := fetch(t, tr, plain.URL); b != "plain" {
			t.Errorf("http: got %q", b)
		}
		if _, b := fetch(t, tr, origin.URL); b != "secure" {
			t.Errorf("https: got %q", b)
		}
		if _, b := fetch(t, tr, strings.Replace(plain.URL, "127.0.0.1", "localhost", 1)); b != "plain" {
			t.Errorf("http by name: got %q", b)
		}
		if got := fmt.Sprint(<-asked, " ", <-asked, " ", <-asked); got != "127.0.0.1 127.0.0.1 localhost" {
			t.Errorf("%s: asked for %s, want the hosts of the URLs", scheme, got)
		}
		req, _ := http.NewRequest("GET", "http://127.0.0.1:1", nil)
		if _, err := tr.RoundTrip(req); err == nil {
			t.Error("no server there: got no error")
		}
		if user != "" {
			u.User = url.UserPassword(user, "wrong")
			req, _ = http.NewRequest("GET", plain.URL+"/other", nil)
			if _, err := tr.Clone().RoundTrip(req); err == nil || errors.Is(err, context.Canceled) {
				t.Errorf("wrong password: got %v", err)
			}
		}
		tr.CloseIdleConnections()
	}
}
