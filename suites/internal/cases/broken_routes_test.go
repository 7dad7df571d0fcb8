package cases_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/halfopen/halfopen/harness"
)

// brokenRoutes is mistakes of what carries a request.
var brokenRoutes = []breakage{
	{"an error of what was registered is a status", 0, registering(errorIsStatus, nil), []string{"route-registered"}},
	{"a request that was declined has lost its body", 0, registering(nil, onceRead), []string{"route-declined"}},
	{"what declined once is not asked again", 0, registering(askedOnce, nil), []string{"route-declined"}},
	{"the rest of a body is taken for a new copy", 0, registering(nil, restAgain), []string{"route-declined-used-up"}},
	{"a body is never closed", 0, registering(nil, unclosed), []string{"route-scheme-unknown", "route-request-empty"}},
	{"DialTLSContext is not called", 0, rewired(func(tr *http.Transport) { tr.DialTLSContext = nil }), []string{"tls-dialers"}},
	{"TLSHandshakeTimeout is for all dials of TLS", 0, rewired(impatientDialer), []string{"tls-dialer-waits"}},
	{"Protocols is not looked at", 0, rewired(allProtocols), []string{"tls-protocols"}},
	{"a connection that changed its protocol is pooled", 0, withBug(""), []string{"body-upgrade-first-bytes"}},
	{"a connection that changed its protocol keeps its place", 0, wrappedEach(upgradesKept), []string{"body-upgrade-place"}},
	{"a request for another protocol is the last on its connection", 0, wrapped(upgradesClosed), []string{"body-upgrade-refused"}},
	{"a body that is read is not closed", 0, wrapped(polite), []string{"body-gzip-closed-while-read"}},
	{"nothing is kept", 0, setting(func(s *harness.Settings) { s.DisableKeepAlives = true }), []string{"reuse-redirected", "body-upgrade-refused"}},
	{"CloseIdleConnections does not reach the pool", 0, closesNothing, []string{"close-client"}},
	{"a cancellation is not passed on", 0, wrapped(deaf), []string{"tls-fails-beside-cancel"}},
	{"ReadBufferSize is not looked at", 0, rewired(func(tr *http.Transport) { tr.ReadBufferSize = 0 }), []string{"body-buffer-sizes"}},
	{"WriteBufferSize is not looked at", 0, rewired(func(tr *http.Transport) { tr.WriteBufferSize = 0 }), []string{"body-buffer-sizes"}},
	{"TLSNextProto is not looked at", 0, rewired(func(tr *http.Transport) { tr.TLSNextProto = nil }), []string{"tls-next-proto"}},
}

// upgradesKept has as many places as MaxConnsPerHost says, and fills each with a connection
// that changed its protocol.
func upgradesKept(s harness.Settings) func(http.RoundTripper, *http.Request) (*http.Response, error) {
	places := make(chan struct{}, max(1, s.MaxConnsPerHost))
	return func(rt http.RoundTripper, req *http.Request) (*http.Response, error) {
		select {
		case places <- struct{}{}:
		case <-req.Context().Done():
			return nil, req.Context().Err()
		}
		resp, err := rt.RoundTrip(req)
		if err != nil || resp.StatusCode != http.StatusSwitchingProtocols {
			<-places
		}
		return resp, err
	}
}

// upgradesClosed trusts no connection on which another protocol was asked for.
func upgradesClosed(rt http.RoundTripper, req *http.Request) (*http.Response, error) {
	req = req.Clone(req.Context())
	req.Close = req.Header.Get("Upgrade") != ""
	return rt.RoundTrip(req)
}

// registering is net/http's transport with something around what is registered, or between
// it and the caller.
func registering(around func(http.RoundTripper) http.RoundTripper, do func(http.RoundTripper, *http.Request) (*http.Response, error)) harness.Maker {
	return func(t *harness.T, s harness.Settings) (http.RoundTripper, error) {
		rt, err := harness.NetHTTP(t, s)
		return &registrar{rt.(*http.Transport), around, do}, err
	}
}

type registrar struct {
	*http.Transport
	around func(http.RoundTripper) http.RoundTripper
	do     func(http.RoundTripper, *http.Request) (*http.Response, error)
}

func (r *registrar) RegisterProtocol(scheme string, rt http.RoundTripper) {
	if r.around != nil {
		rt = r.around(rt)
	}
	r.Transport.RegisterProtocol(scheme, rt)
}

func (r *registrar) RoundTrip(req *http.Request) (*http.Response, error) {
	if r.do != nil {
		return r.do(r.Transport, req)
	}
	return r.Transport.RoundTrip(req)
}

// carrier is a RoundTripper.
type carrier func(*http.Request) (*http.Response, error)

func (c carrier) RoundTrip(req *http.Request) (*http.Response, error) { return c(req) }

func errorIsStatus(rt http.RoundTripper) http.RoundTripper {
	return carrier(func(req *http.Request) (*http.Response, error) {
		resp, err := rt.RoundTrip(req)
		if err != nil && !errors.Is(err, http.ErrSkipAltProtocol) {
			return &http.Response{StatusCode: http.StatusBadGateway, Body: http.NoBody, Request: req}, nil
		}
		return resp, err
	})
}

func askedOnce(rt http.RoundTripper) http.RoundTripper {
	declined := false
	return carrier(func(req *http.Request) (*http.Response, error) {
		if declined {
			return nil, http.ErrSkipAltProtocol
		}
		resp, err := rt.RoundTrip(req)
		declined = errors.Is(err, http.ErrSkipAltProtocol)
		return resp, err
	})
}

// onceRead has an empty body where a new copy is wanted.
func onceRead(rt http.RoundTripper, req *http.Request) (*http.Response, error) {
	req = req.Clone(req.Context())
	if req.GetBody != nil {
		req.GetBody = func() (io.ReadCloser, error) { return http.NoBody, nil }
	}
	return rt.RoundTrip(req)
}

// restAgain has what is left of a body where a new copy is wanted and cannot be had.
func restAgain(rt http.RoundTripper, req *http.Request) (*http.Response, error) {
	req = req.Clone(req.Context())
	if body := req.Body; body != nil && req.GetBody == nil {
		req.GetBody = func() (io.ReadCloser, error) { return body, nil }
	}
	return rt.RoundTrip(req)
}

func impatientDialer(tr *http.Transport) {
	dial := tr.DialTLSContext
	if dial == nil {
		return
	}
	tr.DialTLSContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		begin := time.Now()
		c, err := dial(ctx, network, addr)
		if err == nil && time.Since(begin) > tr.TLSHandshakeTimeout {
			c.Close()
			return nil, context.DeadlineExceeded
		}
		return c, err
	}
}

func allProtocols(tr *http.Transport) {
	tr.Protocols = new(http.Protocols)
	tr.Protocols.SetHTTP1(true)
	tr.Protocols.SetHTTP2(true)
}
