package pool

import (
	"context"
	"crypto/tls"
	"maps"
	"net"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/halfopen/halfopen/clock"
)

// DefaultMaxIdleConnsPerHost takes the place of a zero
// [Transport.MaxIdleConnsPerHost], as in package net/http.
const DefaultMaxIdleConnsPerHost = http.DefaultMaxIdleConnsPerHost

// Transport is an [http.RoundTripper] that keeps connections for reuse. Its
// zero value is ready: no proxy, no limits but two idle connections per host,
// HTTP/2 where the server offers it.
//
// The fields that [http.Transport] has too mean what they mean there. The ones
// that are ours stand at the end. No field may be changed after the first use.
// A Transport is safe for use by many goroutines and must not be copied.
type Transport struct {
	// Proxy names the proxy of a request; a nil function or a nil URL means
	// none. Schemes are http, https, socks5 and socks5h; an empty one means
	// http. User and password of the URL are sent to the proxy. An error ends
	// the request. See [http.ProxyFromEnvironment] and [http.ProxyURL].
	Proxy func(*http.Request) (*url.URL, error)

	// OnProxyConnectResponse sees the answer of a proxy to CONNECT before its
	// status is looked at. An error closes the connection and ends the
	// requests that wait for it.
	OnProxyConnectResponse func(ctx context.Context, proxyURL *url.URL, connectReq *http.Request, connectRes *http.Response) error

	// DialContext opens connections; nil means [net.Dialer]. It runs in a
	// goroutine of its own, and its context carries the values of the request
	// that asked for the connection but not its cancellation: the dial goes on
	// for the next request. See MaxOrphanDialsPerHost.
	DialContext func(ctx context.Context, network, addr string) (net.Conn, error)

	// Dial is used where DialContext is nil.
	//
	// Deprecated: use DialContext, whose dials can be called off.
	Dial func(network, addr string) (net.Conn, error)

	// DialTLSContext opens connections for https requests that take no proxy,
	// in place of DialContext, TLSClientConfig and TLSHandshakeTimeout. What
	// it returns is past the handshake, or has a HandshakeContext method that
	// makes it. If it has the ConnectionState method of a [*tls.Conn] too, that
	// says whether ALPN settled on HTTP/2. A [*tls.Conn] has both.
	DialTLSContext func(ctx context.Context, network, addr string) (net.Conn, error)

	// DialTLS is used where DialTLSContext is nil.
	//
	// Deprecated: use DialTLSContext, whose dials can be called off.
	DialTLS func(network, addr string) (net.Conn, error)

	// TLSClientConfig is cloned for each handshake. Setting it turns HTTP/2
	// off unless ForceAttemptHTTP2 or Protocols turns it on.
	TLSClientConfig *tls.Config

	// TLSHandshakeTimeout bounds the handshake; zero means no bound.
	TLSHandshakeTimeout time.Duration

	// DisableKeepAlives makes each connection serve one request.
	DisableKeepAlives bool

	// DisableCompression keeps the transport from asking for gzip where the
	// request says nothing about encodings. Only what it asked for itself does
	// it decompress.
	DisableCompression bool

	// MaxIdleConns bounds the idle connections of all hosts together; the
	// least recently used goes first. Zero means no bound.
	MaxIdleConns int

	// MaxIdleConnsPerHost bounds the idle connections of one host. Zero means
	// DefaultMaxIdleConnsPerHost, negative that none is kept.
	MaxIdleConnsPerHost int

	// MaxConnsPerHost bounds the connections of one host that are being
	// dialed, in use or idle, taken together. Requests beyond it wait in line.
	// Zero means no bound.
	MaxConnsPerHost int

	// IdleConnTimeout is how long a connection may stay idle. Zero means for
	// ever.
	IdleConnTimeout time.Duration

	// ResponseHeaderTimeout bounds the wait for the response's header, from
	// when the request has been written. Zero means no bound.
	ResponseHeaderTimeout time.Duration

	// ExpectContinueTimeout bounds the wait for an answer to a request that
	// has "Expect: 100-continue"; then its body is sent without one. Zero
	// means that the body is sent at once.
	ExpectContinueTimeout time.Duration

	// TLSNextProto hands a TLS connection to another protocol, by the name
	// that ALPN settled on. If it is not nil, HTTP/2 is not set up by itself.
	TLSNextProto map[string]func(authority string, c *tls.Conn) http.RoundTripper

	// ProxyConnectHeader is sent with CONNECT.
	ProxyConnectHeader http.Header

	// GetProxyConnectHeader replaces ProxyConnectHeader for each CONNECT to
	// target, a "host:port". An error ends the dial.
	GetProxyConnectHeader func(ctx context.Context, proxyURL *url.URL, target string) (http.Header, error)

	// MaxResponseHeaderBytes bounds a response's header; zero means 10 MiB.
	MaxResponseHeaderBytes int64

	// WriteBufferSize is in bytes; zero means 4 KiB.
	WriteBufferSize int

	// ReadBufferSize is in bytes; zero means 4 KiB.
	ReadBufferSize int

	// ForceAttemptHTTP2 offers HTTP/2 although a dialer or a TLS
	// configuration is set.
	ForceAttemptHTTP2 bool

	// HTTP2 configures HTTP/2 connections.
	HTTP2 *http.HTTP2Config

	// Protocols is the set of protocols that may be spoken. Nil means HTTP/1,
	// and HTTP/2 as described at ForceAttemptHTTP2 and TLSNextProto.
	Protocols *http.Protocols

	// Clock tells the time and arms every timer; nil means [clock.System].
	Clock clock.Clock

	// MaxOrphanDialsPerHost bounds the dials of one host that go on although
	// the request that asked for them is gone, so that a dialer that hangs
	// cannot pile them up (golang/go#76784). The dial that would exceed it is
	// called off through its context. Zero means as many as may be idle, since
	// no more could be kept; negative means none.
	//
	// A dialer that ignores its context still holds its dial: Stats reports it
	// as Dialing until it returns, and it counts for MaxConnsPerHost.
	MaxOrphanDialsPerHost int

	// OnClose is called for each connection that is closed or handed over, with
	// the cause. It is called in the goroutine that closed it, after the fact, with
	// no lock held.
	OnClose func(e Entry, why Cause)

	once      sync.Once
	h2        *h2Carrier // nil: HTTP/2 is not ours to speak
	protocols http.Protocols

	altMu sync.Mutex
	alt   atomic.Pointer[map[string]http.RoundTripper]

	// mu guards everything below, and the fields of hosts, connections, dials
	// and wants that say so. It is never held across I/O or a callback.
	mu              sync.Mutex
	hosts           map[route]*host
	forgottenCounts counts                   // of hosts that have been forgotten
	sweepAt         int                      // how many hosts it takes to look for unused ones again
	lru             linkedList[*persistConn] // idle, the least recently used first
	nextID          uint64
	flushIdle       bool // CloseIdleConnections came after the last request
}

// RegisterProtocol makes rt serve the requests of a URL scheme. If its
// RoundTrip returns [http.ErrSkipAltProtocol] the transport serves that
// request itself. It panics if the scheme is taken.
func (t *Transport) RegisterProtocol(scheme string, rt http.RoundTripper) {
	t.altMu.Lock()
	defer t.altMu.Unlock()
	next := make(map[string]http.RoundTripper)
	if old := t.alt.Load(); old != nil {
		maps.Copy(next, *old)
	}
	if _, taken := next[scheme]; taken {
		panic("pool: protocol " + scheme + " already registered")
	}
	next[scheme] = rt
	t.alt.Store(&next)
}

// CloseIdleConnections closes the connections that no request uses, and calls
// off the dials that no request waits for. Until the next request asks for a
// connection, one that becomes idle is closed too (golang/go#8483). One that is
// drained is closed when that ends, whatever is asked for meanwhile.
func (t *Transport) CloseIdleConnections() {
	t.mu.Lock()
	t.flushIdle = true
	var idle []*persistConn
	for pc := t.lru.front(); pc != nil; pc = t.lru.front() {
		t.evict(pc)
		idle = append(idle, pc)
	}
	var orphans []*dial
	for _, h := range t.hosts { // in any order: both are sorted below
		for _, pc := range h.sharing {
			if pc.shared.cc != nil && pc.shared.carried.Load() == 0 {
				idle = append(idle, pc) // streams that were reset keep it from being so
			}
		}
		for pc := range h.conns.all {
			pc.flushed = pc.flushed || pc.state == Draining
		}
		for d := range h.dials.all {
			if d.want.over {
				orphans = append(orphans, d)
			}
		}
	}
	t.mu.Unlock()

	// Both were collected without an order of their own: close in the order
	// in which they were opened, so that two runs are alike.
	sortByID(idle, func(pc *persistConn) uint64 { return pc.id })
	sortByID(orphans, func(d *dial) uint64 { return d.id })
	for _, d := range orphans {
		d.cancel()
	}
	for _, pc := range idle {
		pc.close(ClosedIdle, errClosedIdle)
	}
}

// Clone returns a Transport with the same settings and no connections.
// Configurations, headers and maps are copied.
func (t *Transport) Clone() *Transport {
	c := &Transport{
		Proxy:                  t.Proxy,
		OnProxyConnectResponse: t.OnProxyConnectResponse,
		DialContext:            t.DialContext,
		Dial:                   t.Dial,
		DialTLSContext:         t.DialTLSContext,
		DialTLS:                t.DialTLS,
		TLSHandshakeTimeout:    t.TLSHandshakeTimeout,
		DisableKeepAlives:      t.DisableKeepAlives,
		DisableCompression:     t.DisableCompression,
		MaxIdleConns:           t.MaxIdleConns,
		MaxIdleConnsPerHost:    t.MaxIdleConnsPerHost,
		MaxConnsPerHost:        t.MaxConnsPerHost,
		IdleConnTimeout:        t.IdleConnTimeout,
		ResponseHeaderTimeout:  t.ResponseHeaderTimeout,
		ExpectContinueTimeout:  t.ExpectContinueTimeout,
		TLSNextProto:           maps.Clone(t.TLSNextProto),
		ProxyConnectHeader:     t.ProxyConnectHeader.Clone(),
		GetProxyConnectHeader:  t.GetProxyConnectHeader,
		MaxResponseHeaderBytes: t.MaxResponseHeaderBytes,
		WriteBufferSize:        t.WriteBufferSize,
		ReadBufferSize:         t.ReadBufferSize,
		ForceAttemptHTTP2:      t.ForceAttemptHTTP2,
		Clock:                  t.Clock,
		MaxOrphanDialsPerHost:  t.MaxOrphanDialsPerHost,
		OnClose:                t.OnClose,
	}
	if t.TLSClientConfig != nil {
		c.TLSClientConfig = t.TLSClientConfig.Clone()
	}
	if t.HTTP2 != nil {
		h2 := *t.HTTP2
		c.HTTP2 = &h2
	}
	if t.Protocols != nil {
		p := *t.Protocols
		c.Protocols = &p
	}
	return c
}

func (t *Transport) clock() clock.Clock {
	if t.Clock != nil {
		return t.Clock
	}
	return clock.System
}

func (t *Transport) maxIdlePerHost() int {
	if t.MaxIdleConnsPerHost != 0 {
		return t.MaxIdleConnsPerHost
	}
	return DefaultMaxIdleConnsPerHost
}

// maxOrphans returns how many dials of a host may go on without a request.
func (t *Transport) maxOrphans() int {
	switch n := t.MaxOrphanDialsPerHost; {
	case n > 0:
		return n
	case n < 0 || t.DisableKeepAlives:
		return 0
	}
	return max(0, t.maxIdlePerHost())
}

func (t *Transport) keepsAlive() bool {
	return !t.DisableKeepAlives && t.MaxIdleConnsPerHost >= 0
}

func (t *Transport) maxHeaderBytes() int64 {
	if t.MaxResponseHeaderBytes > 0 {
		return t.MaxResponseHeaderBytes
	}
	return 10 << 20
}

func orDefault(size, otherwise int) int {
	if size > 0 {
		return size
	}
	return otherwise
}
