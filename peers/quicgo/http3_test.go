package quicgo

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"

	"github.com/halfopen/halfopen/faultnet"
	"github.com/halfopen/halfopen/harness"
	"github.com/halfopen/halfopen/suites"
)

// What QUIC does that no other protocol of the cases has. Connections do not move: migration is
// left out.

// http3Transport makes a transport, or ends the test.
func http3Transport(t *harness.T) *http3.Transport {
	rt, err := HTTP3(t, harness.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	return rt.(*http3.Transport)
}

func TestTransport(t *testing.T) { suites.TestSubject(t, HTTP3Subject()) }

// Each quirk describes its mechanism, says which promise it breaks or that it breaks none, and in
// which versions it was seen.
func TestQuirks(t *testing.T) {
	for _, q := range http3Quirks {
		if q.Reason == "" || q.Breaks == "" || q.Versions != quicVersion {
			t.Errorf("%s: a quirk without reason, promise or version", q.Case)
		}
	}
}

// wantTest fails the test if the run fails.
func wantTest(t *testing.T, body func(t *harness.T)) {
	t.Helper()
	if r := harness.TestReport(t.Name(), body); r.Failed() {
		t.Errorf("%s", r)
	}
}

// wantFlows expects that n connections have been opened, from a socket each, and that so many
// are open.
func wantFlows(t *harness.T, opened, open int) {
	t.Settle()
	if got := t.Net.Raw().Flows(); got != opened {
		t.Errorf("got %d connections opened, want %d", got, opened)
	}
	got := 0
	for _, c := range t.Net.Raw().PacketConns() {
		if strings.HasSuffix(c.Address(), ":0") {
			got++
		}
	}
	if got != open {
		t.Errorf("got %d connections open, want %d", got, open)
	}
}

// A connection that is idle for 30 seconds is closed at both ends without a word, and the next
// request opens another one.
func TestHTTP3IdleTimeout(t *testing.T) {
	wantTest(t, func(t *harness.T) {
		ServeHTTP3(t, "api.test:443", nil)
		tr := http3Transport(t)
		t.Get("r1", tr, "https://api.test/").WantBody("ok")
		t.Advance(29 * time.Second)
		wantFlows(t, 1, 1)
		t.Get("r2", tr, "https://api.test/").WantBody("ok", "it is on the same connection")
		t.Advance(31 * time.Second)
		wantFlows(t, 1, 0)
		t.Get("r3", tr, "https://api.test/").WantBody("ok")
		wantFlows(t, 2, 1)
	})
}

// No program has the port. The socket was not dialed, so that no answer of the network is
// reported, and the handshake fails when it has made no progress for its time.
func TestHTTP3NoServer(t *testing.T) {
	wantTest(t, func(t *harness.T) {
		ServeHTTP3(t, "api.test:443", nil)
		r := t.Get("r1", http3Transport(t), "https://api.test:444/")
		t.Advance(59 * time.Second)
		r.WantPending("HandshakeIdleTimeout is a minute")
		t.Advance(time.Minute)
		var idle *quic.IdleTimeoutError
		var handshake *quic.HandshakeTimeoutError
		if err := r.Err(); !errors.As(err, &idle) && !errors.As(err, &handshake) {
			t.Errorf("got %v, want a timeout", err)
		}
		wantFlows(t, 1, 0)
	})
}

// A server that shuts down (GOAWAY) finishes the request that is under way. The next one dials,
// and fails in the time of a handshake: it is not sent on the connection that ends.
func TestHTTP3GoAway(t *testing.T) {
	wantTest(t, func(t *harness.T) {
		var s *http3.Server
		release := make(chan struct{})
		t.ServeUDP("api.test:443", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, "begin ")
			w.(http.Flusher).Flush()
			if r.URL.Path == "/slow" {
				<-release
			}
			io.WriteString(w, "end")
		}), func(c net.PacketConn, config *tls.Config, h http.Handler) func() {
			s = &http3.Server{Handler: h, TLSConfig: http3.ConfigureTLSConfig(config)}
			go s.Serve(c)
			return func() { s.Close() }
		})
		tr := http3Transport(t)
		r1 := t.Get("r1", tr, "https://api.test/slow")
		r1.WantStatus(200)
		down := make(chan error, 1)
		go func() { down <- s.Shutdown(context.Background()) }()
		t.Settle()
		select {
		case err := <-down:
			t.Errorf("got Shutdown returned %v while a request is under way", err)
		default:
		}
		r2 := t.Get("r2", tr, "https://api.test/")
		t.Advance(10 * time.Second)
		close(release)
		t.Settle()
		r1.WantBody("begin end", "it began before the server shut down")
		t.Settle()
		select {
		case err := <-down:
			if err != nil {
				t.Errorf("got %v from Shutdown", err)
			}
		default:
			t.Error("Shutdown did not return behind the last request")
		}
		t.Advance(2 * time.Minute)
		var timeout net.Error
		if r2.Sent() > 0 || !errors.As(r2.Err(), &timeout) || !timeout.Timeout() {
			t.Errorf("r2: got %s, sent %d times, want a timeout: no server takes it", r2, r2.Sent())
		}
	})
}

// resuming returns a transport that keeps its sessions.
func resuming(t *harness.T) *http3.Transport {
	tr := http3Transport(t)
	tr.TLSClientConfig.ClientSessionCache = tls.NewLRUClientSessionCache(10)
	return tr
}

// A request that may be sent in 0-RTT is answered on a resumed connection. Where the server
// refuses 0-RTT, the request fails with the error that quic-go's documentation has for that, and
// no server has got it. The next request is answered.
func TestHTTP3ZeroRTT(t *testing.T) {
	for _, refuses := range []bool{false, true} {
		wantTest(t, func(t *harness.T) {
			q := &quic.Config{Allow0RTT: true}
			serveHTTP3(t, "api.test:443", nil, q)
			tr := resuming(t)
			t.Get("r1", tr, "https://api.test/").WantBody("ok")
			t.Advance(time.Second) // for the session ticket
			t.Advance(time.Minute)
			wantFlows(t, 1, 0)
			if refuses {
				q.Allow0RTT = false
				t.Net.Kill("api.test:443")
				t.Net.Restart("api.test")
			}
			req, _ := http.NewRequest(http3.MethodGet0RTT, "https://api.test/", nil)
			r2 := t.Start("r2", tr, req)
			t.Advance(10 * time.Second)
			used := r2.Response() != nil && r2.Response().TLS.DidResume
			switch {
			case refuses && (r2.Sent() > 0 || !errors.Is(r2.Err(), quic.Err0RTTRejected)):
				t.Errorf("r2: got %v, sent %d times, want %v and none", r2.Err(), r2.Sent(), quic.Err0RTTRejected)
			case !refuses && (r2.Sent() != 1 || !used):
				t.Errorf("r2: got it sent %d times, resumed %t, want once on a resumed connection", r2.Sent(), used)
			case !refuses:
				r2.WantBody("ok")
			}
			t.Get("r3", tr, "https://api.test/").WantBody("ok", "r2 has left the transport as it was")
		})
	}
}

// A server that asks each client to prove its address (Retry) costs one more round trip, and a
// Retry that is lost, doubled or overtaken costs no more than time.
func TestHTTP3Retry(t *testing.T) {
	for _, fault := range []string{"", "drop", "duplicate", "delay:300ms"} {
		wantTest(t, func(t *harness.T) {
			t.ServeUDP("api.test:443", nil, func(c net.PacketConn, config *tls.Config, h http.Handler) func() {
				listens := &quic.Transport{Conn: c, VerifySourceAddress: func(net.Addr) bool { return true }}
				l, err := listens.ListenEarly(http3.ConfigureTLSConfig(config), &quic.Config{})
				if err != nil {
					t.Error(err)
					return func() {}
				}
				s := &http3.Server{Handler: h}
				go s.ServeListener(l)
				return func() {
					s.Close()
					l.Close()
					listens.Close()
				}
			})
			var first []byte
			t.Net.Hold("packet u1 server->client 1")
			r := t.Get("r1", http3Transport(t), "https://api.test/")
			for _, e := range t.Net.Pending() {
				first = bytes.Clone(e.Bytes())
			}
			// RFC 9000 section 17.2.5: a long header of type 3.
			if len(first) == 0 || first[0]&0xf0 != 0xf0 {
				t.Errorf("got %x, want a Retry packet", first[:min(len(first), 8)])
			}
			if fault != "" {
				v, err := faultnet.ParseVerdict(fault)
				if err != nil {
					t.Fatal(err)
				}
				t.Net.Let("packet u1 server->client 1", v)
			}
			t.Net.Release("packet u1 server->client 1")
			r.Await()
			r.WantBody("ok")
			r.WantSent(1)
			wantFlows(t, 1, 1)
		})
	}
}

// The network has a smaller MTU than QUIC's datagrams, and says nothing: the handshake cannot
// succeed, and its error is a timeout. With the smallest MTU that QUIC asks for it succeeds.
func TestHTTP3SmallMTU(t *testing.T) {
	for mtu, works := range map[int]bool{1199: false, 1280: true} {
		wantTest(t, func(t *harness.T) {
			ServeHTTP3(t, "api.test:443", nil)
			t.Net.Shape("packet", faultnet.TooBig(mtu))
			r := t.Get("r1", http3Transport(t), "https://api.test/bytes/5000")
			r.Await()
			var timeout net.Error
			if works {
				r.WantStatus(200)
				r.Finish()
			} else if !errors.As(r.Err(), &timeout) || !timeout.Timeout() {
				t.Errorf("got %v, want a timeout", r.Err())
			}
		})
	}
}
