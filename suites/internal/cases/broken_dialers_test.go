package cases_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/halfopen/halfopen/harness"
	"github.com/halfopen/halfopen/internal/mini"
)

// givesUpAlone returns when ResponseHeaderTimeout has passed, and leaves its
// request as it is.
func givesUpAlone(t *harness.T, s harness.Settings) (http.RoundTripper, error) {
	d := s.ResponseHeaderTimeout
	s.ResponseHeaderTimeout = 0
	rt, err := harness.NetHTTP(t, s)
	return roundTripper{rt, func(rt http.RoundTripper, req *http.Request) (*http.Response, error) {
		type result struct {
			resp *http.Response
			err  error
		}
		done := make(chan result, 1)
		go func() {
			resp, err := rt.RoundTrip(req)
			done <- result{resp, err}
		}()
		select {
		case r := <-done:
			return r.resp, r.err
		case <-time.After(d):
			return nil, context.DeadlineExceeded
		}
	}}, err
}

func keepsNone(t *harness.T, s harness.Settings) (http.RoundTripper, error) {
	s.DisableKeepAlives = true
	return harness.NetHTTP(t, s)
}

// tunnels makes a transport that does CONNECT in its dialer, as programs do that
// know of no Transport.Proxy. Without a mistake it has no patience's end.
func tunnels(mistake string) harness.Maker {
	return func(t *harness.T, s harness.Settings) (http.RoundTripper, error) {
		proxy := strings.TrimPrefix(s.Proxy, "http://")
		s.Proxy = ""
		rt, err := harness.NetHTTP(t, s)
		if proxy == "" {
			return rt, err
		}
		tr := rt.(*http.Transport)
		tr.DialContext = func(_ context.Context, network, addr string) (net.Conn, error) {
			c, err := t.Net.DialContext(context.Background(), network, proxy)
			if err != nil {
				return nil, err
			}
			if err := connect(c, addr, mistake, tr); err != nil {
				if mistake != "refused and open" && !(mistake == "vetoed and open" && tr.OnProxyConnectResponse != nil) {
					c.Close()
				}
				return nil, err
			}
			return c, nil
		}
		return tr, err
	}
}

func connect(c net.Conn, addr, mistake string, tr *http.Transport) error {
	fmt.Fprintf(c, "CONNECT %s HTTP/1.1\r\nHost: %s\r\n\r\n", addr, addr)
	br := bufio.NewReader(c)
	if mistake == "one read" {
		p := make([]byte, 1000)
		n, _ := c.Read(p)
		br = bufio.NewReader(bytes.NewReader(p[:n]))
	}
	req := &http.Request{Method: "CONNECT"}
	resp, err := http.ReadResponse(br, req)
	switch {
	case err != nil:
		return err
	case tr.OnProxyConnectResponse != nil:
		return tr.OnProxyConnectResponse(context.Background(), &url.URL{}, req, resp)
	case resp.StatusCode != http.StatusOK:
		return errors.New(resp.Status)
	}
	return nil
}

// socks makes a transport that does SOCKS5 in its dialer.
func socks(mistake string) harness.Maker {
	return func(t *harness.T, s harness.Settings) (http.RoundTripper, error) {
		proxy := strings.TrimPrefix(s.Proxy, "socks5://")
		s.Proxy = ""
		rt, err := harness.NetHTTP(t, s)
		if proxy == "" {
			return rt, err
		}
		rt.(*http.Transport).DialContext = func(_ context.Context, network, addr string) (net.Conn, error) {
			c, err := t.Net.DialContext(context.Background(), network, proxy)
			if err != nil {
				return nil, err
			}
			host, _, _ := net.SplitHostPort(addr)
			answer := make([]byte, 12)
			c.Write([]byte{5, 1, 0})
			io.ReadFull(c, answer[:2])
			c.Write(append(append([]byte{5, 1, 0, 3, byte(len(host))}, host...), 443>>8, 443&0xff))
			_, err = io.ReadFull(c, answer[2:])
			if err == nil && answer[3] != 0 {
				err = fmt.Errorf("the proxy says %d", answer[3])
			}
			if err != nil {
				if mistake != "refused and open" {
					c.Close()
				}
				return nil, err
			}
			return c, nil
		}
		return rt, err
	}
}

func gullible(t *harness.T, s harness.Settings) (http.RoundTripper, error) {
	rt, err := harness.NetHTTP(t, s)
	rt.(*http.Transport).TLSClientConfig.InsecureSkipVerify = true
	return rt, err
}

// handshakes leaves a connection open whose handshake failed.
func handshakes(t *harness.T, s harness.Settings) (http.RoundTripper, error) {
	rt, err := harness.NetHTTP(t, s)
	rt.(*http.Transport).DialTLSContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		return dialTLS(t, network, addr, nil)
	}
	return rt, err
}

func dialTLS(t *harness.T, network, addr string, protocols []string) (net.Conn, error) {
	c, err := t.Net.DialContext(context.Background(), network, addr)
	if err != nil {
		return nil, err
	}
	host, _, _ := net.SplitHostPort(addr)
	tc := tls.Client(c, &tls.Config{RootCAs: harness.TrustedRoots(), ServerName: host, NextProtos: protocols})
	return tc, tc.Handshake()
}

// presumesHTTP2 speaks HTTP/2 on every connection over TLS.
func presumesHTTP2(t *harness.T, s harness.Settings) (http.RoundTripper, error) {
	tr := &http.Transport{Protocols: new(http.Protocols)}
	tr.Protocols.SetUnencryptedHTTP2(true)
	tr.DialContext = func(_ context.Context, network, addr string) (net.Conn, error) {
		return dialTLS(t, network, strings.TrimSuffix(addr, ":80")+":443", []string{"h2", "http/1.1"})
	}
	return roundTripper{tr, func(rt http.RoundTripper, req *http.Request) (*http.Response, error) {
		req = req.Clone(req.Context())
		req.URL.Scheme = "http"
		return rt.RoundTrip(req)
	}}, nil
}

// miniOverTLS makes the small transport, which reads nothing while a connection is
// idle.
func miniOverTLS(t *harness.T, s harness.Settings) (http.RoundTripper, error) {
	tr := &mini.Transport{DialContext: func(_ context.Context, network, addr string) (net.Conn, error) {
		return dialTLS(t, network, strings.TrimSuffix(addr, ":80")+":443", nil)
	}}
	return tr, s.Apply(tr)
}

// h2c returns the maker's transport over HTTP/2 without TLS, and overTLS with it.
func h2c(maker harness.Maker) harness.Maker {
	return func(t *harness.T, s harness.Settings) (http.RoundTripper, error) {
		rt, err := maker(t, s)
		var std *http.Transport
		switch rt := rt.(type) {
		case *http.Transport:
			std = rt
		case *badConns:
			std = rt.Transport
		case roundTripper:
			std = rt.RoundTripper.(*http.Transport)
		}
		std.Protocols = new(http.Protocols)
		std.Protocols.SetUnencryptedHTTP2(true)
		return rt, err
	}
}

func overTLS(maker harness.Maker) harness.Maker {
	return func(t *harness.T, s harness.Settings) (http.RoundTripper, error) {
		s.ForceAttemptHTTP2 = true
		return maker(t, s)
	}
}

// oneFate has all requests wait for the first, and fail with it.
func oneFate(t *harness.T, s harness.Settings) (http.RoundTripper, error) {
	rt, err := h2c(harness.NetHTTP)(t, s)
	var once sync.Once
	first := make(chan error, 1)
	return roundTripper{rt.(*http.Transport), func(rt http.RoundTripper, req *http.Request) (resp *http.Response, err error) {
		mine := false
		once.Do(func() { mine = true })
		if mine {
			resp, err = rt.RoundTrip(req)
			first <- err
			return resp, err
		}
		fate := <-first
		first <- fate
		if fate != nil {
			return nil, fate
		}
		return rt.RoundTrip(req)
	}}, err
}

// oneEach makes a transport for each request.
func oneEach(t *harness.T, s harness.Settings) (http.RoundTripper, error) {
	return &eachItsOwn{maker: func() *http.Transport {
		rt, _ := h2c(harness.NetHTTP)(t, s)
		return rt.(*http.Transport)
	}}, nil
}

type eachItsOwn struct {
	maker func() *http.Transport
	mu    sync.Mutex
	all   []*http.Transport
}

func (e *eachItsOwn) RoundTrip(req *http.Request) (*http.Response, error) {
	tr := e.maker()
	e.mu.Lock()
	e.all = append(e.all, tr)
	e.mu.Unlock()
	return tr.RoundTrip(req)
}

func (e *eachItsOwn) CloseIdleConnections() {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, tr := range e.all {
		tr.CloseIdleConnections()
	}
}

// ignoresHTTP2Config has a field HTTP2 and does not look at it.
func ignoresHTTP2Config(t *harness.T, s harness.Settings) (http.RoundTripper, error) {
	rt, err := h2c(harness.NetHTTP)(t, s)
	return &withHTTP2Config{Transport: rt.(*http.Transport)}, err
}

type withHTTP2Config struct {
	*http.Transport
	HTTP2 *http.HTTP2Config
}
