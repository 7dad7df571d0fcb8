package peer

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/halfopen/halfopen/faultnet"
)

// proxyModes is the modes of serve-proxy.
var proxyModes = []Mode{
	{"connect", "a CONNECT proxy that does its work"},
	{"407", "it answers CONNECT with 407"},
	{"403", "it answers CONNECT with 403"},
	{"502", "it answers CONNECT with 502"},
	{"body", "it answers CONNECT with 200 and a body"},
	{"split", "its answer to CONNECT comes in two pieces, 1s apart"},
	{"oversized", "its answer to CONNECT has 60 KB of headers"},
	{"slow", "its answer to CONNECT comes after 5s"},
	{"never", "it never answers CONNECT"},
	{"garbage", "its answer to CONNECT is no HTTP"},
	{"close", "it closes after its 200 to CONNECT"},
	{"close-unanswered", "it closes instead of answering CONNECT"},
	{"reset", "it resets the tunnel at the client's first bytes in it"},
	{"socks", "a SOCKS5 proxy that does its work"},
	{"socks-refused", "it answers that the connection was refused"},
	{"socks-method", "it takes none of the client's methods"},
	{"socks-short", "its reply is too short, and a FIN"},
	{"socks-never", "it never answers"},
}

// Proxy serves one connection of a proxy, in that mode. What it dials is its own:
// see [ProxyOwner].
func Proxy(ctx context.Context, c *faultnet.Conn, mode string, dial Dialer) {
	p := &proxyConn{faultnet.WithOwner(ctx, ProxyOwner), dial, c, bufio.NewReader(c), mode}
	if strings.HasPrefix(mode, "socks") {
		p.socks()
	} else {
		p.connect()
	}
}

// ProxyOwner is the owner of the connections that a proxy opens: no client can use
// them, or close them. No request of a script has a name of two words.
const ProxyOwner = "a proxy"

// proxyConn is one connection of a client to a proxy.
type proxyConn struct {
	ctx  context.Context
	dial Dialer
	c    *faultnet.Conn
	r    *bufio.Reader
	mode string
}

func (p *proxyConn) connect() {
	req, err := http.ReadRequest(p.r)
	if err != nil {
		return
	}
	const granted = "HTTP/1.1 200 Connection established\r\n"
	switch p.mode {
	case "403", "407", "502":
		code, _ := strconv.Atoi(p.mode)
		fmt.Fprintf(p.c, "HTTP/1.1 %d %s by proxy\r\nContent-Length: 0\r\n\r\n", code, http.StatusText(code))
		return
	case "close-unanswered":
		return
	case "garbage":
		io.WriteString(p.c, "\x05\x00\x00 no HTTP\r\n\r\n")
		return
	case "never":
		p.untilClosed()
		return
	}
	to, err := p.dial(p.ctx, "tcp", req.Host)
	if err != nil {
		io.WriteString(p.c, "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
		return
	}
	defer to.Close()
	switch p.mode {
	case "split":
		io.WriteString(p.c, "HTTP/1.1 200 Connec")
		if !p.linger(time.Second) {
			return
		}
		io.WriteString(p.c, "tion established\r\n\r\n")
	case "slow":
		if !p.linger(5 * time.Second) {
			return
		}
		io.WriteString(p.c, granted+"\r\n")
	case "oversized":
		io.WriteString(p.c, granted+strings.Repeat("X-Long: "+strings.Repeat("x", 990)+"\r\n", 60)+"\r\n")
	case "body":
		io.WriteString(p.c, granted+"Content-Length: 5\r\n\r\nhello")
	default:
		io.WriteString(p.c, granted+"\r\n")
	}
	switch p.mode {
	case "close":
		return
	case "reset":
		p.r.Peek(1)
		p.c.Reset()
		return
	}
	p.tunnel(to)
}

// linger lets time pass, and reports whether the client is still there then: what
// a proxy has opened for a client ends with it.
func (p *proxyConn) linger(d time.Duration) bool {
	end := time.Now().Add(d)
	p.c.SetReadDeadline(end)
	_, err := p.r.Peek(1)
	p.c.SetReadDeadline(time.Time{})
	if err == nil { // the client speaks before it may
		time.Sleep(time.Until(end))
	}
	return err == nil || errors.Is(err, os.ErrDeadlineExceeded)
}

// untilClosed waits until the client closes.
func (p *proxyConn) untilClosed() { io.Copy(io.Discard, p.r) }

// tunnel copies both ways until both have ended.
func (p *proxyConn) tunnel(to net.Conn) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		io.Copy(p.c, to)
		p.c.CloseWrite()
	}()
	io.Copy(to, p.r)
	if c, ok := to.(*faultnet.Conn); ok {
		c.CloseWrite()
	}
	<-done
}

// socks is RFC 1928, without authentication.
func (p *proxyConn) socks() {
	head := make([]byte, 2)
	if _, err := io.ReadFull(p.r, head); err != nil {
		return
	}
	methods := make([]byte, head[1])
	if _, err := io.ReadFull(p.r, methods); err != nil {
		return
	}
	switch {
	case p.mode == "socks-never":
		p.untilClosed()
		return
	case p.mode == "socks-method" || !slices.Contains(methods, 0):
		p.c.Write([]byte{5, 0xff})
		return
	}
	p.c.Write([]byte{5, 0})
	address, err := p.socksAddress()
	if err != nil {
		return
	}
	reply := []byte{5, 0, 0, 1, 0, 0, 0, 0, 0, 0}
	switch p.mode {
	case "socks-short":
		p.c.Write(reply[:3])
		return
	case "socks-refused":
		reply[1] = 5
		p.c.Write(reply)
		return
	}
	to, err := p.dial(p.ctx, "tcp", address)
	if err != nil {
		reply[1] = 4
		p.c.Write(reply)
		return
	}
	defer to.Close()
	p.c.Write(reply)
	p.tunnel(to)
}

// socksAddress reads a request to connect.
func (p *proxyConn) socksAddress() (string, error) {
	head := make([]byte, 4)
	if _, err := io.ReadFull(p.r, head); err != nil {
		return "", err
	}
	size := 4
	switch head[3] {
	case 3:
		n, err := p.r.ReadByte()
		if err != nil {
			return "", err
		}
		size = int(n)
	case 4:
		size = 16
	}
	b := make([]byte, size+2)
	if _, err := io.ReadFull(p.r, b); err != nil {
		return "", err
	}
	host := string(b[:size])
	if head[3] != 3 {
		host = net.IP(b[:size]).String()
	}
	return net.JoinHostPort(host, strconv.Itoa(int(b[size])<<8|int(b[size+1]))), nil
}
