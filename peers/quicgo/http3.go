package quicgo

import (
	"cmp"
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"

	"github.com/halfopen/halfopen/harness"
	"github.com/halfopen/halfopen/suites"
)

// HTTP3Subject returns quic-go/http3 as a subject, with its server.
func HTTP3Subject() suites.Subject {
	return suites.Subject{Name: "quic-go/http3", Protocol: suites.H3, Maker: HTTP3, Server: ServeHTTP3, Quirks: http3Quirks}
}

// HTTP3 makes an [http3.Transport], which dials from a socket of its own each time. It is a
// Maker. A handshake may stand still for a minute, for a case that lets time pass during one.
func HTTP3(t *harness.T, s harness.Settings) (http.RoundTripper, error) {
	tr := &http3.Transport{
		TLSClientConfig: &tls.Config{RootCAs: harness.TrustedRoots()},
		QUICConfig:      &quic.Config{HandshakeIdleTimeout: cmp.Or(s.TLSHandshakeTimeout, time.Minute)},
		Dial: func(ctx context.Context, addr string, config *tls.Config, q *quic.Config) (*quic.Conn, error) {
			return dialQUIC(ctx, t, addr, config, q)
		},
	}
	s.TLSHandshakeTimeout = 0
	t.Cleanup(func() { tr.Close() })
	return tr, s.Apply(tr)
}

// dialQUIC opens a connection from a socket of its own, which is closed with it.
func dialQUIC(ctx context.Context, t *harness.T, addr string, config *tls.Config, q *quic.Config) (*quic.Conn, error) {
	to, err := t.Net.DialPacket("udp", addr) // which looks the name up
	if err != nil {
		return nil, err
	}
	to.Close()
	socket, err := t.Net.ListenPacket("udp", ":0")
	if err != nil {
		return nil, err
	}
	c, err := quic.DialEarly(ctx, socket, to.RemoteAddr(), config, q)
	if err != nil {
		socket.Close()
		return nil, err
	}
	go func() {
		<-c.Context().Done()
		socket.Close()
	}()
	return c, nil
}

// ServeHTTP3 runs an [http3.Server]: it is a [suites.Server].
func ServeHTTP3(t *harness.T, addr string, h http.Handler) {
	serveHTTP3(t, addr, h, &quic.Config{HandshakeIdleTimeout: time.Minute, Allow0RTT: true})
}

// serveHTTP3 does the same, with that configuration of QUIC.
func serveHTTP3(t *harness.T, addr string, h http.Handler, q *quic.Config) {
	t.ServeUDP(addr, h, func(c net.PacketConn, config *tls.Config, h http.Handler) (stop func()) {
		s := &http3.Server{Handler: h, TLSConfig: http3.ConfigureTLSConfig(config), QUICConfig: q}
		go s.Serve(c)
		return func() { s.Close() }
	})
}
