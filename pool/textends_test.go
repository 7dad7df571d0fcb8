package pool

//lint:file-ignore SA1019 Request.Cancel and CancelRequest are part of what net/http promises, deprecated or not.

import (
	"context"
	"io"
	"net"
	"net/http"
	"time"

	"golang.org/x/net/http2"
)

// cancelTexts are the errors of requests that are called off.
var cancelTexts = []textRow{
	{name: "Cancel in a dial", want: "request canceled while waiting for connection", set: dialsForever, use: endedBy(cancelChannel)},
	{name: "CancelRequest in a dial", want: "request canceled while waiting for connection", set: dialsForever, use: endedBy(cancelRequest)},
	{name: "context in a dial", want: "the test's reason", set: dialsForever, use: endedBy(cancelContext)},
	{name: "deadline in a dial", want: "context deadline exceeded", set: dialsForever, use: endedBy(deadline)},
	{name: "Cancel", want: "request canceled", use: endedBy(cancelChannel)},
	{name: "CancelRequest", want: "request canceled", use: endedBy(cancelRequest)},
	{name: "context", want: "the test's reason", use: endedBy(cancelContext)},
	{name: "deadline", want: "context deadline exceeded", use: endedBy(deadline)},
	{name: "Cancel in a body", want: "request canceled", peer: saysAndStays(halfBody), use: endedBy(cancelChannel)},
	{name: "CancelRequest in a body", want: "request canceled", peer: saysAndStays(halfBody), use: endedBy(cancelRequest)},
	{name: "context in a body", want: "the test's reason", peer: saysAndStays(halfBody), use: endedBy(cancelContext)},
	{name: "deadline in a body", want: "context deadline exceeded", peer: saysAndStays(halfBody), use: endedBy(deadline)},
}

const halfBody = "HTTP/1.1 200 OK\nContent-Length: 9\n\nhello"

// dialsForever sets a dialer that waits for the end of its context, or for ten seconds.
func dialsForever(tr *Transport) {
	tr.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
		select {
		case <-ctx.Done():
		case <-time.After(10 * time.Second): // virtual
		}
		return nil, errRefused
	}
}

// An ending makes req end a second after the call.
type ending func(rt http.RoundTripper, req *http.Request) *http.Request

func cancelChannel(_ http.RoundTripper, req *http.Request) *http.Request {
	c := make(chan struct{})
	req.Cancel = c
	time.AfterFunc(time.Second, func() { close(c) })
	return req
}

func cancelRequest(rt http.RoundTripper, req *http.Request) *http.Request {
	time.AfterFunc(time.Second, func() {
		rt.(interface{ CancelRequest(*http.Request) }).CancelRequest(req)
	})
	return req
}

func cancelContext(_ http.RoundTripper, req *http.Request) *http.Request {
	ctx, cancel := context.WithCancelCause(req.Context())
	time.AfterFunc(time.Second, func() { cancel(errWhy) })
	return req.WithContext(ctx)
}

func deadline(_ http.RoundTripper, req *http.Request) *http.Request {
	ctx, cancel := context.WithTimeout(req.Context(), time.Second)
	time.AfterFunc(time.Minute, cancel) // virtual
	return req.WithContext(ctx)
}

func endedBy(end ending) func(http.RoundTripper, *http.Request) error {
	return func(rt http.RoundTripper, req *http.Request) error { return tryAll(rt, end(rt, req)) }
}

// http2Texts are errors over HTTP/2, which x/net words.
var http2Texts = []textRow{
	{name: "HTTP/2 silent", want: "http2: timeout awaiting response headers", peer: http2Peer(nil), set: func(tr *Transport) {
		overHTTP2(tr)
		tr.ResponseHeaderTimeout = time.Second
	}},
	{name: "HTTP/2 reset", want: "stream error: stream ID 1; INTERNAL_ERROR; received from peer", set: overHTTP2, peer: http2Peer(func(fr *http2.Framer, c net.Conn) {
		fr.WriteRSTStream(1, http2.ErrCodeInternal)
	})},
	{name: "HTTP/2 GOAWAY", want: "http2: Transport received GOAWAY from server ErrCode:PROTOCOL_ERROR", set: overHTTP2, peer: http2Peer(func(fr *http2.Framer, c net.Conn) {
		fr.WriteGoAway(0, http2.ErrCodeProtocol, nil)
	})},
	{name: "HTTP/2 GOAWAY and FIN", want: "http2: server sent GOAWAY and closed the connection", set: overHTTP2, peer: http2Peer(func(fr *http2.Framer, c net.Conn) {
		fr.WriteGoAway(1, http2.ErrCodeNo, nil)
		c.Close()
	})},
	{name: "HTTP/2 FIN", want: "unexpected EOF", set: overHTTP2, peer: http2Peer(func(fr *http2.Framer, c net.Conn) {
		c.(interface{ CloseWrite() error }).CloseWrite()
	})},
	{name: "HTTP/2 Cancel", want: "request canceled", set: overHTTP2, peer: http2Peer(nil), use: endedBy(cancelChannel)},
	{name: "HTTP/2 deadline", want: "context deadline exceeded", set: overHTTP2, peer: http2Peer(nil), use: endedBy(deadline)},
	{name: "HTTP/2 large body", want: "http2: request body larger than specified content length", set: overHTTP2, peer: http2Peer(nil), req: func(r *http.Request) {
		r.Method, r.Body, r.ContentLength = "POST", io.NopCloser(io.LimitReader(zeros{}, 9)), 4
	}},
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

func overHTTP2(tr *Transport) {
	tr.Protocols = new(http.Protocols)
	tr.Protocols.SetUnencryptedHTTP2(true)
}

// http2Peer returns a server that does so once it has the header of a request.
func http2Peer(then func(fr *http2.Framer, c net.Conn)) func(net.Conn) {
	return func(c net.Conn) {
		if _, err := io.ReadFull(c, make([]byte, len(http2.ClientPreface))); err != nil {
			return
		}
		fr := http2.NewFramer(c, c)
		fr.WriteSettings()
		for {
			f, err := fr.ReadFrame()
			if err != nil {
				return
			}
			switch f := f.(type) {
			case *http2.SettingsFrame:
				if !f.IsAck() {
					fr.WriteSettingsAck()
				}
			case *http2.HeadersFrame:
				if then != nil {
					then(fr, c)
				}
			}
		}
	}
}
