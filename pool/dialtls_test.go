package pool

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"slices"
	"testing"
	"testing/synctest"

	"golang.org/x/net/http2"
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

// The trace sees how the name is found, if the dialer is package net's.
func TestTraceOfDial(t *testing.T) {
	srv := serve(t, func(w http.ResponseWriter, r *http.Request) {})
	_, port, _ := net.SplitHostPort(srv.Listener.Addr().String())
	var events []string
	ctx := httptrace.WithClientTrace(context.Background(), &httptrace.ClientTrace{
		DNSStart: func(i httptrace.DNSStartInfo) { events = append(events, "DNSStart "+i.Host) },
		DNSDone:  func(i httptrace.DNSDoneInfo) { events = append(events, fmt.Sprint("DNSDone ", i.Err)) },
	})
	req, _ := http.NewRequestWithContext(ctx, "GET", "http://localhost:"+port, nil)
	resp, err := idle(t, &Transport{}).RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if want := []string{"DNSStart localhost", "DNSDone <nil>"}; !slices.Equal(events, want) {
		t.Errorf("trace: got %q, want %q", events, want)
	}
}

// A zero Transport, and one with HTTP/2 forced on, speak HTTP/2 with a server
// that does, and HTTP/1 with one that does not.
func TestServerChoosesProtocol(t *testing.T) {
	cert := certServer(t)
	for _, major := range []int{1, 2} {
		synctest.Test(t, func(t *testing.T) {
			tr := h2Bubble(t, cert, nil, func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.ProtoMajor) })
			if major == 1 {
				mem, l := memory("api.test:443")
				srv := &http.Server{
					Handler:      http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.ProtoMajor) }),
					ErrorLog:     quiet,
					TLSConfig:    &tls.Config{Certificates: cert.TLS.Certificates, Time: certTime},
					TLSNextProto: map[string]func(*http.Server, *tls.Conn, http.Handler){},
				}
				go srv.ServeTLS(l, "", "")
				t.Cleanup(func() { srv.Close() })
				tr.DialContext = mem.DialContext
			}
			if resp, b := fetch(t, tr, "https://api.test/"); resp.ProtoMajor != major || !bytes.Equal([]byte(b), fmt.Append(nil, major)) {
				t.Errorf("got %s and %q at the server, want HTTP/%d", resp.Proto, b, major)
			}
		})
	}
}

// TLSNextProto takes a connection over, for as long as it says it has one.
func TestTLSNextProto(t *testing.T) {
	cert := certServer(t)
	synctest.Test(t, func(t *testing.T) {
		mem, l := memory("api.test:443")
		srv := &http.Server{
			ErrorLog:  quiet,
			TLSConfig: &tls.Config{Certificates: cert.TLS.Certificates, Time: certTime, NextProtos: []string{"ours"}},
			TLSNextProto: map[string]func(*http.Server, *tls.Conn, http.Handler){
				"ours": func(_ *http.Server, c *tls.Conn, _ http.Handler) { c.Close() },
			},
		}
		go srv.ServeTLS(l, "", "")
		defer srv.Close()
		var made []*tls.Conn
		gone := false
		tr := &Transport{
			DialContext:     mem.DialContext,
			TLSClientConfig: &tls.Config{RootCAs: closer{cert}.roots(), ServerName: "example.com", Time: certTime, NextProtos: []string{"ours"}},
			MaxConnsPerHost: 1,
			TLSNextProto: map[string]func(string, *tls.Conn) http.RoundTripper{
				"ours": func(authority string, c *tls.Conn) http.RoundTripper {
					made = append(made, c)
					if authority != "api.test:443" {
						t.Errorf("authority: got %s, want the server's", authority)
					}
					return roundTripper(func(req *http.Request) (*http.Response, error) {
						if gone {
							gone = false
							return nil, http2.ErrNoCachedConn
						}
						return &http.Response{StatusCode: 299, Body: http.NoBody}, nil
					})
				},
			},
		}
		for range 2 {
			if resp, _ := fetch(t, tr, "https://api.test/"); resp.StatusCode != 299 {
				t.Errorf("status: got %d, want that of the other protocol", resp.StatusCode)
			}
		}
		if len(made) != 1 {
			t.Errorf("connections: got %d, want 1", len(made))
		}
		tr.CloseIdleConnections()
		synctest.Wait()
		if _, err := made[0].Write(nil); err != nil {
			t.Errorf("after CloseIdleConnections: got %v, want it left to the one that has it", err)
		}
		gone = true
		fetch(t, tr, "https://api.test/")
		if len(made) != 2 {
			t.Errorf("connections after it was gone: got %d, want 2", len(made))
		}
		for _, c := range made {
			c.Close()
		}
	})
}
