package suites

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"reflect"
	"time"

	"github.com/halfopen/halfopen/harness"
)

const (
	proxyAddr = "proxy.test:3128"
	socksAddr = "proxy.test:1080"
)

var (
	throughProxy = harness.Settings{Proxy: "http://" + proxyAddr}
	throughSocks = harness.Settings{Proxy: "socks5://" + socksAddr}
)

var proxyCases = []Case{
	{
		Name: "proxy-refuses", Group: Proxy,
		Claim:     "A proxy that answers CONNECT with anything but a success is an error, and its connection is closed.",
		Verdict:   "nothing is left behind",
		Issues:    []string{"golang/go#64804"},
		Source:    "RFC 9110 section 9.3.6",
		Protocols: HTTP1 | H2,
		Secure:    true,
		Settings:  throughProxy,
		Body: func(e *Env) {
			e.ServeTLSAs("api.test:443")
			for _, mode := range []string{"403", "407", "502", "garbage", "close-unanswered", "close", "reset"} {
				e.ServeProxy(proxyAddr, mode)
				r := e.T.Get(mode, e.Transport, "https://api.test/")
				if r.Err() == nil {
					e.Errorf("a proxy that answers in the mode %s: got no error", mode)
				}
				e.Net.WantConns(0, "the connection to the proxy is of no use")
				e.Net.Kill(proxyAddr)
			}
			e.ServeProxy(proxyAddr, "connect")
			r := e.T.Get("connect", e.Transport, "https://api.test/")
			r.WantBody("ok")
			e.CloseIdle()
		},
	},
	{
		Name: "proxy-tells-piecemeal", Group: Proxy,
		Claim:     "A proxy may take its time with its answer to CONNECT, send it in pieces, and say much in it.",
		Verdict:   "the answer comes",
		Source:    "RFC 9110 section 9.3.6",
		Protocols: HTTP1 | H2,
		Secure:    true,
		Settings:  throughProxy,
		Body: func(e *Env) {
			e.ServeTLSAs("api.test:443")
			for _, mode := range []string{"split", "slow", "oversized", "body"} {
				e.ServeProxy(proxyAddr, mode)
				r := e.T.Get(mode, e.Transport, "https://api.test/")
				r.Await()
				r.WantBody("ok")
				e.CloseIdle()
				e.Net.Kill(proxyAddr)
			}
		},
	},
	{
		Name: "proxy-silent", Group: Proxy,
		Claim:     "A proxy that never answers CONNECT costs a request its time, not more: when it is cancelled, or the transport has had enough, the connection is closed.",
		Verdict:   "nothing is left behind",
		Issues:    []string{"golang/go#28012", "golang/go#36070"},
		Source:    "net/http: Request.Context",
		Protocols: HTTP1 | H2,
		Secure:    true,
		Settings:  throughProxy,
		Body: func(e *Env) {
			e.ServeProxy(proxyAddr, "never")
			r1 := e.T.Get("r1", e.Transport, "https://api.test/")
			r1.WantPending()
			r1.Cancel()
			r1.WantErr(context.Canceled)
			r2 := e.T.Get("r2", e.Transport, "https://api.test/")
			e.Advance(10 * time.Minute)
			r2.Cancel() // if it still waits
			if r2.Err() == nil {
				e.Errorf("r2: got neither an answer nor an error")
			}
			e.Net.WantConns(0, "nobody waits for the proxy any more")
		},
	},
	{
		Name: "proxy-breaks", Group: Proxy,
		Claim:     "A connection through a proxy may break at each byte of CONNECT, the handshake and the exchange: the request is answered or fails, and nothing is left.",
		Verdict:   "nothing is left behind",
		Issues:    []string{"golang/go#28012"},
		Source:    "RFC 9110 section 9.3.6",
		Protocols: HTTP1 | H2,
		Secure:    true,
		Settings:  throughProxy,
		Bounds:    harness.Bounds{Delays: harness.None, Schedules: 160, Strategy: "exhaustive"},
		Body: func(e *Env) {
			e.ServeProxy(proxyAddr, "connect")
			e.ServeTLSAs("api.test:443")
			e.T.Get("r1", e.Transport, "https://api.test/")
		},
	},
	{
		Name: "proxy-vetoed", Group: Proxy,
		Claim:     "When OnProxyConnectResponse returns an error that is the request's error, and the connection to the proxy is closed.",
		Verdict:   "nothing is left behind",
		Issues:    []string{"golang/go#64804"},
		Source:    "net/http: Transport.OnProxyConnectResponse",
		Protocols: HTTP1 | H2,
		Secure:    true,
		Settings:  throughProxy,
		Body: func(e *Env) {
			errVeto := errors.New("not this one")
			veto := func(context.Context, *url.URL, *http.Request, *http.Response) error { return errVeto }
			if !e.setField("OnProxyConnectResponse", veto) {
				e.NotApplicable("the transport has no OnProxyConnectResponse")
				return
			}
			e.ServeProxy(proxyAddr, "connect")
			e.ServeTLSAs("api.test:443")
			r1 := e.T.Get("r1", e.Transport, "https://api.test/")
			r1.WantErr(errVeto)
			e.Net.WantConns(0, "the tunnel is not wanted")
		},
	},
	{
		Name: "proxy-for-http", Group: Proxy,
		Claim:     "A proxy gets requests for http in absolute form, all on one connection, whatever their hosts, and never another host's answer.",
		Verdict:   "no dial while a usable connection is idle",
		Source:    "RFC 9112 section 3.2.2",
		Protocols: HTTP1,
		Settings:  throughProxy,
		Bounds:    harness.Bounds{Faults: harness.None, Schedules: 60},
		Body: func(e *Env) {
			e.T.Serve(proxyAddr, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if !r.URL.IsAbs() {
					e.Errorf("the proxy got a request for %q, want the whole URL", r.RequestURI)
				}
				io.WriteString(w, r.URL.Host)
			}))
			for i, host := range []string{"a.test", "b.test", "a.test"} {
				r := e.T.Get(fmt.Sprintf("r%d", i+1), e.Transport, "http://"+host+"/")
				r.Await()
				e.Answered(r)
				r.WantBody(host)
			}
			e.Opened(1, "they all go to the proxy")
		},
	},
	{
		Name: "proxy-socks-refuses", Group: Proxy,
		Claim:     "A SOCKS proxy that does not connect is an error, and its connection is closed.",
		Verdict:   "nothing is left behind",
		Source:    "RFC 1928 section 6",
		Protocols: HTTP1 | H2,
		Secure:    true,
		Settings:  throughSocks,
		Body: func(e *Env) {
			e.ServeTLSAs("api.test:443")
			for _, mode := range []string{"socks-refused", "socks-method", "socks-short"} {
				e.ServeProxy(socksAddr, mode)
				r := e.T.Get(mode, e.Transport, "https://api.test/")
				if r.Err() == nil {
					e.Errorf("a SOCKS proxy that answers in the mode %s: got no error", mode)
				}
				e.Net.WantConns(0, "the connection to the proxy is of no use")
				e.Net.Kill(socksAddr)
			}
			e.ServeProxy(socksAddr, "socks")
			e.T.Get("socks", e.Transport, "https://api.test/").WantBody("ok")
			e.CloseIdle()
		},
	},
	{
		Name: "proxy-socks-silent", Group: Proxy,
		Claim:     "A SOCKS proxy that never answers does not keep its connection for ever when the request is gone.",
		Verdict:   "nothing is left behind",
		Issues:    []string{"golang/go#28012", "golang/go#36070"},
		Source:    "net/http: Request.Context; Transport.CloseIdleConnections",
		Protocols: HTTP1 | H2,
		Secure:    true,
		Settings:  throughSocks,
		Body: func(e *Env) {
			e.ServeProxy(socksAddr, "socks-never")
			r1 := e.T.Get("r1", e.Transport, "https://api.test/")
			r1.Cancel()
			r1.WantErr(context.Canceled)
			e.CloseIdle()
			e.Advance(time.Hour)
			e.Net.WantConns(0, "nobody waits for the proxy any more")
		},
	},
}

// setField sets a field of the transport, if it has one of that name and type.
func (e *Env) setField(name string, value any) bool {
	v := reflect.ValueOf(e.Transport)
	if v.Kind() != reflect.Pointer || v.Elem().Kind() != reflect.Struct {
		return false
	}
	f := v.Elem().FieldByName(name)
	if !f.IsValid() || f.Type() != reflect.TypeOf(value) {
		return false
	}
	f.Set(reflect.ValueOf(value))
	return true
}
