package pool

// Stage 5: dialConn.
//
// The dial's goroutine owns the connection: TCP, TLS, the way through a proxy,
// TLS again. It closes what it opened if a later step fails.

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"time"

	"golang.org/x/net/proxy"
)

// dialConn makes a connection that can carry requests to dst.
func (t *Transport) dialConn(ctx context.Context, dst *destination) (*persistConn, error) {
	conn, state, err := t.firstHop(ctx, dst)
	if err != nil {
		if dst.proxyURL != nil {
			err = &net.OpError{Op: "proxyconnect", Net: "tcp", Err: err}
		}
		return nil, err
	}
	if dst.proxyURL != nil && !dst.plainProxy() {
		if err := t.throughProxy(ctx, dst, conn); err != nil {
			conn.Close()
			return nil, err
		}
		state = nil // what the proxy negotiated is not the server's
		if dst.scheme == "https" {
			if conn, state, err = t.handshake(ctx, conn, hostOnly(dst.target), t.offers(dst)); err != nil {
				return nil, err
			}
		}
	}
	return t.speak(ctx, dst, conn, state)
}

// firstHop connects to the server, or to its proxy.
func (t *Transport) firstHop(ctx context.Context, dst *destination) (net.Conn, *tls.ConnectionState, error) {
	secure := dst.firstScheme() == "https"
	if secure && (t.DialTLSContext != nil || t.DialTLS != nil) {
		return t.dialTLS(ctx, dst.firstAddr())
	}
	conn, err := t.dial(ctx, dst.firstAddr())
	if err != nil || !secure {
		return conn, nil, err
	}
	var protos []string // a proxy is spoken to in HTTP/1.1
	if dst.proxyURL == nil {
		protos = t.offers(dst)
	}
	return t.handshake(ctx, conn, hostOnly(dst.firstAddr()), protos)
}

// errNilConn returns the error of a function that returned neither a connection nor an
// error.
func errNilConn(function string) error {
	return fmt.Errorf("pool: Transport.%s returned (nil, nil)", function)
}

func (t *Transport) dial(ctx context.Context, addr string) (conn net.Conn, err error) {
	hook := "DialContext hook"
	switch {
	case t.DialContext != nil:
		conn, err = t.DialContext(ctx, "tcp", addr)
	case t.Dial != nil:
		hook = "Dial hook"
		conn, err = t.Dial("tcp", addr)
	default:
		var d net.Dialer
		return d.DialContext(ctx, "tcp", addr)
	}
	if conn == nil && err == nil {
		err = errNilConn(hook)
	}
	return conn, err
}

// dialTLS uses the caller's dialer, and finishes the handshake if that left it
// open: ALPN has to be known.
func (t *Transport) dialTLS(ctx context.Context, addr string) (conn net.Conn, state *tls.ConnectionState, err error) {
	if t.DialTLSContext != nil {
		conn, err = t.DialTLSContext(ctx, "tcp", addr)
	} else {
		conn, err = t.DialTLS("tcp", addr)
	}
	if conn == nil && err == nil {
		err = errNilConn("DialTLS or DialTLSContext")
	}
	if err != nil {
		return nil, nil, err
	}
	if tc, ok := conn.(secureConn); ok {
		return t.finishHandshake(ctx, tc)
	}
	return conn, nil, nil
}

// A secureConn says what its handshake came to: a [*tls.Conn], or what another
// implementation of TLS has in its place.
type secureConn interface {
	net.Conn
	ConnectionState() tls.ConnectionState
}

// handshake puts TLS on conn. If it fails conn is closed.
func (t *Transport) handshake(ctx context.Context, conn net.Conn, name string, protos []string) (net.Conn, *tls.ConnectionState, error) {
	cfg := &tls.Config{}
	if t.TLSClientConfig != nil {
		cfg = t.TLSClientConfig.Clone()
	}
	if cfg.ServerName == "" {
		cfg.ServerName = name
	}
	cfg.NextProtos = protos
	if d := t.TLSHandshakeTimeout; d > 0 {
		var stop func()
		ctx, stop = t.withTimeout(ctx, d, errHandshakeTimeout)
		defer stop()
	}
	return t.finishHandshake(ctx, tls.Client(conn, cfg))
}

// finishHandshake completes the handshake of tc, if tc has a method for that. If
// it fails, finishHandshake closes tc.
func (t *Transport) finishHandshake(ctx context.Context, tc secureConn) (net.Conn, *tls.ConnectionState, error) {
	trace := httptrace.ContextClientTrace(ctx)
	if trace != nil && trace.TLSHandshakeStart != nil {
		trace.TLSHandshakeStart()
	}
	var err error
	if h, ok := tc.(interface{ HandshakeContext(context.Context) error }); ok {
		err = h.HandshakeContext(ctx)
	}
	_, std := tc.(*tls.Conn)
	closed := std && err != nil && err == ctx.Err() // by crypto/tls, which does that when ctx ends
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	var state tls.ConnectionState
	if err == nil {
		state = tc.ConnectionState()
	}
	if trace != nil && trace.TLSHandshakeDone != nil {
		trace.TLSHandshakeDone(state, err)
	}
	if err != nil {
		if !closed {
			closeBluntly(tc) // the peer may be the reason for the delay
		}
		return nil, nil, err
	}
	return tc, &state, nil
}

// withTimeout does what [context.WithTimeoutCause] does, on the transport's clock.
func (t *Transport) withTimeout(ctx context.Context, d time.Duration, why error) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	timer := t.clock().AfterFunc(d, func() { cancel(why) })
	return ctx, func() {
		timer.Stop()
		cancel(nil)
	}
}

// proxyTimeout bounds what a proxy takes to connect. No request's own timeout
// does: the dial is not bound to it (golang/go#28012).
const proxyTimeout = time.Minute

// throughProxy makes conn, which leads to a proxy, lead to dst. The caller
// closes conn if it fails.
func (t *Transport) throughProxy(ctx context.Context, dst *destination, conn net.Conn) error {
	asked := ctx
	ctx, stop := t.withTimeout(ctx, proxyTimeout, errProxyTimeout)
	defer stop()
	unwatch := context.AfterFunc(ctx, func() { conn.Close() })
	var err error
	var req *http.Request
	var resp *http.Response
	if dst.socks() {
		err = socks(ctx, dst, conn)
	} else {
		req, resp, err = t.connect(ctx, dst, conn)
	}
	if !unwatch() {
		return context.Cause(ctx)
	}
	if err != nil || dst.socks() {
		return err
	}
	if f := t.OnProxyConnectResponse; f != nil {
		if err := f(asked, dst.proxyURL, req, resp); err != nil {
			return err // the caller closes the connection (golang/go#64804)
		}
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("pool: the proxy answered CONNECT with %s", statusLine(resp))
	}
	return nil
}

// statusLine returns the code of a response and what its status line says behind it.
func statusLine(resp *http.Response) string {
	if strings.Contains(resp.Status, " ") {
		return resp.Status
	}
	return resp.Status + " unknown status code"
}

// connect asks an HTTP proxy for a tunnel.
func (t *Transport) connect(ctx context.Context, dst *destination, conn net.Conn) (*http.Request, *http.Response, error) {
	header := t.ProxyConnectHeader
	if t.GetProxyConnectHeader != nil {
		var err error
		if header, err = t.GetProxyConnectHeader(ctx, dst.proxyURL, dst.target); err != nil {
			return nil, nil, err
		}
	}
	header = header.Clone()
	if header == nil {
		header = make(http.Header)
	}
	if auth := proxyAuth(dst.proxyURL); auth != "" {
		header.Set("Proxy-Authorization", auth)
	}
	req := &http.Request{
		Method: "CONNECT",
		URL:    &url.URL{Opaque: dst.target},
		Host:   dst.target,
		Header: header,
	}
	if err := req.Write(conn); err != nil {
		return nil, nil, err
	}
	// This reader would lose what it reads ahead, but there is nothing to read
	// ahead: a TLS server waits for the client's first message.
	br := bufio.NewReader(io.LimitReader(conn, t.maxHeaderBytes()))
	resp, err := http.ReadResponse(br, req)
	return req, resp, err
}

// proxyAuth returns the value of Proxy-Authorization for the user in u, or "".
func proxyAuth(u *url.URL) string {
	if u == nil || u.User == nil {
		return ""
	}
	password, _ := u.User.Password()
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(u.User.Username()+":"+password))
}

// socks asks a SOCKS5 proxy for a tunnel (RFC 1928, RFC 1929).
func socks(ctx context.Context, dst *destination, conn net.Conn) error {
	var auth *proxy.Auth
	if u := dst.proxyURL.User; u != nil {
		auth = &proxy.Auth{User: u.Username()}
		auth.Password, _ = u.Password()
	}
	d, err := proxy.SOCKS5("tcp", dst.firstAddr(), auth, connectedDialer{conn})
	if err != nil {
		return err
	}
	_, err = d.(proxy.ContextDialer).DialContext(ctx, "tcp", dst.target)
	return err
}

// connectedDialer is a dialer that has connectedDialer already.
type connectedDialer struct{ conn net.Conn }

func (d connectedDialer) Dial(string, string) (net.Conn, error) { return d.conn, nil }

func (d connectedDialer) DialContext(context.Context, string, string) (net.Conn, error) {
	return d.conn, nil
}

var errNoH2C = errors.New("pool: Transport does not support unencrypted HTTP/2")

// speak decides which protocol conn carries.
func (t *Transport) speak(ctx context.Context, dst *destination, conn net.Conn, state *tls.ConnectionState) (*persistConn, error) {
	pc := t.newConn(conn, state)
	if dst.plainProxy() {
		// HTTP/1, whatever a dialer of the caller's has negotiated with it.
		pc.plainProxy = true
		pc.proxyAuth = proxyAuth(dst.proxyURL)
		return pc, nil
	}
	if state == nil {
		if t.protocols.UnencryptedHTTP2() && !t.protocols.HTTP1() {
			if t.h2 == nil {
				conn.Close()
				return nil, errNoH2C
			}
			return t.h2.adopt(ctx, pc, dst)
		}
	} else if name := state.NegotiatedProtocol; name != "" {
		if next := t.TLSNextProto[name]; next != nil {
			if tc, ok := conn.(*tls.Conn); ok {
				return adoptOther(pc, dst, tc, name, next)
			}
		}
		if name == "h2" && t.h2 != nil {
			return t.h2.adopt(ctx, pc, dst)
		}
	}
	return pc, nil
}
