package subjects

import (
	"context"
	"errors"
	"io"
	"net/http"

	"resty.dev/v3"

	"github.com/halfopen/halfopen/harness"
	"github.com/halfopen/halfopen/suites"
)

// Resty makes a [resty.Client] around net/http's transport.
func Resty(t *harness.T, s suites.ClientSettings) (suites.Client, error) {
	if s.Fallback != "" {
		return nil, errors.New("resty leaves a second server to the transport")
	}
	rt, scheme := t.Net.Transport(), "http://"
	if rt.TLSClientConfig = s.TLS; s.TLS != nil {
		scheme = "https://"
	}
	rt.MaxConnsPerHost, rt.MaxIdleConnsPerHost, rt.IdleConnTimeout = s.MaxConns, orElse(s.MaxIdle, 10), s.IdleTimeout
	c := resty.NewWithClient(&http.Client{Transport: rt}).SetTimeout(s.Timeout).SetBaseURL(scheme + s.Addr)
	return suites.NewClient(func(ctx context.Context, say string) (string, error) {
		r, err := c.R().SetContext(ctx).SetBody(say).Post("/")
		if err == nil && r.StatusCode() != http.StatusOK {
			err = errors.New(r.Status())
		}
		if err != nil {
			return "", err
		}
		return r.String(), nil
	}, func() error {
		defer rt.CloseIdleConnections()
		return c.Close()
	}), nil
}

// EchoHTTP runs a server on the network that answers with the body of the request.
func EchoHTTP(t *harness.T, addr string) {
	serveHTTP(t, addr, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.Copy(w, r.Body) }))
}

// Files and lines are those of resty.
var restyQuirks = quirk(suites.Quirk{
	Reason: "Close (client.go:2423) calls the hooks and stops what watches certificates; Client.execute (client.go:2462) does not look whether the client is closed: " +
		"calls that wait go on, and those that come later are sent, and dial",
	Breaks: "resty: Close executes all registered CloseHook callbacks and releases client resources; it does not mention requests", Versions: suites.Versions{Module: "resty.dev/v3", From: "v3.0.0-rc.4"},
}, "close-waiter", "close-then-use")
