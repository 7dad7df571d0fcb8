package pool

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"slices"
	"testing"
	"testing/synctest"
)

// statedConn has what DialTLSContext's connection needs for ALPN to count, and
// is no tls.Conn.
type statedConn struct {
	net.Conn
	tc *tls.Conn
}

func (c statedConn) ConnectionState() tls.ConnectionState { return c.tc.ConnectionState() }

// handshakeConn is a statedConn that leaves its handshake to the transport.
type handshakeConn struct{ statedConn }

func (c handshakeConn) HandshakeContext(ctx context.Context) error { return c.tc.HandshakeContext(ctx) }

// What DialTLSContext returns need not be a tls.Conn: with the same
// ConnectionState method it says which protocol ALPN settled on, and that is
// spoken. One that has HandshakeContext too is brought past its handshake.
func TestDialTLSContextAnyConn(t *testing.T) {
	cert := certServer(t)
	for _, tt := range []struct {
		protos []string
		later  bool // the handshake is left to the transport
		major  int
	}{
		{[]string{"h2", "http/1.1"}, false, 2},
		{[]string{"h2", "http/1.1"}, true, 2},
		{[]string{"http/1.1"}, false, 1},
		{[]string{"http/1.1"}, true, 1},
		{nil, true, 1},
	} {
		synctest.Test(t, func(t *testing.T) {
			tr := h2Bubble(t, cert, nil, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.Proto) })
			dial, conf := tr.DialContext, tr.TLSClientConfig
			conf.NextProtos = tt.protos
			tr.DialContext, tr.TLSClientConfig = nil, nil
			tr.DialTLSContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
				c, _ := dial(ctx, network, addr)
				tc := tls.Client(c, conf)
				if tt.later {
					return handshakeConn{statedConn{tc, tc}}, nil
				}
				return statedConn{tc, tc}, tc.HandshakeContext(ctx)
			}
			var events []string
			ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{
				TLSHandshakeStart: func() { events = append(events, "start") },
				TLSHandshakeDone: func(s tls.ConnectionState, err error) {
					events = append(events, "done "+s.NegotiatedProtocol)
				},
			})
			for range 2 {
				req, _ := http.NewRequestWithContext(ctx, "GET", "https://api.test/", nil)
				resp, err := tr.RoundTrip(req)
				if err != nil {
					t.Fatalf("%v: got %v", tt, err)
				}
				io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
				if resp.ProtoMajor != tt.major || resp.TLS == nil || !resp.TLS.HandshakeComplete {
					t.Errorf("%v: got %s, TLS %v, want HTTP/%d and its state", tt, resp.Proto, resp.TLS, tt.major)
				}
			}
			done := "done "
			if tt.protos != nil {
				done += tt.protos[0]
			}
			if st := tr.Stats(); st.Dials != 1 || !slices.Equal(events, []string{"start", done}) {
				t.Errorf("%v: got %d dials, and the trace saw %q, want one and %q", tt, st.Dials, events, done)
			}
		})
	}
}

// A handshake that such a connection is asked for, and that fails, closes it and
// is the request's error.
func TestDialTLSContextHandshakeFails(t *testing.T) {
	tr := &Transport{}
	run(t, tr, func(s *script) {
		dial := tr.DialContext
		tr.DialTLSContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
			c, err := dial(ctx, network, addr)
			return failingConn{c}, err
		}
		tr.DialContext = nil
		req := s.request("GET", nil)
		req.URL.Scheme = "https"
		r1 := s.do("r1", req)
		c1 := s.wantDial().open()
		r1.wantErr(errRefused)
		c1.wantClosed("its handshake failed")
	})
}

type failingConn struct{ net.Conn }

func (failingConn) ConnectionState() tls.ConnectionState   { return tls.ConnectionState{} }
func (failingConn) HandshakeContext(context.Context) error { return errRefused }

// The functions of TLSNextProto take a tls.Conn: a connection of another type is
// not theirs, and what is spoken is HTTP/1.1.
func TestTLSNextProtoAnyConn(t *testing.T) {
	tr := &Transport{TLSNextProto: map[string]func(string, *tls.Conn) http.RoundTripper{
		"ours": func(string, *tls.Conn) http.RoundTripper {
			return roundTripper(func(*http.Request) (*http.Response, error) { return nil, errors.New("got a request") })
		},
	}}
	run(t, tr, func(s *script) {
		dial := tr.DialContext
		tr.DialTLSContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
			c, err := dial(ctx, network, addr)
			return settledConn{c}, err
		}
		tr.DialContext = nil
		req := s.request("GET", nil)
		req.URL.Scheme = "https"
		r1 := s.do("r1", req)
		c1 := s.wantDial().open()
		c1.wantRequest()
		c1.send(okBody)
		if got := r1.wantResponse().TLS; got == nil || got.NegotiatedProtocol != "ours" {
			t.Errorf("TLS: got %v, want what the connection says", got)
		}
		r1.wantDone("hello")
	})
}

type settledConn struct{ net.Conn }

func (settledConn) ConnectionState() tls.ConnectionState {
	return tls.ConnectionState{NegotiatedProtocol: "ours", HandshakeComplete: true}
}
