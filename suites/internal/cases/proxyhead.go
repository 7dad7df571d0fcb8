package cases

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/halfopen/halfopen/harness"
)

const (
	otherProxyAddr = "other.test:3128"
	proxyField     = "net/http: Transport.Proxy"
)

// withPassword has a proxy whose URL has a name and a password, and basicAuth is the field
// that says so.
var (
	withPassword = harness.Settings{Proxy: "http://user:secret@" + proxyAddr}
	basicAuth    = "Basic " + base64.StdEncoding.EncodeToString([]byte("user:secret"))
)

// proxyHeadCases are about what a proxy gets, and which proxy it is.
var proxyHeadCases = []Case{
	{
		Name:      "proxy-connect-request",
		Claim:     "A proxy is asked with CONNECT for the host and port of the URL, with the fields of ProxyConnectHeader and the password of its own URL; the server gets none of these.",
		Verdict:   "what the proxy and the server get",
		Source:    "net/http: Transport.ProxyConnectHeader; Transport.Proxy (will pass the username and password in a Proxy-Authorization header); RFC 9110 section 9.3.6",
		Protocols: overTLS,
		Secure:    true,
		Settings:  withPassword,
		Body: func(e *Env) {
			fields := http.Header{"X-Tunnel": {"yes"}}
			if !e.setField("ProxyConnectHeader", fields) {
				e.NotApplicable("the transport has no ProxyConnectHeader")
			}
			p := e.serveTunnels(proxyAddr)
			for _, name := range []string{"r1", "r2"} {
				e.T.Get(name, e.Transport, "https://api.test/").WantBody("api.test")
				e.CloseIdle()
			}
			for _, req := range p.connects {
				if req.RequestURI != "api.test:443" || req.Host != "api.test:443" {
					e.Errorf("got CONNECT %s with Host %s, want both to be api.test:443", req.RequestURI, req.Host)
				}
				wantField(e, "the proxy", req.Header, "X-Tunnel", "yes")
				wantField(e, "the proxy", req.Header, "Proxy-Authorization", basicAuth)
			}
			for _, req := range p.requests {
				wantField(e, "the server", req.Header, "X-Tunnel", "")
				wantField(e, "the server", req.Header, "Proxy-Authorization", "")
			}
			if len(p.connects) != 2 || len(p.requests) != 2 {
				e.Errorf("got %d tunnels and %d requests in them, want 2 of each", len(p.connects), len(p.requests))
			}
			if len(fields) != 1 {
				e.Errorf("got ProxyConnectHeader changed to %v: it is the caller's", fields)
			}
		},
	},
	{
		Name:      "proxy-connect-header",
		Claim:     "GetProxyConnectHeader says which fields a proxy gets with CONNECT, in place of ProxyConnectHeader. It may say that there are none; its error is the request's, and no tunnel is left.",
		Verdict:   "what the proxy gets, and nothing left behind",
		Source:    "net/http: Transport.GetProxyConnectHeader",
		Protocols: overTLS,
		Secure:    true,
		Settings:  throughProxy,
		Body: func(e *Env) {
			errOwn := errors.New("the caller's own")
			var fields http.Header
			var fails error
			asked := ""
			get := func(_ context.Context, proxy *url.URL, target string) (http.Header, error) {
				asked = proxy.Host + " for " + target
				return fields, fails
			}
			if !e.setField("GetProxyConnectHeader", get) || !e.setField("ProxyConnectHeader", http.Header{"X-Other": {"ignored"}}) {
				e.NotApplicable("the transport has no GetProxyConnectHeader")
			}
			p := e.serveTunnels(proxyAddr)
			for _, value := range []string{"yes", ""} {
				if fields = nil; value != "" {
					fields = http.Header{"X-Tunnel": {value}}
				}
				e.T.Get("r"+value, e.Transport, "https://api.test/").WantBody("api.test")
				e.CloseIdle()
				last := p.connects[len(p.connects)-1].Header
				wantField(e, "the proxy", last, "X-Tunnel", value)
				wantField(e, "the proxy", last, "X-Other", "")
			}
			if want := proxyAddr + " for api.test:443"; asked != want {
				e.Errorf("got GetProxyConnectHeader called of %q, want %q", asked, want)
			}
			fails = errOwn
			body := newBody(strings.NewReader("x"))
			r := e.Start("fails", e.Transport, upload(e.Context(), "https://api.test/", body))
			r.WantErr(errOwn)
			body.wantClosed(e, "fails")
			e.WantConns(0, "there is no tunnel")
			if len(p.connects) != 2 {
				e.Errorf("got %d tunnels asked for, want 2: there was no header for the third", len(p.connects))
			}
		},
	},
	{
		Name:      "proxy-connect-response",
		Claim:     "OnProxyConnectResponse is called with each answer of a proxy to CONNECT, one that refuses too. Without an error of it, a refusal is an error all the same.",
		Verdict:   "what the caller learns",
		Source:    "net/http: Transport.OnProxyConnectResponse (it's called before the check for a 200 OK response)",
		Protocols: overTLS,
		Secure:    true,
		Settings:  throughProxy,
		Body: func(e *Env) {
			var seen []string
			see := func(_ context.Context, proxy *url.URL, req *http.Request, resp *http.Response) error {
				seen = append(seen, fmt.Sprintf("%s %s %s %d %s", proxy.Host, req.Method, req.Host, resp.StatusCode, resp.Header.Get("X-Why")))
				return nil
			}
			if !e.setField("OnProxyConnectResponse", see) {
				e.NotApplicable("the transport has no OnProxyConnectResponse")
			}
			p := e.serveTunnels(proxyAddr)
			e.T.Get("r1", e.Transport, "https://api.test/").WantBody("api.test")
			e.CloseIdle()
			p.refusal = "HTTP/1.1 407 Proxy Authentication Required\r\nX-Why: password\r\nContent-Length: 0\r\n\r\n"
			e.wantFailed(e.T.Get("r2", e.Transport, "https://api.test/"), "the proxy refused")
			e.WantConns(0, "there is no tunnel")
			want := []string{proxyAddr + " CONNECT api.test:443 200 ", proxyAddr + " CONNECT api.test:443 407 password"}
			if got := strings.Join(seen, ", "); got != strings.Join(want, ", ") {
				e.Errorf("got OnProxyConnectResponse called with %s, want %s", got, strings.Join(want, ", "))
			}
		},
	},
	{
		Name:      "proxy-chosen",
		Claim:     "Proxy chooses for each request: no proxy, or one. Its error is the request's, whose body is closed and for which nothing is dialed.",
		Verdict:   "where a request goes",
		Source:    proxyField + " (called for a given Request; if it returns an error the request is aborted with that error; a nil URL means no proxy)",
		Protocols: HTTP1,
		Body: func(e *Env) {
			errOwn := errors.New("the caller's own")
			if !e.chooseProxies(errOwn) {
				e.NotApplicable("the transport has no Proxy")
			}
			e.ServeHost("near.test", answersWith("direct"))
			e.T.Serve(proxyAddr, answersWith("first"))
			e.T.Serve(otherProxyAddr, answersWith("second"))
			for i, to := range []string{"direct", "first", "second", "first", "direct", "second"} {
				host := "api.test"
				if to == "direct" {
					host = "near.test"
				}
				r := e.T.Get(fmt.Sprintf("r%d", i+1), e.Transport, e.URLOf(host, "/"+to))
				r.WantBody(to, "that is where Proxy sends it")
			}
			e.WantOpened(3, "one to each, and each was idle again")
			body := newBody(strings.NewReader("x"))
			r := e.Start("fails", e.Transport, upload(e.Context(), e.URL("/error"), body))
			r.WantErr(errOwn)
			body.wantClosed(e, "fails")
			e.WantOpened(3, "it was aborted")
		},
	},
	{
		Name:      "proxy-apart",
		Claim:     "A tunnel through a proxy serves the host at its end, for requests through that proxy: not those through another one, or without any, or to another host.",
		Verdict:   "the answer belongs to the request; " + noDialWhileIdle,
		Source:    proxyField + "; RFC 9110 section 9.3.6",
		Protocols: overTLS,
		Secure:    true,
		Body: func(e *Env) {
			if !e.chooseProxies(nil) {
				e.NotApplicable("the transport has no Proxy")
			}
			e.ServeTLSAs("api.test:443", "h1")
			p, q := e.serveTunnels(proxyAddr), e.serveTunnels(otherProxyAddr)
			for round := range 2 {
				for _, to := range []string{"direct", "first", "second"} {
					r := e.T.Get(fmt.Sprintf("%s-%d", to, round), e.Transport, "https://api.test/"+to)
					r.WantStatus(http.StatusOK)
					r.Finish()
				}
				r := e.T.Get(fmt.Sprintf("b-%d", round), e.Transport, "https://b.test/first")
				r.WantBody("b.test")
				e.WantOpened(4, "one without a proxy, two through the first, one through the second")
			}
			if len(p.requests) != 4 || len(q.requests) != 2 {
				e.Errorf("got %d requests through the first proxy and %d through the second, want 4 and 2", len(p.requests), len(q.requests))
			}
		},
	},
	{
		Name:      "proxy-password",
		Claim:     "A proxy that gets requests for http gets the password of its URL with each of them.",
		Verdict:   "what the proxy gets",
		Source:    proxyField + " (will pass the username and password in a Proxy-Authorization header)",
		Protocols: HTTP1,
		Settings:  withPassword,
		Body: func(e *Env) {
			e.T.Serve(proxyAddr, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				wantField(e, "the proxy", r.Header, "Proxy-Authorization", basicAuth)
			}))
			for _, host := range []string{"a.test", "b.test"} {
				r := e.T.Get(host, e.Transport, "http://"+host+"/")
				r.WantStatus(http.StatusOK)
				r.Finish()
			}
			e.WantOpened(1, "both go to the proxy")
		},
	},
	{
		Name:      "proxy-answers",
		Claim:     "What a proxy answers to a request for http is the answer, a refusal too, and its connection is used again.",
		Verdict:   "the answer is delivered",
		Source:    "net/http: RoundTripper (must return err == nil if it obtained a response, regardless of the response's HTTP status code); RFC 9110 section 15.5.8",
		Protocols: HTTP1,
		Settings:  throughProxy,
		Body: func(e *Env) {
			codes := []int{http.StatusProxyAuthRequired, http.StatusBadGateway, http.StatusForbidden}
			e.T.Serve(proxyAddr, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				for _, code := range codes {
					if r.URL.Path == fmt.Sprintf("/%d", code) {
						http.Error(w, "no", code)
					}
				}
			}))
			for _, code := range codes {
				r := e.Get(fmt.Sprint(code), fmt.Sprintf("/%d", code))
				r.WantStatus(code)
				r.Finish()
			}
			e.WantOpened(1, "no connection failed")
		},
	},
	{
		Name:      "proxy-over-tls",
		Claim:     "A proxy with an https URL is spoken to over TLS, and what is in a tunnel through it is encrypted once more.",
		Verdict:   "the answer comes",
		Source:    proxyField + " (the proxy type is determined by the URL scheme: http, https, socks5 and socks5h)",
		Protocols: overTLS,
		Secure:    true,
		Settings:  harness.Settings{Proxy: "https://" + proxyAddr},
		Body: func(e *Env) {
			p := &tunnelServer{e: e, config: e.certificates()}
			e.ServeTLS(proxyAddr, p, p.config)
			for _, name := range []string{"r1", "r2"} {
				e.T.Get(name, e.Transport, "https://api.test/").WantBody("api.test")
			}
			e.T.Get("r3", e.Transport, "http://plain.test/").WantBody("plain.test")
			for _, req := range append(p.connects, p.plain...) {
				if req.TLS == nil {
					e.Errorf("got %s %s without TLS, want the proxy's URL heeded", req.Method, req.RequestURI)
				}
			}
			e.WantOpened(2, "one tunnel, and one connection for http")
		},
	},
	{
		Name:      "proxy-scheme-missing",
		Claim:     "The URL of a proxy that has no scheme is one of http.",
		Verdict:   "the answer comes",
		Source:    proxyField + ` (if the scheme is empty, "http" is assumed)`,
		Protocols: HTTP1,
		Body: func(e *Env) {
			bare := func(*http.Request) (*url.URL, error) { return &url.URL{Host: proxyAddr}, nil }
			if !e.setField("Proxy", bare) {
				e.NotApplicable("the transport has no Proxy")
			}
			e.T.Serve(proxyAddr, answersWith("by proxy"))
			e.Get("r1", "/").WantBody("by proxy")
		},
	},
	{
		Name:      "proxy-slot",
		Claim:     "A tunnel that a proxy refuses gives its place at the limit to the next request.",
		Verdict:   noneStuck + "; limits never exceeded",
		Issues:    []string{"golang/go#10886", "golang/go#64804"},
		Source:    maxConnsPerHost,
		Protocols: overTLS,
		Secure:    true,
		Settings:  harness.Settings{Proxy: throughProxy.Proxy, MaxConnsPerHost: 1},
		Body: func(e *Env) {
			p := e.serveTunnels(proxyAddr)
			p.refusal = "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n"
			for _, name := range []string{"r1", "r2", "r3"} {
				e.wantFailed(e.T.Get(name, e.Transport, "https://api.test/"), "the proxy refused")
			}
			p.refusal = ""
			r4 := e.T.Get("r4", e.Transport, "https://api.test/")
			r4.WantBody("api.test", "there is room")
		},
	},
	{
		Name:      "proxy-endless",
		Claim:     "A proxy whose answer to CONNECT does not end is an error once it is longer than MaxResponseHeaderBytes, and its connection is closed.",
		Verdict:   "nothing is left behind",
		Source:    "net/http: Transport.MaxResponseHeaderBytes",
		Protocols: overTLS,
		Secure:    true,
		Settings:  harness.Settings{Proxy: throughProxy.Proxy, MaxResponseHeaderBytes: 4096},
		Body: func(e *Env) {
			p := e.serveTunnels(proxyAddr)
			p.refusal = "HTTP/1.1 200 OK\r\n" + strings.Repeat("X-Long: "+strings.Repeat("x", 990)+"\r\n", 60)
			r1 := e.T.Get("r1", e.Transport, "https://api.test/")
			e.wantFailed(r1, "the answer is fifteen times as long as may be")
			e.WantConns(0, "there is no tunnel")
		},
	},
	{
		Name:      "proxy-socks-password",
		Claim:     "A SOCKS proxy gets the name and the password of its URL if it asks for them, and the host's name as it is: it looks it up.",
		Verdict:   "what the proxy gets",
		Source:    proxyField + `; RFC 1928; RFC 1929`,
		Protocols: HTTP1,
		Settings:  harness.Settings{Proxy: "socks5://user:secret@" + socksAddr},
		Body: func(e *Env) {
			e.Peer(socksAddr)
			r1 := e.Get("r1", "/")
			c1 := e.Conn("c1")
			if hello := arrived(c1); len(hello) < 3 || hello[0] != 5 || !strings.Contains(hello[2:], "\x02") {
				e.Fatalf("got %q at the proxy, want version 5 and the method 2, for there is a password", hello)
			}
			c1.Send("\x05\x02")
			if got, want := arrived(c1), "\x01\x04user\x06secret"; got != want {
				e.Fatalf("got %q at the proxy, want %q", got, want)
			}
			c1.Send("\x01\x00")
			if got, want := arrived(c1), "\x05\x01\x00\x03\x08api.test\x00\x50"; got != want {
				e.Fatalf("got %q at the proxy, want %q", got, want)
			}
			c1.Send("\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00")
			c1.WantRequest("GET / ", "there is a tunnel, and no proxy of HTTP")
			c1.Respond(http.StatusOK, "ok")
			r1.WantBody("ok")
		},
	},
}
