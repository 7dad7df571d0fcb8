package cases

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
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
		Name:      "proxy-refuses",
		Claim:     "A proxy that answers CONNECT with anything but a success is an error, and its connection is closed.",
		Verdict:   "nothing is left behind",
		Issues:    []string{"golang/go#64804"},
		Source:    "RFC 9110 section 9.3.6",
		Protocols: HTTP1 | H2,
		Secure:    true,
		Settings:  throughProxy,
		Body: func(e *Env) {
			e.wantRefusals(proxyAddr, "connect", "403", "407", "502", "garbage", "close-unanswered", "close", "reset")
		},
	},
	{
		Name:      "proxy-slow-connect",
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
		Name:      "proxy-silent",
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
			e.WantConns(0, "no request waits for the proxy any more")
		},
	},
	{
		Name:      "proxy-breaks",
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
		Name:      "proxy-vetoed",
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
			}
			e.ServeProxy(proxyAddr, "connect")
			e.ServeTLSAs("api.test:443")
			r1 := e.T.Get("r1", e.Transport, "https://api.test/")
			r1.WantErr(errVeto)
			e.WantConns(0, "the tunnel is not wanted")
		},
	},
	{
		Name:      "proxy-for-http",
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
				e.WantAnswered(r)
				r.WantBody(host)
			}
			e.WantOpened(1, "they all go to the proxy")
		},
	},
	{
		Name:      "proxy-socks-refuses",
		Claim:     "A SOCKS proxy that does not connect is an error, and its connection is closed.",
		Verdict:   "nothing is left behind",
		Source:    "RFC 1928 section 6",
		Protocols: HTTP1 | H2,
		Secure:    true,
		Settings:  throughSocks,
		Body: func(e *Env) {
			e.wantRefusals(socksAddr, "socks", "socks-refused", "socks-method", "socks-short")
		},
	},
	{
		Name:      "proxy-socks-silent",
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
			e.WantConns(0, "no request waits for the proxy any more")
		},
	},
	{
		Name:      "proxy-connect-not-pooled",
		Claim:     "A connection on which a CONNECT of the caller's succeeded is a tunnel, whatever length the answer has: it serves no other request.",
		Verdict:   "no other request runs on it",
		Source:    "RFC 9110 section 9.3.6 (a client MUST ignore any Content-Length or Transfer-Encoding header fields received in a successful response to CONNECT)",
		Protocols: HTTP1,
		Body: func(e *Env) {
			e.Serve(http.HandlerFunc(connecting))
			for i := range connectAnswers {
				name := fmt.Sprintf("connect%d", i+1)
				r := e.connect(name, strconv.Itoa(i))
				r.WantStatus(http.StatusOK)
				tunnel := r.Conn()
				r.CloseBody()
				e.Advance(drainTime) // if the transport waits for the rest of a body
				e.wantOK("after-" + name)
				if last := tunnel.User(); last != r {
					e.Errorf("%s: got it sent on %s, which is a tunnel", last.Name(), tunnel)
				}
			}
			// One that was refused is as any other: it may be used again, or not.
			r := e.connect("refused", "none")
			r.WantStatus(http.StatusProxyAuthRequired)
			r.CloseBody()
			e.wantOK("after-refused")
		},
	},
}

// connect starts a CONNECT of the caller's own, which the transport knows nothing of, and
// has it answered as [connecting] says.
func (e *Env) connect(name, answer string) *harness.Request {
	req, _ := http.NewRequest("CONNECT", "http://api.test", nil)
	req.Host = "tunnel.test:443"
	req.Header.Set("Answer", answer)
	return e.Start(name, e.Transport, req)
}

// connectAnswers is heads of a success to CONNECT. The connection is a tunnel behind
// each: RFC 9110 section 9.3.6 has a client ignore a length in them.
var connectAnswers = []string{
	"\r\n",
	"Content-Length: 0\r\n\r\n",
	"Content-Length: 4\r\n\r\ntree",
	"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
}

// connecting answers CONNECT with the head whose number is in the field
// Answer and sends back what comes through the tunnel, or refuses it. To all else it is
// [harness.Pages].
func connecting(w http.ResponseWriter, r *http.Request) {
	n, err := strconv.Atoi(r.Header.Get("Answer"))
	switch {
	case r.Method != "CONNECT":
		harness.Pages(w, r)
	case err != nil:
		w.WriteHeader(http.StatusProxyAuthRequired)
	default:
		c := halfAnswer(w, connectAnswers[n])
		io.Copy(c, c)
		c.Close()
	}
}

// wantRefusals expects that a request through a proxy fails in each of the modes, leaves no
// connection, and is answered by a proxy that works.
func (e *Env) wantRefusals(addr, works string, modes ...string) {
	e.ServeTLSAs("api.test:443")
	for _, mode := range modes {
		e.ServeProxy(addr, mode)
		if r := e.T.Get(mode, e.Transport, "https://api.test/"); r.Err() == nil {
			e.Errorf("a proxy that answers in the mode %s: got no error", mode)
		}
		e.WantConns(0, "the connection to the proxy is of no use")
		e.Net.Kill(addr)
	}
	e.ServeProxy(addr, works)
	e.T.Get(works, e.Transport, "https://api.test/").WantBody("ok")
	e.CloseIdle()
}
