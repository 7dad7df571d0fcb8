package cases_test

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"reflect"
	"sync"

	"github.com/halfopen/halfopen/harness"
)

// brokenFields is mistakes of fields that are functions, or of what they say.
var brokenFields = []breakage{
	// Proxies.
	{"ProxyConnectHeader is not looked at", 0, rewired(func(tr *http.Transport) { tr.ProxyConnectHeader = nil }), []string{"proxy-connect-request"}},
	{"a proxy's password is not looked at", 0, rewired(func(tr *http.Transport) { rewireProxy(tr, func(u *url.URL) { u.User = nil }) }),
		[]string{"proxy-connect-request", "proxy-password", "proxy-socks-password"}},
	{"GetProxyConnectHeader is not called", 0, rewired(func(tr *http.Transport) { tr.GetProxyConnectHeader = nil }), []string{"proxy-connect-header"}},
	{"an error of GetProxyConnectHeader means no header", 0, rewired(headersAnyhow), []string{"proxy-connect-header"}},
	{"a refusal is not shown to OnProxyConnectResponse", 0, rewired(successesShown), []string{"proxy-connect-response"}},
	{"what Proxy chose once is chosen for ever", 0, rewired(chosenOnce), []string{"proxy-chosen", "proxy-apart"}},
	{"an error of Proxy means no proxy", 0, rewired(chosenAnyhow), []string{"proxy-chosen"}},
	{"a status of a proxy is an error", 0, wrapped(statusIsError), []string{"proxy-answers"}},
	{"every proxy is one of http", 0, rewired(func(tr *http.Transport) { rewireProxy(tr, func(u *url.URL) { u.Scheme = "http" }) }), []string{"proxy-over-tls"}},
	{"a proxy without a scheme is none", 0, rewired(schemeWanted), []string{"proxy-scheme-missing"}},
	{"a place that a failure had taken is not free again", 0, wrappedEach(placesLost), []string{"proxy-slot"}},
	{"MaxResponseHeaderBytes is not heeded", 0, ignoring("MaxResponseHeaderBytes"), []string{"proxy-endless"}},

	// Hooks.
	{"every connection is said to be reused", 0, retold(alwaysReused), []string{"trace-got-conn", "trace-got-unused-conn"}},
	{"PutIdleConn hears of no error", 0, retold(alwaysPut), []string{"trace-put-idle"}},
	{"PutIdleConn is called with a reason, always", 0, retold(putAtFirstByte), []string{"trace-keep-alives-off", "trace-put-idle"}},
	{"WroteHeaders is not called", 0, retold(func(t *httptrace.ClientTrace) { t.WroteHeaders = nil }), []string{"trace-order"}},
	{"GotFirstResponseByte is called when the request is written", 0, retold(firstByteEarly), []string{"trace-first-byte"}},
	{"WroteRequest hears of no error", 0, retold(alwaysWritten), []string{"trace-body-fails"}},
	{"GotConn is called before there is a connection", 0, retold(gotBefore), []string{"trace-no-conn", "trace-order"}},
	{"an error of Got1xxResponse is not heeded", 0, retold(hintsAnyhow), []string{"trace-hints"}},
	{"Got100Continue is not called", 0, retold(func(t *httptrace.ClientTrace) { t.Got100Continue = nil }), []string{"trace-continue"}},
	{"TLSHandshakeDone is not called", 0, retold(func(t *httptrace.ClientTrace) { t.TLSHandshakeDone = nil }), []string{"trace-handshake"}},
	{"TLSHandshakeDone is called when the handshake begins", 0, retold(doneFirst), []string{"trace-handshake-timeout"}},

	// What is remembered.
	{"each proxy is remembered", 0, rewired(proxiesKept), []string{"leak-proxy-urls"}},
	{"each connection is remembered", 0, rewired(connsKept), []string{"leak-conns"}},
}

// rewired makes a transport on which a case can set each field, as on net/http's, and
// changes what it has set.
func rewired(change func(*http.Transport)) harness.Maker {
	return func(t *harness.T, s harness.Settings) (http.RoundTripper, error) {
		rt, err := harness.NetHTTP(t, s)
		return &rewiredTransport{Transport: rt.(*http.Transport), change: change}, err
	}
}

// rewiredTransport has the fields that cases set before those of net/http's: with the first
// request they are taken over.
type rewiredTransport struct {
	*http.Transport
	change func(*http.Transport)
	do     func(http.RoundTripper, *http.Request) (*http.Response, error) // or nil
	once   sync.Once

	Proxy                  func(*http.Request) (*url.URL, error)
	ProxyConnectHeader     http.Header
	GetProxyConnectHeader  func(context.Context, *url.URL, string) (http.Header, error)
	OnProxyConnectResponse func(context.Context, *url.URL, *http.Request, *http.Response) error
	Dial                   func(network, addr string) (net.Conn, error)
	DialTLS                func(network, addr string) (net.Conn, error)
	DialContext            func(ctx context.Context, network, addr string) (net.Conn, error)
	DialTLSContext         func(ctx context.Context, network, addr string) (net.Conn, error)
	TLSNextProto           map[string]func(string, *tls.Conn) http.RoundTripper
	Protocols              *http.Protocols
	HTTP2                  *http.HTTP2Config
	WriteBufferSize        int
	ReadBufferSize         int
}

func (r *rewiredTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	r.once.Do(func() {
		from, to := reflect.ValueOf(r).Elem(), reflect.ValueOf(r.Transport).Elem()
		for i := range from.NumField() {
			field := to.FieldByName(from.Type().Field(i).Name)
			if field.IsValid() && !from.Field(i).IsZero() {
				field.Set(from.Field(i))
			}
		}
		r.change(r.Transport)
	})
	if r.do != nil {
		return r.do(r.Transport, req)
	}
	return r.Transport.RoundTrip(req)
}

// rewireProxy changes each URL that Proxy returns.
func rewireProxy(tr *http.Transport, change func(*url.URL)) {
	proxy := tr.Proxy
	if proxy == nil {
		return
	}
	tr.Proxy = func(req *http.Request) (*url.URL, error) {
		u, err := proxy(req)
		if u == nil {
			return nil, err
		}
		changed := *u
		change(&changed)
		return &changed, err
	}
}

// headersAnyhow asks a proxy although the caller could not say how.
func headersAnyhow(tr *http.Transport) {
	get := tr.GetProxyConnectHeader
	tr.GetProxyConnectHeader = func(ctx context.Context, proxy *url.URL, target string) (http.Header, error) {
		h, _ := get(ctx, proxy, target)
		return h, nil
	}
}

// successesShown calls OnProxyConnectResponse behind the check for a success.
func successesShown(tr *http.Transport) {
	see := tr.OnProxyConnectResponse
	tr.OnProxyConnectResponse = func(ctx context.Context, proxy *url.URL, req *http.Request, resp *http.Response) error {
		if resp.StatusCode != http.StatusOK {
			return nil
		}
		return see(ctx, proxy, req, resp)
	}
}

func chosenOnce(tr *http.Transport) {
	proxy := tr.Proxy
	if proxy == nil {
		return
	}
	var chosen *url.URL
	tr.Proxy = func(req *http.Request) (*url.URL, error) {
		u, err := proxy(req)
		if chosen == nil {
			chosen = u
		}
		return chosen, err
	}
}

func chosenAnyhow(tr *http.Transport) {
	proxy := tr.Proxy
	tr.Proxy = func(req *http.Request) (*url.URL, error) {
		u, _ := proxy(req)
		return u, nil
	}
}

// statusIsError returns an error for a status that means one.
func statusIsError(rt http.RoundTripper, req *http.Request) (*http.Response, error) {
	resp, err := rt.RoundTrip(req)
	if err == nil && resp.StatusCode >= 400 {
		resp.Body.Close()
		return nil, errors.New(resp.Status)
	}
	return resp, err
}

func schemeWanted(tr *http.Transport) {
	proxy := tr.Proxy
	tr.Proxy = func(req *http.Request) (*url.URL, error) {
		u, err := proxy(req)
		if err == nil && u != nil && u.Scheme == "" {
			return nil, nil
		}
		return u, err
	}
}

func proxiesKept(tr *http.Transport) {
	proxy := tr.Proxy
	var kept []*url.URL
	tr.Proxy = func(req *http.Request) (*url.URL, error) {
		u, err := proxy(req)
		kept = append(kept, u)
		return u, err
	}
}

func connsKept(tr *http.Transport) {
	dial := tr.DialContext
	var kept []net.Conn
	tr.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := dial(ctx, network, addr)
		kept = append(kept, c)
		return c, err
	}
}

// wrappedEach is net/http's transport with something between it and the caller that is made
// again for each transport.
func wrappedEach(do func(harness.Settings) func(http.RoundTripper, *http.Request) (*http.Response, error)) harness.Maker {
	return func(t *harness.T, s harness.Settings) (http.RoundTripper, error) {
		return wrapped(do(s))(t, s)
	}
}

// placesLost has as many places as MaxConnsPerHost says, and fills each with a request that
// fails.
func placesLost(s harness.Settings) func(http.RoundTripper, *http.Request) (*http.Response, error) {
	places := make(chan struct{}, max(1, s.MaxConnsPerHost))
	return func(rt http.RoundTripper, req *http.Request) (*http.Response, error) {
		select {
		case places <- struct{}{}:
		case <-req.Context().Done():
			return nil, req.Context().Err()
		}
		resp, err := rt.RoundTrip(req)
		if err == nil {
			<-places
		}
		return resp, err
	}
}
