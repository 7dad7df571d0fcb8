package subjects

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
	_ "unsafe" // for the pool of timers below

	"github.com/valyala/fasthttp"

	"github.com/halfopen/halfopen/harness"
)

// FastClient makes a [fasthttp.Client]: it is a Maker.
//
// A request of fasthttp has no context. When the context of an http.Request ends,
// RoundTrip returns, and the request of fasthttp goes on. The same happens in every
// program that has to cancel a request of fasthttp.
func FastClient(t *harness.T, s harness.Settings) (http.RoundTripper, error) {
	if err := fastSettings(s); err != nil {
		return nil, err
	}
	timerPool = sync.Pool{}
	c := &fasthttp.Client{Dial: fastDial(t), TLSConfig: fastTLS(), StreamResponseBody: true,
		MaxConnsPerHost: s.MaxConnsPerHost, MaxConnWaitTimeout: 12 * time.Hour, MaxIdleConnDuration: orElse(s.IdleConnTimeout, fastIdle)}
	return newFast(t, s, true, c.Do, c.CloseIdleConnections), nil
}

// FastHostClient makes a [fasthttp.HostClient] for each host: it is a Maker.
func FastHostClient(t *harness.T, s harness.Settings) (http.RoundTripper, error) {
	f, err := fastHostClient(t, s, true)
	if err != nil {
		return nil, err
	}
	return f, nil
}

// fastHostClient does the same. If waits, the end of the run waits for the client's
// cleaner: see newFast.
func fastHostClient(t *harness.T, s harness.Settings, waits bool) (*fast, error) {
	if err := fastSettings(s); err != nil {
		return nil, err
	}
	timerPool = sync.Pool{}
	var mu sync.Mutex
	hosts := make(map[string]*fasthttp.HostClient)
	clientOf := func(req *fasthttp.Request) *fasthttp.HostClient { // req is for http or https
		mu.Lock()
		defer mu.Unlock()
		addr, isTLS := string(req.URI().Host()), string(req.URI().Scheme()) == "https"
		if !strings.Contains(addr, ":") {
			addr += map[bool]string{false: ":80", true: ":443"}[isTLS]
		}
		if hosts[addr] == nil {
			hosts[addr] = &fasthttp.HostClient{Addr: addr, IsTLS: isTLS, Dial: fastDial(t), TLSConfig: fastTLS(), StreamResponseBody: true,
				MaxConns: s.MaxConnsPerHost, MaxConnWaitTimeout: 12 * time.Hour, MaxIdleConnDuration: orElse(s.IdleConnTimeout, fastIdle)}
		}
		return hosts[addr]
	}
	do := func(req *fasthttp.Request, resp *fasthttp.Response) error { return clientOf(req).Do(req, resp) }
	return newFast(t, s, waits, do, func() {
		mu.Lock()
		defer mu.Unlock()
		for _, addr := range slices.Sorted(maps.Keys(hosts)) {
			hosts[addr].CloseIdleConnections()
		}
	}), nil
}

// timerPool holds the timers that fasthttp keeps for the next request that waits. A
// timer does not outlive its bubble, so each run begins without any.
//
//go:linkname timerPool github.com/valyala/fasthttp.timerPool
var timerPool sync.Pool

// fastSettings returns an error for a setting that fasthttp does not have.
func fastSettings(s harness.Settings) error {
	switch {
	case s.DisableCompression:
		return errors.New("fasthttp asks for no compression by itself, and leaves what is compressed as it is")
	case s.MaxIdleConns > 0 || s.MaxIdleConnsPerHost > 0:
		return errors.New("fasthttp has no limit of idle connections")
	case s.ResponseHeaderTimeout > 0:
		return errors.New("fasthttp has no timeout of headers: ReadTimeout is that of the whole response")
	case s.ExpectContinueTimeout > 0:
		return errors.New("fasthttp's client knows no 100-continue")
	case s.MaxResponseHeaderBytes > 0:
		return errors.New("fasthttp has no limit of headers but the size of its buffer")
	case s.TLSHandshakeTimeout > 0:
		return errors.New("fasthttp has no timeout of handshakes")
	case s.ForceAttemptHTTP2:
		return errors.New("fasthttp speaks HTTP/1.1")
	case s.Proxy != "":
		return errors.New("fasthttp's client has no setting for a proxy")
	}
	return nil
}

func fastDial(t *harness.T) fasthttp.DialFunc {
	return func(addr string) (net.Conn, error) { return t.Net.DialContext(context.Background(), "tcp", addr) }
}

func fastTLS() *tls.Config {
	return &tls.Config{RootCAs: harness.TrustedRoots(), ClientSessionCache: tls.NewLRUClientSessionCache(0)}
}

// fast makes a client of fasthttp a RoundTripper.
type fast struct {
	MaxConnsPerHost int
	IdleConnTimeout time.Duration
	close           bool
	do              func(*fasthttp.Request, *fasthttp.Response) error
	closeIdle       func()
}

// fastIdle is how long a connection may be idle if there is no setting.
const fastIdle = 8 * time.Hour

// newFast returns the client as a RoundTripper. The client has a goroutine that closes
// connections that were idle for too long. It goes on sleeping when no connection is
// left, as TestFastCleaner shows. If waits, the end of the run waits until it has woken.
func newFast(t *harness.T, s harness.Settings, waits bool, do func(*fasthttp.Request, *fasthttp.Response) error, closeIdle func()) *fast {
	if waits {
		t.Cleanup(func() {
			closeIdle()
			time.Sleep(fastIdle + time.Second)
		})
	}
	return &fast{MaxConnsPerHost: s.MaxConnsPerHost, IdleConnTimeout: s.IdleConnTimeout, close: s.DisableKeepAlives, do: do, closeIdle: closeIdle}
}

func (f *fast) CloseIdleConnections() { f.closeIdle() }

func (f *fast) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx := r.Context()
	err := ctx.Err()
	if err == nil && r.URL.Scheme != "http" && r.URL.Scheme != "https" {
		err = fmt.Errorf("unsupported protocol %q", r.URL.Scheme) // as Client says; a HostClient has no schemes
	}
	if err != nil {
		closeBody(r)
		return nil, err
	}
	req, resp := new(fasthttp.Request), new(fasthttp.Response)
	req.Header.SetMethod(orElse(r.Method, "GET"))
	req.SetRequestURI(r.URL.String())
	if r.Host != "" {
		req.Header.SetHost(r.Host)
		req.UseHostHeader = true
	}
	for _, key := range slices.Sorted(maps.Keys(r.Header)) {
		for _, v := range r.Header[key] {
			req.Header.Add(key, v)
		}
	}
	if r.Close || f.close {
		req.SetConnectionClose()
	}
	if err := f.setBody(req, r); err != nil {
		return nil, err
	}
	var mu sync.Mutex
	over, left := make(chan struct{}), false
	go func() {
		e := f.do(req, resp)
		req.CloseBodyStream() // as its documentation asks for
		mu.Lock()
		defer mu.Unlock()
		if left {
			resp.CloseBodyStream()
			return
		}
		err = e
		close(over)
	}()
	select {
	case <-over:
	case <-ctx.Done():
		mu.Lock()
		defer mu.Unlock()
		select {
		case <-over:
			resp.CloseBodyStream()
		default:
			left = true
		}
		return nil, ctx.Err()
	}
	if err != nil {
		return nil, err
	}
	return fastResponse(r, resp), nil
}

func closeBody(r *http.Request) {
	if r.Body != nil {
		r.Body.Close()
	}
}

// setBody sets the body of the request: as bytes if it can be read again, else as a
// stream.
func (f *fast) setBody(req *fasthttp.Request, r *http.Request) error {
	switch {
	case r.Body == nil || r.Body == http.NoBody:
	case r.GetBody != nil:
		defer r.Body.Close()
		b, err := io.ReadAll(r.Body)
		if err != nil {
			return err
		}
		req.SetBody(b)
	case slices.Contains(r.TransferEncoding, "chunked"):
		req.SetBodyStream(r.Body, -1)
	default:
		req.SetBodyStream(r.Body, int(orElse(r.ContentLength, -1)))
	}
	for _, key := range slices.Sorted(maps.Keys(r.Trailer)) {
		if err := req.Header.AddTrailer(key); err != nil {
			return errors.Join(err, req.CloseBodyStream())
		}
		req.Header.Set(key, r.Trailer.Get(key))
	}
	return nil
}

// fastResponse returns the response as an http.Response, with its body as a stream.
func fastResponse(r *http.Request, resp *fasthttp.Response) *http.Response {
	out := &http.Response{StatusCode: resp.StatusCode(), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: make(http.Header), Request: r, ContentLength: max(-1, int64(resp.Header.ContentLength())), Close: resp.ConnectionClose()}
	if out.StatusCode == http.StatusNoContent || out.StatusCode == http.StatusNotModified {
		out.ContentLength = max(0, out.ContentLength) // fasthttp has the length of a body that goes on to the end of its connection
	}
	for key, v := range resp.Header.All() {
		out.Header.Add(string(key), string(v))
	}
	for key := range resp.Header.Trailers() {
		if out.Trailer == nil {
			out.Trailer = make(http.Header)
		}
		out.Trailer[string(key)] = nil
	}
	out.Body = http.NoBody
	if s := resp.BodyStream(); s != nil {
		out.Body = &fastBody{Reader: s, resp: resp, trailer: out.Trailer}
	} else if b := resp.Body(); len(b) > 0 {
		out.Body = io.NopCloser(bytes.NewReader(b))
	}
	return out
}

// fastBody is the body of a response as a stream. Close passes the error of a Read on
// to fasthttp, which learns only by Close that the connection is broken. Fasthttp uses
// a closed stream for the next response, even while it is read. So a Close during a
// Read takes effect when the Read has returned.
type fastBody struct {
	io.Reader
	resp    *fasthttp.Response
	trailer http.Header // of the http.Response; it has its values when the body has ended

	mu      sync.Mutex
	err     error
	reading bool
	closed  bool
}

func (b *fastBody) Read(p []byte) (int, error) {
	_, stream := b.Reader.(fasthttp.ReadCloserWithError)
	b.mu.Lock()
	if b.closed && stream {
		b.mu.Unlock()
		return 0, http.ErrBodyReadAfterClose
	}
	b.reading = true
	b.mu.Unlock()
	n, err := b.Reader.Read(p)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.reading = false
	if err == io.EOF {
		for key := range b.trailer {
			b.trailer[key] = []string{string(b.resp.Header.Peek(key))}
		}
	} else if err != nil {
		b.err = err
	}
	if b.closed && stream {
		b.release()
	}
	return n, err
}

func (b *fastBody) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return nil
	}
	b.closed = true
	if b.reading {
		return nil
	}
	return b.release()
}

// release closes the stream. That puts the connection back into the pool or closes it.
func (b *fastBody) release() error {
	if c, ok := b.Reader.(fasthttp.ReadCloserWithError); ok && b.err != nil {
		return c.CloseWithError(b.err)
	}
	return b.resp.CloseBodyStream()
}
