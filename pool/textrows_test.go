package pool

//lint:file-ignore SA1019 Request.Cancel and CancelRequest are part of what net/http promises, deprecated or not.

import (
	"bufio"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"net/url"
	"strings"
	"syscall"
	"time"
)

// requestTexts are the errors of requests that cannot be sent.
var requestTexts = []textRow{
	{name: "no URL", want: "nil Request.URL", req: func(r *http.Request) { r.URL = nil }},
	{name: "no header", want: "nil Request.Header", req: func(r *http.Request) { r.Header = nil }},
	{name: "header name", want: `invalid header field name "a b"`, req: func(r *http.Request) { r.Header["a b"] = []string{"x"} }},
	{name: "header value", want: `invalid header field value for "A"`, req: func(r *http.Request) { r.Header["A"] = []string{"x\n"} }},
	{name: "trailer name", want: `invalid trailer field name "a b"`, req: func(r *http.Request) { r.Trailer = http.Header{"a b": {"x"}} }},
	{name: "trailer value", want: `invalid trailer field value for "A"`, req: func(r *http.Request) { r.Trailer = http.Header{"A": {"x\n"}} }},
	{name: "scheme", want: `unsupported protocol scheme "ftp"`, req: func(r *http.Request) { r.URL.Scheme = "ftp" }},
	{name: "method", want: `invalid method "G T"`, req: func(r *http.Request) { r.Method = "G T" }},
	{name: "host", want: "no Host in request URL", req: func(r *http.Request) { r.URL.Host = "" }},
	{name: "body fails", want: "the test's reason", peer: saysAndStays(""), req: func(r *http.Request) {
		r.Method, r.Body = "POST", io.NopCloser(io.MultiReader(strings.NewReader("some"), failing{}))
	}},
	{name: "body short", want: "http: ContentLength=9 with Body length 4", peer: saysAndStays(""), req: func(r *http.Request) {
		r.Method, r.Body, r.ContentLength = "POST", io.NopCloser(strings.NewReader("some")), 9
	}},
	{name: "body once", want: "cannot rewind body after connection loss", use: declined},
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errWhy }

// declined sends a request that another protocol has read the body of, and does not
// serve.
func declined(rt http.RoundTripper, req *http.Request) error {
	rt.(interface {
		RegisterProtocol(string, http.RoundTripper)
	}).RegisterProtocol("http", roundTripper(func(r *http.Request) (*http.Response, error) {
		io.ReadAll(r.Body)
		return nil, http.ErrSkipAltProtocol
	}))
	req.Body = io.NopCloser(strings.NewReader("once"))
	return tryAll(rt, req)
}

var throughProxy = http.ProxyURL(&url.URL{Scheme: "http", Host: "proxy.test:80"})

// dialTexts are the errors of connections that cannot be had.
var dialTexts = []textRow{
	{name: "Proxy", want: "the test's reason", set: func(tr *Transport) {
		tr.Proxy = func(*http.Request) (*url.URL, error) { return nil, errWhy }
	}},
	{name: "DialContext", want: "the test's reason", set: func(tr *Transport) {
		tr.DialContext = func(context.Context, string, string) (net.Conn, error) { return nil, errWhy }
	}},
	{name: "DialContext nil", want: "Transport.DialContext hook returned (nil, nil)", set: func(tr *Transport) {
		tr.DialContext = func(context.Context, string, string) (net.Conn, error) { return nil, nil }
	}},
	{name: "Dial nil", want: "Transport.Dial hook returned (nil, nil)", set: func(tr *Transport) {
		tr.DialContext = nil
		tr.Dial = func(string, string) (net.Conn, error) { return nil, nil }
	}},
	{name: "DialTLSContext nil", want: "Transport.DialTLS or DialTLSContext returned (nil, nil)", req: overHTTPS, set: func(tr *Transport) {
		tr.DialTLSContext = func(context.Context, string, string) (net.Conn, error) { return nil, nil }
	}},
	{name: "proxy dial", want: "proxyconnect tcp: the test's reason", set: func(tr *Transport) {
		tr.Proxy = throughProxy
		tr.DialContext = func(context.Context, string, string) (net.Conn, error) { return nil, errWhy }
	}},
	{name: "CONNECT header", want: "the test's reason", req: overHTTPS, set: func(tr *Transport) {
		tr.Proxy = throughProxy
		tr.GetProxyConnectHeader = func(context.Context, *url.URL, string) (http.Header, error) { return nil, errWhy }
	}},
	{name: "CONNECT hook", want: "the test's reason", req: overHTTPS, peer: says("HTTP/1.1 200 OK\n\n"), set: func(tr *Transport) {
		tr.Proxy = throughProxy
		tr.OnProxyConnectResponse = func(context.Context, *url.URL, *http.Request, *http.Response) error { return errWhy }
	}},
	{name: "CONNECT refused", want: "Proxy Authentication Required", req: overHTTPS, peer: says("HTTP/1.1 407 Proxy Authentication Required\n\n"), set: func(tr *Transport) { tr.Proxy = throughProxy }},
	{name: "CONNECT status", want: "unknown status code", req: overHTTPS, peer: says("HTTP/1.1 407\n\n"), set: func(tr *Transport) { tr.Proxy = throughProxy }},
	{name: "CONNECT garbage", want: "malformed HTTP", req: overHTTPS, peer: says("hello\n\n"), set: func(tr *Transport) { tr.Proxy = throughProxy }},
	{name: "CONNECT closed", want: "EOF", req: overHTTPS, peer: says(""), set: func(tr *Transport) { tr.Proxy = throughProxy }},
	{name: "CONNECT silent", want: "context deadline exceeded", req: overHTTPS, set: func(tr *Transport) { tr.Proxy = throughProxy }},
	{name: "SOCKS refused", want: "unexpected protocol version 72", peer: greets("HTTP/1.1 400 Bad Request\n\n"), set: func(tr *Transport) {
		tr.Proxy = http.ProxyURL(&url.URL{Scheme: "socks5", Host: "proxy.test:80"})
	}},
	{name: "TLS silent", want: "TLS handshake timeout", req: overHTTPS, set: func(tr *Transport) { tr.TLSHandshakeTimeout = time.Second }},
	{name: "TLS closed", want: "EOF", req: overHTTPS, peer: func(c net.Conn) {
		c.Read(make([]byte, 64<<10))
		c.Close()
	}},
	{name: "TLS none", want: "first record does not look like a TLS handshake", req: overHTTPS, peer: greets("HTTP/1.1 400 Bad Request\n\n")},
	{name: "TLS none, client", want: "server gave HTTP response to HTTPS client", req: overHTTPS, peer: greets("HTTP/1.1 400 Bad Request\n\n"), use: byClient},
	{name: "TLS certificate", want: "x509: ", req: overHTTPS, peer: func(c net.Conn) {
		tls.Server(c, &tls.Config{Certificates: textCerts}).Handshake()
	}},
}

func overHTTPS(r *http.Request) { r.URL.Scheme = "https" }

// greets returns a peer that says s at once.
func greets(s string) func(net.Conn) {
	return func(c net.Conn) { io.WriteString(c, crlf(s)) }
}

// byClient does as tryAll, with an http.Client.
func byClient(rt http.RoundTripper, req *http.Request) error {
	resp, err := (&http.Client{Transport: rt}).Do(req)
	if err != nil {
		return err.(*url.Error).Err
	}
	resp.Body.Close()
	return nil
}

// responseTexts are the errors of responses that do not come, or that are wrong.
var responseTexts = []textRow{
	{name: "FIN", want: "EOF", peer: says("")},
	{name: "reset", want: "connection reset by peer", peer: func(c net.Conn) {
		http.ReadRequest(bufio.NewReader(c))
		c.(interface{ SetLinger(int) error }).SetLinger(0)
		c.Close()
	}},
	{name: "half a status", want: "transport connection broken: malformed HTTP status code", peer: says("HTTP/1.1 20")},
	{name: "status alone", want: "transport connection broken: unexpected EOF", peer: says("HTTP/1.1 200 OK\n")},
	{name: "half a header", want: "transport connection broken: malformed MIME header", peer: says("HTTP/1.1 200 OK\nContent-")},
	{name: "no status", want: `transport connection broken: malformed HTTP response "SSH-2.0"`, peer: saysAndStays("SSH-2.0\n\n")},
	{name: "bad status", want: `transport connection broken: malformed HTTP status code "2x0"`, peer: saysAndStays("HTTP/1.1 2x0 OK\n\n")},
	{name: "bad version", want: `malformed HTTP version "HTTP/x"`, peer: saysAndStays("HTTP/x 200 OK\n\n")},
	{name: "bad header", want: "malformed MIME header", peer: saysAndStays("HTTP/1.1 200 OK\nno colon\n\n")},
	{name: "bad length", want: `bad Content-Length "x"`, peer: saysAndStays("HTTP/1.1 200 OK\nContent-Length: x\n\n")},
	{name: "bad encoding", want: `unsupported transfer encoding: "x"`, peer: saysAndStays("HTTP/1.1 200 OK\nTransfer-Encoding: x\n\n")},
	{name: "long header", want: "server response headers exceeded 100 bytes; aborted", peer: saysAndStays("HTTP/1.1 200 OK\nLong: " + strings.Repeat("x", 9000) + "\n\n"),
		set: func(tr *Transport) { tr.MaxResponseHeaderBytes = 100 }},
	{name: "silent", want: "timeout awaiting response headers", set: func(tr *Transport) { tr.ResponseHeaderTimeout = time.Second }},
	{name: "1xx hook", want: "transport connection broken: the test's reason", peer: saysAndStays("HTTP/1.1 103 Early Hints\n\n"), req: func(r *http.Request) {
		*r = *r.WithContext(httptrace.WithClientTrace(r.Context(), &httptrace.ClientTrace{
			Got1xxResponse: func(int, textproto.MIMEHeader) error { return errWhy },
		}))
	}},
	{name: "body cut", want: "unexpected EOF", peer: says("HTTP/1.1 200 OK\nContent-Length: 9\n\nhello")},
	{name: "body reset", want: "connection reset by peer", peer: func(c net.Conn) {
		http.ReadRequest(bufio.NewReader(c))
		io.WriteString(c, crlf("HTTP/1.1 200 OK\nContent-Length: 9\n\nhello"))
		time.Sleep(time.Second) // virtual: until that is read
		c.(interface{ SetLinger(int) error }).SetLinger(0)
		c.Close()
	}},
	{name: "bad chunk", want: "invalid byte in chunk length", peer: saysAndStays("HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\nhello\n")},
	{name: "bad gzip", want: "gzip: invalid header", peer: saysAndStays("HTTP/1.1 200 OK\nContent-Encoding: gzip\nContent-Length: 12\n\nhello, world")},
	{name: "body closed", want: "read on closed response body", peer: saysAndStays("HTTP/1.1 200 OK\nContent-Length: 9\n\nhello"), use: func(rt http.RoundTripper, req *http.Request) error {
		resp, err := rt.RoundTrip(req)
		if err != nil {
			return err
		}
		resp.Body.Close()
		_, err = resp.Body.Read(make([]byte, 1))
		return err
	}},
	{name: "write fails", want: "transport connection broken: broken pipe", set: func(tr *Transport) {
		dial := tr.DialContext
		tr.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
			c, err := dial(ctx, network, addr)
			return &cutWriter{c, 5}, err
		}
	}},
	{name: "write fails at once", want: "broken pipe", set: func(tr *Transport) {
		dial := tr.DialContext
		tr.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
			c, err := dial(ctx, network, addr)
			return &cutWriter{c, 0}, err
		}
	}},
	{name: "idle limit", want: "putIdleConn: too many idle connections for host", peer: saysAndStays("HTTP/1.1 200 OK\nContent-Length: 5\n\nhello"),
		set: func(tr *Transport) { tr.MaxIdleConnsPerHost = 1 }, use: putIdle},
	{name: "upgraded", want: "CloseWrite: feature not supported", peer: saysAndStays("HTTP/1.1 101 Switching Protocols\nUpgrade: x\nConnection: upgrade\n\n"),
		set: func(tr *Transport) {
			dial := tr.DialContext
			tr.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
				c, err := dial(ctx, network, addr)
				return struct{ net.Conn }{c}, err
			}
		}, use: func(rt http.RoundTripper, req *http.Request) error {
			resp, err := rt.RoundTrip(req)
			if err != nil {
				return err
			}
			defer resp.Body.Close()
			return resp.Body.(interface{ CloseWrite() error }).CloseWrite()
		}},
}

// A cutWriter is a connection that takes so many bytes more.
type cutWriter struct {
	net.Conn
	takes int
}

func (c *cutWriter) Write(b []byte) (int, error) {
	n, _ := c.Conn.Write(b[:min(len(b), c.takes)])
	if c.takes -= n; n < len(b) {
		return n, syscall.EPIPE
	}
	return n, nil
}

// putIdle returns the error that PutIdleConn gets, of two connections that become idle.
func putIdle(rt http.RoundTripper, req *http.Request) (told error) {
	req = req.WithContext(httptrace.WithClientTrace(req.Context(), &httptrace.ClientTrace{
		PutIdleConn: func(err error) { told = err },
	}))
	r1, err := rt.RoundTrip(req)
	if err != nil {
		return err
	}
	defer r1.Body.Close()
	r2, err := rt.RoundTrip(req)
	if err != nil {
		return err
	}
	defer r2.Body.Close()
	io.Copy(io.Discard, r1.Body)
	io.Copy(io.Discard, r2.Body)
	return told
}
