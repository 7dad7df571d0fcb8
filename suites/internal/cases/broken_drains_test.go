package cases_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"slices"
	"testing"

	"github.com/halfopen/halfopen/harness"
	"github.com/halfopen/halfopen/internal/mini"
	"github.com/halfopen/halfopen/suites"
)

// draining makes the small transport that drains bodies, with one of its mistakes.
func draining(bug string) harness.Maker {
	return func(t *harness.T, s harness.Settings) (http.RoundTripper, error) {
		tr := &mini.Transport{DialContext: t.Net.DialContext, Drain: true, Bug: bug}
		return tr, s.Apply(tr)
	}
}

// racy is the mistake that is a data race: under -race the detector reports it, and that
// fails the test.
const racy = "a trailer that is drained is written to the response"

// A transport that drains bodies is right, and one that closes their connections too,
// whatever the version of Go.
func TestDrainedOrClosed(t *testing.T) {
	all := suites.Cases()
	for _, name := range []string{"body-drained", "body-drain-bounded", "body-closed-while-read-rest", "body-closed-after-error",
		"body-trailer-after-close", "close-while-drained", "body-closed-early", "body-closed-while-read"} {
		i := slices.IndexFunc(all, func(c suites.Case) bool { return c.Name == name })
		if i < 0 {
			t.Fatalf("there is no case %s", name)
		}
		for _, s := range []suites.Subject{{Name: "drains", Maker: draining("")}, {Name: "closes", Maker: withBug("")}} {
			s.Protocol = suites.HTTP1
			if r := s.Run(all[i]); r.State != suites.Held {
				t.Errorf("%s: got %s on a transport that %s what is left of a body: %s\n%s", name, r.State, s.Name, r.Reason, r.Report)
			}
		}
	}
}

// entangled has bodies whose Close has what the end of a Read needs, and waits for that
// Read: only the end of the request frees both.
func entangled(rt http.RoundTripper, req *http.Request) (*http.Response, error) {
	resp, err := rt.RoundTrip(req)
	if err == nil {
		resp.Body = entangledBody{resp.Body, req.Context().Done(), make(chan struct{}, 1), make(chan struct{}, 1)}
	}
	return resp, err
}

type entangledBody struct {
	io.ReadCloser
	over           <-chan struct{}
	reading, state chan struct{}
}

// take takes one of the two, and returns how to give it back.
func (b entangledBody) take(what chan struct{}) (giveBack func()) {
	select {
	case what <- struct{}{}:
		return func() { <-what }
	case <-b.over:
		return func() {}
	}
}

func (b entangledBody) Read(p []byte) (int, error) {
	defer b.take(b.reading)()
	n, err := b.ReadCloser.Read(p)
	defer b.take(b.state)()
	return n, err
}

func (b entangledBody) Close() error {
	defer b.take(b.state)()
	defer b.take(b.reading)()
	return b.ReadCloser.Close()
}

// asksNobody is net/http's transport, to which what DialTLSContext returns is a
// connection like any other.
func asksNobody(t *harness.T, s harness.Settings) (http.RoundTripper, error) {
	rt, err := harness.NetHTTP(t, s)
	return &withDialTLS{Transport: rt.(*http.Transport)}, err
}

type withDialTLS struct {
	*http.Transport
	DialTLSContext func(ctx context.Context, network, addr string) (net.Conn, error)
}

func (d *withDialTLS) RoundTrip(req *http.Request) (*http.Response, error) {
	if dial := d.DialTLSContext; dial != nil && d.Transport.DialTLSContext == nil {
		d.Transport.DialTLSContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
			c, err := dial(ctx, network, addr)
			if err != nil {
				return nil, err
			}
			return struct{ net.Conn }{c}, nil
		}
	}
	return d.Transport.RoundTrip(req)
}
