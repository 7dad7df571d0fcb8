//lint:file-ignore SA1019 It is deprecated in favour of net/http, but many programs use it.

package subjects

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"time"

	"golang.org/x/net/http2"

	"github.com/halfopen/halfopen/harness"
)

// HTTP2 makes two values of [http2.Transport]: one for https URLs, and one for http
// URLs, made as the documentation of the package says. It is a Maker.
//
// What the package does depends on the version of Go, and http2Name says which it is. Up
// to Go 1.26, and with the build tag http2legacy, it is a transport of its own. From Go
// 1.27 on it passes requests to net/http, and only dials itself.
func HTTP2(t *harness.T, s harness.Settings) (http.RoundTripper, error) {
	s.ForceAttemptHTTP2 = false // it speaks nothing else
	overTLS := &http2.Transport{TLSClientConfig: &tls.Config{RootCAs: harness.TrustedRoots()},
		DialTLSContext: func(ctx context.Context, network, addr string, cfg *tls.Config) (net.Conn, error) {
			c, err := t.Net.DialContext(ctx, network, addr)
			if err != nil {
				return nil, err
			}
			tc := tls.Client(c, cfg)
			if err = tc.HandshakeContext(ctx); err == nil && tc.ConnectionState().NegotiatedProtocol != http2.NextProtoTLS {
				err = errors.New("the server does not speak HTTP/2")
			}
			if err != nil {
				c.Close()
				return nil, err
			}
			return tc, nil
		}}
	plain := &http2.Transport{AllowHTTP: true, DialTLSContext: func(ctx context.Context, network, addr string, _ *tls.Config) (net.Conn, error) {
		return t.Net.DialContext(ctx, network, addr)
	}}
	if err := s.Apply(overTLS); err != nil {
		return nil, err
	}
	return &http2Either{IdleConnTimeout: s.IdleConnTimeout, overTLS: overTLS, plain: plain}, s.Apply(plain)
}

type http2Either struct {
	IdleConnTimeout time.Duration
	overTLS, plain  *http2.Transport
}

func (e *http2Either) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Scheme == "http" {
		return e.plain.RoundTrip(req)
	}
	return e.overTLS.RoundTrip(req)
}

func (e *http2Either) CloseIdleConnections() {
	e.overTLS.CloseIdleConnections()
	e.plain.CloseIdleConnections()
}
