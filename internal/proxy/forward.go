package proxy

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
)

// Forward listens on an address for programs that have a proxy's address: HTTP (CONNECT, and
// requests for absolute URLs) and SOCKS5, told apart by their first byte.
func (p *Proxy) Forward(address string) (net.Addr, error) {
	l, err := p.listen(address)
	if err != nil {
		return nil, err
	}
	p.Log.Write(Entry{What: "listening", Text: fmt.Sprintf("forward proxy (HTTP, SOCKS5) on %s", l.Addr())})
	p.serve(l, (*client).forward)
	return l.Addr(), nil
}

// The first bytes of protocols.
const (
	socks4First = 4
	socks5First = 5
	tlsFirst    = 22
)

// forward serves a client of the forward proxy.
func (c *client) forward() {
	in := bufio.NewReader(c.Conn)
	first, err := in.Peek(1)
	switch {
	case err != nil:
		c.say("accepted", "closed before its first byte")
	case first[0] == socks5First:
		c.socks(in)
	case first[0] == socks4First:
		c.say("refused", "SOCKS4: want SOCKS5 (socks5:// or socks5h://)")
		c.Write([]byte{0, 91, 0, 0, 0, 0, 0, 0}) // rejected
	case first[0] == tlsFirst:
		c.say("refused", "TLS: want plain HTTP or SOCKS5 to the proxy itself (http:// or socks5://)")
	default:
		c.http(in)
	}
}

// mostInHead is how many bytes the head of a request to the proxy may have.
const mostInHead = 1 << 20

// http serves a client that speaks HTTP to the proxy.
func (c *client) http(in *bufio.Reader) {
	head, req, err := readHead(in)
	if _, lost := errors.AsType[*net.OpError](err); lost {
		return // the connection is gone
	}
	if err != nil {
		c.refuseHTTP(http.StatusBadRequest, "http_request_error", err.Error())
		return
	}
	switch {
	case req.Method == http.MethodConnect:
		c.connect(in, req)
	case req.URL.Scheme == "http" && req.URL.Host != "":
		c.plain(in, head, req)
	case req.URL.Host != "":
		c.refuseHTTP(http.StatusBadRequest, "http_request_error", fmt.Sprintf("%s: a proxy is asked for http URLs, and with CONNECT for others", req.URL))
	default:
		c.refuseHTTP(http.StatusBadRequest, "http_request_error", fmt.Sprintf("%s %s is a request to a server: this is a proxy (HTTP_PROXY=http://%s)", req.Method, req.URL, c.LocalAddr()))
	}
}

// readHead reads the head of a request.
func readHead(in *bufio.Reader) (head []byte, req *http.Request, err error) {
	for !bytes.HasSuffix(head, []byte("\r\n\r\n")) && !bytes.HasSuffix(head, []byte("\n\n")) {
		line, err := in.ReadSlice('\n')
		head = append(head, line...)
		switch {
		case len(head) > mostInHead:
			return nil, nil, fmt.Errorf("the head of a request has more than %d bytes", mostInHead)
		case err == io.EOF && len(head) == 0:
			return nil, nil, io.EOF
		case err == io.EOF:
			return nil, nil, io.ErrUnexpectedEOF
		case err != nil && err != bufio.ErrBufferFull:
			return nil, nil, err
		}
	}
	req, err = http.ReadRequest(bufio.NewReader(bytes.NewReader(head)))
	return head, req, err
}

// connect serves a CONNECT (RFC 9110 section 9.3.6).
func (c *client) connect(in *bufio.Reader, req *http.Request) {
	address := req.URL.Host
	if _, _, ok := cutPort(address); !ok {
		c.refuseHTTP(http.StatusBadRequest, "http_request_error", fmt.Sprintf("CONNECT %q: want host:port", address))
		return
	}
	c.say("accepted", "CONNECT %s", address)
	server, err := c.p.dial(c.number, address)
	if err != nil {
		c.refuseDial(err)
		return
	}
	if _, err := io.WriteString(c, "HTTP/1.1 200 Connection established\r\n\r\n"); err != nil {
		resetConn(server)
		return
	}
	newTunnel(c, in, server).run()
}

// refuseDial answers that the server could not be dialed.
func (c *client) refuseDial(err error) {
	status, kind := http.StatusBadGateway, proxyError(err)
	if strings.HasSuffix(kind, "_timeout") {
		status = http.StatusGatewayTimeout
	}
	c.refuseHTTP(status, kind, err.Error())
}

// refuseHTTP answers with an error. Its kind is of RFC 9209 section 2.3.
func (c *client) refuseHTTP(status int, kind, why string) {
	c.say("refused", "%s", why)
	body := "halfopen proxy: " + why + "\n"
	fmt.Fprintf(c, "HTTP/1.1 %d %s\r\nProxy-Status: halfopen; error=%s\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s",
		status, http.StatusText(status), kind, len(body), body)
}

// proxyError returns what RFC 9209 calls the error of a dial.
func proxyError(err error) string {
	var dns *net.DNSError
	var addr *net.AddrError
	switch {
	case errors.As(err, &dns) && dns.IsTimeout:
		return "dns_timeout"
	case errors.As(err, &dns), errors.As(err, &addr):
		return "dns_error"
	case isErrno(err, syscall.ECONNREFUSED):
		return "connection_refused"
	case isErrno(err, syscall.ETIMEDOUT), errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded):
		return "connection_timeout"
	case isErrno(err, syscall.EHOSTUNREACH), isErrno(err, syscall.ENETUNREACH):
		return "destination_ip_unroutable"
	}
	return "destination_unavailable"
}
