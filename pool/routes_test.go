package pool_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/halfopen/halfopen/harness"
	"github.com/halfopen/halfopen/pool"
)

// A handshake that such a connection is asked for, and that fails, closes it and
// is the request's error.
func TestDialTLSContextHandshakeFails(t *testing.T) {
	tr := &pool.Transport{}
	harness.Test(t, func(t *harness.T) {
		scripted(t, tr, "api.test:443")
		dial := tr.DialContext
		tr.DialTLSContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
			c, err := dial(ctx, network, addr)
			return failingConn{c}, err
		}
		tr.DialContext = nil
		r1 := t.Get("r1", tr, "https://api.test/")
		c1 := t.Net.WantDial().Open()
		r1.WantErr(errRefused)
		c1.WantClosed("its handshake failed")
	})
}

type failingConn struct{ net.Conn }

func (failingConn) ConnectionState() tls.ConnectionState   { return tls.ConnectionState{} }
func (failingConn) HandshakeContext(context.Context) error { return errRefused }

// The functions of TLSNextProto take a tls.Conn: a connection of another type is
// not theirs, and what is spoken is HTTP/1.1.
func TestTLSNextProtoAnyConn(t *testing.T) {
	tr := &pool.Transport{TLSNextProto: map[string]func(string, *tls.Conn) http.RoundTripper{
		"ours": func(string, *tls.Conn) http.RoundTripper {
			return roundTripper(func(*http.Request) (*http.Response, error) { return nil, errors.New("got a request") })
		},
	}}
	harness.Test(t, func(t *harness.T) {
		scripted(t, tr, "api.test:443")
		dial := tr.DialContext
		tr.DialTLSContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
			c, err := dial(ctx, network, addr)
			return settledConn{c}, err
		}
		tr.DialContext = nil
		r1 := t.Get("r1", tr, "https://api.test/")
		c1 := t.Net.WantDial().Open()
		c1.Respond(200, "hello")
		r1.WantDone(c1)
		if got := r1.Response().TLS; got == nil || got.NegotiatedProtocol != "ours" {
			t.Errorf("TLS: got %v, want what the connection says", got)
		}
		r1.WantBody("hello")
	})
}

type settledConn struct{ net.Conn }

func (settledConn) ConnectionState() tls.ConnectionState {
	return tls.ConnectionState{NegotiatedProtocol: "ours", HandshakeComplete: true}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// The password goes to the proxy with each request, whatever else is said in it,
// and whatever the one before it said does not.
func TestProxyPassword(t *testing.T) {
	u := &url.URL{Scheme: "http", Host: "proxy.test:1", User: url.UserPassword("me", "secret")}
	for _, plain := range []bool{false, true} {
		harness.Test(t, func(t *harness.T) {
			tr := scripted(t, &pool.Transport{Proxy: http.ProxyURL(u), DisableCompression: plain}, "proxy.test:1")
			c1 := warm(t, tr)
			for _, name := range []string{"X-First", "X-Second"} {
				req := request("GET", nil)
				req.Header.Set(name, "1")
				r := t.Start(name, tr, req)
				seen := received(t, c1).Header
				if seen.Get("Proxy-Authorization") != "Basic bWU6c2VjcmV0" || seen.Get(name) != "1" || (seen.Get("Accept-Encoding") == "") != plain {
					t.Errorf("%s: got %v", name, seen)
				}
				if name == "X-Second" && seen.Get("X-First") != "" {
					t.Errorf("%s: got %v, with the header of the request before", name, seen)
				}
				c1.Send(ok0)
				r.WantBody("")
			}
		})
	}
}

// A proxy that never answers CONNECT does not hold its connection for ever,
// nor the request at all (golang/go#28012, #36070).
func TestConnectNeverAnswered(t *testing.T) {
	for _, scheme := range []string{"http", "socks5"} {
		tr := &pool.Transport{Proxy: http.ProxyURL(&url.URL{Scheme: scheme, Host: "proxy.test:1"})}
		harness.Test(t, func(t *harness.T) {
			scripted(t, tr, "proxy.test:1")
			r1 := t.Get("r1", tr, "https://api.test/")
			c1 := t.Net.WantDial().Open()
			r1.Cancel()
			r1.WantErr(context.Canceled)
			c1.WantOpen("the dial goes on")
			r2 := t.Get("r2", tr, "https://api.test/")
			c2 := t.Net.WantDial().Open()
			t.Advance(time.Minute)
			c1.WantClosed("a minute has passed")
			c2.WantClosed("a minute has passed")
			r2.WantErr(context.DeadlineExceeded)
		})
	}
}

// TLSHandshakeTimeout closes a connection whose server says nothing.
func TestTLSHandshakeTimeout(t *testing.T) {
	harness.Test(t, func(t *harness.T) {
		tr := scripted(t, &pool.Transport{TLSHandshakeTimeout: time.Second}, "api.test:443")
		r1 := t.Get("r1", tr, "https://api.test/")
		c1 := t.Net.WantDial().Open()
		r1.Await()
		r1.WantErr(pool.ErrHandshakeTimeout)
		c1.WantClosed("its peer does not speak TLS")
	})
}

// What can go wrong with CONNECT is the request's error, and closes the connection
// to the proxy (golang/go#64804).
func TestConnectErrors(t *testing.T) {
	for _, tt := range []struct {
		name, mode string
		set        func(tr *pool.Transport)
		want       string
	}{
		{"refused", "407", func(*pool.Transport) {}, "407 Proxy Authentication Required"},
		{"OnProxyConnectResponse", "connect", func(tr *pool.Transport) {
			tr.OnProxyConnectResponse = func(context.Context, *url.URL, *http.Request, *http.Response) error { return errWhy }
		}, errWhy.Error()},
		{"GetProxyConnectHeader", "connect", func(tr *pool.Transport) {
			tr.GetProxyConnectHeader = func(context.Context, *url.URL, string) (http.Header, error) { return nil, errWhy }
		}, errWhy.Error()},
		{"Proxy", "connect", func(tr *pool.Transport) {
			tr.Proxy = func(*http.Request) (*url.URL, error) { return nil, errWhy }
		}, errWhy.Error()},
		{"no proxy there", "connect", func(tr *pool.Transport) {
			tr.Proxy = http.ProxyURL(&url.URL{Scheme: "http", Host: "proxy.test:1"})
		}, "proxyconnect"},
	} {
		harness.Test(t, func(t *harness.T) {
			tr := audited(t, &pool.Transport{Proxy: http.ProxyURL(&url.URL{Scheme: "http", Host: "proxy.test:3128"})}, "api.test:443")
			tt.set(tr)
			t.ServeProxy("proxy.test:3128", tt.mode)
			t.ServeTLS("api.test:443", nil, nil)
			r1 := t.Get("r1", tr, "https://api.test/")
			if !strings.Contains(fmt.Sprint(r1.Err()), tt.want) {
				t.Errorf("%s: got %v, want %s", tt.name, r1.Err(), tt.want)
			}
			t.Net.WantConns(0, tt.name)
		})
	}
}
