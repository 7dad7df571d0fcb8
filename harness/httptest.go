package harness

import (
	"context"
	"crypto/tls"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/halfopen/halfopen/faultnet"
)

// NewServer starts an [httptest.Server] on this network, as
// [httptest.NewServer] does on a real one: a test that has one becomes a test of
// the harness by this one call. Its URL is "http://127.0.0.1:1001", with a port
// of its own for each server of a test, in the order in which they are made. A
// nil handler is [http.DefaultServeMux].
//
// Its Client dials t.Net and is watched as that of [T.Client] is: each round trip
// is a [Request] named call1, call2, ... unless it has a name already, a body that
// is never closed is reported with the line that received it, and the idle
// connections are closed at the end. Its Transport is an [*http.Transport] whose
// fields may be set before the first request; a Clone of it dials t.Net, and is not
// watched. It sends requests for example.com and its subdomains to the server too.
// Every other transport on t.Net reaches the server by its URL, and so does
// [http.DefaultClient] after [T.SetDefaultTransport]. Without it that dials a real port of
// that number, where as a rule nothing listens.
//
// The harness closes the server when the run has ended. Close and
// CloseClientConnections may be called before; Close returns when the requests
// that are being handled have ended, so that a handler that never returns makes a
// run that is stuck. The body of an exploration returns before its requests
// start: there Close is for [T.Cleanup].
func (t *T) NewServer(h http.Handler) *httptest.Server {
	s := t.NewUnstartedServer(h)
	s.Start()
	t.rested()
	return s
}

// NewTLSServer is NewServer over TLS, as [httptest.NewTLSServer] is: the URL
// begins with https, and Client trusts the server's Certificate, which is for
// 127.0.0.1, example.com and *.example.com and valid in the bubble's year 2000.
func (t *T) NewTLSServer(h http.Handler) *httptest.Server {
	s := t.NewUnstartedServer(h)
	s.TLS = t.servers.tellKeys(new(tls.Config))
	s.StartTLS()
	t.rested()
	return s
}

// NewUnstartedServer is NewServer without the start, as
// [httptest.NewUnstartedServer] is: Config, TLS and EnableHTTP2 may be set before
// Start or StartTLS. With EnableHTTP2 the Transport of Client is not an
// [*http.Transport], but watches one from outside.
func (t *T) NewUnstartedServer(h http.Handler) *httptest.Server {
	addr := net.JoinHostPort(bridgeHost, strconv.Itoa(bridgePort+len(t.census.allPools())))
	b := &bridge{Listener: t.servers.listen(addr), t: t, addr: addr, pool: t.census.newPool()}
	b.server = &httptest.Server{Listener: b, Config: &http.Server{Handler: h}}
	return b.server
}

// Package httptest listens on 127.0.0.1, and its certificate is for it. The ports
// are below 1024: code that dials the machine instead of t.Net is refused there
// at once.
const (
	bridgeHost = "127.0.0.1"
	bridgePort = 1001 // of the first server
)

// bridge is the listener of an [httptest.Server] on the network. The server asks
// for its address to make the URL, when its client exists and before it serves:
// that is when the bridge puts both on the network.
type bridge struct {
	net.Listener // the current one: Restart makes another
	t            *T
	server       *httptest.Server
	addr         string
	transport    *http.Transport // of the server's client; nil before the start
	pool         *pool
	closed       atomic.Bool // by Close of the server
}

// Addr returns the address on the network, and completes the start of the server
// when it is first called by one.
func (b *bridge) Addr() net.Addr {
	if client := b.server.Client(); client != nil && b.transport == nil {
		b.transport = client.Transport.(*http.Transport)
		b.pool.transport = b.transport
		b.serve()
		b.watchClient(client)
	}
	return b.Listener.Addr()
}

// Close stops listening. It fails when the network has closed the listener
// before, as a Kill does.
func (b *bridge) Close() error {
	err := b.Listener.Close()
	if err == nil {
		b.closed.Store(true)
	}
	return err
}

// serve makes the server one that the harness knows: it names the requests, logs
// in the steps of the test, is closed at the end and served again by Restart.
func (b *bridge) serve() {
	t, config := b.t, b.server.Config
	if config.Handler == nil {
		config.Handler = http.DefaultServeMux
	}
	_, plain := b.server.Listener.(*bridge)
	if plain {
		t.step("serve", b.addr)
		t.servers.script(config.Handler, nil, "serve", b.addr)
	} else {
		t.step("serve", b.addr, "tls")
		t.servers.script(config.Handler, nil, "serve-tls", b.addr)
	}
	config.Handler = t.census.attributed(config.Handler)
	if config.ErrorLog == nil {
		config.ErrorLog = log.New(logWriter{t.driver}, "", 0)
	}
	user := config.ConnContext
	config.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
		if user != nil {
			t.callback("a server's ConnContext", func() { ctx = orPanic(user(ctx, c), "ConnContext returned nil") })
		}
		return withConn(ctx, c)
	}
	if user := config.BaseContext; user != nil {
		config.BaseContext = func(l net.Listener) context.Context {
			base := context.Background()
			t.callback("a server's BaseContext", func() { base = orPanic(user(l), "BaseContext returned nil") })
			return base
		}
	}
	if user := config.ConnState; user != nil {
		config.ConnState = func(c net.Conn, state http.ConnState) {
			t.callback("a server's ConnState", func() { user(c, state) })
		}
	}
	setKey(&t.vouched, b.addr, true)
	t.servers.closeAtEnd(b.addr, config)
	t.Net.servesAgain(b.addr, b.serveAgain)
}

// orPanic returns the context, or panics if there is none, as net/http does.
func orPanic(ctx context.Context, without string) context.Context {
	if ctx == nil {
		panic(without)
	}
	return ctx
}

// serveAgain has the server listen again after a Kill or a Crash, unless it was
// closed.
func (b *bridge) serveAgain() {
	if b.closed.Load() {
		return
	}
	b.Listener = b.t.servers.listen(b.addr)
	b.t.Net.servesAgain(b.addr, b.serveAgain)
	go b.server.Config.Serve(b.server.Listener)
}

// watchClient has the server's client dial the network, and watches its round
// trips.
//
// A transport is watched from inside, and stays what it is, by an alternate protocol
// for the scheme of the server ([http.Transport.RegisterProtocol]). For https that is
// the place of HTTP/2: a transport that speaks it is watched from outside.
func (b *bridge) watchClient(client *http.Client) {
	b.transport.DialContext = b.dial
	b.t.census.adopt(b.transport)
	w := &bridgeClient{b, !b.transport.ForceAttemptHTTP2}
	if !w.inside {
		client.Transport = w
	} else if _, plain := b.server.Listener.(*bridge); plain {
		b.transport.RegisterProtocol("http", w)
	} else {
		b.transport.RegisterProtocol("https", w)
	}
}

// dial dials on the network and marks the connection as the client's own. As with
// package httptest a Dial that the test has set goes first, and example.com is the
// server. The name stays, as the transport keeps its connections by name.
func (b *bridge) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	//lint:ignore SA1019 package httptest heeds it
	if dial := b.transport.Dial; dial != nil {
		return dial(network, addr)
	}
	port := ":80"
	if _, plain := b.server.Listener.(*bridge); !plain {
		port = ":443"
	}
	if host, ok := strings.CutSuffix(addr, port); ok && (host == "example.com" || strings.HasSuffix(host, ".example.com")) {
		addr = host + strings.TrimPrefix(b.addr, bridgeHost)
		b.t.Net.net.Route(addr, b.addr)
	}
	c, err := b.t.Net.DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	end := c
	if g, ok := c.(*gatedConn); ok {
		end = g.Conn
	}
	h := b.t.census.conn(end.(*faultnet.Conn))
	h.c.mu.Lock()
	defer h.c.mu.Unlock()
	h.pool = b.pool
	return c, nil
}

// bridgeClient watches the round trips of a server's client: from inside of its
// transport, which asks it first as an alternate protocol, or from outside.
type bridgeClient struct {
	*bridge
	inside bool
}

// RoundTrip names a request that has no name yet, and sends it.
func (w *bridgeClient) RoundTrip(req *http.Request) (*http.Response, error) {
	r := w.t.census.requestOf(req)
	switch {
	case r == nil && w.inside:
		return (&watched{w.t.census, w.transport}).RoundTrip(req)
	case r == nil:
		return (&watched{w.t.census, w}).RoundTrip(req)
	}
	r.c.mu.Lock()
	r.pool = w.pool
	r.c.mu.Unlock()
	if w.inside {
		return nil, http.ErrSkipAltProtocol // the transport goes on by itself
	}
	return w.transport.RoundTrip(req)
}

// CloseIdleConnections closes those of the transport.
func (w *bridgeClient) CloseIdleConnections() { w.transport.CloseIdleConnections() }
