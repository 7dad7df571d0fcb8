package pool

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"

	"golang.org/x/net/http2"
)

// An h2Carrier makes HTTP/2 connections out of connections. It is a net/http
// Transport that never dials: [http.Transport.NewClientConn] is the way to a
// single connection whose streams can be reserved and watched, and x/net's
// ConfigureTransports makes that connection x/net's. TLS and ALPN are done by
// then, which is why it believes that all is unencrypted.
type h2Carrier struct{ std *http.Transport }

type carriedKey struct{}

func newH2Carrier(t *Transport) *h2Carrier {
	std := &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return ctx.Value(carriedKey{}).(net.Conn), nil
		},
		DisableKeepAlives:      t.DisableKeepAlives,
		DisableCompression:     t.DisableCompression,
		MaxResponseHeaderBytes: t.MaxResponseHeaderBytes,
		ResponseHeaderTimeout:  t.ResponseHeaderTimeout,
		ExpectContinueTimeout:  t.ExpectContinueTimeout,
		HTTP2:                  t.HTTP2,
		Protocols:              new(http.Protocols),
	}
	std.Protocols.SetUnencryptedHTTP2(true)
	//lint:ignore SA1019 Only this makes a transport's HTTP/2 x/net's and not net/http's own copy.
	if _, err := http2.ConfigureTransports(std); err != nil {
		return nil // only a transport that is configured twice gets here
	}
	return &h2Carrier{std: std}
}

// adopt starts HTTP/2 on a new connection.
func (c *h2Carrier) adopt(ctx context.Context, pc *persistConn, dst *destination) (*persistConn, error) {
	s := &sharedConn{pc: pc, proto: "h2"}
	watched := &settingsWatch{Conn: pc.conn, s: s}
	var conn net.Conn = watched
	if tc, ok := pc.conn.(secureConn); ok {
		conn = secureWatch{watched, tc}
	}
	// Of ctx only the cancellation is wanted: the trace of the request that
	// dialed has seen what it is to see.
	carry, cancel := context.WithCancel(context.WithValue(context.Background(), carriedKey{}, conn))
	defer cancel()
	defer context.AfterFunc(ctx, cancel)()
	cc, err := c.std.NewClientConn(carry, "http", dst.target)
	if err != nil {
		watched.Close()
		return nil, err
	}
	s.cc, pc.shared = cc, s
	return pc, nil
}

// A settingsWatch notices when the server's first frame has been dealt with,
// which is SETTINGS (RFC 9113 section 3.4); x/net does not report it. The one reader
// of the connection asks for more only when it has used what it had.
type settingsWatch struct {
	net.Conn
	s    *sharedConn
	head []byte // of the first frame, 9 bytes
	left int    // of the first frame, once head is complete
	seen bool

	closing  sync.Once
	closeErr error
}

// Close closes the connection, the first time: x/net closes it, and so does the pool.
func (w *settingsWatch) Close() error {
	w.closing.Do(func() { w.closeErr = w.Conn.Close() })
	return w.closeErr
}

func (w *settingsWatch) Read(p []byte) (int, error) {
	if w.seen {
		return w.Conn.Read(p)
	}
	if len(w.head) == 9 && w.left <= 0 {
		w.seen = true
		w.s.settings.Store(true)
		w.s.changed(nil)
		return w.Conn.Read(p)
	}
	n, err := w.Conn.Read(p)
	rest := p[:n]
	for len(w.head) < 9 && len(rest) > 0 {
		w.head = append(w.head, rest[0])
		if rest = rest[1:]; len(w.head) == 9 {
			w.left = int(w.head[0])<<16 | int(w.head[1])<<8 | int(w.head[2])
		}
	}
	w.left -= len(rest)
	return n, err
}

// secureWatch has the method by which x/net finds what [http.Response.TLS]
// will be.
type secureWatch struct {
	*settingsWatch
	tc secureConn
}

func (w secureWatch) ConnectionState() tls.ConnectionState { return w.tc.ConnectionState() }

// wholeBodied returns req, or a copy of it whose body is a wholeBody. Where the
// length is not known it is 0 or -1, and every body long enough.
func wholeBodied(req *http.Request) *http.Request {
	if noBody(req) {
		return req
	}
	sent := *req
	sent.Body = &wholeBody{ReadCloser: req.Body, want: req.ContentLength}
	return &sent
}

// A wholeBody ends in an error if it is shorter than Content-Length says, which
// makes a request malformed (RFC 9113 section 8.1.1). x/net looks only whether
// it is longer.
type wholeBody struct {
	io.ReadCloser
	got, want int64
}

func (b *wholeBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if b.got += int64(n); err == io.EOF && b.got < b.want {
		err = fmt.Errorf("pool: got a request body of %d bytes, want %d as Content-Length says", b.got, b.want)
	}
	return n, err
}

// A carriedBody notices when its request is over. http.ClientConn counts a stream
// that was reset until the peer answers a PING, which a silent one never does:
// CloseIdleConnections could not close it.
type carriedBody struct {
	io.ReadCloser
	s      *sharedConn
	ctx    context.Context // of its request
	legacy <-chan struct{} // Request.Cancel of it
	over   atomic.Bool
}

func (b *carriedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err == nil {
		return n, nil
	}
	if err != io.EOF {
		if why := calledOff(b.ctx, b.ctx.Done(), b.legacy); why != nil {
			err = why
		}
		b.s.pc.t.awaitClient(b.legacy, err)
	}
	b.end()
	return n, err
}

func (b *carriedBody) Close() error {
	err := b.ReadCloser.Close()
	b.end()
	return err
}

func (b *carriedBody) end() {
	if !b.over.Swap(true) {
		b.s.carried.Add(-1)
	}
}
