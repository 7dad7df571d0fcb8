package pool

//lint:file-ignore SA1019 Dial and DialTLS are settings that net/http has too, deprecated or not.

import (
	"context"
	"maps"
	"net/http"
)

// NewClientConn opens one connection to address, a "host:port", for a URL scheme, with
// the settings of the transport: it dials, uses a proxy, and negotiates TLS and HTTP/2 as
// RoundTrip does. The connection does not belong to the pool: it serves no request of
// RoundTrip, counts for no limit, is in no book, and the caller closes it.
//
// Only package net/http can make an [http.ClientConn], so that the connection is its, and
// so is the time of its deadlines.
func (t *Transport) NewClientConn(ctx context.Context, scheme, address string) (*http.ClientConn, error) {
	std := t.standard()
	std.MaxConnsPerHost = 0 // net/http gives back a place that it has not taken, and panics
	return std.NewClientConn(ctx, scheme, address)
}

// standard returns a transport of net/http with the same settings. They are copies where
// net/http would change them.
func (t *Transport) standard() *http.Transport {
	std := &http.Transport{
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
		ProxyConnectHeader:     t.ProxyConnectHeader,
		GetProxyConnectHeader:  t.GetProxyConnectHeader,
		MaxResponseHeaderBytes: t.MaxResponseHeaderBytes,
		WriteBufferSize:        t.WriteBufferSize,
		ReadBufferSize:         t.ReadBufferSize,
		ForceAttemptHTTP2:      t.ForceAttemptHTTP2,
		HTTP2:                  t.HTTP2,
		Protocols:              t.Protocols,
	}
	if t.TLSClientConfig != nil {
		std.TLSClientConfig = t.TLSClientConfig.Clone()
	}
	return std
}
