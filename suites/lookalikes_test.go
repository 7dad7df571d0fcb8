package suites_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"testing"

	"github.com/halfopen/halfopen/harness"
	"github.com/halfopen/halfopen/suites"
)

// lookalike is a transport that keeps a promise otherwise than net/http does, and what cases come to.
type lookalike struct {
	name          string
	maker         harness.Maker
	held, refused []string
}

// over is net/http's transport with something in front of it, which has no other method.
func over(do func(rt http.RoundTripper, req *http.Request) (*http.Response, error)) harness.Maker {
	return func(t *harness.T, s harness.Settings) (http.RoundTripper, error) {
		rt, err := harness.NetHTTP(t, s)
		return doing(func(req *http.Request) (*http.Response, error) { return do(rt, req) }), err
	}
}

type doing func(*http.Request) (*http.Response, error)

func (d doing) RoundTrip(req *http.Request) (*http.Response, error) { return d(req) }

var lookalikes = []lookalike{
	{"no CloseIdleConnections", over(http.RoundTripper.RoundTrip), []string{"reuse-sequential"},
		[]string{"close-all-idle", "close-in-use-kept", "tls-alpn-changes", "trace-got-conn", "body-close-idle", "cancel-all"}},
	{"no hooks", over(func(rt http.RoundTripper, req *http.Request) (*http.Response, error) {
		return rt.RoundTrip(req.WithContext(hookless{req.Context()}))
	}), []string{"cancel-at-callbacks"}, []string{"trace-order", "trace-handshake", "cancel-in-callback", "retry-at-callback", "body-hints-seen"}},
	{"no compression of its own", func(t *harness.T, s harness.Settings) (http.RoundTripper, error) {
		if s.DisableCompression {
			return nil, errors.New("it never asks for any")
		}
		s.DisableCompression = true
		return harness.NetHTTP(t, s)
	}, []string{"body-gzip-range"}, []string{"body-gzip-asked", "body-gzip-fields", "body-gzip-broken", "body-gzip-closed-while-read"}},
	{"no limit of idle connections", func(t *harness.T, s harness.Settings) (http.RoundTripper, error) {
		if s.MaxIdleConnsPerHost > 0 {
			return nil, errors.New("it keeps all")
		}
		s.MaxIdleConnsPerHost = 100
		return harness.NetHTTP(t, s)
	}, nil, []string{"idle-default-per-host"}},
	{"a length that is said twice is refused", func(t *harness.T, s harness.Settings) (http.RoundTripper, error) {
		rt, err := harness.NetHTTP(t, s)
		tr := rt.(*http.Transport)
		dial := tr.DialContext
		tr.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
			c, err := dial(ctx, network, addr)
			return refusingTwice{c}, err
		}
		return tr, err
	}, []string{"body-framing"}, nil},
	{"a header is added to the request's own", over(func(rt http.RoundTripper, req *http.Request) (*http.Response, error) {
		if req.URL.Host == "api.test" && req.Header == nil {
			panic("assignment to entry in nil map") // what that would do
		}
		return rt.RoundTrip(req)
	}), []string{"route-request-empty"}, nil},
	{"a body is kept, to be sent again", over(func(rt http.RoundTripper, req *http.Request) (*http.Response, error) {
		if req.Body == nil {
			return rt.RoundTrip(req)
		}
		b, err := io.ReadAll(req.Body)
		req.Body.Close()
		if err != nil {
			return nil, err
		}
		req = req.Clone(req.Context())
		req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b)), nil }
		req.Body, _ = req.GetBody()
		return rt.RoundTrip(req)
	}), []string{"retry-get-body-fails", "retry-no-get-body"}, nil},
	{"an error says more than its cause", over(func(rt http.RoundTripper, req *http.Request) (*http.Response, error) {
		resp, err := rt.RoundTrip(req)
		if err != nil {
			err = fmt.Errorf("giving up: %w", err)
		}
		return resp, err
	}), []string{"trace-handshake"}, nil},
	{"a dial ends with its request", func(t *harness.T, s harness.Settings) (http.RoundTripper, error) {
		return doing(func(req *http.Request) (*http.Response, error) {
			c, err := t.Net.DialContext(req.Context(), "tcp", "api.test:80")
			if err != nil {
				return nil, err
			}
			req.Close = true
			if err := req.Write(c); err != nil {
				return nil, err
			}
			resp, err := http.ReadResponse(bufio.NewReader(c), req)
			if err != nil {
				return nil, err
			}
			resp.Body = struct {
				io.Reader
				io.Closer
			}{resp.Body, c}
			return resp, nil
		}), nil
	}, []string{"cancel-late-failure"}, nil},
}

// hookless is a context without hooks of package httptrace: without any value, for that.
type hookless struct{ context.Context }

func (hookless) Value(any) any { return nil }

// refusingTwice is a connection whose reader takes a length that is said twice for a mistake.
type refusingTwice struct{ net.Conn }

func (c refusingTwice) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	length := []byte("Content-Length: 2\r\n")
	if twice := bytes.Repeat(length, 2); bytes.Contains(p[:n], twice) {
		copy(p[bytes.Index(p[:n], twice):], "Content-Length: 3\r\n")
	}
	return n, err
}

// No case fails for a transport that keeps its promise in another way, or that promises less.
func TestLookalikes(t *testing.T) {
	all := suites.Cases()
	for _, l := range lookalikes {
		s := suites.Subject{Name: l.name, Protocol: suites.HTTP1, Maker: l.maker}
		want := map[suites.State][]string{suites.Held: l.held, suites.NotApplicable: l.refused}
		for state, names := range want {
			for _, name := range names {
				i := slices.IndexFunc(all, func(c suites.Case) bool { return c.Name == name })
				if r := s.Run(all[i]); r.State != state {
					t.Errorf("%s: %s: got %s %s, want %s\n%s", l.name, name, r.State, r.Reason, state, r.Report)
				}
			}
		}
	}
}

// A pool may leave the context to its user, as long as it does not have to wait: a connection that
// it hands out although the context is done goes back unused.
func TestPoolThatIgnoresContexts(t *testing.T) {
	pool := suites.PoolSubject("ignores contexts", func(dial func(context.Context) (net.Conn, error), s suites.ClientSettings) (suites.ConnPool, error) {
		idle := make(chan net.Conn, 10)
		get := func(ctx context.Context) (l suites.Lease, err error) {
			select {
			case l.Conn = <-idle:
			default:
				l.Conn, err = dial(ctx)
			}
			l.Put, l.Discard = func() { idle <- l.Conn }, func() { l.Conn.Close() }
			return l, err
		}
		return suites.NewPool(get, func() error {
			for len(idle) > 0 {
				(<-idle).Close()
			}
			return nil
		}), nil
	}).Subject()
	cases := suites.ClientCases()
	c := cases[slices.IndexFunc(cases, func(c suites.Case) bool { return c.Name == "cancel-before-idle" })]
	if r := pool.Run(c); r.State != suites.Held {
		t.Errorf("got %s, want it held:\n%s", r.State, r.Report)
	}
}
